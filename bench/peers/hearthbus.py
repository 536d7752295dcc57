"""hearthbus: its own broker, and the public `Bus` client as anybody would use it.

It needs no window to lose nothing: what its fan-out drops for a slow reader is fetched again from the journal. Beside
the peers it keeps theirs, so that the same work is compared; `bench.throughput` measures it without one too.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers.base import Peer, package_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.work import Batches, Reading

COMMAND = str(Path(sys.executable).with_name("hearthbus"))
"""The command that belongs to this Python."""
KEY = "bench"


class Hearthbus(Peer):
    """Default broker, asyncio client; `topics` raises the broker's limit on their number."""

    name = "hearthbus"
    driven = "default broker with its journal, `Bus.publish`, `async for` over `Bus.subscribe`"
    window = 4096

    def __init__(self, *, topics: int = 0) -> None:
        self._topics = topics

    def missing(self) -> str:
        return "" if Path(COMMAND).exists() else f"{COMMAND} is not there: pip install --editable ."

    def version(self) -> str:
        return package_version("hearthbus")

    def command(self, home: Path, port: int) -> list[str]:
        config = home / "house.toml"
        config.write_text(broker_table(home, port, topics=self._topics))
        return [COMMAND, "broker", "--config", str(config)]

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        self.receive_many(port, [(take, ready)])

    def receive_many(self, port: int, ends: Sequence[tuple[Callable[[Reading], None], Callable[[], None]]]) -> None:
        """Do as `receive` does, with a connection for each of `ends`, in one event loop."""

        async def all_of_them() -> None:
            await asyncio.gather(*(_receive(port, at, *end) for at, end in enumerate(ends)))

        asyncio.run(all_of_them())

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        asyncio.run(_send(port, batches, done, retain=retain))


class Keyed(Hearthbus):
    """The same, over an encrypted connection, with a key whose every topic is checked against its table."""

    name = "hearthbus, with keys"
    driven = "the same with CURVE, the key's rights checked"

    def command(self, home: Path, port: int) -> list[str]:
        config = home / "house.toml"
        config.write_text(
            f'[broker]\naddress = "ipc://{home / "bus"}"\nnetwork = "{url(port)}"\nkeys = "keys"\ndata = "data"\n'
            f'[broker.access.{KEY}]\npublish = ["#"]\nsubscribe = ["#"]\nmessages_per_s = 10_000_000\n'
        )
        for words in (["init"], ["new", KEY]):
            subprocess.run([COMMAND, "keys", *words, "--config", str(config)], check=True, stdout=subprocess.DEVNULL)
        return [COMMAND, "broker", "--config", str(config)]


def _key() -> str | None:
    """Return the key's file, which is among the files of the server that has keys."""
    path = Path("keys", f"{KEY}.key")
    return str(path) if path.exists() else None


def broker_table(home: Path, port: int, *, topics: int = 0) -> str:
    """Return the broker's configuration: a loopback port, a private folder."""
    limits = f"\n[broker.limits]\ntopics = {topics}\n" if topics else ""
    return f'[broker]\naddress = "{url(port)}"\ndata = "{home / "data"}"\n{limits}'


def url(port: int) -> str:
    """Return the address of a broker on loopback."""
    return f"tcp://127.0.0.1:{port}"


async def _receive(port: int, at: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
    from hearthbus import Bus

    async with (
        Bus(url(port), key=_key(), name=f"{KEY}.receiver-{os.getpid()}-{at}", connect_timeout=20) as bus,
        bus.subscribe("sensor/#") as messages,
    ):
        ready()
        async for message in messages:
            take(message.body)


async def _send(port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
    from hearthbus import Bus

    async with Bus(url(port), key=_key(), name=f"{KEY}.sender-{os.getpid()}", connect_timeout=20) as bus:
        for pause, readings in batches:
            if pause:
                await asyncio.sleep(pause)
            for topic, body in readings:
                await bus.publish(topic, body, retain=retain)
        done()
        await asyncio.Event().wait()
