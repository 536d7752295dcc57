"""Dead letters on their way to their sink once more: how far they have come, and what is refused goes back.

Knows no protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
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
        """Lines that are no letters, and are left out."""
        self._shelf = shelf
        self._disk = disk
        self._clock = clock

    async def sheets(self, most: int) -> list[Sheet]:
        """Return the next ones, at most `most`; none: they are through.

        Raises:
            Unavailable: the file cannot be read.
        """
        while True:
            lines, end = await self._disk.run(lambda: self._shelf.read(most))
            if not lines:
                await self._disk.run(self._shelf.through)
                return []
            behind = end - sum(map(len, lines))
            found: list[Sheet] = []
            for line in lines:
                behind += len(line)
                try:
                    found.append(Sheet(read_letter(line), behind))
                except Invalid:
                    self.unreadable += bool(line.strip())
            if found:
                return found
            await self._disk.run(partial(self._shelf.passed, end, len(lines)))

    def record(self, item: Sheet) -> Record:
        """Return what is sent of a letter."""
        return item.record

    async def begins(self, items: Sequence[Sheet]) -> None:
        """Nothing is to be kept: the file is there until they are through."""

    async def delivered(self, items: Sequence[Sheet]) -> None:
        """Go on behind them; raises `Unavailable`."""
        await self._disk.run(lambda: self._shelf.passed(items[-1].behind, len(items)))

    async def refused(self, item: Sheet, reason: str) -> Sequence[Sheet]:
        """Set it aside anew; raises `Unavailable`."""
        line = write_letter(Letter(item.record, reason, self._clock.now()))
        await self._disk.run(lambda: self._shelf.add([line]))
        await self._disk.run(lambda: self._shelf.passed(item.behind, 1))
        return ()
