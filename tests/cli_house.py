"""A bus in memory and an output that remembers: what the tests of the verbs stand on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hearthbus.bus import Bus
from hearthbus.cli.output import Output
from hearthbus.testing import MemoryHub, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TOPIC = "sensor/hall/temperature"


class Told:
    """An output that remembers, and tells when there is something to see."""

    def __init__(self, *, json: bool = False) -> None:
        self.lines: list[str] = []
        self.notes: list[str] = []
        self._news = asyncio.Event()
        self.output = Output(line=self._keeper(self.lines), note=self._keeper(self.notes), json=json)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _keeper(self, kept: list[str]) -> Callable[[str], None]:
        def keep(text: str) -> None:
            kept.append(text)
            self._news.set()

        return keep


class House:
    """A bus in memory with one client on it."""

    def __init__(self) -> None:
        self.hub = MemoryHub()

    @asynccontextmanager
    async def client(self, name: str = "tester") -> AsyncIterator[Bus]:
        async with Bus(name=name, transport=MemoryTransport(self.hub, name=name)) as bus:
            yield bus

    async def listening(self) -> None:
        """Return when somebody has subscribed."""
        async with asyncio.timeout(30):
            while not self.hub.streams:
                await asyncio.sleep(0)
