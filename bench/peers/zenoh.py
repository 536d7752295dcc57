"""Zenoh, its Python package only: one session is the router, sender and receiver are its clients.

The router is the same Rust code as `zenohd`, inside a Python process: its idle memory includes the interpreter.
Congestion control BLOCK makes the sender wait instead of dropping.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING

import msgpack

from bench.peers.base import Peer, missing_of, package_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import zenoh

    from bench.work import Batches, Reading

_ROUTER = """\
import signal, sys, zenoh
session = zenoh.open(zenoh.Config.from_json5(sys.argv[1]))
signal.pause()
"""


class Zenoh(Peer):
    """Declared publishers, a callback subscriber, through the router."""

    name = "Zenoh (eclipse-zenoh)"
    driven = "two clients through a router, declared publishers, congestion control BLOCK, no scouting"
    window = 0

    def missing(self) -> str:
        return missing_of(distribution="eclipse-zenoh")

    def version(self) -> str:
        return package_version("eclipse-zenoh")

    def command(self, home: Path, port: int) -> list[str]:
        del home
        return [sys.executable, "-c", _ROUTER, _config("router", "listen", port)]

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        unpack = msgpack.unpackb
        session = _session(port)
        subscriber = session.declare_subscriber("sensor/**", lambda sample: take(unpack(sample.payload.to_bytes())))
        time.sleep(0.3)  # a declaration is not answered; the router has it long before
        ready()
        signal.pause()
        del subscriber  # it lives until here

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        del retain
        import zenoh

        pack = msgpack.packb
        session = _session(port)
        publishers: dict[str, zenoh.Publisher] = {}
        for pause, readings in batches:
            if pause:
                time.sleep(pause)
            for topic, body in readings:
                publisher = publishers.get(topic)
                if publisher is None:
                    publisher = publishers[topic] = session.declare_publisher(
                        topic, congestion_control=zenoh.CongestionControl.BLOCK
                    )
                publisher.put(pack(body))
        done()
        signal.pause()


def _session(port: int) -> zenoh.Session:
    import zenoh

    return zenoh.open(zenoh.Config.from_json5(_config("client", "connect", port)))


def _config(mode: str, verb: str, port: int) -> str:
    return json.dumps(
        {
            "mode": mode,
            verb: {"endpoints": [f"tcp/127.0.0.1:{port}"]},
            "scouting": {"multicast": {"enabled": False}, "gossip": {"enabled": False}},
        }
    )
