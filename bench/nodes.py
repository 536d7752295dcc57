"""What the host makes of its radio nodes: packets a second through gateway line, service and broker, motion to light.

The gateway is a pseudo terminal with no air behind it (`bench.gateway`); service, rule and broker are the real
processes. What the compiled firmware costs is measured too where the compiler and the simulator are installed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final, Self

from bench.figures import median, number, percentile, spread
from bench.gateway import Gateway
from bench.peers.hearthbus import COMMAND, Hearthbus, url
from bench.process import Failed, child, cpu_seconds, tail
from bench.report import Section
from bench.rig import serving
from drivers.rf12 import hearth
from hearthbus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.base import Peer

_TITLE: Final = "Radio nodes"
_NODES: Final = range(1, 26)
_SEQUENCES: Final = 200
"""Packets of each node in the flood; one byte numbers them, and a number seen twice in a while is a repeat."""
_LED: Final = 29
_READY_S: Final = 20.0
_COMMAND_S: Final = 5.0


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure it; a figure that cannot be taken is a remark."""
    del peers
    rows: list[list[str]] = []
    remarks: list[str] = []
    budgets: dict[str, float] = {}
    try:
        say("nodes: packets through a gateway's line")
        rates, cpu = _flood(1 if quick else 5)
        rows.append(["packets a second, gateway line to subscriber", number(median(rates)), spread(rates)])
        rows.append(["service CPU for a packet of four readings, µs", number(cpu), "-"])
        say("nodes: motion to light")
        delays = _motions(50 if quick else 300)
        budgets["motion/p99"] = percentile(delays, 99)
        rows.append(["motion line in to command line out, p50 ms", number(percentile(delays, 50)), spread(delays)])
        rows.append(["motion line in to command line out, p99 ms", number(budgets["motion/p99"]), spread(delays)])
    except (Failed, OSError) as failure:
        remarks.append(f"not measured: {failure}")
    return Section(
        title=_TITLE,
        text=(
            f"A gateway on a pseudo terminal with no air behind it; broker, `jeenode` and `motion_light` are processes "
            f"of their own. {len(_NODES)} room nodes say {_SEQUENCES} packets each, as fast as the host takes them. "
            "Motion goes line - jeenode - broker - motion_light - broker - jeenode - line."
        ),
        head=("what", "median", "min - max"),
        rows=rows,
        remarks=remarks,
        budgets=budgets,
    )


def _config(home: Path, gateway: Gateway) -> Path:
    nodes = "\n".join(f"n{node} = {{ id = {node} }}" for node in _NODES)
    path = home / "nodes.toml"
    path.write_text(
        f'[jeenode.gateways.bench]\nport = "{gateway.path}"\n'
        f"[jeenode.nodes]\n{nodes}\nstrip = {{ id = {_LED}, light = true }}\n"
        '[motion_light.rules.bench]\nplace = "n1"\nlight = "strip"\nhold_s = 0\nfade_on_s = 0\nfade_off_s = 0\n'
    )
    return path


class _House:
    """Broker and services, ready when the block begins."""

    def __init__(self, gateway: Gateway, *services: str) -> None:
        self._gateway, self._services = gateway, services
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        home = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-nodes-")))
        server = self._stack.enter_context(serving("hearthbus", Hearthbus()))
        self.url = url(server.port)
        config = _config(home, self._gateway)
        log = home / "run.log"
        self._process = self._stack.enter_context(
            child(
                [COMMAND, "run", *self._services, "--config", str(config)],
                log=log,
                env={"HEARTHBUS_URL": self.url, "HOME": str(home)},
            )
        )
        try:
            asyncio.run(self._ready(log))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_ended: object) -> None:
        self._stack.close()

    def cpu_s(self) -> float:
        """CPU seconds of the services' process."""
        return cpu_seconds(self._process.pid)

    async def _ready(self, log: Path) -> None:
        """Wait until the gateway is in hearth mode, answering it meanwhile."""
        try:
            async with (
                asyncio.timeout(_READY_S),
                Bus(self.url, name="bench-ready") as bus,
                bus.subscribe("service/+", "service/jeenode/#") as messages,
            ):
                waiting = {f"service/{name}" for name in self._services}
                answering = asyncio.create_task(asyncio.to_thread(self._gateway.sent, within_s=_READY_S / 4))
                async for message in messages:
                    if message.get("status") == "online":
                        waiting.discard(message.topic)
                    if not waiting:
                        break
                await answering
        except TimeoutError:
            raise Failed(f"{', '.join(self._services)} not ready: {tail(log)}") from None


def _room(node: int, sequence: int) -> bytes:
    room = hearth.Room(
        sender=node, sequence=sequence, motion=False, temperature=20 + node / 100 + sequence / 50, humidity=40.5,
        light=500, battery_mv=3000, given_up=0,
    )  # fmt: skip
    return bytes([node]) + room.encode()


def _flood(rounds: int) -> tuple[list[float], float]:
    """Return packets a second of each round, and the service's CPU for a packet in µs."""
    rates, spent, packets = [], 0.0, 0
    for _round in range(rounds):
        with Gateway() as gateway, _House(gateway, "jeenode") as house:
            before = house.cpu_s()
            rates.append(asyncio.run(_count(house.url, gateway)))
            spent += house.cpu_s() - before
            packets += len(_NODES) * _SEQUENCES
    return rates, spent / packets * 1e6


async def _count(address: str, gateway: Gateway) -> float:
    wanted = len(_NODES) * _SEQUENCES
    async with Bus(address, name="bench-count") as bus, bus.subscribe("sensor/+/temperature") as messages:
        packets = [_room(node, sequence) for sequence in range(_SEQUENCES) for node in _NODES]
        start = time.perf_counter()
        writing = Thread(target=gateway.hear, args=packets, daemon=True)
        writing.start()
        got = 0
        try:
            async with asyncio.timeout(60):
                async for _message in messages:
                    got += 1
                    if got == wanted:
                        return wanted / (time.perf_counter() - start)
        except TimeoutError:
            pass
        raise Failed(f"{got} of {wanted} packets came within a minute")


def _motions(rounds: int) -> list[float]:
    """Return milliseconds from a motion packet's line to the light's command, for light on and light off."""
    delays = []
    with Gateway() as gateway, _House(gateway, "jeenode", "motion_light"):
        for turn in range(rounds):
            motion = hearth.Motion(
                sender=1, sequence=turn & 0xFF, motion=turn % 2 == 0, light=100, battery_mv=3000, given_up=0
            )
            start = time.perf_counter()
            gateway.hear(bytes([1 | 0x20]) + motion.encode())
            sent = gateway.sent(within_s=_COMMAND_S)
            if sent is None:
                raise Failed(f"no command came for motion number {turn + 1} within {_COMMAND_S:g} s")
            delays.append((sent - start) * 1e3)
            while gateway.sent(within_s=0.05) is not None:
                pass  # what the light is told besides
    return delays
