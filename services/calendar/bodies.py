"""What the calendar service says: the bodies of its messages, docs/topics.md, none larger than the broker takes.

Pure: events, moments and a time zone come in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hearthbus.errors import Invalid
from hearthbus.message import encode_body
from services.calendar.events import Event
from services.instants import instant, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from services.calendar.due import Firing

MOST_BYTES: Final = 60_000
"""Of a body; the broker takes 65,536."""
_CUTS: Final[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (
    lambda body: {**body, **_cut(body, "content", 2000)},
    lambda body: {**body, **_cut(body, "content", 200)},
    lambda body: {key: value for key, value in body.items() if key not in {"content", "extended"}},
    lambda body: (
        {key: value for key, value in body.items() if key not in {"content", "extended", "commands"}}
        | _cut(body, "title", 100)
        | _cut(body, "where", 100)
    ),
)
"""What is left out of events, one after the other, until they fit."""


def firing_body(firing: Firing, zone: ZoneInfo, *, missed: bool) -> dict[str, Any]:
    """Return the body of `calendar/<name>/start` and `/end`."""
    (event,) = _fitting([firing.event], zone)
    reason = {"reason": firing.reason} if firing.reason else {}
    return {**event, "scheduled": iso(firing.at), "missed": missed, **reason}


def now_body(events: Sequence[Event], zone: ZoneInfo) -> dict[str, Any]:
    """Return the body of `calendar/<name>/now`."""
    return {"active": bool(events), **next_body(events, zone)}


def next_body(events: Sequence[Event], zone: ZoneInfo) -> dict[str, Any]:
    """Return the body of `calendar/<name>/next`."""
    told = _fitting(events, zone)
    return {"events": told, **({"more": len(events) - len(told)} if len(told) < len(events) else {})}


def event_of(body: Mapping[str, Any]) -> Event:
    """Return the event that a start told, as far as it was told: enough to end it.

    Raises:
        Invalid: it is no such body.
    """
    try:
        event = Event(
            id=body["id"],
            etag="",
            uid=body["uid"],
            start=instant(body["start"]),
            end=instant(body["end"]),
            title=body["title"],
            where=body.get("where", ""),
            all_day=body["all_day"],
        )
    except (KeyError, TypeError) as error:
        raise Invalid(f"no start of an event: {type(error).__name__} {error}") from None
    texts = (event.id, event.uid, event.title, event.where)
    if not all(isinstance(text, str) for text in texts) or event.end < event.start:
        raise Invalid("no start of an event")
    return replace(event, all_day=bool(event.all_day))


def _fitting(events: Sequence[Event], zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return as much of the events as fits a body; what was cut has `cut`."""
    whole = [_sendable(event.body(zone)) for event in events]
    if _size(whole) <= MOST_BYTES:
        return whole
    told = whole
    for cut in _CUTS:
        told = [smaller if (smaller := cut(body)) == body else {**smaller, "cut": True} for body in told]
        if _size(told) <= MOST_BYTES:
            return told
    while told and _size(told) > MOST_BYTES:
        told = told[: len(told) // 2]
    return told


def _cut(body: Mapping[str, Any], key: str, most: int) -> dict[str, str]:
    text = body.get(key, "")
    return {key: text[:most]} if len(text) > most else {}


def _size(bodies: list[dict[str, Any]]) -> int:
    try:
        return len(encode_body({"events": bodies}))
    except Invalid:
        return MOST_BYTES + 1


def _sendable(value: Any) -> Any:
    """Return a value without half characters (surrogates), which no message carries."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_sendable(key): _sendable(item) for key, item in value.items()}
    return value
