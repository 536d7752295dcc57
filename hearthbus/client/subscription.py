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
from typing import TYPE_CHECKING, Any, Protocol

from hearthbus import protocol
from hearthbus.client import stream
from hearthbus.client.tracking import QUEUE, Track
from hearthbus.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from hearthbus.message import Message

log = logging.getLogger("hearthbus")
PAGE = 1_000


class Home(stream.Home, Protocol):
    """What a subscription needs of its transport."""

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

    async def marker(self) -> int:
        """Return an offset from which on everything that is subscribed now will arrive; raises `Unavailable`."""

    def pages(self, verb: bytes, patterns: Sequence[str], **fields: Any) -> AsyncIterator[dict[str, Any]]:
        """Read the pages of a snapshot or a replay; raises `Unavailable`."""


class ZmqSubscription(stream.Stream):
    """A stream of messages that is complete, or says what is missing."""

    def __init__(self, home: Home, patterns: Sequence[str], *, retained: bool) -> None:
        super().__init__(home, patterns[0])
        self.track = Track(patterns)
        self._home = home
        self._retained = retained
        self._epoch = 0
        self._room: asyncio.Future[None] | None = None
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

    @property
    def epoch(self) -> int:
        """Name of the broker's history the offsets belong to."""
        return self._epoch

    @property
    def unread(self) -> int:
        """Messages its reader has not asked for yet."""
        return self.track.waiting

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
            await self._wait()

    async def ack(self, message: Message) -> None:
        """Only durable subscriptions have a place to move."""
        raise Refused(f"{message.topic}: only a durable subscription is acknowledged; subscribe with durable=NAME")

    def wake(self) -> None:
        """There may be something for the reader."""
        if self.track.ready:
            self._wake()

    def reconnected(self) -> None:
        """The fan-out's connection may be a new one: nothing is sure before a marker comes through it."""
        self._anew = True
        self.disturbed()

    def disturbed(self) -> None:
        """Something may be missing: complete the past before live messages go on."""
        self.track.live = False
        super().disturbed()

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

    def _leave(self) -> None:
        self._home.remove(self)

    async def _set_up(self) -> None:
        """Bring the track up to date."""
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
