"""How often a rule can come at most, so that one made to drown the house is refused before it is expanded. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_A_DAY: Final = 288
"""Every five minutes."""
_BELOW: Final = (("HOURLY", "BYHOUR", 24), ("MINUTELY", "BYMINUTE", 60), ("SECONDLY", "BYSECOND", 60))
_FREQUENCIES: Final = frozenset(("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"))


def fault_of(rule: Mapping[str, list[Any]]) -> str:
    """Return why a rule cannot be expanded; empty when it can.

    Args:
        rule: an RRULE, each part with its values.
    """
    frequency = str(_first(rule, "FREQ")).upper()
    if frequency not in _FREQUENCIES:
        return "it has no frequency"
    interval = _first(rule, "INTERVAL")
    if interval is not None and not (isinstance(interval, int) and interval >= 1):
        return f"its interval is {interval}"
    often = a_day(rule, frequency, interval or 1)
    return f"it comes {often:.0f} times a day; {MOST_A_DAY} can be told" if often > MOST_A_DAY else ""


def a_day(rule: Mapping[str, list[Any]], frequency: str, interval: int) -> float:
    """Return how often it comes a day at most.

    A part finer than the frequency multiplies (`BYHOUR` of a daily rule), one that is not only leaves out.
    """
    often = 1.0
    finer = True
    for name, part, units in reversed(_BELOW):
        given = len(set(map(str, rule.get(part, ()))))
        if frequency == name:
            finer = False
            rest = _units_above(rule, name)
            return often * max(1.0, min(given or units, units) * rest / interval)
        if finer:
            often *= given or 1
    return often


def _units_above(rule: Mapping[str, list[Any]], name: str) -> float:
    above = 1.0
    for each, part, units in _BELOW:
        if each == name:
            break
        above *= len(set(map(str, rule.get(part, ())))) or units
    return above


def _first(rule: Mapping[str, list[Any]], part: str) -> Any:
    values = rule.get(part)
    return values[0] if values else None
