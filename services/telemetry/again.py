"""Dead letters on their way to their sink once more: how far they have come, and what is refused goes back.

Knows no protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus.errors import Invalid
from services.telemetry.letters import Letter, read_letter, write_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hearthbus.clock import Clock
    from services.telemetry.records import Record
    from services.telemetry.shelf import Shelf
    from services.telemetry.worker import Worker


@dataclass(frozen=True)
class Sheet:
    """One line of the file, and the place behind it."""

    record: Record
    behind: int


class Again:
    """A `Source` of dead letters.

    Args:
        shelf: where they are.
        disk: the thread that reads and writes.
        clock: when something is set aside.
    """

    def __init__(self, shelf: Shelf, *, disk: Worker, clock: Clock) -> None:
        self.unreadable = 0
        """Lines that are no letters: they are not sent, and go back for somebody to look at."""
        self._shelf = shelf
        self._disk = disk
        self._clock = clock
        self._back: list[bytes] = []
        """Lines that go back into the file of those set aside."""
        self._end = self._behind = 0
        """The places behind what was read last, and behind what is dealt with."""

    async def sheets(self, most: int) -> list[Sheet]:
        """Return the next ones, at most `most`; none: they are through.

        Raises:
            Unavailable: the file cannot be read, or what goes back into the other cannot be written.
        """
        while True:
            await self._put_back(self._end)
            lines, self._end = await self._disk.run(lambda: self._shelf.read(most))
            if not lines:
                await self._disk.run(self._shelf.through)
                return []
            behind = self._end - sum(map(len, lines))
            found: list[Sheet] = []
            for line in lines:
                behind += len(line)
                try:
                    found.append(Sheet(read_letter(line), behind))
                except Invalid:
                    if line.strip():
                        self.unreadable += 1
                        self._back.append(line.rstrip(b"\n") + b"\n")
            if found:
                return found

    def record(self, item: Sheet) -> Record:
        """Return what is sent of a letter."""
        return item.record

    async def begins(self, items: Sequence[Sheet]) -> None:
        """Nothing is to be kept: the file is there until they are through."""

    async def delivered(self, items: Sequence[Sheet]) -> None:
        """Go on behind them, and what was refused before; raises `Unavailable`."""
        await self._put_back(items[-1].behind)

    async def refused(self, item: Sheet, reason: str) -> Sequence[Sheet]:
        """Let it be set aside anew."""
        self._back.append(write_letter(Letter(item.record, reason, self._clock.now())))
        return ()

    async def _put_back(self, place: int) -> None:
        """Set aside what goes back, all at once: a disk is slow, and there may be thousands."""
        back = self._back
        if back:
            await self._disk.run(lambda: self._shelf.add(back))
            self._back = []
        if place > self._behind:
            await self._disk.run(lambda: self._shelf.passed(place))
            self._behind = place
