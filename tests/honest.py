"""Two honest clients that talk while others misbehave, and what they must not notice."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from crowd import Crowd, Numbers, Reader, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Broker

    from hearthbus.bus import Bus

LATE_S = 1.0
"""How long a message of an honest client may take while another one misbehaves."""
TICK_S = 0.01
TURNS = 5
"""Turns of this process's event loop between a publish and its arrival: flush, send, read, decode, and one to spare."""
GROWTH_BYTES = 64_000_000
"""What one client may cost the broker in memory: budget of a stalled subscriber."""


class Honest:
    """Two honest clients that talk while others misbehave."""

    def __init__(self, broker: Broker, writer: Writer, reader: Reader, bus: Bus, crowd: Crowd) -> None:
        self.broker, self.bus = broker, bus
        self._writer, self._reader, self._crowd = writer, reader, crowd
        self._slowest_turn = 0.0
        self._pid, self._before = broker.pid, broker.rss_bytes()

    async def watch_turns(self) -> None:
        """Note how long this process's own event loop takes for a turn: the broker is not to blame for that."""
        while True:
            begun = time.monotonic()
            await asyncio.sleep(TICK_S)
            self._slowest_turn = max(self._slowest_turn, time.monotonic() - begun - TICK_S)

    async def stats(self) -> dict[str, Any]:
        """The broker's word on itself, from now on."""
        async with self.bus.subscribe("broker/stats", retained=False) as messages, asyncio.timeout(30):
            return (await anext(messages)).body

    async def drops(self, reason: str, count: int) -> None:
        """Wait until so many frames have been dropped for `reason`."""
        async with asyncio.timeout(30):
            while (await self.stats())["dropped"].get(reason, 0) < count:
                pass

    async def unharmed(self) -> dict[str, Any]:
        """Check that the broker lives and the two have not noticed anything; return the statistics."""
        self._writer.stop()
        last = await self._writer.one()
        await self._crowd.until("all messages", lambda: self._reader.newest >= last)
        stats = await self.stats()
        slowest = max(self._reader.delays)
        assert self._pid == self.broker.pid
        assert self.broker.runs()
        assert [] == self._reader.faults()
        assert (0, self._writer.given) == (self._reader.messages.lost, self._reader.numbers())
        late = LATE_S + TURNS * self._slowest_turn
        assert slowest < late, f"a message took {slowest:.2f} s, more than {late:.2f} s"
        assert "defect" not in stats["dropped"]
        assert not stats["journal_error"]
        grown = self.broker.peak_rss_bytes() - self._before
        assert grown < GROWTH_BYTES, f"the broker has grown by {grown / 1e6:.0f} MB"
        return stats


@contextlib.asynccontextmanager
async def honest_pair(broker: Broker, *, per_s: float = 100) -> AsyncIterator[Honest]:
    """Run two honest clients, one of which publishes so many messages a second."""
    async with broker.bus("honest-writer") as sender, broker.bus("honest-reader") as bus, Crowd() as crowd:
        async with bus.subscribe("honest/#") as messages:
            writer = Writer(sender, "honest/work", Numbers(), per_s=per_s)
            reader = Reader(messages)
            crowd.start(reader.run())
            crowd.start(writer.run())
            honest = Honest(broker, writer, reader, bus, crowd)
            crowd.start(honest.watch_turns())
            yield honest
