"""One time of an iCalendar event turned into an `Event`. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from services.calendar.commands import parse as parse_commands
from services.calendar.events import Event
from services.calendar.ics.components import is_date
from services.calendar.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.calendar.events import Response, Status
    from services.calendar.ics.components import Component
    from services.calendar.ics.zones import Zones

_STATUSES: Final[Mapping[str, Status]] = {"": "confirmed", "CONFIRMED": "confirmed", "TENTATIVE": "tentative"}
_RESPONSES: Final[Mapping[str, Response]] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "NEEDS-ACTION": "needs_action",
}
_LINE: Final = 1024
_CONTENT: Final = 8192
_UNPRINTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def make(part: Component, *, name: str, uid: str, zones: Zones, owner: str) -> Event | None:
    """Return the event, or None where it is cancelled.

    Args:
        part: a component whose times have zones.
        name: its id.
        uid: its UID.
        zones: of its calendar.
        owner: whose calendar it is, as its X-WR-CALNAME says; an answer is known only where that is an address.
    """
    status = _STATUSES.get(_word(part, "STATUS"), "unknown")
    if _word(part, "STATUS") == "CANCELLED":
        return None
    start, end = part["DTSTART"].dt, part["DTEND"].dt
    begins = int(zones.instant(start).timestamp())
    content = plain(_text(part, "DESCRIPTION")[: 2 * _CONTENT])[:_CONTENT]
    event = Event(
        id=name,
        etag="",
        uid=uid,
        start=begins,
        end=max(begins, int(zones.instant(end).timestamp())),
        title=_line(part, "SUMMARY"),
        where=_line(part, "LOCATION"),
        content=content,
        status=status,
        all_day=is_date(start),
        transparency="free" if _word(part, "TRANSP") == "TRANSPARENT" else "busy",
        response=_response(part, owner),
        commands=parse_commands(content, {}),
    )
    # SEQUENCE, LAST-MODIFIED and DTSTAMP are not to be trusted: many servers renew them with each answer
    return replace(event, etag=sha256(repr(event).encode(errors="replace")).hexdigest()[:32])


def _response(part: Component, owner: str) -> Response | None:
    address = owner.strip().lower()
    if "@" not in address:
        return None
    guests = part.get("ATTENDEE", [])
    for guest in guests if isinstance(guests, list) else [guests]:
        if str(guest).lower().removeprefix("mailto:") == address:
            return _RESPONSES.get(str(guest.params.get("PARTSTAT", "NEEDS-ACTION")).upper())
    return None


def _text(part: Component, name: str) -> str:
    value: Any = part.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _line(part: Component, name: str) -> str:
    return _UNPRINTED.sub(" ", _text(part, name)).strip()[:_LINE]


def _word(part: Component, name: str) -> str:
    return _text(part, name).strip().upper()
