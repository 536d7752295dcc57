r"""Google's event, a JSON object, turned into an `Event`: total, whatever stands in it.

    {"id": "4bd_20261024T170000Z", "etag": "\"3539\"", "iCalUID": "4bd@google.com", "status": "confirmed",
     "summary": "Heat the hall", "start": {"dateTime": "2026-10-24T18:00:00+01:00", "timeZone": "Europe/London"},
     "end": {"dateTime": "2026-10-24T20:00:00+01:00"}, "attendees": [{"self": true, "responseStatus": "accepted"}]}

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events. Pure; knows no network and no clock.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from services.calendar.commands import parse as parse_commands
from services.calendar.events import STATUSES, Event
from services.calendar.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.calendar.events import Response, Status
    from services.calendar.sources import Window

_RESPONSES: Final[Mapping[str, Response]] = {
    "accepted": "accepted",
    "declined": "declined",
    "tentative": "tentative",
    "needsAction": "needs_action",
}
_LONGEST: Final = {"id": 1024, "line": 1024, "content": 8192, "key": 44, "extended": 32_768}
"""Google's own limits, in characters: an id and a property's value 1024, a key 44, all properties 32 kB. A
description has 8192; a title and a place are cut where a value is."""
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
_UNPRINTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True)
class Zones:
    """Which time zones times without an offset are in."""

    house: ZoneInfo
    """All-day events are days of the house, wherever their calendar is at home."""
    calendar: ZoneInfo | None = None
    """The calendar's own, where it is known."""


class _Unreadable(Exception):
    """A time that cannot be understood."""


def parse_events(items: Iterable[object], zones: Zones) -> tuple[list[Event], list[str]]:
    """Return the events of `items`, ordered by start, and the ids of those that could not be read, "" for none.

    Cancelled events are left out and not counted. What stands twice, because the calendar changed while its pages
    were read, is taken as it stood last.
    """
    found: dict[str, Event] = {}
    unread: list[str] = []
    for item in items:
        if isinstance(item, dict) and item.get("status") == "cancelled":
            found.pop(_text(item.get("id"), "id"), None)
            continue
        event = parse_event(item, zones)
        if event is None:
            unread.append(_text(item.get("id"), "id") if isinstance(item, dict) else "")
        else:
            found[event.id] = event
    return sorted(found.values(), key=lambda event: (event.start, event.id)), unread


def parse_event(item: object, zones: Zones) -> Event | None:
    """Return the event, or None where it has no id or no time: those two cannot be guessed."""
    if not isinstance(item, dict):
        return None
    name = _text(item.get("id"), "id")
    try:
        start, end, all_day = _times(item, zones)
    except _Unreadable:
        return None
    if not name:
        return None
    content = plain(_string(item.get("description")))[: _LONGEST["content"]]
    private, shared = (_properties(item, kind) for kind in ("private", "shared"))
    return Event(
        id=name,
        etag=_text(item.get("etag"), "id") or _digest(item),
        uid=_text(item.get("iCalUID"), "id") or _text(item.get("recurringEventId"), "id") or name,
        start=start,
        end=end,
        title=_text(item.get("summary"), "line"),
        where=_text(item.get("location"), "line"),
        content=content,
        status=_status(item.get("status")),
        all_day=all_day,
        transparency="free" if item.get("transparency") == "transparent" else "busy",
        response=_response(item.get("attendees")),
        extended=_bounded({**private, **{key: text for key, text in shared.items() if key not in private}}),
        commands=parse_commands(content, private),
    )


def touches(event: Event, window: Window) -> bool:
    """Whether any second of the event is in the window; one without duration counts as its first second."""
    return event.start < window.end and max(event.end, event.start + 1) > window.start


def find_calendar_zone(name: object) -> ZoneInfo | None:
    """Return the time zone Google calls `name`, or None where this machine knows none of that name."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (KeyError, ValueError, OSError):
        return None


def _times(item: Mapping[str, Any], zones: Zones) -> tuple[int, int, bool]:
    begin, until = item.get("start"), item.get("end")
    start, all_day = _instant(begin, zones)
    if item.get("endTimeUnspecified") is True or not isinstance(until, dict):
        until = begin
    end, ends_with_day = _instant(until, zones)
    if all_day and end <= start:  # no end at all: an all-day event has one day
        end, ends_with_day = _instant(begin, zones, later=timedelta(days=1))
    return start, max(start, end), all_day and ends_with_day


def _instant(value: object, zones: Zones, *, later: timedelta = timedelta(0)) -> tuple[int, bool]:
    """Return the second `value` names, and whether it names a day."""
    if not isinstance(value, dict):
        raise _Unreadable
    moment, day = value.get("dateTime"), value.get("date")
    try:
        if isinstance(moment, str) and moment:
            at = datetime.fromisoformat(moment)
            if at.tzinfo is None:
                at = at.replace(tzinfo=find_calendar_zone(value.get("timeZone")) or zones.calendar or zones.house)
            return _second(at), False
        if isinstance(day, str) and day:
            on = date.fromisoformat(day) + later
            return _second(datetime(on.year, on.month, on.day, tzinfo=zones.house)), True
    except (ValueError, OverflowError):
        pass
    raise _Unreadable


def _second(at: datetime) -> int:
    if not _FIRST <= at < _LAST:
        raise _Unreadable
    return math.floor(at.timestamp())


def _status(value: object) -> Status:
    if value is None:
        return "confirmed"
    return next((status for status in STATUSES if status == value), "unknown")


def _response(attendees: object) -> Response | None:
    for attendee in attendees if isinstance(attendees, list) else []:
        if isinstance(attendee, dict) and attendee.get("self") is True:
            return _RESPONSES.get(_string(attendee.get("responseStatus")))
    return None


def _properties(item: Mapping[str, Any], kind: str) -> dict[str, str]:
    extended = item.get("extendedProperties")
    table = extended.get(kind) if isinstance(extended, dict) else None
    if not isinstance(table, dict):
        return {}
    return {
        key: _text(value, "line")
        for key, value in table.items()
        if isinstance(value, str) and key and len(key) <= _LONGEST["key"] and not _UNPRINTED.search(key)
    }


def _bounded(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the first properties, as many as Google's own limit allows."""
    kept, size = {}, 0
    for key, text in properties.items():
        size += len(key) + len(text)
        if size > _LONGEST["extended"]:
            break
        kept[key] = text
    return kept


def _text(value: object, kind: str) -> str:
    """Return text of one line that any terminal and any encoding can take."""
    return _UNPRINTED.sub(" ", _string(value)).strip()[: _LONGEST[kind]]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _digest(item: Mapping[str, Any]) -> str:
    """Return what changes with the event, in place of the etag Google left out."""
    from hashlib import blake2b

    return blake2b(repr(item).encode(errors="backslashreplace"), digest_size=12).hexdigest()
