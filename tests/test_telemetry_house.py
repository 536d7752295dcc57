"""Telemetry as a house has it: real processes, servers that fail, the service killed, stopped, misconfigured."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import telemetry_house as house
from bench.telemetry_forms import INFLUXDB
from bench.telemetry_receivers import HttpReceiver
from bench.telemetry_soak import Trial
from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hearthbus.message import Message

TOKEN = "t0ken-that-nobody-may-see"
SECOND = 1_000_000_000


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket's has 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="hb-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(*children: house.Child) -> Iterator[None]:
    """Start processes in their order; kill them at the end."""
    try:
        for child in children:
            child.start()
        yield
    finally:
        for child in reversed(children):
            child.kill()


def influx(name: str, url: str, *more: str) -> str:
    """Write the table of a sink."""
    lines = (f"[telemetry.influxdb.{name}]", f'url = "{url}"', 'database = "house"', "every_s = 0.1", *more)
    return "\n".join(lines) + "\n\n"


async def told(bus: Bus, sink: str, wanted: Callable[[Message], bool]) -> Message:
    """Return what is told of a sink when it is what is wanted."""
    async with asyncio.timeout(15), bus.subscribe(f"telemetry/{sink}") as messages:
        async for message in messages:
            if wanted(message):
                return message
    raise AssertionError("the bus was closed")


@contextmanager
def hanging(calls: list[socket.socket] | None = None) -> Iterator[str]:
    """Be a server that takes connections, puts them in `calls`, and never says anything; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = [] if calls is None else calls

        def take() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for each in kept:
            each.close()


async def eventually(happened: Callable[[], bool]) -> None:
    """Return when it has."""
    async with asyncio.timeout(15):
        while not happened():
            await asyncio.sleep(0.02)


@pytest.mark.timeout(100)
async def test_an_hour_of_sensors_into_failing_sinks_with_the_service_killed(folder: Path) -> None:
    """Every sink has every point with its time, in order; the poison alone is set aside; memory stays flat."""
    account = await Trial(folder, phases=4, phase_s=1.0, apart_s=60, seed=3).run()
    sys.stdout.write(f"\n{account.kills} kills; MB of memory before each: {[round(mb) for mb in account.megabytes]}\n")

    assert [] == account.faults
    assert account.points == 60 * house.SENSORS
    assert account.kills >= 4  # one in each phase, however slow the machine is
    assert max(account.megabytes) < 60


async def test_bad_sinks_cost_a_good_one_nothing(folder: Path) -> None:
    """A backlog reaches a good sink while one beside it hangs and one is not there."""
    with HttpReceiver(INFLUXDB) as good, hanging() as silent, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        tables = (
            influx("good", good.url)
            + influx("silent", silent)
            + influx("away", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        )
        url, file = house.write_house(folder, tables)
        broker, service = house.broker(file), house.service(file)
        with running(broker):
            async with Bus(url, name="sensors", connect_timeout=20) as bus:
                with running(service):
                    for sink in ("good", "silent", "away"):
                        await told(bus, sink, lambda _: True)
                    now = time.time_ns() // SECOND
                    await house.publish(bus, [(now - 200 + second) * SECOND for second in range(200)])
                    begun = time.monotonic()
                    await eventually(lambda: good.held == 200 * house.SENSORS)
                    took = time.monotonic() - begun
                    away = await told(bus, "away", lambda message: message["status"] == "retrying")

    assert took < 5
    assert "nothing listens" in away["error"]
    assert away["behind"] > 0


async def test_a_hanging_sink_does_not_hold_the_process(folder: Path) -> None:
    """SIGTERM ends the service within five seconds, although a server has not answered yet."""
    calls: list[socket.socket] = []
    with hanging(calls) as silent:
        url, file = house.write_house(folder, influx("silent", silent))
        broker, service = house.broker(file), house.service(file)
        with running(broker):
            async with Bus(url, name="sensors", connect_timeout=20) as bus:
                with running(service):
                    await told(bus, "silent", lambda _: True)
                    await bus.publish("sensor/hall/temperature", value=20.5)
                    await eventually(lambda: bool(calls))
                    took = service.stop()

    assert took < 5


async def test_a_secret_is_seen_nowhere(folder: Path) -> None:
    """A server that repeats the token in its refusal does not bring it into log, status, alert or dead letters."""
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f'{{"message": "unauthorized: {TOKEN}"}}'.encode()
        writer.write(b"HTTP/1.1 401 Bad %b\r\nContent-Length: %d\r\n\r\n%b" % (TOKEN.encode(), len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    table = f'[telemetry.influxdb2.cloud]\nurl = "http://127.0.0.1:{port}"\nbucket = "house"\nevery_s = 0.1\n'
    url, file = house.write_house(folder, f'{table}token = {{ file = "{token}" }}\n')
    broker, service = house.broker(file), house.service(file)
    with running(broker):
        async with server, Bus(url, name="sensors", connect_timeout=20) as bus:
            with running(service):
                await told(bus, "cloud", lambda _: True)
                await bus.publish("sensor/hall/temperature", value=20.5)
                status = await told(bus, "cloud", lambda message: message["status"] == "held")
                [alert] = await bus.get("alert/#")
                command = (sys.executable, "-m", "hearthbus", "telemetry", "status", "--url", url)
                shown = [
                    await asyncio.to_thread(subprocess.run, (*command, *more), capture_output=True, text=True)
                    for more in ((), ("--json",))
                ]
                everything = [message.body async for message in bus.replay("#")]
    said = "\n".join([*service.lines, *(each.stdout + each.stderr for each in shown), str(everything)])

    assert "401" in status["error"]
    assert alert["active"]
    assert [1, 1] == [each.returncode for each in shown]
    assert "401" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("[telemetry.influxdb.archive]\nurl = 'http://127.0.0.1'\ndatabase = 'x'\ntopic = ['#']", "hearthbus.toml:11"),
        ("[telemetry.influxdb.archive]\nurl = 'archive:8086'\ndatabase = 'x'", "hearthbus.toml:9"),
        ("[telemetry.influxdb2.cloud]\nurl = 'http://127.0.0.1'\nbucket = 'x'\ntoken = { file = 'none' }", "none"),
        ("[telemetry.influxdb2.cloud]\nurl = 'http://127.0.0.1'\nbucket = 'x'\ntoken = { env = 'NONE' }", "NONE"),
        ("[telemetry.influxdb.archive]\nurl = 'http://127.0.0.1'", "database is missing"),
    ],
)
def test_a_wrong_table_is_one_line_with_its_place(folder: Path, table: str, complaint: str) -> None:
    """A wrong key, a wrong address, a missing secret or key: file, line, what is wrong; nothing is started."""
    _, file = house.write_house(folder, table + "\n")
    command = (sys.executable, "-m", "hearthbus", "run", "telemetry", "--config", str(file))
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    lines = [line for line in done.stderr.splitlines() if "hearthbus.toml:" in line]

    assert 78 == done.returncode
    assert 1 == len(lines)
    assert complaint in lines[0]
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr
