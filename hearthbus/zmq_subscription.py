"""A subscription on the ZeroMQ transport: keeps its track complete, and hands messages to its reader.

    begin      patterns subscribed, a marker answered: from its offset on everything arrives. Then the retained state
    live       frames go straight to the reader
    disturbed  a gap, a reconnection, a reader that is too slow: live frames are held, the journal is read from the
               last offset that is known to be complete, then live again; what nobody has any more is counted as lost

Knows the conversation and its own track; the socket is the link's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol, Self

from hearthbus import protocol
from hearthbus.errors import HearthbusError, Refused, Unavailable
from hearthbus.tracking import QUEUE, Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType

    from hearthbus.message import Message

log = logging.getLogger("hearthbus")
PAGE = 1_000


class Home(Protocol):
    """What a subscription needs of its transport."""

    name: str

    @property
    def epoch(self) -> int:
        """Name of the broker's history."""

    @property
    def emptied(self) -> int:
        """How often the fan-out was read until nothing was left."""

    async def add(self, subscription: ZmqSubscription) -> None:
        """Subscribe its patterns at the broker; raises `Refused`."""

    def remove(self, subscription: ZmqSubscription) -> None:
        """Unsubscribe them."""

    async def wait_up(self) -> None:
        """Return when the broker answers."""

    async def marker(self) -> int:
        """Return an offset from which on everything that is subscribed now will arrive; raises `Unavailable`."""

    def pages(self, verb: bytes, patterns: Sequence[str], **fields: Any) -> AsyncIterator[dict[str, Any]]:
        """Read the pages of a snapshot or a replay; raises `Unavailable`."""


class ZmqSubscription:
    """A stream of messages that is complete, or says what is missing."""

    def __init__(self, home: Home, patterns: Sequence[str], *, retained: bool) -> None:
        self.track = Track(patterns)
        self._home = home
        self._retained = retained
        self._epoch = 0
        self._started = self._closed = False
        self._error: HearthbusError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._entered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._anew = True
        self._suspects: dict[str, int] = {}
        self._emptied = 0
        self._unproven = False
        self._state_due = False
        """The retained state of this history has not been read to its end."""
        self._read_to = 0
        """The journal has been read up to here: what it lacks before is nowhere."""

    @property
    def lost(self) -> int:
        """Messages the bus could neither deliver nor find again."""
        return self.track.lost

    @property
    def malformed(self) -> int:
        """Messages dropped because their body was no sound map."""
        return self.track.malformed

    async def __aenter__(self) -> Self:
        self._start()
        try:
            await self._entered.wait()
        except BaseException:
            self.close()
            raise
        if self._error is not None:
            self.close()
            raise self._error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        self._start()
        ready, track = self.track.ready, self.track
        while True:
            while ready:
                frame, at, cell, mark = ready.popleft()
                message = track.decode(frame, at, cell, mark)
                if self._room is not None and len(ready) < QUEUE // 2:
                    if not self._room.done():
                        self._room.set_result(None)
                    self._room = None
                if message is not None:
                    return message
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    async def ack(self, message: Message) -> None:
        """Only durable subscriptions have a place to move."""
        raise Refused(f"{message.topic}: only a durable subscription is acknowledged; subscribe with durable=NAME")

    def wake(self) -> None:
        """There may be something for the reader."""
        if self._waiter is not None and (self.track.ready or self._error is not None or self._closed):
            if not self._waiter.done():
                self._waiter.set_result(None)
            self._waiter = None

    def reconnected(self) -> None:
        """The fan-out's connection may be a new one: nothing is sure before a marker comes through it."""
        self._anew = True
        self.disturbed()

    def disturbed(self) -> None:
        """Something may be missing: complete the past before live messages go on."""
        if not self._started or self._closed:
            return
        self.track.live = False
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._complete(), name=f"{self._home.name}: {self.track.patterns[0]}")

    def checked(self, offset: int, changed: list[tuple[str, int]], *, complete: bool) -> None:
        """The broker's word on what has been published; messages and it travel on different connections.

        So what is missing may be on its way. What is still missing with the next heartbeat, although the fan-out was
        read until it was empty in between, is fetched; and what the journal then lacks is lost.
        """
        track = self.track
        if not track.live:
            return
        if not complete:
            self._suspects, self._unproven = {}, True
            self.disturbed()
            return
        missing = dict(track.missing(changed))
        late = {topic: at for topic, at in self._suspects.items() if topic in missing and track.missing([(topic, at)])}
        if not missing:
            track.verified = max(track.verified, offset)
            self._suspects = {}
        elif not late:
            self._suspects, self._emptied = missing, self._home.emptied
        elif self._emptied != self._home.emptied:
            self._suspects, self._unproven = late, True
            self.disturbed()

    def close(self) -> None:
        """End the stream."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        if self._started:
            self._home.remove(self)
        self.wake()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.disturbed()

    async def _complete(self) -> None:
        """Bring the track up to date, as often as it is disturbed meanwhile."""
        try:
            while self._again:
                self._again = False
                await self._home.wait_up()
                try:
                    await self._complete_once()
                except Unavailable:
                    self._again = True
        except HearthbusError as error:
            self._error = error
        self._entered.set()
        self.wake()

    async def _complete_once(self) -> None:
        home, track = self._home, self.track
        if not self._entered.is_set():
            await home.add(self)
        start = self._read_to
        if self._anew:
            self._anew = False
            start = await self._marker()
        new = self._epoch != home.epoch
        if new:
            self._begin_history(start)
            self._entered.set()
        if self._state_due:
            await self._read_state(upto=track.start, initial=True)
            self._state_due = False
        if new and track.release(upto=0):
            self.wake()
            return
        after = max(track.verified, self._read_to)
        while True:
            after = await self._refill(after)
            if self._unproven:
                self._unproven = False
                await self._give_up_missing(after)
            if track.release(upto=after):
                break
        self._read_to = after
        self.wake()

    async def _marker(self) -> int:
        try:
            return await self._home.marker()
        except Unavailable:
            self._anew = True
            raise

    def _begin_history(self, start: int) -> None:
        if self._epoch:
            log.warning(
                "the broker's history broke off, by a power cut or a lost file: its last seconds may be lost (%s)",
                ", ".join(self.track.patterns),
            )
            self.track.lost += 1
        self._epoch = self._home.epoch
        self._read_to = start
        self._state_due = self._retained
        self.track.begin(start)

    async def _refill(self, after: int) -> int:
        """Read the journal from `after`; return where it ended."""
        before = self.track.refilled, self.track.lost
        async for page in self._home.pages(protocol.REPLAY, self.track.patterns, after=after):
            for frame in page["frames"]:
                self.track.refill(frame)
            after = int(page["next"])
            self.wake()
            await self._wait_for_room()
        refilled, lost = self.track.refilled - before[0], self.track.lost - before[1]
        if lost:
            log.warning("%s: lost messages: %d (fetched again: %d)", self.track.patterns[0], lost, refilled)
        elif refilled:
            log.debug("%s: fetched again: %d", self.track.patterns[0], refilled)
        return after

    async def _give_up_missing(self, upto: int) -> None:
        """Fetch the state of what the journal, read up to `upto`, lacks; what the broker counted besides is lost."""
        await self._read_state(upto=upto)
        if not self._suspects:  # too much has changed for a heartbeat to tell what: the journal's word must do
            self.track.verified = upto
        for topic, offset in self._suspects.items():
            if offset <= upto:
                self.track.give_up(topic, offset)
        self._suspects = {}

    async def _read_state(self, *, upto: int, initial: bool = False) -> None:
        async for page in self._home.pages(protocol.SNAPSHOT, self.track.patterns):
            for frame in page["frames"]:
                self.track.state(frame, upto=upto, initial=initial)
            self.wake()
            await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        while len(self.track.ready) >= QUEUE // 2 and not self._closed:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
