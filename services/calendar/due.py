"""Which starts and ends are due: a pure function of the book, of what has been told, and of the time.

not told, its start is past        start, and the end too if that is past
started, its end is past           end
started, now begins later          end, moved; it starts again at its new time
started, now ends at another time  end at that time; at once if it is past
started, gone from the calendar    end, cancelled
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from services.calendar.told import CANCELLED, MOVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.calendar.book import Book, Entry
    from services.calendar.events import Event
    from services.calendar.told import Diary, Edge, Told

LATE_S: Final = 120
"""Seconds after which a start or end counts as missed."""


class Place(NamedTuple):
    """Where a firing stands among others: by its second, ends before starts (unless nothing lasts), then by id.

    What is moved or cancelled ends before all that: an event that has got another id begins after it has ended.
    """

    at: float
    rank: int
    event_id: str


@dataclass(frozen=True)
class Firing:
    """A start or an end that is due."""

    edge: Edge
    at: int
    """The second it is due; for an event that was moved or cancelled, the one at which that was known."""
    event: Event
    reason: str = ""

    @property
    def place(self) -> Place:
        """Where it stands among others."""
        if self.edge == "start":
            return Place(self.at, 1, self.event.id)
        if self.reason:
            return Place(-math.inf, 0, self.event.id)
        return Place(self.at, 2 if self.event.start == self.event.end else 0, self.event.id)

    def missed(self, now: float) -> bool:
        """Whether it comes too late."""
        return now - self.at > LATE_S


def due(book: Book, diary: Diary, *, now: float, oldest: float) -> list[Firing]:
    """Return what is due, in its order.

    Args:
        book: the calendar.
        diary: what has been told.
        now: the time.
        oldest: events that were over by then are not started any more.
    """
    found = [
        firing
        for event_id, entry in book.entries.items()
        for firing in _of(entry, diary.of(event_id), now=now, oldest=oldest)
    ]
    return sorted(found, key=lambda firing: firing.place)


def next_instant(book: Book, diary: Diary, *, now: float) -> int | None:
    """Return the next second at which a start or an end is planned; None: there is none in the book."""
    return min((at for at in _planned(book, diary) if at > now), default=None)


def upcoming(book: Book, diary: Diary, *, now: float) -> list[Event]:
    """Return the next event, or those that start together, by id."""
    starts = {
        entry.event.id: entry.event
        for entry in book.entries.values()
        if entry.event.start > now and _may_start(entry, diary.of(entry.event.id))
    }
    first = min((event.start for event in starts.values()), default=0)
    return [starts[event_id] for event_id in sorted(starts) if starts[event_id].start == first]


def running(book: Book, diary: Diary) -> list[Event]:
    """Return the events that have started and not ended, in the order of their starts."""
    found = [book.entries[event_id].event for event_id in diary.running() if event_id in book.entries]
    return sorted(found, key=lambda event: (event.start, event.id))


def _of(entry: Entry, told: Told, *, now: float, oldest: float) -> Iterator[Firing]:
    event = entry.event
    if told.running is not None:
        if event.end <= now and event.start <= now:
            yield Firing("end", event.end, event)
        elif entry.gone:
            yield Firing("end", int(now), event, CANCELLED)
        elif event.start > now and event.start != told.running:
            yield Firing("end", int(now), event, MOVED)
    elif event.start <= now and event.end > oldest and _may_start(entry, told):
        yield Firing("start", event.start, event)
        if event.end <= now:
            yield Firing("end", event.end, event)


def _planned(book: Book, diary: Diary) -> Iterator[int]:
    for event_id, entry in book.entries.items():
        told = diary.of(event_id)
        if told.running is not None:
            yield entry.event.end
        if _may_start(entry, told):
            yield entry.event.start


def _may_start(entry: Entry, told: Told) -> bool:
    return not entry.silent and not entry.gone and entry.event.start not in told.starts
