"""What a client has published and the broker has not acknowledged: numbers, a window, and what outlives an outage.

While the broker is away a retained topic keeps only its newest value and other messages wait for a limited time in a
bounded queue; what is dropped is counted. Pure: time comes in as an argument, sending is done by the caller.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from hearthbus.errors import HearthbusError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WINDOW: Final = 4_096
"""Messages on their way at most; then `publish` waits: this is how a publisher is slowed down to the broker's pace."""
QUEUE: Final = 1_000
"""Messages kept while the broker is away, besides the newest value of each retained topic."""
BATCH: Final = 256
BATCH_BYTES: Final = 256 * 1024


class Entry(NamedTuple):
    """One message that waits for its acknowledgement."""

    record: bytes
    topic: str
    retain: bool
    expires: float
    """Monotonic time after which it must not be sent any more."""
    settle: Callable[[HearthbusError | None], None] | None
    """For a confirmed publish: called once, with None when it is on disk."""


class Outbox:
    """The messages of one session, numbered from 1."""

    def __init__(self) -> None:
        self.taken = 0
        """Everything up to this number has been taken in by the broker."""
        self.dropped = 0
        """Messages given up: the queue was full, or their time was over."""
        self.entries: deque[Entry] = deque()
        """What is not acknowledged, oldest first."""
        self.fresh: list[Entry] = []
        """The newest of them, which have not been handed to the socket."""
        self._given = 0
        """How many of `entries` were handed to a socket: the broker may have them, and counts them by their place."""
        self._unstored: deque[tuple[int, Entry]] = deque()
        self._tidy_beyond = 2 * QUEUE

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def full(self) -> bool:
        """Whether the window is used up."""
        return len(self.entries) >= WINDOW

    def add(self, entry: Entry) -> None:
        """Take in a message."""
        self.entries.append(entry)
        self.fresh.append(entry)

    def queue(self, entry: Entry, now: float) -> None:
        """Take in a message while the broker is away; drop what is in its way."""
        self.entries.append(entry)
        if len(self.entries) > self._tidy_beyond:
            self._tidy(now)
            self._tidy_beyond = 2 * max(QUEUE, len(self.entries))

    def batches(self) -> Iterator[tuple[int, list[bytes], bool]]:
        """Yield what has not been sent: (first number, records, whether one of them wants a confirmation)."""
        fresh, self.fresh = self.fresh, []
        self._given = len(self.entries)
        first = self.taken + len(self.entries) - len(fresh) + 1
        for start in range(0, len(fresh), BATCH):
            for part in _bounded(fresh[start : start + BATCH]):
                yield first, [entry.record for entry in part], any([entry.settle for entry in part])  # noqa: C419 - a list is twice as fast here
                first += len(part)

    def unsend(self) -> None:
        """What was handed to a socket that is gone is not sent."""
        self.fresh = list(self.entries)

    def take(self, number: int) -> None:
        """The broker has taken in everything up to `number`."""
        entries = self.entries
        count = max(0, min(number - self.taken, len(entries)))
        self._given = max(0, self._given - count)
        for _ in range(count):
            entry = entries.popleft()
            self.taken += 1
            if entry.settle is not None:
                self._unstored.append((self.taken, entry))
        if len(self.fresh) > len(entries):
            self.fresh = list(entries)

    def store(self, number: int) -> None:
        """The broker has everything up to `number` on disk."""
        self.take(number)
        while self._unstored and self._unstored[0][0] <= number:
            _settle(self._unstored.popleft()[1], None)

    def refuse(self, number: int, error: HearthbusError) -> None:
        """The broker refused message `number`; an unavailable disk refuses the confirmation of all before it too."""
        if isinstance(error, Unavailable):
            self.take(number)
            while self._unstored and self._unstored[0][0] <= number:
                _settle(self._unstored.popleft()[1], error)
            return
        at = number - self.taken - 1
        if 0 <= at < len(self.entries):
            entry = self.entries[at]
            _settle(entry, error)
            self.entries[at] = entry._replace(settle=None)

    def resume(self, number: int, now: float) -> bool:
        """A broker greets that has taken in up to `number`: get ready to send the rest again.

        Returns whether confirmations of messages it has are outstanding; ask for them with an empty STORE.
        """
        self.take(number)
        self.taken = max(self.taken, number)
        self._given = 0
        self._tidy_beyond = 2 * QUEUE
        self._tidy(now)
        self.unsend()
        return bool(self._unstored)

    def broke_off(self) -> None:
        """History broke off: what was taken and not stored may be gone."""
        while self._unstored:
            text = "the broker's machine lost power before it was on disk; it may be lost: publish it again"
            _settle(self._unstored.popleft()[1], Unavailable(text))

    def expire(self, now: float) -> None:
        """Drop what has waited too long; called while the broker is away."""
        if any(entry.expires <= now and not entry.retain for entry in self.entries):
            self._tidy(now)

    def give_up(self, why: str) -> None:
        """The client ends: nothing more will be sent."""
        for entry in [*(entry for _, entry in self._unstored), *self.entries]:
            _settle(entry, Unavailable(why))
        self.dropped += len(self.entries)
        self.entries.clear()
        self._given = 0
        self.fresh.clear()
        self._unstored.clear()

    def _tidy(self, now: float) -> None:
        """Keep the newest value of each retained topic, and what is young enough of the rest, newest first.

        What was given to a socket stays: only the broker, when it greets, can say whether it has it.
        """
        kept: deque[Entry] = deque()
        states: set[str] = set()
        waiting = 0
        given = [self.entries.popleft() for _ in range(self._given)]
        for entry in reversed(self.entries):
            if entry.settle is None and entry.retain:
                keep = entry.topic not in states
                states.add(entry.topic)
                superseded = not keep
            else:
                keep = entry.expires > now and waiting < QUEUE
                waiting += keep
                superseded = False
            if keep:
                kept.appendleft(entry)
            elif not superseded:
                self.dropped += 1
                _settle(entry, Unavailable(f"{entry.topic}: the broker was away for too long; not published"))
        self.entries.clear()
        self.entries.extend(given)
        self.entries.extend(kept)


def _bounded(part: list[Entry]) -> Iterator[list[Entry]]:
    """Cut a batch that is too large for one frame in halves."""
    if len(part) > 1 and sum([len(entry.record) for entry in part]) > BATCH_BYTES:
        middle = len(part) // 2
        yield from _bounded(part[:middle])
        yield from _bounded(part[middle:])
    else:
        yield part


def _settle(entry: Entry, error: HearthbusError | None) -> None:
    if entry.settle is not None:
        entry.settle(error)
