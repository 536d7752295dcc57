"""NATS (core, no JetStream) with nats-py.

The server cuts off a subscriber that falls 64 MiB behind and nats-py drops beyond its pending limits, so the sender
keeps a window.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgpack

from bench.peers.base import Peer, find, first_line, missing_of, package_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nats.aio.msg import Msg

    from bench.work import Batches, Reading


class Nats(Peer):
    """Subjects with dots, callback subscription."""

    name = "NATS + nats-py"
    driven = "core NATS, `subscribe(cb=...)` with raised pending limits, `publish` batched by the client"
    window = 4096

    def missing(self) -> str:
        return missing_of(program="nats-server", package="nats-server", distribution="nats-py")

    def version(self) -> str:
        server = first_line(find("nats-server"), "--version").removeprefix("nats-server: v")
        return f"{server} / {package_version('nats-py')}"

    def command(self, home: Path, port: int) -> list[str]:
        config = home / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{port}"\nlog_file: "{home}/nats.log"\n')
        return [find("nats-server"), "--config", str(config)]

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        asyncio.run(_receive(port, take, ready))

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        del retain
        asyncio.run(_send(port, batches, done))


async def _receive(port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
    import nats

    unpack = msgpack.unpackb

    async def handle(message: Msg) -> None:
        take(unpack(message.data))

    client = await nats.connect(f"nats://127.0.0.1:{port}")
    await client.subscribe("sensor.>", cb=handle, pending_msgs_limit=1_000_000, pending_bytes_limit=1 << 30)
    await client.flush()
    ready()
    await asyncio.Event().wait()


async def _send(port: int, batches: Batches, done: Callable[[], None]) -> None:
    import nats

    pack = msgpack.packb
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    for pause, readings in batches:
        if pause:
            await asyncio.sleep(pause)
        for topic, body in readings:
            await client.publish(topic.replace("/", "."), pack(body))
    await client.flush()
    done()
    await asyncio.Event().wait()
