"""One event of a calendar, as every source gives it and the bus carries it.

A recurring event is one event for each time it comes. Knows no source, no clock and no bus.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from services.instants import iso_local

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

Status = Literal["confirmed", "tentative", "cancelled", "unknown"]
Response = Literal["accepted", "declined", "tentative", "needs_action"]
Transparency = Literal["busy", "free"]

STATUSES: Final = ("confirmed", "tentative", "cancelled", "unknown")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One time at which something happens.

    `id` names this time of this event for good: it stays the same when the event is moved or changed, and the other
    times of a recurring event have others. `etag` changes with anything that can be told of it.
    """

    id: str
    etag: str
    uid: str
    """The calendar's name of the event, the same for all times of a recurring one: iCalendar's UID."""
    start: int
    """The first second, since 1970 UTC."""
    end: int
    """The first second after it; never before `start`, and the same for an event without duration."""
    title: str = ""
    where: str = ""
    content: str = ""
    """Its description as plain text."""
    status: Status = "confirmed"
    all_day: bool = False
    transparency: Transparency = "busy"
    response: Response | None = None
    """What this calendar's owner answered; None where nobody was asked."""
    extended: Mapping[str, str] = field(default_factory=dict)
    """Google's extended properties, the private ones before the shared ones of the same name."""
    commands: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """What the event's writer wants of the house: `#hb key=value` lines and private extended properties. Data only:
    nobody evaluates it."""

    def body(self, zone: ZoneInfo) -> dict[str, Any]:
        """Return the event as a message holds it, docs/topics.md `calendar/<name>/start`; times are of `zone`."""
        optional = {
            "where": self.where,
            "content": self.content,
            "response": self.response,
            "extended": dict(self.extended),
            "commands": dict(self.commands),
        }
        return {
            "id": self.id,
            "uid": self.uid,
            "title": self.title,
            "start": iso_local(self.start, zone),
            "end": iso_local(self.end, zone),
            "all_day": self.all_day,
            "status": self.status,
            "transparency": self.transparency,
            **{key: value for key, value in optional.items() if value},
        }
