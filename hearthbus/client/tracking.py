"""What one subscription has seen, and what it therefore makes of the next message. Pure: frames in, decisions out.

The two rules of the wire, on the offsets every message carries:

    deliver it     if its offset is greater than that of the last message seen of its topic
    something is   if the offset it names as its topic's previous one is greater than that: live, the missing part is
    missing        fetched from the journal; in what the journal gave, it is lost and counted

`start` stands for the last message of a topic of which none was seen yet: all from there on has been listened to.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid
from hearthbus.message import decode_known, order_of
from hearthbus.topics import matcher, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hearthbus.message import Message

QUEUE: Final = 10_000
"""Messages held for a reader that is slow; beyond them the rest is fetched from the journal when it has caught up."""


class Cell:
    """Place of one subscription in one topic; a mutable record because every message touches it."""

    __slots__ = ("lost", "name", "offset", "seq", "track")

    def __init__(self, track: Track, name: str, offset: int) -> None:
        self.track = track
        self.name = name
        self.offset = offset
        self.seq = 0
        """0 where no message was seen."""
        self.lost = 0
        """Lost and not yet told with a message."""


class Track:
    """The state of one subscription between frames and reader."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self.live = False
        """Frames go straight to the reader; else they are held until the past is complete."""
        self.start = 0
        self.verified = 0
        """Nothing up to this offset is missing."""
        self.lost = 0
        self.refilled = 0
        self.malformed = 0
        self.overflowed = False
        """Held frames were let go: the journal has them."""
        self.ready: deque[tuple[bytes, int, Cell, int]] = deque()
        """For the reader: frame, end of its topic, cell, and a mark: 0 live, 1 + n from the past behind n lost
        messages, -n live behind n lost messages."""
        self._cells: dict[bytes, Cell] = {}
        self._held: deque[bytes] = deque()
        self._matchers = [matcher(pattern) for pattern in self.patterns]

    @property
    def waiting(self) -> int:
        """Messages the reader has not taken, held ones with them."""
        return len(self.ready) + len(self._held)

    def prefixes(self) -> list[bytes]:
        """What the fan-out is to be asked for; more may come than the patterns match."""
        return [prefix for pattern in self.patterns for prefix in prefixes(pattern)]

    def covers(self, topic: str) -> bool:
        """Whether a pattern matches."""
        return any(match(topic) for match in self._matchers)

    def cell(self, topic: bytes) -> Cell:
        """The cell of a topic that is covered."""
        cell = self._cells.get(topic)
        if cell is None:
            cell = self._cells[topic] = Cell(self, topic.decode(), self.start)
        return cell

    def begin(self, offset: int) -> None:
        """Listen from `offset` on, knowing nothing of before; also after history broke off."""
        self.start = self.verified = offset
        for cell in self._cells.values():
            cell.offset, cell.seq = offset, 0

    def accept(self, frame: bytes, at: int, cell: Cell, order: tuple[int, int, int]) -> bool:
        """Take a live frame; False where something before it is missing: it is held then."""
        seq, offset, previous = order
        if previous > cell.offset or len(self.ready) >= QUEUE:
            self.live = False
            self.hold(frame)
            return False
        if offset > cell.offset:
            self._count_gap(cell, seq, previous)
            cell.offset, cell.seq = offset, seq
            self.ready.append((frame, at, cell, -cell.lost))
            cell.lost = 0
        return True

    def hold(self, frame: bytes) -> None:
        """Keep a live frame until the past is complete."""
        if len(self._held) >= QUEUE:
            self._held.clear()
            self.overflowed = True
        self._held.append(frame)

    def state(self, frame: bytes, *, upto: int, initial: bool = False) -> None:
        """Take a retained message of a snapshot, up to an offset: what is newer arrives by itself, with all between.

        The `initial` snapshot tells what was said before `start`; a later one fills in what the journal lacks.
        """
        at, cell, seq, offset, previous = self._placed(frame)
        if offset > upto:
            return
        if initial:
            if not cell.seq:
                self._past(frame, at, cell, cell.offset, seq)
        elif offset > cell.offset:
            self._count_gap(cell, seq, previous)
            self._past(frame, at, cell, offset, seq)

    def refill(self, frame: bytes) -> None:
        """Take a message of the journal; what is missing before it is lost."""
        at, cell, seq, offset, previous = self._placed(frame)
        if offset > cell.offset:
            self._count_gap(cell, seq, previous)
            self.refilled += 1
            self._past(frame, at, cell, offset, seq)

    def release(self, upto: int) -> bool:
        """Go live with what was held; False where the journal, read up to `upto`, must be asked once more.

        What is missing before a held message and not after `upto` is lost: the journal does not have it.
        """
        if self.overflowed:
            self._held.clear()
            self.overflowed = False
            return False
        while self._held:
            frame = self._held[0]
            at, cell, seq, offset, previous = self._placed(frame)
            if previous > max(cell.offset, upto) or len(self.ready) >= QUEUE:
                return False
            self._held.popleft()
            if offset > cell.offset:
                self._count_gap(cell, seq, previous)
                cell.offset, cell.seq = offset, seq
                self.ready.append((frame, at, cell, -cell.lost))
                cell.lost = 0
        self.live = True
        return True

    def missing(self, changed: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """Of (topic, newest offset) return those that have not arrived."""
        return [(topic, offset) for topic, offset in changed if self.covers(topic) and offset > self._seen(topic)]

    def give_up(self, topic: str, offset: int) -> None:
        """The message at `offset` is nowhere to be had: count it, and do not ask again.

        How many before it are lost with it, the next message of the topic tells.
        """
        cell = self.cell(topic.encode())
        if offset > cell.offset:
            cell.offset = offset
            self._count(cell, 1)

    def decode(self, frame: bytes, at: int, cell: Cell, mark: int) -> Message | None:
        """Make the reader's message; None, counted, where its body is not sound."""
        try:
            if not mark:
                return decode_known(frame, at, cell.name)
            return decode_known(frame, at, cell.name, replayed=mark > 0, lost=mark - 1 if mark > 0 else -mark)
        except Invalid:
            self.malformed += 1
            return None

    def _seen(self, topic: str) -> int:
        cell = self._cells.get(topic.encode())
        return self.start if cell is None else cell.offset

    def _placed(self, frame: bytes) -> tuple[int, Cell, int, int, int]:
        at = frame.find(b"\0")
        return at, self.cell(frame[:at]), *order_of(frame, at)

    def _past(self, frame: bytes, at: int, cell: Cell, offset: int, seq: int) -> None:
        cell.offset, cell.seq = offset, seq
        self.ready.append((frame, at, cell, 1 + cell.lost))
        cell.lost = 0

    def _count_gap(self, cell: Cell, seq: int, previous: int) -> None:
        """Count what is missing before the message `seq` that is about to be delivered, less what was given up."""
        gap = previous > cell.offset
        if gap or cell.lost:
            missing = seq - cell.seq - 1 if cell.seq else 0
            self._count(cell, max(missing - cell.lost, int(gap)))

    def _count(self, cell: Cell, lost: int) -> None:
        cell.lost += lost
        self.lost += lost
