"""`hearthbus run` from inside: restarts, reloads, health and what systemd is told; services on a bus in memory."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from hearthbus import Bus, Message, Service, on
from hearthbus.config import House, Instance
from hearthbus.config.tables import Place
from hearthbus.errors import Invalid
from hearthbus.running.backoff import Backoff
from hearthbus.running.notify import notify, watchdog_seconds
from hearthbus.running.runner import Runner
from hearthbus.testing import MemoryHub, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


class Echo(Service):
    """Repeats what it hears, in its own voice."""

    @dataclass(frozen=True)
    class Config:
        voice: str = "plain"

    async def on_start(self) -> None:
        await self.publish(f"echo/{self.name}/voice", voice=self.config.voice)

    @on("said")
    async def repeat(self, message: Message) -> None:
        await self.publish(f"echo/{self.name}", text=message["text"])


class Fragile(Echo):
    """Breaks when told to."""

    async def main(self) -> None:
        async for _ in self.subscribe("break"):
            raise RuntimeError("broken")


class Brief(Service):
    """Is done at once."""

    async def main(self) -> None:
        await self.publish("brief/done")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have seconds pass quickly, and no systemd around."""
    monkeypatch.setattr("hearthbus.running.runner._TICK", 0.01)
    monkeypatch.setattr("hearthbus.running.runner.PATIENCE", 0.03)
    monkeypatch.setattr("hearthbus.running.backoff.FIRST", 0.01)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)


def house(**kinds: type[Service]) -> House:
    """Make a configuration of services with their defaults."""
    services = {name: Instance(name, name, kind, kind.Config()) for name, kind in kinds.items()}
    return House(
        path="hearthbus.toml", example=False, files=(), url="ipc:///memory", joins=False, place=Place(), broker=None,
        tables=tuple(services), services=services,
    )  # fmt: skip


class Scene:
    """A runner at work on a hub, and a client beside it."""

    def __init__(self, hub: MemoryHub, runner: Runner, task: asyncio.Task[None], bus: Bus) -> None:
        self.hub, self.runner, self.task, self.bus = hub, runner, task, bus

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to be so, two seconds at most."""
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.002)

    def bodies(self, topic: str) -> list[dict[str, object]]:
        """Return what was published on a topic."""
        return [message.body for message in self.hub.journal if message.topic == topic]


@asynccontextmanager
async def scene(config: House, *, down: bool = False) -> AsyncIterator[Scene]:
    """Run all services of a house in this process, from the start or from an outage on."""
    hub = MemoryHub()

    def connect(_url: str, name: str) -> Bus:
        return Bus(name=name, transport=MemoryTransport(hub, name=name), connect_timeout=None)

    async with Bus(name="tester", transport=MemoryTransport(hub, name="tester")) as bus:
        if down:
            hub.stop()
        runner = Runner(config, list(config.services), connect=connect)
        task = asyncio.create_task(runner.run())
        try:
            yield Scene(hub, runner, task, bus)
        finally:
            runner.stop()
            await asyncio.wait_for(task, 5)


async def test_several_services_share_a_process() -> None:
    """Each has its own name and connection on the bus."""
    async with scene(house(one=Echo, two=Echo)) as at:
        await at.until(lambda: len(at.hub.streams) == 2)
        await at.bus.publish("said", text="hello")
        await at.until(lambda: bool(at.bodies("echo/one")) and bool(at.bodies("echo/two")))

    assert {"one", "two", "tester"} == {message.origin for message in at.hub.journal}


async def test_a_service_that_fails_is_started_again_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A broken service comes back, and its neighbour does not notice."""
    async with scene(house(fragile=Fragile, steady=Echo)) as at:
        for times in (1, 2, 3):
            await at.until(lambda times=times: len(at.bodies("echo/fragile/voice")) == times)  # type: ignore[misc]  # a default binds early
            await at.until(lambda: len(at.hub.streams) == 3)
            await at.bus.publish("break")

    assert 1 == len(at.bodies("echo/steady/voice"))
    assert "RuntimeError: broken; starting again in 0.0 s" in caplog.text


async def test_a_device_that_is_away_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """What the operating system refuses is no defect: it is told without a trace, each time."""

    class Gateway(Service):
        async def on_start(self) -> None:
            raise FileNotFoundError(2, "No such file or directory", "/dev/ttyUSB0")

    async with scene(house(gateway=Gateway)) as at:
        await at.until(lambda: caplog.text.count("starting again") == 2)
    text = "FileNotFoundError: [Errno 2] No such file or directory: '/dev/ttyUSB0'; starting again in 0.0 s"

    assert [(text, None)] * 2 == [(record.getMessage(), record.exc_info) for record in caplog.records[:2]]


async def test_a_service_that_is_done_is_not_started_again() -> None:
    """When every service's `main` has returned the process ends."""
    async with scene(house(brief=Brief)) as at:
        await asyncio.wait_for(at.task, 2)

    assert 1 == len(at.bodies("brief/done"))


async def test_health_is_published_retained() -> None:
    """Status has figures of every service soon after its start."""
    async with scene(house(one=Echo)) as at:
        await at.until(lambda: len(at.hub.streams) == 1)
        await at.bus.publish("said", text="hello")
        await at.until(lambda: bool(at.bodies("echo/one")))
        at.runner._next_health = 0.0
        await at.until(lambda: {"handled": 1}.items() <= (at.bodies("service/one/health") or [{}])[-1].items())
        (health,) = await at.bus.get("service/one/health")

    assert [
        "answering", "errors", "handled", "loop_lag_s", "lost", "queue", "reconnects", "restarts", "rss_bytes",
        "skipped", "uptime_s",
    ] == sorted(health.body)  # fmt: skip
    assert {0} == {health[key] for key in ("answering", "errors", "lost", "queue", "reconnects", "restarts")}
    assert health["rss_bytes"] > 1_000_000


async def test_the_broker_s_absence_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Waiting at the start is one line for the process, and returns are counted."""
    async with scene(house(one=Echo, two=Echo), down=True) as at:
        await at.until(lambda: "waiting for the broker at ipc:///memory" in caplog.text)
        await at.runner._say_ready(3600.0)
        at.hub.start()
        await at.until(lambda: len(at.hub.streams) == 2)
        await at.until(lambda: at.runner._keepers[0]._connected)
        at.hub.stop()
        await at.until(lambda: not at.runner._keepers[0]._connected)
        at.hub.start()
        at.runner._next_health = 0.0
        await at.until(lambda: {"reconnects": 1}.items() <= (at.bodies("service/one/health") or [{}])[-1].items())

    assert 1 == caplog.text.count("waiting for the broker")


async def test_stopping_does_not_wait_for_a_broker() -> None:
    """A process that has never found its broker stops at once."""
    async with scene(house(one=Echo), down=True) as at:
        at.runner.stop()
        await asyncio.wait_for(at.task, 0.5)

    assert [] == at.hub.journal


async def test_a_reload_restarts_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new configuration reaches the service it is of; the others run on."""
    before = house(one=Echo, two=Echo)
    changed = replace(before.services["one"], config=Echo.Config(voice="loud"))
    monkeypatch.setattr(
        "hearthbus.running.runner.load",
        lambda _path, **_: replace(before, services={**before.services, "one": changed}),
    )
    async with scene(before) as at:
        await at.until(lambda: len(at.hub.streams) == 2)
        at.runner.reload()
        await at.until(lambda: len(at.bodies("echo/one/voice")) == 2)

    assert [{"voice": "plain"}, {"voice": "loud"}] == at.bodies("echo/one/voice")
    assert [{"voice": "plain"}] == at.bodies("echo/two/voice")


async def test_a_bad_reload_keeps_what_is_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A slip in the file does not stop a running house; the log has every problem."""

    def load(_path: object, **_: object) -> House:
        raise Invalid("2 problems in the configuration", problems=("a:1: one", "a:2: two"))

    monkeypatch.setattr("hearthbus.running.runner.load", load)
    async with scene(house(one=Echo)) as at:
        await at.until(lambda: len(at.hub.streams) == 1)
        at.runner.reload()
        await at.bus.publish("said", text="still here")
        await at.until(lambda: bool(at.bodies("echo/one")))

    assert ["reload: 2 problems in the configuration; the old one stays", "a:1: one", "a:2: two"] == [
        record.getMessage() for record in caplog.records
    ]


@asynccontextmanager
async def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], list[str]]]:
    """Listen where systemd would; what is yielded returns what has been heard."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(folder / "notify"))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))

        def listen() -> list[str]:
            while True:
                try:
                    heard.append(channel.recv(4096).decode())
                except BlockingIOError:
                    return heard

        yield listen


async def test_systemd_learns_how_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY follows the connection, WATCHDOG comes from the main loop, STOPPING is said."""
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    async with systemd(tmp_path, monkeypatch) as heard:
        async with scene(house(one=Echo), down=True) as at:
            await at.until(lambda: len(heard()) >= 2)
            waiting = set(heard())
            at.hub.start()
            await at.until(lambda: "READY=1\nSTATUS=running one" in heard())
        last = heard()[-1]

    assert {"EXTEND_TIMEOUT_USEC=30000000\nSTATUS=waiting for the broker at ipc:///memory", "WATCHDOG=1"} == waiting
    assert "STOPPING=1\nSTATUS=stopping" == last


async def test_without_systemd_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket, an odd one, one nobody listens at: none is an error."""
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "relative")
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")

    assert None is watchdog_seconds()


def test_waits_grow_and_are_forgotten_after_a_good_minute() -> None:
    """1, 2, 4, ... 60 seconds, up to a quarter longer, and 1 again after 60 good seconds."""
    backoff = Backoff()
    backoff._next = 1.0
    waits = [backoff.failed(after=0, chance=0) for _ in range(8)]

    assert [1, 2, 4, 8, 16, 32, 60, 60] == waits
    assert 75 == backoff.failed(after=59, chance=1)
    assert 0.0125 == backoff.failed(after=60, chance=1)
