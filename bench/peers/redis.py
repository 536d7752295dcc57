"""Redis publish/subscribe with redis-py.

Redis cuts off a subscriber that falls behind its output buffer limit (32 MB), so the sender keeps a window. PUBLISH
answers each message; a pipeline sends many at once, as Redis' documentation advises for speed.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import msgpack

from bench.peers.base import Peer, find, first_line, missing_of, package_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis

    from bench.work import Batches, Reading


class Redis(Peer):
    """One pattern subscription, pipelined PUBLISH."""

    name = "Redis + redis-py"
    driven = "PSUBSCRIBE, PUBLISH in pipelines of up to 128, persistence off"
    window = 4096

    def missing(self) -> str:
        return missing_of(program="redis-server", package="redis-server", distribution="redis")

    def version(self) -> str:
        server = first_line(find("redis-server"), "--version").partition("v=")[2].partition(" ")[0]
        parser = package_version("hiredis")
        return f"{server} / {package_version('redis')}" + (f" with hiredis {parser}" if parser else "")

    def command(self, home: Path, port: int) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": port,
            "dir": home,
            "save": "",
            "appendonly": "no",
            "loglevel": "warning",
        }
        return [find("redis-server"), *(text for key, value in options.items() for text in (f"--{key}", str(value)))]

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        unpack = msgpack.unpackb
        subscription = _client(port).pubsub()  # type: ignore[no-untyped-call]  # redis-py does not say
        subscription.psubscribe("sensor/*")
        for message in subscription.listen():
            if message["type"] == "pmessage":
                take(unpack(message["data"]))
            else:
                ready()

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        del retain
        pack = msgpack.packb
        client = _client(port)
        client.ping()
        pipeline = client.pipeline(transaction=False)
        for pause, readings in batches:
            if pause:
                time.sleep(pause)
            for topic, body in readings:
                pipeline.publish(topic, pack(body))
            pipeline.execute()
        done()
        signal.pause()


def _client(port: int) -> redis.Redis:
    import redis

    return redis.Redis(host="127.0.0.1", port=port)
