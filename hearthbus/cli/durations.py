"""Spans and moments of time as people write and read them: `10m`, `1h30m`, `2026-06-21T04:43Z`, "3 min".

Pure: the clock and the time zone come in as arguments. Nanoseconds are counted from 1970 UTC, as messages do.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from datetime import tzinfo

LATEST: Final = 2**63 - 1
"""The last moment a journal can be asked for, in nanoseconds."""
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_PART: Final = re.compile(rf"({_NUMBER})({'|'.join(UNITS)})")
_SPAN: Final = re.compile(rf"(?:{_NUMBER}(?:{'|'.join(UNITS)}))+\Z")
_BARE: Final = re.compile(rf"{_NUMBER}\Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 100 * 365 * 86400.0


def parse_duration(text: str) -> float:
    """Return seconds: `1.5`, `90s`, `10m`, `1h30m`, `2d`; a bare number is seconds.

    Raises:
        Invalid: none of these, or nothing, or more than a century.
    """
    if len(text) <= 40 and _BARE.match(text):
        seconds = float(text)
    elif len(text) <= 40 and _SPAN.match(text):
        seconds = sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
    else:
        raise Invalid(f"bad duration {text[:40]!r}: write seconds, or for example 90s, 10m, 1h30m, 2d")
    if not 0 < seconds <= _LONGEST:
        raise Invalid(f"bad duration {text[:40]!r}: it must be more than nothing and less than a century")
    return seconds


def parse_moment(text: str, *, now: int, zone: tzinfo | None = None) -> int:
    """Return a moment in nanoseconds: a time ago (`10m`), or an ISO 8601 date or time.

    Args:
        text: what the person wrote.
        now: nanoseconds.
        zone: what a time without an offset is meant in; None is the machine's own zone.

    Raises:
        Invalid: neither.
    """
    if _SPAN.match(text[:41]):
        return max(0, now - round(parse_duration(text) * 1e9))
    if not text.isdigit():
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
            return min(max(0, (moment - _EPOCH) // timedelta(microseconds=1) * 1000), LATEST)
        except (ValueError, OverflowError):
            pass
    raise Invalid(
        f"bad time {text[:40]!r}: write how long ago (90s, 10m, 2h, 3d) or a date and time (2026-06-21T04:43Z)"
    )


def iso_utc(moment: int) -> str:
    """Return a moment as ISO 8601 in UTC, to the microsecond."""
    return f"{_datetime(moment):%Y-%m-%dT%H:%M:%S.%f}Z"


def local_time(moment: int, *, zone: tzinfo | None = None) -> str:
    """Return a moment for a person: date and time of day in `zone` (None: the machine's), to the millisecond."""
    return f"{_datetime(moment).astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def span(seconds: float) -> str:
    """Return a span of time for a person, in at most two units: "3 s", "12 min", "2 h 05 min", "4 d 3 h"."""
    whole = int(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days} d {hours % 24} h" if days < 10 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    if minutes:
        return f"{minutes} min"
    return f"{whole} s"


def age(seconds: float) -> str:
    """Return how old something is; a clock that is ahead is said, not hidden."""
    if seconds < -1:
        return f"{span(-seconds)} ahead"
    return "now" if seconds < 1 else span(seconds)


def ago(seconds: float) -> str:
    """Return when something was, as `age`, for the middle of a line."""
    text = age(seconds)
    return {"now": "just now"}.get(text, text if seconds < 0 else f"{text} ago")


def _datetime(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment // 1000)
