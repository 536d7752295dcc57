"""The journal's newest part: messages that are not on disk yet, and how a reader pages through any part of it.

Pure. `read` is used on these messages by the core and on blocks from disk by the store.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.message import order_of
from hearthbus.topics import covers

if TYPE_CHECKING:
    from collections.abc import Sequence


LATEST: Final = 2**63 - 2
"""Times after this, of the year 2262, count as this: a publisher's clock is never so wrong that nobody may read it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a reader wants of the journal."""

    patterns: tuple[str, ...]
    after: int
    since: int = 0
    until: int = 2**63 - 1
    messages: int = 1_000
    size: int = 256 * 1024


class Reading:
    """One page being filled from frames in the order of their offsets."""

    def __init__(self, query: Query) -> None:
        self.frames: list[bytes] = []
        self.after = query.after
        """Everything up to this offset has been looked at."""
        self.full = False
        self._query = query
        self._size = 0
        self._wanted: dict[bytes, bool] = {}
        self._covers = covers(query.patterns)

    def wants(self, topic: bytes) -> bool:
        """Whether the query covers `topic`."""
        known = self._wanted.get(topic)
        if known is None:
            known = self._wanted[topic] = self._covers(topic.decode())
        return known

    def feed(self, frames: Sequence[bytes]) -> bool:
        """Look at `frames`, in the order of their offsets; return False when the page is full."""
        query = self._query
        for frame in frames[bisect_right(frames, self.after, key=_offset) :]:
            at = frame.find(b"\0")
            offset = order_of(frame, at)[1]
            if self.wants(frame[:at]):
                time = min(int.from_bytes(frame[at + 25 : at + 33], "big"), LATEST)
                if query.since <= time < query.until:
                    if self.frames and (len(self.frames) >= query.messages or self._size + len(frame) > query.size):
                        self.full = True
                        return False
                    self.frames.append(frame)
                    self._size += len(frame)
            self.after = offset
        return True


class Memory:
    """Messages since the last commit that succeeded, oldest first."""

    def __init__(self, *, limit: int) -> None:
        self.frames: list[bytes] = []
        self.size = 0
        self.dropped = 0
        """Messages that left the journal because the disk did not take them in time."""
        self._limit = limit
        self._handed = 0
        self._copy: list[bytes] | None = None

    def copy(self) -> list[bytes]:
        """What is here now, for a reader on another thread; the same list for all who ask before it changes."""
        if self._copy is None:
            self._copy = self.frames[:]
        return self._copy

    def add(self, frames: Sequence[bytes]) -> None:
        """Take in the messages of one turn of the loop."""
        self._copy = None
        self.frames += frames
        self.size += sum(map(len, frames))
        if self.size > self._limit:
            self._drop_oldest()

    def hand_over(self) -> list[bytes]:
        """Return what is to be committed; it stays here until `committed`."""
        self._handed = len(self.frames)
        return self.frames[:]

    def committed(self) -> None:
        """Forget what was handed over: it is on disk."""
        self._copy = None
        self.size -= sum(map(len, self.frames[: self._handed]))
        del self.frames[: self._handed]
        self._handed = 0

    def failed(self) -> None:
        """Keep what was handed over: the disk did not take it."""
        self._handed = 0

    def read(self, query: Query) -> Reading:
        """Fill a page from what is here."""
        reading = Reading(query)
        reading.feed(self.frames)
        return reading

    def _drop_oldest(self) -> None:
        """Keep the newer half: one cut in a while costs less than one at every message."""
        keep, size = len(self.frames), 0
        while keep and size < self._limit // 2:
            keep -= 1
            size += len(self.frames[keep])
        self.dropped += max(0, keep - self._handed)
        del self.frames[:keep]
        self.size = size
        self._handed = max(0, self._handed - keep)


def _offset(frame: bytes) -> int:
    return order_of(frame, frame.find(b"\0"))[1]
