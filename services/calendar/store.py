"""The file in which a calendar outlives its service: its window of events, and what has been told of them.

One JSON file a calendar, whole or not there. Knows files; no source, no clock and no bus.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final, get_args

from hearthbus.errors import Invalid
from services.calendar.book import FIRST, LAST, Book, Entry
from services.calendar.events import STATUSES, Event, Response
from services.calendar.told import Diary, Told
from services.folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_FORM: Final = "hearthbus calendar 1"
_KNOWN: Final = frozenset(field.name for field in fields(Event))
"""What an event has more is a newer version's, and left out."""


def load(path: Path) -> tuple[Book, Diary, str]:
    """Return what was stored, and what is wrong with it, for people; "" when nothing is.

    A file that is damaged, or not one of ours, is set aside, and the calendar begins anew.
    """
    try:
        book, diary = _read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Book(), Diary(), ""
    except OSError as error:
        return Book(), Diary(), f"{path} cannot be read: {error.strerror}"
    except (Invalid, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Book(), Diary(), f"{path} is damaged or not ours ({type(error).__name__}); {_set_aside(path)}"
    return book, diary, ""


def save(path: Path, book: Book, diary: Diary) -> None:
    """Store a calendar.

    Raises:
        Unavailable: the disk does not take it.
    """
    content = {
        "form": _FORM,
        "looked": book.looked,
        "until": book.until,
        "entries": [
            {"event": asdict(entry.event), "silent": entry.silent, "gone": entry.gone}
            for entry in book.entries.values()
        ],
        "told": {
            event_id: {"starts": sorted(told.starts), "running": told.running, "quiet": told.quiet}
            for event_id, told in diary.told.items()
        },
    }
    write_whole(path, json.dumps(content, separators=(",", ":")).encode())


def _read(content: Any) -> tuple[Book, Diary]:
    if content["form"] != _FORM:
        raise Invalid("another form")
    entries = [Entry(_event(item["event"]), bool(item["silent"]), bool(item["gone"])) for item in content["entries"]]
    told = {
        event_id: Told(frozenset(map(_second, item["starts"])), _maybe(item["running"]), bool(item["quiet"]))
        for event_id, item in content["told"].items()
    }
    book = Book({entry.event.id: entry for entry in entries}, _maybe(content["looked"]), _maybe(content["until"]))
    return book, Diary(told)


def _event(item: dict[str, Any]) -> Event:
    event = Event(**{name: value for name, value in item.items() if name in _KNOWN})
    texts = (event.id, event.etag, event.uid, event.title, event.where, event.content)
    sound = (
        all(isinstance(text, str) for text in texts)
        and FIRST <= _second(event.start) <= _second(event.end) < LAST
        and event.status in STATUSES
        and event.transparency in {"busy", "free"}
        and (event.response is None or event.response in get_args(Response))
        and isinstance(event.all_day, bool)
        and all(isinstance(text, str) for text in event.extended.values())
        and all(isinstance(value, bool | int | float | str) for value in event.commands.values())
    )
    if not sound:
        raise Invalid("not an event")
    return event


def _second(value: Any) -> int:
    if type(value) is not int:
        raise Invalid("not a second")
    return value


def _maybe(value: Any) -> int | None:
    return None if value is None else _second(value)


def _set_aside(path: Path) -> str:
    aside = path.with_name(f"{path.name}.damaged")
    try:
        path.replace(aside)
    except OSError as error:
        return f"it cannot be set aside: {error.strerror}"
    return f"it is now {aside}"
