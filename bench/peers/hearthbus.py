"""hearthbus: its own broker, and the public `Bus` client as anybody would use it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from bench.peers.base import Peer, package_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.work import Batches, Reading


class Hearthbus(Peer):
    """Default broker, asyncio client."""

    name = "hearthbus"
    driven = "default broker with its journal, `Bus.publish`, `async for` over `Bus.subscribe`"
    window = 0

    def missing(self) -> str:
        return ""

    def version(self) -> str:
        return package_version("hearthbus")

    def command(self, home: Path, port: int) -> list[str]:
        raise NotImplementedError

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        asyncio.run(_receive(port, take, ready))

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        asyncio.run(_send(port, batches, done, retain=retain))


async def _receive(port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
    from hearthbus import Bus

    async with (
        Bus(f"tcp://127.0.0.1:{port}", name=f"bench-receiver-{os.getpid()}") as bus,
        bus.subscribe("sensor/#") as messages,
    ):
        ready()
        async for message in messages:
            take(message.body)


async def _send(port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
    from hearthbus import Bus

    async with Bus(f"tcp://127.0.0.1:{port}", name=f"bench-sender-{os.getpid()}") as bus:
        for pause, readings in batches:
            if pause:
                await asyncio.sleep(pause)
            for topic, body in readings:
                await bus.publish(topic, body, retain=retain)
        done()
        await asyncio.Event().wait()
