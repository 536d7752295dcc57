"""Events of the fake Google: what `events.list` gives for its parameters, by the rules of the API's description.

A master with `recurrence` (FREQ=DAILY or WEEKLY, INTERVAL, COUNT) is given as its instances, each with the id
`<master>_<UTC stamp>`; an event that names `recurringEventId` and `originalStartTime` stands in place of one.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BARE = ("id", "status", "recurringEventId", "originalStartTime")
"""All that a cancelled event is sure to have."""
_BUSY = ("kind", "id", "etag", "status", "start", "end", "transparency", "iCalUID")
"""What somebody sees who may see only when its owner is busy."""
_KEPT = ("etag", "iCalUID", "summary", "description", "location", "transparency", "extendedProperties", "attendees")


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass
class Calendar:
    """One calendar."""

    zone: str = "Europe/London"
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    readers: dict[str, str] = field(default_factory=dict)
    """Who may read it -> `reader` or `freeBusyReader`."""
    public: bool = False
    page: int | None = None
    """Events of a page at most; None: as many as are asked for."""
    empty_pages: int = 0
    """Pages without events that come first."""
    tells_cancelled: bool = False
    """Whether cancelled events are told though nobody asked for them."""
    etags: Iterator[int] = field(default_factory=lambda: itertools.count(3535))

    def put(self, *events: dict[str, Any]) -> None:
        """Store events, replacing those of the same id, each with a new etag."""
        for event in events:
            self.events[event["id"]] = {
                "iCalUID": f"{event['id']}@google.com",
                **event,
                "etag": f'"{next(self.etags)}"',
            }

    def remove(self, name: str) -> None:
        """Cancel an event, as its owner does: what stays is its id."""
        kept = self.events[name]
        self.events[name] = {key: kept[key] for key in _BARE if key in kept} | {"status": "cancelled"}


def timed(name: str, start: str, end: str, **more: Any) -> dict[str, Any]:
    """Make an event from one time to another; ISO 8601 with an offset, or without and with `timeZone=`."""
    zone = {"timeZone": more.pop("timeZone")} if "timeZone" in more else {}
    times = {"start": {"dateTime": start, **zone}, "end": {"dateTime": end, **zone}}
    return {"id": name, "status": "confirmed", "summary": name, **times, **more}


def days(name: str, first: str, after: str, **more: Any) -> dict[str, Any]:
    """Make an all-day event; `after` is the day after its last."""
    return {
        "id": name,
        "status": "confirmed",
        "summary": name,
        "start": {"date": first},
        "end": {"date": after},
        **more,
    }


def list_events(calendar: Calendar | None, reader: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of a calendar for an account, or None for whoever has only an API key."""
    level = None if calendar is None else calendar.readers.get(reader or "", "reader" if calendar.public else None)
    if calendar is None or level is None:
        raise Refusal(404, "notFound")
    single = query.get("singleEvents") == "true"
    if query.get("orderBy") == "startTime" and not single:
        raise Refusal(400, "invalid")
    first, last = (_bound(query.get(name)) for name in ("timeMin", "timeMax"))
    zone = ZoneInfo(calendar.zone)
    deleted = calendar.tells_cancelled or query.get("showDeleted") == "true"
    found = [
        event
        for event in (_instances(calendar) if single else calendar.events.values())
        if (event["status"] != "cancelled" or deleted) and _between(event, first, last, zone)
    ]
    if query.get("orderBy") == "startTime":
        found.sort(key=lambda event: _at(event.get("start") or event.get("originalStartTime"), zone))
    if level == "freeBusyReader":
        found = [{key: event[key] for key in _BUSY if key in event} for event in found]
    return _paged(found, calendar, query)


def fields_of(page: dict[str, Any], mask: str | None) -> dict[str, Any]:
    """Return what the parameter `fields` asks for, such as `nextPageToken,items(id,start)`."""
    return page if mask is None else _masked(page, mask)


def _paged(found: list[dict[str, Any]], calendar: Calendar, query: Mapping[str, str]) -> dict[str, Any]:
    token = re.fullmatch("page-([0-9]+)", query.get("pageToken", "page-0"))
    if token is None:
        raise Refusal(400, "invalid")
    number, size = int(token[1]), min(calendar.page or 2500, int(query.get("maxResults", "250")), 2500)
    at = (number - calendar.empty_pages) * size
    page = {"kind": "calendar#events", "timeZone": calendar.zone, "items": found[at : at + size] if at >= 0 else []}
    if at + size < len(found) or at < 0:
        page["nextPageToken"] = f"page-{number + 1}"
    return page


def _bound(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "badRequest") from None
    if at.tzinfo is None:
        raise Refusal(400, "badRequest")
    return at


def _between(event: Mapping[str, Any], first: datetime | None, last: datetime | None, zone: ZoneInfo) -> bool:
    """Whether it ends after `first` and starts before `last`; an id alone is always told."""
    if "start" not in event:
        return True
    ends_after = first is None or _at(event["end"], zone) > first
    return ends_after and (last is None or _at(event["start"], zone) < last)


def _at(value: Mapping[str, str] | None, zone: ZoneInfo) -> datetime:
    if value is None:
        return datetime.min.replace(tzinfo=UTC)
    if "date" in value:
        day = date.fromisoformat(value["date"])
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    at = datetime.fromisoformat(value["dateTime"])
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(value["timeZone"]) if "timeZone" in value else zone)


def _instances(calendar: Calendar) -> Iterator[dict[str, Any]]:
    taken = {
        (event["recurringEventId"], _at(event["originalStartTime"], ZoneInfo(calendar.zone)))
        for event in calendar.events.values()
        if "recurringEventId" in event
    }
    for event in calendar.events.values():
        if "recurrence" not in event or event["status"] == "cancelled":
            if "recurrence" not in event:
                yield event
            continue
        yield from (each for each in _expanded(event) if (event["id"], _at(each["start"], UTC_ZONE)) not in taken)


UTC_ZONE = ZoneInfo("UTC")


def _expanded(master: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rule = dict(part.split("=") for part in master["recurrence"][0].removeprefix("RRULE:").split(";"))
    step = timedelta(days=(7 if rule["FREQ"] == "WEEKLY" else 1) * int(rule.get("INTERVAL", "1")))
    zone = ZoneInfo(master["start"].get("timeZone", "UTC"))
    start, end = _at(master["start"], zone).astimezone(zone), _at(master["end"], zone).astimezone(zone)
    for number in range(int(rule["COUNT"])):
        begins, ends = start + number * step, end + number * step  # the same time of the wall clock
        if "date" in master["start"]:
            stamp, times = f"{begins:%Y%m%d}", [{"date": f"{at:%Y-%m-%d}"} for at in (begins, ends)]
        else:
            stamp = f"{begins.astimezone(UTC):%Y%m%dT%H%M%SZ}"
            times = [{"dateTime": at.isoformat(), "timeZone": zone.key} for at in (begins, ends)]
        yield {
            **{key: master[key] for key in _KEPT if key in master},
            "id": f"{master['id']}_{stamp}", "status": "confirmed", "recurringEventId": master["id"],
            "start": times[0], "end": times[1], "originalStartTime": times[0],
        }  # fmt: skip


def _masked(value: Any, mask: str) -> Any:
    if isinstance(value, list):
        return [_masked(each, mask) for each in value]
    if not isinstance(value, dict):
        return value
    wanted = dict(re.findall(r"(\w+)(\((?:[^()]|\([^()]*\))*\))?", mask))
    return {
        key: _masked(part, wanted[key][1:-1]) if wanted[key] else part for key, part in value.items() if key in wanted
    }
