"""`hearthbus run` and `hearthbus check` as processes, beside a real broker."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conftest import Broker

    from hearthbus import Bus

HEARTHBUS = (sys.executable, "-m", "hearthbus")
SCHEDULE = """
[schedule.entries.noon]
cron = "{cron}"
"""


class Process:
    """A running command and the lines it has said."""

    def __init__(self, words: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            (*HEARTHBUS, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def saw(self, pattern: str, *, times: int = 1) -> None:
        """Wait until it has said something that many times, ten seconds at most."""
        deadline = time.monotonic() + 10
        with self._news:
            while len(re.findall(pattern, "\n".join(self.lines))) < times:
                assert self._news.wait(deadline - time.monotonic()), f"no {pattern!r} in {self.lines}"

    async def until(self, pattern: str, *, times: int = 1) -> None:
        """Wait as `saw`, and let the event loop run."""
        await asyncio.to_thread(self.saw, pattern, times=times)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, timeout: float = 5.0) -> int:
        """Send SIGTERM; return the exit code."""
        self._process.terminate()
        return self._process.wait(timeout)

    def close(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait(5)
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()


@contextmanager
def running(*words: str) -> Iterator[Process]:
    """Run `hearthbus` with some words for a block."""
    process = Process(words)
    try:
        yield process
    finally:
        process.close()


def config(folder: Path, url: str, *tables: str) -> str:
    """Write a configuration; return its path."""
    file = folder / "house.toml"
    file.write_text("\n".join([f'[bus]\nurl = "{url}"', "[house]\nlatitude = 51.5\nlongitude = 0.0", *tables]))
    return str(file)


async def presence(bus: Bus, name: str, status: str) -> dict[str, object]:
    """Wait until a service has a status; return its presence."""
    async with asyncio.timeout(30):
        async for message in bus.subscribe(f"service/{name}"):
            if message["status"] == status:
                return message.body
    raise AssertionError("the subscription ended")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTHBUS_URL", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


async def test_a_service_is_online_then_offline(broker: Broker, tmp_path: Path) -> None:
    """`run` announces the service, tells its health, and ends with 0 within five seconds of SIGTERM."""
    async with broker.bus() as bus:
        with running("run", "host", "--config", config(tmp_path, broker.url)) as process:
            online = await presence(bus, "host", "online")
            async with asyncio.timeout(30), bus.subscribe("service/host/health") as figures:
                health = await anext(figures)
            begun = time.monotonic()
            code = await asyncio.to_thread(process.end)
            offline = await presence(bus, "host", "offline")

    assert (process.pid, 0) == (online["pid"], code)
    assert time.monotonic() - begun < 5
    assert "offline" == offline["status"]
    assert health["rss_bytes"] > 5_000_000


async def test_several_services_run_in_one_process(broker: Broker, tmp_path: Path) -> None:
    """A small machine runs all its services in one process; each is there under its own name."""
    file = config(tmp_path, broker.url, "[sun]", "[host]")
    async with broker.bus() as bus:
        with running("run", "--config", file) as process:
            found = [await presence(bus, name, "online") for name in ("sun", "host")]

    assert [process.pid, process.pid] == [one["pid"] for one in found]


async def test_a_process_waits_for_its_broker_for_ever(broker: Broker, tmp_path: Path) -> None:
    """Without a broker one line says so; when it comes the service is there, and after a crash of the broker again."""
    broker.stop()
    with running("run", "host", "--config", config(tmp_path, broker.url)) as process:
        await process.until("waiting for the broker at ipc://")
        broker.start()
        await process.until("running on")
        broker.kill()
        await process.until("the broker at .* is away")
        broker.start()
        async with broker.bus() as bus:
            await presence(bus, "host", "online")
        await process.until("the broker at .* is back")

    assert 1 == len([line for line in process.lines if "waiting for the broker" in line])


async def test_a_process_without_a_broker_ends_too(tmp_path: Path) -> None:
    """SIGTERM ends a process that still waits for its broker."""
    with running("run", "host", "--config", config(tmp_path, f"ipc://{tmp_path}/none")) as process:
        await process.until("waiting for the broker")
        code = process.end(timeout=3)

    assert 0 == code


async def test_a_reload_restarts_the_service_that_changed(broker: Broker, tmp_path: Path) -> None:
    """SIGHUP: the schedule starts again with its new entries, the host runs on; a slip changes nothing."""
    file = config(tmp_path, broker.url, "[host]", SCHEDULE.format(cron="0 12 * * *"))
    async with broker.bus() as bus:
        with running("run", "host", "schedule", "--config", file) as process:
            await process.until("schedule: running on")
            host = await presence(bus, "host", "online")
            config(tmp_path, broker.url, "[host]", SCHEDULE.format(cron="0 13 * * *"))
            process.signal(signal.SIGHUP)
            await process.until("reload: schedule")
            await process.until("schedule: running on", times=2)
            config(tmp_path, broker.url, "[host]", SCHEDULE.format(cron="0 25 * * *"))
            process.signal(signal.SIGHUP)
            await process.until("the old one stays")
            await process.until("house.toml:[0-9]+: schedule")
            process.signal(signal.SIGHUP)
            after = await presence(bus, "host", "online")
            code = await asyncio.to_thread(process.end)

    assert (host["since"], 0) == (after["since"], code)


def test_a_bad_configuration_opens_no_connection(tmp_path: Path) -> None:
    """Every problem is told, the exit code is 78, and nobody has tried to connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        file = config(tmp_path, url, "[host]\ninterval = 3\n", "[sun]\nlatitude = 91\n")
        ended = subprocess.run((*HEARTHBUS, "run", "--config", file), capture_output=True, text=True, check=False)
        with pytest.raises(BlockingIOError):
            server.accept()

    assert (78, "") == (ended.returncode, ended.stdout)
    assert [f"hearthbus: {file}:{line}: {key}" for line, key in ((7, "host.interval"), (10, "sun.latitude"))] == [
        line.rsplit(": ", 1)[0] for line in ended.stderr.splitlines()
    ]


@pytest.mark.parametrize("words", [("run", "hsot"), ("run", "host", "hsot"), ("up", "hsot")])
def test_an_unknown_service_gets_the_nearest(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A mistyped name is told before anything starts."""
    file = config(tmp_path, "ipc:///none")
    ended = subprocess.run((*HEARTHBUS, *words, "--config", file), capture_output=True, text=True, check=False)

    assert (78, "") == (ended.returncode, ended.stdout)
    assert f"hearthbus: {file}:1: no service 'hsot'; did you mean 'host'?\n" == ended.stderr


def test_check_tells_what_is_fine(tmp_path: Path) -> None:
    """A good configuration is told file by file and service by service."""
    file = config(tmp_path, "tcp://127.0.0.1:7777", "[sun]", '[here]\nservice = "host"')
    ended = subprocess.run((*HEARTHBUS, "check", file), capture_output=True, text=True, check=False)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert [
        f"{file}: fine",
        "broker: tcp://127.0.0.1:7777",
        "service: sun",
        "service: here (host)",
    ] == ended.stdout.splitlines()


def test_check_tells_every_problem(tmp_path: Path) -> None:
    """A bad one is told line by line on standard error, with exit code 78."""
    file = config(tmp_path, "nowhere", "[sun]\nlatitude = 91\n", "[broker]\nkeep_dys = 3\n")
    ended = subprocess.run((*HEARTHBUS, "check", file), capture_output=True, text=True, check=False)

    assert (78, "") == (ended.returncode, ended.stdout)
    assert [
        f"hearthbus: {file}:2: bus.url: url 'nowhere': write tcp://HOST:PORT or ipc:///PATH",
        f"hearthbus: {file}:7: sun.latitude: latitude 91.0 is not between -90 (south) and 90 (north)",
        f"hearthbus: {file}:10: broker.keep_dys: unknown key; did you mean 'keep_days'?",
    ] == ended.stderr.splitlines()


def test_the_example_house_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no configuration yet gets one that is right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ended = subprocess.run((*HEARTHBUS, "check"), capture_output=True, text=True, check=False)

    assert 0 == ended.returncode
    assert "(the example house: no hearthbus.toml of yours was found): fine" in ended.stdout
