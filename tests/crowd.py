"""Publishers and readers for the fault tests: numbered messages out, everything that arrived kept.

Each message carries a number that is used once in a test, so that what was confirmed, what is in the journal and what
each reader got can be compared as sets. Knows the public client only.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

from hearthbus.errors import HearthbusError, Unavailable
from hearthbus.topics import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from hearthbus.bus import Bus
    from hearthbus.message import Message
    from hearthbus.transport import Subscription

POLL_S = 0.005


class Numbers:
    """The numbers of a test, from 0."""

    def __init__(self) -> None:
        self.next = 0

    def take(self) -> int:
        """The next one."""
        self.next += 1
        return self.next - 1


class Writer:
    """One publisher of one topic."""

    def __init__(
        self, bus: Bus, topic: str, numbers: Numbers, *, retain: bool = False, confirm: bool = False, per_s: float = 200
    ) -> None:
        self.topic = topic
        self.given: list[int] = []
        """Handed to `publish`, in order."""
        self.confirmed: list[int] = []
        """Those whose confirmed publish returned."""
        self.errors: list[HearthbusError] = []
        self._bus, self._numbers = bus, numbers
        self._retain, self._confirm, self._pause = retain, confirm, 1 / per_s
        self._stop = False

    def stop(self) -> None:
        """Let `run` end after the message it is at."""
        self._stop = True

    async def run(self) -> None:
        """Publish at a steady pace until stopped."""
        while not self._stop:
            await self.one()
            await asyncio.sleep(self._pause)  # the pace of the load, not a wait

    async def one(self) -> int:
        """Publish one message; return its number."""
        number = self._numbers.take()
        self.given.append(number)
        try:
            await self._bus.publish(self.topic, retain=self._retain, confirm=self._confirm, n=number)
        except Unavailable as error:
            self.errors.append(error)
        else:
            if self._confirm:
                self.confirmed.append(number)
        return number


class Reader:
    """One subscription, and all it delivered."""

    def __init__(self, messages: Subscription, patterns: Sequence[str] = ("#",), *, ack_every: int = 0) -> None:
        self.messages = messages
        self.patterns = patterns
        self.got: list[Message] = []
        self.delays: list[float] = []
        """Seconds from publishing to arrival, for each of them."""
        self.newest = -1
        """The highest number seen."""
        self._ack_every = ack_every

    async def run(self) -> None:
        """Read until the subscription ends."""
        async for message in self.messages:
            self.got.append(message)
            self.delays.append(message.age(time.time_ns()))
            self.newest = max(self.newest, message["n"])
            if self._ack_every and len(self.got) % self._ack_every == 0:
                await self.messages.ack(message)

    def wants(self, topic: str) -> bool:
        """Whether `topic` is among what it reads."""
        return any(matches(pattern, topic) for pattern in self.patterns)

    def numbers(self, topic: str | None = None) -> list[int]:
        """Numbers in the order of arrival, of one topic or of all."""
        return [message["n"] for message in self.got if topic in (None, message.topic)]

    def faults(self) -> list[str]:
        """What contradicts "once each, in order, and every gap is reported"; empty when nothing does."""
        found = [f"{n} came {count} times" for n, count in Counter(self.numbers()).items() if count > 1]
        seqs: dict[str, int] = {}
        for message in self.got:
            before = seqs.get(message.topic)
            seqs[message.topic] = message.seq
            if before is not None and message.seq - before - 1 != message.lost:
                found.append(f"{message.topic}: {message.seq} came after {before}, {message.lost} reported lost")
        return found


class Crowd:
    """Tasks that run for the length of a block; one that fails, fails the test."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._count = itertools.count()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run `work` beside the test."""
        task = asyncio.create_task(work, name=f"crowd-{next(self._count)}")
        self._tasks.append(task)
        return task

    async def until(self, what: str, true: Callable[[], bool], *, within: float = 60.0) -> float:
        """Wait until `true()`; return how many seconds that took."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while not true():
            for task in self._tasks:
                if task.done():
                    task.result()
            if loop.time() > begun + within:
                raise AssertionError(f"not within {within:g} s: {what}")
            await asyncio.sleep(POLL_S)
        return loop.time() - begun

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
