"""Messages of the bus on their way to one sink: when they are acknowledged, and when one is set aside.

A record that was refused is set aside for good only when the sink has taken another one since, or nothing came for a
minute; twenty refused in a row are no fault of theirs, and come again. What is set aside is on the disk before the
place of the subscription moves past it. Knows no protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hearthbus.errors import Refused, Unavailable
from services.telemetry.letters import Letter, write_letter
from services.telemetry.place import Place, write_place
from services.telemetry.records import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from hearthbus.clock import Clock
    from hearthbus.message import Message
    from hearthbus.transport import Subscription
    from services.telemetry.shelf import Shelf
    from services.telemetry.worker import Worker

IN_A_ROW: Final = 20
"""Records refused one after the other after which the sink is thought to be at fault."""
UNWRITTEN: Final = 100
"""Dead letters held for a disk that does not take them, before everything waits for it."""


class Live:
    """A `Source` of messages.

    Args:
        stream: their subscription.
        shelf: where dead letters go.
        disk: the thread that writes.
        place_file: where the place is kept, for a sink that cannot tell twice from once; None for one that can.
        place: what that file says now.
        clock: when something is set aside.
        insist: calls what may raise `Unavailable` until it does not.
    """

    def __init__(
        self,
        stream: Subscription,
        *,
        shelf: Shelf,
        disk: Worker,
        place_file: Path | None,
        place: Place,
        clock: Clock,
        insist: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._shelf = shelf
        self._disk = disk
        self._place_file = place_file
        self._place = place
        self._clock = clock
        self._insist = insist
        self._suspects: list[tuple[Message, str]] = []
        self._proven: list[tuple[Message, str]] = []
        self._last: Message | None = None
        self.fault = ""
        """Why dead letters cannot be written now."""

    @property
    def aside(self) -> int:
        """Records refused that are not on the disk yet."""
        return len(self._suspects) + len(self._proven)

    @property
    def suspects(self) -> int:
        """Those of them of which it is not known yet whether they are at fault."""
        return len(self._suspects)

    @property
    def oldest(self) -> Message | None:
        """The oldest of them."""
        return next((message for message, _ in (*self._proven, *self._suspects)), None)

    def record(self, item: Message) -> Record:
        """Return what is sent of a message."""
        return Record(item.topic, item.body, item.time, item.offset, retained=item.retained)

    async def begins(self, items: Sequence[Message]) -> None:
        """Keep the range that is about to be sent; raises `Unavailable`."""
        if self._place_file is not None:
            place = self._here().begin(items[0].offset, items[-1].offset)
            await self._keep(place)
            self._place = place

    async def delivered(self, items: Sequence[Message]) -> None:
        """The sink works: what it refused before is at fault itself."""
        self._last = items[-1]
        self._proven += self._suspects
        self._suspects.clear()
        await self.settle()

    async def refused(self, item: Message, reason: str) -> Sequence[Message]:
        """Suspect it; return all suspects when there are too many to be at fault."""
        self._suspects.append((item, reason))
        if len(self._suspects) < IN_A_ROW:
            return ()
        again = [message for message, _ in self._suspects]
        self._suspects.clear()
        return again

    async def convict(self) -> None:
        """Take it that suspects are at fault: nothing else came that could tell."""
        self._last = self._suspects[-1][0]
        self._proven += self._suspects
        self._suspects.clear()
        await self.settle()

    async def passed(self, message: Message) -> None:
        """Move past messages that are not wanted; nothing before them is in hand."""
        if not self.aside:
            self._last = message
            await self.settle()

    async def settle(self) -> None:
        """Write what is to be set aside, then move the place to what was delivered last."""
        if self._proven:
            if self._place_file is not None or len(self._proven) > UNWRITTEN:
                await self._insist(self._write)
            else:
                try:
                    await self._write()
                except Unavailable as error:
                    self.fault = str(error)
        if self.aside or self._last is None:
            return
        message, self._last = self._last, None
        if self._place_file is not None:
            self._place = self._here().move(message.offset)
            try:
                await self._keep(self._place)
            except Unavailable as error:
                self.fault = str(error)  # the next attempt keeps it, or does not begin
        try:
            await self._stream.ack(message)
        except Refused:
            return  # the history broke off, or the bus is closed: it is asked for again

    async def _write(self) -> None:
        now = self._clock.now()
        lines = [write_letter(Letter(self.record(message), reason, now)) for message, reason in self._proven]
        await self._disk.run(lambda: self._shelf.add(lines))
        self._proven.clear()
        self.fault = ""

    async def _keep(self, place: Place) -> None:
        file = self._place_file
        if file is not None:
            await self._disk.run(lambda: write_place(file, place))
            self.fault = ""

    def _here(self) -> Place:
        """Return the place, if it is one of the present history."""
        return self._place if self._place.epoch == self._stream.epoch else Place(epoch=self._stream.epoch)
