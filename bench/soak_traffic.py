"""What is said during a soak, and the account of it: every message has a number of its own.

Knows the public client only. What may be expected of the numbers in the end is `soak_account`'s.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Self

from hearthbus.bus import Bus
from hearthbus.errors import HandlerError, HearthbusError

if TYPE_CHECKING:
    from types import TracebackType

    from hearthbus.transport import Subscription

TOPICS: Final = tuple(f"sensor/soak-{number}/level" for number in range(4))
STATES: Final = tuple(f"soak/state-{number}" for number in range(3))
PAUSE_S: Final = 0.08
"""Between the messages of one writer: with all of them some 80 a second."""
PATIENCE_S: Final = 5.0
REQUEST_S: Final = 2.0
LATE_S: Final = 1.5
"""Seconds after its time that a request may take to fail."""
TICK_S: Final = 0.1
_ACK_EVERY: Final = 20


class Traffic:
    """Writers that want confirmation, a durable reader, a live reader, and one who asks for light.

    Args:
        url: where the broker is.
    """

    def __init__(self, url: str) -> None:
        self.confirmed: set[float] = set()
        self.unknown: set[float] = set()
        """Published without confirmation: they may be there or not."""
        self.states: dict[str, tuple[float, set[float]]] = {}
        """By retained topic, the value confirmed last, and those of unknown fate since."""
        self.durable: list[float] = []
        self.heard: set[float] = set()
        """What the live reader had of the writers' numbers."""
        self.live = self.lost = self.unexplained = 0
        self.answered = self.refused = self.hung = 0
        self.longest_silence_s = 0.0
        self.stood_still_s = 0.0
        """Seconds this process itself had no processor, all together: the machine's doing, and nobody's delay."""
        self.bus = Bus(url, name="soak-writer", connect_timeout=30)
        self._reader = Bus(url, name="soak-reader", connect_timeout=30)
        self._numbers = itertools.count(1000)  # a server refuses 666, see telemetry_receivers
        self._last = 0.0
        self._writers: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._writing = True

    async def __aenter__(self) -> Self:
        for bus in (self.bus, self._reader):
            await self._stack.enter_async_context(bus)
        diary = await self._stack.enter_async_context(self._reader.subscribe(*TOPICS, durable="soak-diary"))
        stream = await self._stack.enter_async_context(self._reader.subscribe("#", retained=False))
        work = (self._read_durably(diary), self._read(stream), self._notice_stalls())
        self._tasks = [asyncio.create_task(each) for each in work]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._writers, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._writers, *self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def start(self) -> None:
        """Let the writers begin."""
        self._last = time.monotonic()
        work = [*map(self._write, TOPICS), *map(self._state, STATES), self._ask()]
        self._writers = [asyncio.create_task(each) for each in work]

    @property
    def ended(self) -> list[str]:
        """Return why a reader reads no more; none has a reason to end."""
        return [str(task.exception() or "it ended") for task in self._tasks if task.done() and not task.cancelled()]

    @property
    def unheard(self) -> int:
        """Confirmed messages the live reader neither had nor was told to be lost."""
        return max(0, len(self.confirmed - self.heard) - self.lost)

    async def stop_writing(self) -> None:
        """Let every writer finish its message; the readers go on."""
        self._writing = False
        await asyncio.gather(*self._writers)

    async def _write(self, topic: str) -> None:
        while self._writing:
            number = float(next(self._numbers))
            if await self._confirmed(topic, number, retain=False):
                self.confirmed.add(number)
            else:
                self.unknown.add(number)
            await asyncio.sleep(PAUSE_S)

    async def _state(self, topic: str) -> None:
        while self._writing:
            number = float(next(self._numbers))
            _, unknown = self.states.setdefault(topic, (0.0, set()))
            if await self._confirmed(topic, number, retain=True):
                self.states[topic] = (number, set())
            else:
                unknown.add(number)
            await asyncio.sleep(PAUSE_S)

    async def _confirmed(self, topic: str, number: float, *, retain: bool) -> bool:
        try:
            await self.bus.publish(topic, value=number, retain=retain, confirm=True, ttl=PATIENCE_S)
        except HearthbusError:
            return False
        now = time.monotonic()
        self.longest_silence_s = max(self.longest_silence_s, now - self._last)
        self._last = now
        return True

    async def _ask(self) -> None:
        """Ask for light: it is answered, or an error, in time."""
        while self._writing:
            begun, stood_still_s = time.monotonic(), self.stood_still_s
            try:
                await self.bus.request("light/desk/set", on=True, timeout=REQUEST_S)
                self.answered += 1
            except HandlerError:
                self.answered += 1
            except HearthbusError:
                self.refused += 1
            took_s = time.monotonic() - begun
            await asyncio.sleep(0.5)  # in which a stall that has just ended is noticed
            self.hung += took_s - (self.stood_still_s - stood_still_s) > REQUEST_S + LATE_S

    async def _read_durably(self, diary: Subscription) -> None:
        async for message in diary:
            self.durable.append(float(message["value"]))
            if len(self.durable) % _ACK_EVERY == 0:
                await diary.ack(message)

    async def _read(self, stream: Subscription) -> None:
        """Hold every sequence number against the one before: it came once, or its loss was told."""
        before: dict[str, int] = {}
        async for message in stream:
            last = before.get(message.topic)
            if last is not None and message.seq - last - 1 != message.lost:
                self.unexplained += 1
            before[message.topic] = message.seq
            self.live += 1
            self.lost += message.lost
            if message.topic in TOPICS:
                self.heard.add(float(message["value"]))

    async def _notice_stalls(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(TICK_S)
            self.stood_still_s += max(0.0, time.monotonic() - begun - 2 * TICK_S)
