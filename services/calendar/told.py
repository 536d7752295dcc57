"""What has been told of a calendar's events: which have started, and which have not ended yet.

The broker's journal is where this is known for certain, and the stored book remembers it for longer than the journal
does. An event starts once at each of its times: `id` and the second it started are the identity of a start, and each
start has one end. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from hearthbus.errors import Invalid
from services.instants import instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Edge = Literal["start", "end"]
MOVED: Final = "moved"
CANCELLED: Final = "cancelled"


@dataclass(frozen=True)
class Told:
    """What has been told of one event."""

    starts: frozenset[int] = frozenset()
    """The seconds at which it has started, or was not to be told."""
    running: int | None = None
    """The second at which it has started and not ended yet."""
    quiet: bool = False
    """That start was missed and not to be told: then its end is not either."""


NOTHING: Final = Told()


@dataclass
class Diary:
    """What has been told of each event of a calendar, by the event's id."""

    told: dict[str, Told] = field(default_factory=dict)

    def of(self, event_id: str) -> Told:
        """Return what has been told of an event."""
        return self.told.get(event_id, NOTHING)

    def started(self, event_id: str, at: int, *, quiet: bool = False) -> None:
        """Note that an event has started."""
        self.told[event_id] = Told(self.of(event_id).starts | {at}, at, quiet)

    def ended(self, event_id: str, start: int, *, reason: str = "") -> None:
        """Note that an event has ended; one that was moved will start again."""
        starts = self.of(event_id).starts
        self.told[event_id] = Told(starts if reason == MOVED else starts | {start})

    def running(self) -> list[str]:
        """Return the ids of the events that have started and not ended."""
        return [event_id for event_id, told in self.told.items() if told.running is not None]

    def read(self, edge: Edge, body: Mapping[str, Any]) -> None:
        """Note one message of the journal; what is none of ours, whoever wrote it, is left out."""
        try:
            event_id, scheduled, start = body["id"], instant(body["scheduled"]), instant(body["start"])
        except (Invalid, KeyError, TypeError):
            return
        if not isinstance(event_id, str):
            return
        if edge == "start":
            self.started(event_id, scheduled)
        elif edge == "end":
            self.ended(event_id, start, reason=str(body.get("reason", "")))

    def keep(self, ids: Collection[str], *, since: int) -> None:
        """Forget what was told before `since` of events that are not among `ids` and do not run."""
        self.told = {
            event_id: told
            for event_id, told in self.told.items()
            if event_id in ids or told.running is not None or max(told.starts, default=0) >= since
        }

    def drop(self, event_id: str) -> None:
        """Forget an event."""
        self.told.pop(event_id, None)


class Reading:
    """The journal being read on top of what is known, oldest message first; it counts once it was read to its end.

    Args:
        diary: what is known; it stays as it is.
    """

    def __init__(self, diary: Diary) -> None:
        self.diary = Diary(dict(diary.told))
        self.starts: dict[str, Mapping[str, Any]] = {}
        """The starts of those that run: of a journal of years no more is held."""
        self._before = diary

    def read(self, edge: Edge, body: Mapping[str, Any]) -> None:
        """Take one message."""
        self.diary.read(edge, body)
        event_id = body.get("id")
        if not isinstance(event_id, str):
            return
        if edge == "start":
            self.starts[event_id] = body
        else:
            self.starts.pop(event_id, None)

    def end(self) -> Diary:
        """Return what is known now: what was left out is in no journal, and still runs."""
        for event_id, told in self._before.told.items():
            now = self.diary.of(event_id)
            if told.quiet and told.running is not None and now.running is None:
                self.diary.told[event_id] = Told(told.starts | now.starts, told.running, quiet=True)
        return self.diary
