"""Units of measurement, and the way from one to another of the same kind. Pure; a table and two functions.

Every unit is a straight line to the first of its kind, given once, in whole numbers and fractions; a conversion is two
of them put together exactly, and rounded once. Sources: the SI brochure (9th edition) and, for what is not SI, the
international yard and pound agreement of 1959 (1 in = 25.4 mm, 1 lb = 0.45359237 kg) and NIST SP 811, appendix B
(1 inHg = 3386.389 Pa, gravity 9.80665 m/s²).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Line = tuple[Fraction, Fraction]


def _line(factor: str, offset: str = "0") -> _Line:
    return Fraction(factor), Fraction(offset)


KINDS: Final[dict[str, dict[str, _Line]]] = {
    "temperature": {
        "°C": _line("1"),
        "K": _line("1", "-273.15"),
        "°F": _line("5/9", "-160/9"),
    },
    "speed": {
        "m/s": _line("1"),
        "km/h": _line("5/18"),
        "mph": _line("0.44704"),
        "kn": _line("463/900"),
        "ft/s": _line("0.3048"),
    },
    "pressure": {
        "hPa": _line("1"),
        "mbar": _line("1"),
        "bar": _line("1000"),
        "Pa": _line("1/100"),
        "kPa": _line("10"),
        "inHg": _line("33.86389"),
        "mmHg": _line("1.333224"),
        "psi": _line("68.947572931683613"),
    },
    "length": {
        "m": _line("1"),
        "km": _line("1000"),
        "cm": _line("1/100"),
        "mm": _line("1/1000"),
        "in": _line("0.0254"),
        "ft": _line("0.3048"),
        "mi": _line("1609.344"),
    },
    "rate of rain": {"mm/h": _line("1"), "in/h": _line("25.4")},
    "volume": {
        "m³": _line("1"),
        "l": _line("1/1000"),
        "ft³": _line("0.028316846592"),
        "gal": _line("0.003785411784"),
    },
    "flow": {
        "m³/h": _line("1"),
        "l/min": _line("0.06"),
        "l/h": _line("1/1000"),
        "l/s": _line("3.6"),
        "m³/s": _line("3600"),
        "gal/min": _line("0.22712470704"),
    },
    "power": {"W": _line("1"), "mW": _line("1/1000"), "kW": _line("1000"), "MW": _line("1000000")},
    "apparent power": {"VA": _line("1"), "kVA": _line("1000")},
    "energy": {
        "Wh": _line("1"),
        "kWh": _line("1000"),
        "MWh": _line("1000000"),
        "J": _line("1/3600"),
        "kJ": _line("5/18"),
        "MJ": _line("2500/9"),
    },
    "voltage": {"V": _line("1"), "mV": _line("1/1000"), "kV": _line("1000")},
    "current": {"A": _line("1"), "mA": _line("1/1000")},
    "frequency": {"Hz": _line("1"), "kHz": _line("1000")},
    "mass": {"kg": _line("1"), "g": _line("1/1000"), "t": _line("1000"), "lb": _line("0.45359237")},
    "share": {"ratio": _line("1"), "%": _line("1/100"), "ppm": _line("1/1000000")},
    "time": {"s": _line("1"), "ms": _line("1/1000"), "min": _line("60"), "h": _line("3600"), "d": _line("86400")},
    "angle": {"°": _line("1"), "rad": _line("57.295779513082320877")},
    "amount of data": {"bytes": _line("1"), "kB": _line("1000"), "MB": _line("1000000"), "MiB": _line("1048576")},
}
"""By kind and unit: factor and offset to the kind's first unit. The one place where a conversion stands."""

_KIND_OF: Final = {unit: kind for kind, units in KINDS.items() for unit in units}


def converter(source: str, target: str) -> Callable[[float], float]:
    """Return the function that turns a number of `source` into one of `target`.

    Raises:
        Invalid: a unit nobody knows, with the nearest that is known; or two that measure different things.
    """
    factor, offset = _between(source, target)
    scale, shift = float(factor), float(offset)
    return (lambda number: number * scale + shift) if shift else (lambda number: number * scale)


def check_units(wanted: Iterable[tuple[str, str]]) -> None:
    """Check each pair of units: what is published, what is sent.

    Raises:
        Invalid: with the problem of every pair at fault.
    """
    problems: list[str] = []
    for source, target in wanted:
        try:
            _between(source, target)
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid("; ".join(problems), problems=tuple(problems))


def _between(source: str, target: str) -> _Line:
    kind, other = _kind_of(source), _kind_of(target)
    if kind != other:
        raise Invalid(
            f"units: {source} is a {kind} and {target} a {other}; {source} converts to"
            f" {', '.join(unit for unit in KINDS[kind] if unit != source)}"
        )
    (factor, offset), (divisor, zero) = KINDS[kind][source], KINDS[kind][target]
    return factor / divisor, (offset - zero) / divisor


def _kind_of(unit: str) -> str:
    kind = _KIND_OF.get(unit)
    if kind is None:
        from hearthbus.cli.spelling import nearest

        alike = [known for known in _KIND_OF if known.lower() == unit.lower()]
        near = alike[0] if alike else nearest(unit, _KIND_OF)
        meant = f"did you mean {near!r}?" if near else f"known are {', '.join(_KIND_OF)}"
        raise Invalid(f"units: {unit!r} is not known; {meant}")
    return kind
