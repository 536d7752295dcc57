"""`hearthbus up` as a process: a whole house from one command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from told import Tail, Told

from hearthbus import Bus
from hearthbus.cli.up import greeting
from hearthbus.config import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UP = (sys.executable, "-m", "hearthbus", "up")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTHBUS_URL", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return an empty folder with a short name: a Unix socket's path has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="hb-") as name:
        yield Path(name)


@contextmanager
def up(folder: Path, *words: str, tables: str = "[host]\n") -> Iterator[tuple[subprocess.Popen[bytes], Told, str]]:
    """Run `hearthbus up` with a house of its own for a block."""
    url = f"ipc://{folder}/bus"
    (folder / "hearthbus.toml").write_text(f'[broker]\naddress = "{url}"\ndata = "{folder}/data"\n{tables}')
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen((*UP, *words), cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    told = Tail(folder / "log")
    try:
        yield process, told, url
    finally:
        process.terminate()
        process.wait(20)


async def presence(bus: Bus, name: str, holds: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """Wait until the presence of a service is as it should be; return it."""
    async with asyncio.timeout(15):
        async for message in bus.subscribe(f"service/{name}"):
            if holds(message.body):
                return message.body
    raise AssertionError("the subscription ended")


async def test_a_whole_house_runs_and_stops_at_ctrl_c(folder: Path) -> None:
    """The first lines say what runs, where, and what to type next; Ctrl-C ends it with 0."""
    with up(folder) as (process, told, url):
        async with Bus(url, connect_timeout=30) as bus:
            await presence(bus, "host", lambda body: body["status"] == "online")
        await told.until("host   . running on")
        process.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(process.wait, 15)

    assert 0 == code
    assert f"The house is up: the broker on {url}; services: host." in told.lines
    assert "Its configuration is hearthbus.toml." in told.lines
    assert re.search(rf"  \S*hearthbus sub '#' -v --url {url}\n", "\n".join(told.lines))
    assert "stopping" in told.lines
    assert f"host   | running on {url}" in told.lines
    assert "\x1b" not in "".join(told.lines)


async def test_what_dies_in_a_house_comes_back(folder: Path) -> None:
    """A killed service is back within seconds, and so is a killed broker, with its service at work."""
    with up(folder, tables="[host]\ninterval_s = 1\n") as (process, told, url):
        async with Bus(url, connect_timeout=30) as bus:
            first = await presence(bus, "host", lambda body: body["status"] == "online")
            os.kill(int(str(first["pid"])), signal.SIGKILL)
            await presence(bus, "host", lambda body: body["status"] == "online" and body["pid"] != first["pid"])
            os.kill(broker_of(process), signal.SIGKILL)
            killed = time.time_ns()
            await told.until("broker . listening", times=2)
            async with asyncio.timeout(15):
                async for message in bus.subscribe("host/#"):
                    if message.time > killed and not message.replayed:
                        break

    assert "host   | was killed (signal 9); starting it again in 1." in "\n".join(told.lines)
    assert "broker | was killed (signal 9); starting it again in 1." in "\n".join(told.lines)


def broker_of(process: subprocess.Popen[bytes]) -> int:
    """Return the process id of the broker a supervisor has started."""
    return next(pid for pid in children(process) if b"\0broker\0" in Path(f"/proc/{pid}/cmdline").read_bytes())


async def test_a_killed_supervisor_leaves_nobody_behind(folder: Path) -> None:
    """Where `up` itself is killed, its processes end: the next `up` finds the address free."""
    with up(folder) as (process, _, url):
        async with Bus(url, connect_timeout=30) as bus:
            await presence(bus, "host", lambda body: body["status"] == "online")
        started = children(process)
        process.kill()
        process.wait(5)
        deadline = time.monotonic() + 10
        while any(alive(child) for child in started):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    assert 2 == len(started)
    assert not answers(folder / "bus")


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the process ids of what a process has started."""
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def answers(path: Path) -> bool:
    """Whether somebody listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


async def test_only_what_is_named_is_started(folder: Path) -> None:
    """`up NAME` runs the broker and that service alone."""
    with up(folder, "host", tables="[host]\n[sun]\nlatitude = 1.0\nlongitude = 1.0\n") as (_, told, url):
        await told.until("host   . running on")

    assert f"The house is up: the broker on {url}; services: host." in told.lines


def test_colours_are_for_terminals(folder: Path) -> None:
    """On a terminal each process has its colour; NO_COLOR ends that."""
    assert b"\x1b[36mbroker |\x1b[0m listening" in on_terminal(folder, {"TERM": "xterm"})
    assert b"\x1b" not in on_terminal(folder, {"TERM": "xterm", "NO_COLOR": "1"})


def on_terminal(folder: Path, environment: dict[str, str]) -> bytes:
    """Run a house with a terminal until its service runs; return what the terminal got."""
    (folder / "hearthbus.toml").write_text(
        f'[broker]\naddress = "ipc://{folder}/bus"\ndata = "{folder}/data"\n[host]\n'
    )
    ours, theirs = os.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(UP, cwd=folder, stdout=theirs, stderr=theirs, env={**plain, **environment})
    os.close(theirs)
    seen = b""
    while b"running on" not in seen:
        seen += os.read(ours, 4096)
    process.terminate()
    with contextlib.suppress(OSError):  # EIO: how a terminal ends
        while data := os.read(ours, 4096):
            seen += data
    os.close(ours)
    process.wait(10)
    return seen


def test_a_closed_pipe_ends_the_house_quietly(folder: Path) -> None:
    """`hearthbus up | head -1` stops everything, without a trace."""
    (folder / "hearthbus.toml").write_text(
        f'[broker]\naddress = "ipc://{folder}/bus"\ndata = "{folder}/data"\n[host]\n'
    )
    process = subprocess.Popen(UP, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.stdout.close()
    code = process.wait(15)
    with process.stderr:
        complaints = process.stderr.read()

    assert first
    assert (141, b"") == (code, complaints)
    assert not answers(folder / "bus")


def test_who_has_no_configuration_is_told_where_the_example_is() -> None:
    """The first lines name the file to copy, and say what to type where the command is not on the PATH."""
    house = replace(
        load(Path(__file__).parent.parent / "deploy" / "house.toml", only=()),
        example=True,
        path="/usr/share/house.toml",
    )

    assert [
        f"The house is up: the broker on {house.url}; services: sun, host.",
        "No hearthbus.toml was found, so this is the example house; copy /usr/share/house.toml to make it yours.",
        "Type in a second terminal:",
        "  .venv/bin/hearthbus sub '#' -v",
        "  .venv/bin/hearthbus status",
        "Ctrl-C stops it all.",
    ] == greeting(house, ["sun", "host"], program=".venv/bin/hearthbus")


def test_a_bad_configuration_starts_nothing(folder: Path) -> None:
    """Every problem is told, and the exit code is 78."""
    (folder / "hearthbus.toml").write_text("[host]\ninterval = 3\n[broker]\naddres = 1\n")
    ended = subprocess.run(UP, cwd=folder, capture_output=True, text=True, check=False)

    assert (78, "") == (ended.returncode, ended.stdout)
    assert ["hearthbus.toml:2: host.interval", "hearthbus.toml:4: broker.addres"] == [
        line.removeprefix("hearthbus: ").split(": unknown")[0] for line in ended.stderr.splitlines()
    ]
