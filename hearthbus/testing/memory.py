"""A bus in memory: the promises of the broker, for tests, in one event loop.

`MemoryHub` is the broker's part: retained state, sequence numbers, the journal, one responder a request, stored places
of durable consumers, and an outage when a test wants one. `MemoryTransport` is one client's connection to it. Messages
really pass through their wire form. Knows no sockets, no disk and no pytest; nothing is limited, nothing gets lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from hearthbus.clock import Clock
from hearthbus.errors import NoResponder, Refused, Timeout, Unavailable
from hearthbus.message import REQUEST, RETAIN, Message, decode, stamp
from hearthbus.testing.streams import MemoryRequest, MemoryResponder, MemorySubscription, any_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_EMPTY_MAP = b"\x80"


class MemoryHub:
    """The broker of a bus in memory.

    Args:
        clock: stamps every message.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.journal: list[Message] = []
        """Every message there ever was, oldest first."""
        self.there = asyncio.Event()
        """Not set during an outage."""
        self.there.set()
        self.moves = 0
        """Grows with everything that happens: a test's bench waits until it rests."""
        self.waiting: set[asyncio.Task[Any]] = set()
        """Tasks that wait for the answer to a request."""
        self.streams: list[MemorySubscription] = []
        self.responders: list[MemoryResponder] = []
        self.consumers: dict[str, int] = {}
        self.transports: list[MemoryTransport] = []
        self._last: dict[str, tuple[int, int]] = {}
        self._retained: dict[str, bytes] = {}

    def publish(self, topic: str, body: bytes, *, flags: int, origin: str) -> None:
        """Stamp one message, keep it, hand it to whoever listens."""
        seq, previous = self._last.get(topic, (0, 0))
        offset = len(self.journal) + 1
        self._last[topic] = (seq + 1, offset)
        frame = stamp(
            topic.encode(), body, seq=seq + 1, offset=offset, previous=previous,
            time=round(self.clock.now() * 1e9), flags=flags, origin=origin.encode(),
        )  # fmt: skip
        self.journal.append(decode(frame))
        if flags & RETAIN:
            if body == _EMPTY_MAP:
                self._retained.pop(topic, None)
            else:
                self._retained[topic] = frame
        self.moves += 1
        for stream in self.streams:
            if stream.covers(topic):
                stream.put(decode(frame))

    def retained(self, patterns: Sequence[str]) -> list[Message]:
        """Return the state of the topics of `patterns`, sorted by topic."""
        covers = any_of(patterns)
        return [decode(frame, replayed=True) for topic, frame in sorted(self._retained.items()) if covers(topic)]

    def stop(self) -> None:
        """Begin an outage: requests fail, what is published waits, nothing is delivered."""
        self.there.clear()

    def start(self) -> None:
        """End the outage; what waited and is still wanted goes out."""
        self.there.set()
        self.moves += 1
        for transport in self.transports:
            transport.flush()


class MemoryTransport:
    """One client's connection to a `MemoryHub`."""

    def __init__(self, hub: MemoryHub, *, name: str) -> None:
        self._hub = hub
        self._name = name
        self._open = False
        self._states: dict[str, bytes] = {}
        self._queue: deque[tuple[float, str, bytes]] = deque()
        self._mine: list[MemorySubscription | MemoryResponder] = []

    @property
    def connected(self) -> bool:
        """Whether the hub is up."""
        return self._open and self._hub.there.is_set()

    @property
    def answered_at(self) -> float:
        """Now: in memory nothing takes time."""
        return asyncio.get_running_loop().time()

    async def open(self, timeout: float | None) -> None:
        """Connect; in an outage wait for its end."""
        try:
            async with asyncio.timeout(timeout):
                await self._hub.there.wait()
        except TimeoutError:
            raise Unavailable(f"the bus in memory is down and was not up within {timeout} s") from None
        self._open = True
        self._hub.transports.append(self)

    async def close(self) -> None:
        """End every stream of this client."""
        self._open = False
        if self in self._hub.transports:
            self._hub.transports.remove(self)
        for stream in list(self._mine):
            stream.close()

    async def publish(  # noqa: PLR0917 - as in Transport
        self,
        topic: str,
        body: bytes,
        time: int,
        retain: bool,  # noqa: FBT001
        confirm: bool,  # noqa: FBT001
        ttl: float,
        /,
    ) -> None:
        """Publish at the hub's time; in an outage wait as a broker's client does."""
        del time  # the hub's clock is the one the test holds
        if self.connected:
            self._hub.publish(topic, body, flags=RETAIN if retain else 0, origin=self._name)
        elif confirm:
            raise Unavailable("the broker is away; the message was not stored")
        elif retain:
            self._states[topic] = body
        else:
            self._queue.append((self._hub.clock.monotonic() + ttl, topic, body))

    def flush(self) -> None:
        """Send what waited during an outage."""
        now = self._hub.clock.monotonic()
        states, self._states = self._states, {}
        queue, self._queue = self._queue, deque()
        for topic, body in states.items():
            self._hub.publish(topic, body, flags=RETAIN, origin=self._name)
        for deadline, topic, body in queue:
            if now < deadline:
                self._hub.publish(topic, body, flags=0, origin=self._name)

    def subscribe(self, patterns: Sequence[str], *, retained: bool, durable: str | None) -> MemorySubscription:
        """Make a subscription."""
        stream = MemorySubscription(self._hub, patterns, retained=retained, durable=durable)
        self._mine.append(stream)
        return stream

    async def snapshot(self, patterns: Sequence[str]) -> list[Message]:
        """Return the retained messages of `patterns`."""
        self._need_hub()
        return self._hub.retained(patterns)

    async def replay(self, patterns: Sequence[str], *, since: int, until: int) -> AsyncIterator[Message]:
        """Read the journal."""
        self._need_hub()
        covers = any_of(patterns)
        for message in list(self._hub.journal):
            if since <= message.time < until and covers(message.topic):
                yield decode(message.frame, replayed=True)

    async def request(self, topic: str, body: bytes, *, time: int, timeout: float) -> dict[str, Any]:
        """Ask the first responder of `topic`; observers see a copy."""
        del time
        self._need_hub()
        self._hub.publish(topic, body, flags=REQUEST, origin=self._name)
        responder = next((one for one in self._hub.responders if one.covers(topic)), None)
        if responder is None:
            raise NoResponder(f"nobody serves {topic!r}")
        deadline = asyncio.get_running_loop().time() + timeout
        request = MemoryRequest(self._hub, self._hub.journal[-1], deadline=deadline)
        responder.put(request)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in a task
        self._hub.waiting.add(task)
        try:
            async with asyncio.timeout(timeout):
                return await request.answer
        except TimeoutError:
            raise Timeout(f"no answer from {topic!r} within {timeout} s") from None
        finally:
            self._hub.waiting.discard(task)

    def serve(self, pattern: str) -> MemoryResponder:
        """Become a responder."""
        responder = MemoryResponder(self._hub, pattern)
        self._mine.append(responder)
        return responder

    async def forget(self, consumer: str) -> None:
        """Delete a durable consumer's place."""
        self._need_hub()
        if consumer not in self._hub.consumers:
            raise Refused(f"there is no durable subscription {consumer!r}")
        if any(stream.durable == consumer for stream in self._hub.streams):
            raise Refused(f"the durable subscription {consumer!r} is in use")
        del self._hub.consumers[consumer]

    def _need_hub(self) -> None:
        if not self.connected:
            raise Unavailable("the broker is away")
