"""A durable subscription on the ZeroMQ transport: pages fetched from the journal behind a place the broker keeps.

There is one way in which messages come, so there is nothing to merge: the broker holds a fetch until there is
something, and the reader's pace is the pace of the fetches.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, Self

from hearthbus import protocol
from hearthbus.errors import Invalid, Refused, Unavailable
from hearthbus.message import decode_known, order_of, topic_end
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from hearthbus.message import Message

log = logging.getLogger("hearthbus")
PAGE = 500
WAIT_S = 20.0


class Home(Protocol):
    """What a durable subscription needs of its transport."""

    @property
    def epoch(self) -> int:
        """Name of the broker's history."""

    @property
    def newest(self) -> int:
        """Offset of the newest message the broker has told of."""

    async def wait_up(self) -> None:
        """Return when the broker answers; raises `Refused` when the bus was closed."""

    def leave(self, consumer: str) -> None:
        """Let others read it."""

    async def ask(self, verb: bytes, *, timeout: float, **fields: Any) -> dict[str, Any]:
        """Ask the broker; raises `Unavailable`."""


class ZmqDurable:
    """A stream that goes on after the last acknowledged message of its name."""

    def __init__(self, home: Home, patterns: Sequence[str], *, consumer: str) -> None:
        self.lost = 0
        self.malformed = 0
        self._home = home
        self._patterns = list(patterns)
        self._consumer = consumer
        self._epoch = 0
        self._after = -1
        self._start = -1
        self._seen: dict[bytes, tuple[int, int, str]] = {}
        """By topic on the wire: offset and sequence of its last message, and the topic once it has been checked."""
        self._frames: deque[bytes] = deque()
        self._newest = 0
        """Offset of the last message given to the reader."""
        self._closed = False
        self._seen_all = False
        """The last page was everything there was."""
        self._fetching = False

    @property
    def epoch(self) -> int:
        """Name of the broker's history the offsets belong to."""
        return self._epoch

    @property
    def unread(self) -> int:
        """Messages of the bus that were not looked at yet, at most; 0 while it waits for the next."""
        if self._fetching and self._seen_all:
            return 0
        return len(self._frames) + max(0, self._home.newest - self._after)

    async def __aenter__(self) -> Self:
        await self._fetch(wait_s=0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream."""
        if not self._closed:
            self._closed = True
            self._home.leave(self._consumer)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while not self._ended():
            while self._frames:
                message = self._decode(self._frames.popleft())
                if message is not None:
                    return message
            try:
                await self._fetch(wait_s=WAIT_S)
            except Refused:
                if self._ended():
                    break
                raise
        raise StopAsyncIteration

    async def ack(self, message: Message) -> None:
        """Store the place of `message`; while the broker is away, wait.

        Raises:
            Refused: the message is of a history that broke off, or the bus is closed.
        """
        if message.offset > self._newest:
            raise Refused(f"{message.topic}: this message was not read from the present history of the broker")
        while True:
            await self._home.wait_up()
            try:
                await self._home.ask(protocol.ACK, timeout=10, consumer=self._consumer, offset=message.offset)
            except Unavailable:
                continue
            return

    async def _fetch(self, *, wait_s: float) -> None:
        while True:
            await self._home.wait_up()
            if self._epoch != self._home.epoch:
                self._epoch = self._home.epoch
                self._after = -1  # offsets of another history mean nothing: begin at the stored place
                self._seen.clear()
                self._frames.clear()
                self._newest = 0
            try:
                self._fetching = True
                page = await self._home.ask(
                    protocol.FETCH,
                    timeout=wait_s + 10,
                    consumer=self._consumer,
                    patterns=self._patterns,
                    after=self._after,
                    limit=PAGE,
                    wait_ms=int(wait_s * 1000),
                )
            except Unavailable:
                continue
            finally:
                self._fetching = False
            break
        if self._after < 0:
            self._start = page["after"]
        self._tell_deleted(page["after"], page["oldest"])
        self._after = int(page["next"])
        self._seen_all = page["end"]
        self._frames.extend(page["frames"])

    def _ended(self) -> bool:
        return self._closed

    def _tell_deleted(self, after: int, oldest: int) -> None:
        """The journal was cut by size or age beyond our place: what we had not read of that is lost, however much."""
        if oldest > after + 1:
            self.lost += 1
            log.warning(
                "durable subscription %s: the journal begins after its place (%d, %d): messages are lost",
                self._consumer,
                oldest,
                after,
            )

    def _decode(self, frame: bytes) -> Message | None:
        at = topic_end(frame)
        key = frame[:at]
        seq, offset, previous = order_of(frame, at)
        seen, seen_seq, topic = self._seen.get(key) or (self._start, 0, "")
        missing = 0
        if previous > seen:
            missing = max(1, seq - seen_seq - 1) if seen_seq else 1
            self.lost += missing
            log.warning("durable subscription %s: %d messages of %s are lost", self._consumer, missing, key.decode())
        self._newest = offset
        try:
            topic = topic or check_topic(key.decode())
            self._seen[key] = (offset, seq, topic)
            return decode_known(frame, at, topic, replayed=True, lost=missing)
        except (Invalid, UnicodeDecodeError):
            self.malformed += 1
            return None
