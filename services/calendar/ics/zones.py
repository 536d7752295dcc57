"""Time zones by the names calendars give them: IANA's, Windows', and names that only the calendar itself explains.

Always asks the zone database first: a calendar's own VTIMEZONE is often years old, and wrong by now. Knows no events.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 200
_LOCATION: Final = re.compile(r"^X-LIC-LOCATION[^:]*:(.+)$", re.IGNORECASE | re.MULTILINE)


class Zones:
    """The time zones of one calendar.

    Args:
        house: where days begin at midnight, and for times that name no zone at all.
        calendar: the name of the calendar's own, X-WR-TIMEZONE; empty for none.
        defined: the text of each VTIMEZONE by its TZID.
    """

    def __init__(self, house: ZoneInfo, calendar: str = "", defined: Mapping[str, str] | None = None) -> None:
        self.house = house
        self._defined = dict(defined or {})
        self._known: dict[str, tzinfo] = {}
        self.floating: tzinfo = self.find(calendar) if calendar else house
        """Of times that name no zone."""

    def find(self, name: str) -> tzinfo:
        """Return the zone called `name`; one that nobody knows is the house's."""
        if name not in self._known:
            self._known[name] = self._find(name[:_LONGEST])
        return self._known[name]

    def instant(self, moment: date, zone: str = "") -> datetime:
        """Return the date or time of a calendar as a time with a zone; a date is its midnight in the house."""
        if not isinstance(moment, datetime):
            return datetime(moment.year, moment.month, moment.day, tzinfo=self.house)
        if zone:
            return moment.replace(tzinfo=self.find(zone))
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.floating)

    def _find(self, name: str) -> tzinfo:
        from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

        plain = name.strip().strip('"')
        if plain.upper() in {"UTC", "Z", "GMT", "ETC/UTC"}:
            return UTC
        text = self._defined.get(name) or self._defined.get(plain, "")
        location = _LOCATION.search(text)
        # such as /freeassociation.sourceforge.net/Tzfile/Europe/London
        ends = ["/".join(plain.split("/")[-parts:]) for parts in (3, 2)] if plain.startswith("/") else []
        for each in (plain, WINDOWS_TO_OLSON.get(plain), location and location[1].strip(), *ends):
            found = _database(each) if each else None
            if found is not None:
                return found
        return _defined(text) or self.house


def _database(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; a path; a folder
        return None


def _defined(text: str) -> tzinfo | None:
    """Return the zone a VTIMEZONE describes, or None where it describes none."""
    if not text:
        return None
    from icalendar import Timezone

    try:
        component: Any = Timezone.from_ical(text)
        zone: Any = component.to_tz(lookup_tzid=False)
        for month in (1, 7):
            datetime(2026, month, 1, tzinfo=zone).utcoffset()
    except Exception:  # noqa: BLE001 - whatever nonsense does to a library: the house's zone is the answer then
        return None
    return zone if isinstance(zone, tzinfo) else None
