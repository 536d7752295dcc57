"""Publishing over the request socket: batches out, acknowledgements in, waiting when the window is full.

Messages of one turn of the event loop travel in one frame. Knows the link and the outbox, not what is published.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from hearthbus import protocol
from hearthbus.client.outbox import BATCH, WINDOW, Entry, Outbox
from hearthbus.errors import HearthbusError, Unavailable
from hearthbus.message import RETAIN, encode_sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from hearthbus.client.link import Link

log = logging.getLogger("hearthbus")
GOODBYE_S: Final = 1.0
_new: Final = tuple.__new__
"""Makes an Entry in a third of the time its own constructor takes."""


class Publisher:
    """The sending half of a client."""

    def __init__(self, link: Link) -> None:
        self.outbox = Outbox()
        self._entries = self.outbox.entries
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._up = False
        self._flushing = False
        self._quiet = True
        self._room: asyncio.Future[None] | None = None
        self._dropped = 0

    # positional, like Message: it is called for every message
    def publish(  # noqa: PLR0917
        self,
        topic: str,
        body: bytes,
        time_ns: int,
        retain: bool,  # noqa: FBT001
        confirm: bool,  # noqa: FBT001
        ttl: float,
    ) -> Awaitable[None] | None:
        """Send one message, now or when the broker is back; return what is to be awaited, if anything is."""
        record = encode_sent(topic.encode(), body, time=time_ns, flags=RETAIN if retain else 0)
        if confirm:
            return self._confirmed(topic, record, retain=retain, ttl=ttl)
        entry = _new(Entry, (record, topic, retain, time.monotonic() + ttl, None))
        if self._up and len(self._entries) < WINDOW:
            self._add(entry)
            return None
        if self._up:
            return self._later(entry)
        self.outbox.queue(entry, time.monotonic())
        return None

    async def _confirmed(self, topic: str, record: bytes, *, retain: bool, ttl: float) -> None:
        """Publish and wait until it is on disk."""
        done: asyncio.Future[HearthbusError | None] = self._loop.create_future()

        def settle(error: HearthbusError | None) -> None:
            if not done.done():
                done.set_result(error)

        await self._later(Entry(record, topic, retain, time.monotonic() + ttl, settle))
        try:
            async with asyncio.timeout(ttl):
                error = await done
        except TimeoutError:
            text = f"{topic}: the broker did not confirm within {ttl:g} s; it may be on disk or not"
            raise Unavailable(text) from None
        if error is not None:
            raise error

    async def _later(self, entry: Entry) -> None:
        """Publish when there is room."""
        while self._up and self.outbox.full:
            await self._wait_for_room()
        self._add(entry)

    def greeted(self, number: int, *, same_history: bool) -> None:
        """A broker is there that has taken in up to `number`: send it the rest."""
        if not same_history:
            self.outbox.broke_off()
        self._up = True
        if self.outbox.resume(number, time.monotonic()):
            self._link.send(protocol.encode_batch(protocol.STORE, self.outbox.taken + 1, ()))
        self._tell_dropped()
        self.flush()

    def lost(self) -> None:
        """The broker is gone: keep what it has not acknowledged."""
        self._up = False
        self._make_room()

    def tick(self) -> None:
        """While the broker is away: drop what has waited too long."""
        if not self._up:
            self.outbox.expire(time.monotonic())
            self._tell_dropped()

    def taken(self, number: int) -> None:
        """Acknowledged: taken in up to `number`."""
        self.outbox.take(number)
        self._make_room()

    def stored(self, number: int) -> None:
        """Acknowledged: on disk up to `number`."""
        self.outbox.store(number)
        self._make_room()

    def refused(self, numbers: Sequence[int], error: HearthbusError) -> None:
        """The broker refused these messages, the first of them for `error`, the others for the like of it."""
        if len(numbers) == 1:
            log.warning("the broker refused a message: %s", error)
        else:
            log.warning("the broker refused messages: %d, the first: %s", len(numbers), error)
        for number in numbers:
            self.outbox.refuse(number, error)

    def flush(self) -> None:
        """Send what has not been sent."""
        self._flushing = self._quiet = False
        if not self._up:
            return
        self._loop.call_soon(self._calm)
        for first, records, confirm in self.outbox.batches():
            verb = protocol.STORE if confirm else protocol.PUBLISH
            if not self._link.send(protocol.encode_batch(verb, first, records)):
                return  # the connection is gone: the next greeting sends everything again

    async def drain(self) -> None:
        """Wait a moment for what is on its way, then give up the rest."""
        self.flush()
        until = self._loop.time() + GOODBYE_S
        try:
            while self._up and len(self.outbox) and self._loop.time() < until:
                await self._wait_for_room(until - self._loop.time())
        finally:
            self.outbox.give_up("the client ended before the broker had it")
            self._tell_dropped()

    def _add(self, entry: Entry) -> None:
        if not self._up:
            self.outbox.queue(entry, time.monotonic())
            return
        self.outbox.add(entry)
        if self._quiet or len(self.outbox.fresh) >= BATCH:
            self.flush()
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def _calm(self) -> None:
        """The event loop has had its turn since the last message was sent: the next need not wait for company."""
        self._quiet = not self.outbox.fresh

    async def _wait_for_room(self, seconds: float | None = None) -> None:
        self._room = self._room or self._loop.create_future()
        await asyncio.wait((self._room,), timeout=seconds)

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set_result(None)
            self._room = None

    def _tell_dropped(self) -> None:
        if self.outbox.dropped > self._dropped:
            log.warning("%d messages dropped: the broker was away", self.outbox.dropped - self._dropped)
            self._dropped = self.outbox.dropped
