"""When `hearthbus run` tells systemd that it is ready, and the watchdog that all is well: what has to be so."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus import Bus, Service
from hearthbus.config import House, Instance
from hearthbus.config.tables import Place
from hearthbus.running.runner import Runner
from hearthbus.testing import MemoryHub, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

FED = "WATCHDOG=1"


class Quiet(Service):
    """Does nothing."""

    @dataclass(frozen=True)
    class Config:
        pass


class Slow(Quiet):
    """Takes its time to start."""

    async def on_start(self) -> None:
        async for _ in self.subscribe("go"):
            return


class Broken(Quiet):
    """Cannot start."""

    async def on_start(self) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/dev/ttyUSB0")


class Mute(MemoryTransport):
    """A connection that looks alive, and on which no heartbeat is answered any more once `mute` is set."""

    mute = False

    @property
    def answered_at(self) -> float:
        """When the broker answered last."""
        return 0.0 if self.mute else super().answered_at


class Watched:
    """A running service, and what systemd has heard of it."""

    def __init__(self, hub: MemoryHub, transport: Mute, channel: socket.socket) -> None:
        self.hub, self.transport = hub, transport
        self._channel = channel

    async def hears(self, *wanted: str) -> list[str]:
        """Wait for lines, in this order; return what was said until then."""
        heard, left = [], list(wanted)
        while left:
            notice = (await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._channel, 4096), 20)).decode()
            heard += notice.split("\n")
            if left[0] in notice.split("\n"):
                left.pop(0)
        return heard


@asynccontextmanager
async def watched(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Service] = Quiet) -> AsyncIterator[Watched]:
    """Run a service where systemd would, with ticks of ten milliseconds."""
    monkeypatch.setattr("hearthbus.running.runner._TICK", 0.01)
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
    hub = MemoryHub()
    transport = Mute(hub, name="one")
    config = House(
        path="hearthbus.toml", example=False, files=(), url="ipc:///memory", joins=False, place=Place(), broker=None,
        tables=("one",), services={"one": Instance("one", "one", kind, Quiet.Config())},
    )  # fmt: skip
    runner = Runner(config, ["one"], connect=lambda _url, name: Bus(name=name, transport=transport))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(folder / "notify"))
        channel.setblocking(False)
        task = asyncio.create_task(runner.run())
        try:
            yield Watched(hub, transport, channel)
        finally:
            runner.stop()
            await asyncio.wait_for(task, 5)


async def test_the_watchdog_is_fed_while_the_broker_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY comes first, then WATCHDOG at every look."""
    async with watched(tmp_path, monkeypatch) as at:
        heard = await at.hears("READY=1", FED, FED, FED)

    assert "STATUS=running one" in heard


async def test_a_dead_connection_starves_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that turns is not enough: without an answer nothing is said, until the broker is known to be away."""
    async with watched(tmp_path, monkeypatch) as at:
        await at.hears("READY=1", FED)
        at.transport.mute = True
        with suppress(TimeoutError):  # what was under way when it fell silent
            await asyncio.wait_for(at.hears(*[FED] * 1000), 0.2)
        starved: list[str] = []
        with suppress(TimeoutError):
            starved = await asyncio.wait_for(at.hears(FED), 0.3)
        at.hub.stop()
        away = await at.hears("STATUS=one: the broker at ipc:///memory is away", FED, FED)
        at.transport.mute = False
        at.hub.start()
        back = await at.hears("STATUS=running one", FED, FED)

    assert [] == starved
    assert FED in away
    assert FED in back


async def test_ready_is_who_takes_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To be connected is not enough: what is published after READY must find the service's subscriptions in place."""
    async with watched(tmp_path, monkeypatch, Slow) as at:
        early = await at.hears("STATUS=starting", "STATUS=starting")
        async with Bus(name="tester", transport=MemoryTransport(at.hub, name="tester")) as bus:
            await bus.publish("go", retain=True)
        await at.hears("READY=1")

    assert "READY=1" not in early


async def test_who_fails_and_is_tried_again_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that is in a drawer keeps no boot waiting: the process does what it can, and systemd is told why."""
    failed = (
        "STATUS=one failed: FileNotFoundError: [Errno 2] No such file or directory: '/dev/ttyUSB0'; it is tried again"
    )
    async with watched(tmp_path, monkeypatch, Broken) as at:
        heard = await at.hears("READY=1", failed, FED)

    assert "READY=1" in heard
