"""Instants as services exchange them: whole seconds since 1970 UTC, ISO 8601 text, and the name of a time zone.

Knows no clock: what time it is comes in as an argument. `zoneinfo` is imported where zones are asked for: it costs a
service that knows none half a megabyte.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

LOCAL = "local"
"""Stands for the machine's own time zone."""


def iso(at: float) -> str:
    """Return the instant as text in UTC, to the second: `2026-06-21T03:43:06Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}Z"


def iso_local(at: float, zone: ZoneInfo) -> str:
    """Return the instant as text in local time with its offset: `2026-06-21T04:43:06+01:00`."""
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def instant(text: str) -> int:
    """Return the second that ISO 8601 `text` names; without an offset it is UTC.

    Raises:
        Invalid: it is no date or time.
    """
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise Invalid(f"bad time {text[:40]!r}: write for example 2026-10-24T12:00Z") from None


def find_zone(name: str = LOCAL) -> ZoneInfo:
    """Return the time zone `name`, such as Europe/London; `local` is the one this machine is set to.

    Raises:
        Invalid: there is none of that name.
    """
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(_machine_zone() if name == LOCAL else name)
    except (KeyError, ValueError, OSError):  # not found; a path; the name of a folder, Europe
        raise Invalid(f"timezone {name[:60]!r} is not known; {_zone_hint(name)}") from None


def _machine_zone() -> str:
    """Return the zone's name as the system knows it: TZ, then /etc/localtime, then UTC."""
    from zoneinfo import ZoneInfo

    try:
        path = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime")
        return ZoneInfo(path.rpartition("zoneinfo/")[2]).key
    except (KeyError, ValueError, OSError):  # a rule instead of a name, or no such file
        return "UTC"


def _zone_hint(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = {zone.lower(): zone for zone in available_timezones()}
    if not known:
        return "this machine has no time zones at all: install tzdata"
    near = get_close_matches(name.lower(), known, n=1) or [zone for zone in known if zone.endswith("/" + name.lower())]
    return f"did you mean {known[near[0]]}?" if near else "write a region and a city, such as Europe/London"
