"""What is known of a calendar: a window of its events, and how it changes with each answer of the source.

Pure: events and moments come in, a new book comes out. Whole seconds since 1970 UTC throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from services.calendar.sources import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from services.calendar.events import Event
    from services.calendar.settings import CalendarSettings, Ignored

LONGEST_ID: Final = 1024
"""Characters of an id; what has a longer one is not told."""
FIRST: Final = -2_208_988_800
"""1900: what began earlier is not told."""
LAST: Final = 253_370_764_800
"""The year 9999: a time zone's arithmetic ends there."""


@dataclass(frozen=True)
class Entry:
    """An event, and what becomes of it."""

    event: Event
    silent: bool = False
    """It was over when it was first seen, written down afterwards: its start is not told."""
    gone: bool = False
    """The calendar has it no more, or it is one to ignore; it is kept until its end has been told."""


@dataclass(frozen=True)
class Book:
    """What is known of a calendar."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By the event's id."""
    looked: int | None = None
    """When the source was last heard; None: never."""
    until: int | None = None
    """Where its answer ended: of what comes later nothing is known."""


@dataclass(frozen=True)
class Changes:
    """How many events an answer has brought, changed and taken away."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.new + self.changed + self.gone


def window_at(now: int, settings: CalendarSettings) -> Window:
    """Return what the source is asked for at `now`."""
    day = 86400
    return Window(now - settings.days_back * day, now + settings.days_ahead * day)


def is_wanted(event: Event, ignore: Collection[Ignored]) -> bool:
    """Whether an event is to be told at all."""
    return not (
        len(event.id) > LONGEST_ID
        or len(event.uid) > LONGEST_ID
        or not FIRST <= event.start <= event.end < LAST
        or event.status == "cancelled"
        or ("declined" in ignore and event.response == "declined")
        or ("free" in ignore and event.transparency == "free")
        or ("tentative" in ignore and (event.status == "tentative" or event.response == "tentative"))
    )


def take(
    book: Book,
    events: Sequence[Event],
    *,
    window: Window,
    now: int,
    running: Collection[str],
    unclear: Collection[str] = (),
) -> tuple[Book, Changes]:
    """Return the book after the source has answered, and what has changed.

    Args:
        book: as it was.
        events: those to be told, of all that touch `window`.
        window: what the source was asked for.
        now: when it was asked.
        running: ids of events that have started and not ended: they stay until they have.
        unclear: ids, or uids, of events the source has and cannot understand: they stay as they were known.
    """
    since = _since(book, now=now, longest=now - window.start)
    entries: dict[str, Entry] = {}
    new = changed = 0
    for event in events:
        old = book.entries.get(event.id)
        entries[event.id] = _entry(event, old, since)
        new += old is None
        changed += old is not None and (old.gone or old.event != event)
    vanished = 0
    for event_id, entry in book.entries.items():
        if event_id in entries:
            continue
        if not entry.gone and (event_id in unclear or entry.event.uid in unclear) and _touches(entry.event, window):
            entries[event_id] = entry
            continue
        kept = _left_out(entry, window, is_running=event_id in running)
        vanished += not entry.gone and (kept.gone if kept else _touches(entry.event, window))
        if kept is not None:
            entries[event_id] = kept
    return Book(entries, now, window.end), Changes(new, changed, vanished)


def without(book: Book, ignore: Collection[Ignored], *, running: Collection[str]) -> Book:
    """Return a stored book without events that are not to be told, as the table says today."""
    entries: dict[str, Entry] = {}
    for event_id, entry in book.entries.items():
        if is_wanted(entry.event, ignore):
            entries[event_id] = entry
        elif event_id in running:
            entries[event_id] = replace(entry, gone=True)
    return replace(book, entries=entries)


def _since(book: Book, *, now: int, longest: int) -> int:
    """Return the moment up to which all was known: what ended before it, and is new, was written down afterwards.

    Where that is not known (a first run, a clock that was set, a long absence) it is now.
    """
    return book.looked if book.looked is not None and 0 <= now - book.looked <= longest else now


def _entry(event: Event, old: Entry | None, since: int) -> Entry:
    if old is not None and (old.event.start, old.event.end) == (event.start, event.end) and not old.gone:
        return Entry(event, silent=old.silent)
    if old is not None and old.event.start == event.start and not old.silent and not old.gone:
        return Entry(event)
    return Entry(event, silent=event.end <= since)


def _left_out(entry: Entry, window: Window, *, is_running: bool) -> Entry | None:
    """Return what stays of an entry that the source's answer does not hold; None: nothing."""
    if _touches(entry.event, window) or entry.gone:
        return replace(entry, gone=True) if is_running else None
    return entry if is_running or entry.event.start >= window.end else None


def _touches(event: Event, window: Window) -> bool:
    """Whether a source that was asked for `window` would surely have given the event."""
    return event.end > window.start and event.start < window.end
