"""What comes in for one sink: its durable subscription, read ahead by as much as two batches and no more.

Knows no sink: which messages are wanted, and how many there may be.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from hearthbus.errors import Unavailable
from hearthbus.topics import covers
from services.telemetry.settings import MOST
from services.telemetry.waiting import happens

if TYPE_CHECKING:
    from hearthbus.clock import Clock
    from hearthbus.message import Message
    from hearthbus.transport import Subscription
    from services.telemetry.place import Place
    from services.telemetry.settings import Common

SETTLED_S = 2.0
"""Seconds without a message after which the last record of an attempt that was cut off is not waited for any more."""


class Intake:
    """Messages of a subscription, in batches.

    Args:
        stream: the subscription, entered.
        settings: which of its messages, and how many at a time.
        place: where the sink stands, if it cannot tell twice from once.
        clock: what waiting is counted by.
    """

    def __init__(self, stream: Subscription, *, settings: Common, place: Place, clock: Clock) -> None:
        self.skipped = 0
        """Messages of its topics it does not want."""
        self.passed: Message | None = None
        """The last message that was not wanted, if none came after it that was."""
        self._stream = stream
        self._every_s = settings.every_s
        self._skip = covers(settings.skip) if settings.skip else None
        self._requests = settings.requests
        self._epoch = place.epoch
        same = place.epoch == stream.epoch
        self._done = place.done if same else 0
        self._cut_off = list(place.attempts) if same else []
        self._clock = clock
        self._usual = 2 * settings.batch
        self._room = 2 * MOST if self._cut_off else self._usual
        self._messages: deque[Message] = deque()
        self._since = 0.0
        self._news = asyncio.Event()
        self._full = asyncio.Event()
        self._space = asyncio.Event()
        self._wanted = settings.batch

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def resumes(self) -> bool:
        """Whether the next batch is that of an attempt that was cut off, and has to stay as it is."""
        return bool(self._cut_off)

    @property
    def oldest(self) -> Message | None:
        """The one that waits longest."""
        return self._messages[0] if self._messages else None

    @property
    def unread(self) -> int:
        """Messages of the bus that were not looked at, at most."""
        return self._stream.unread

    async def read(self) -> None:
        """Read until the stream ends.

        Raises:
            Unavailable: it ended.
            Refused: another process reads the same subscription.
        """
        messages = self._messages
        async for message in self._stream:
            if (self._done and self._is_done(message.offset)) or not self._wants(message):
                self.passed = None if messages else message
                continue
            self.passed = None
            if not messages:
                self._since = self._clock.monotonic()
                self._news.set()
            messages.append(message)
            if len(messages) >= self._wanted or self._cut_off:
                self._full.set()
            while len(messages) >= self._room:
                self._space.clear()
                await self._space.wait()
        raise Unavailable("the bus is closed")

    async def batch(self, most: int, *, within: float, wake: asyncio.Event) -> list[Message]:
        """Return the next messages, at most `most`, as soon as there are so many or the first has waited long enough.

        Args:
            most: how many; the records of an attempt that was cut off come as they were, however many.
            within: seconds to wait for the first; then none are returned.
            wake: set by whoever wants what there is now, or nothing.
        """
        while self._cut_off:
            found = await self._as_before(*self._cut_off[0])
            if found:
                return found
        if not self._messages:
            self._news.clear()
            await happens(self._news, wake, within=within, clock=self._clock)
            if not self._messages:
                return []
        self._wanted = most
        if len(self._messages) < most:
            self._full.clear()
            left = self._since + self._every_s - self._clock.monotonic()
            await happens(self._full, wake, within=left, clock=self._clock)
        return self._take(min(most, len(self._messages)))

    def _wants(self, message: Message) -> bool:
        if message.is_request and not self._requests:
            return False
        if self._skip is not None and self._skip(message.topic):
            self.skipped += 1
            return False
        return True

    async def _as_before(self, first: int, last: int) -> list[Message]:
        """Return the records of the attempt the process before was in when it ended; first those before them."""
        messages, count = self._messages, -1
        while (not messages or messages[-1].offset < last) and len(messages) > count:
            count = len(messages)
            self._full.clear()
            await happens(self._full, within=SETTLED_S, clock=self._clock)
        before = sum(message.offset < first for message in messages)
        if before:
            return self._take(before)
        del self._cut_off[0]
        if not self._cut_off:
            self._room = self._usual
        return self._take(sum(message.offset <= last for message in messages))

    def _is_done(self, offset: int) -> bool:
        return offset <= self._done and self._stream.epoch == self._epoch

    def _take(self, count: int) -> list[Message]:
        taken = [self._messages.popleft() for _ in range(count)]
        self._since = self._clock.monotonic()
        self._space.set()
        return taken
