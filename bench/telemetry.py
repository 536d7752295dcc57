"""How fast the telemetry service empties a day's backlog into InfluxDB's line protocol, and what a bad sink costs it.

A day of 50 sensors, a value every 10 s, waits in the journal of a real broker while the service is stopped; then the
service starts, and a server in another process counts lines. Beside it influxdb-client writes as many points of its own
to the same server in the same run. Everything is on this machine.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import telemetry_house as house
from bench.figures import median, number, spread, times
from bench.report import Section
from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from bench.peers.base import Peer

    Run = tuple[float, float]  # seconds, and megabytes at most

DAY: Final = 8640
"""Values of one sensor."""
_AHEAD: Final = 400
"""Values of each sensor that are more than the bad sinks read ahead: two batches of 5,000."""
_PATIENCE_S: Final = 120.0
_LOOK_S: Final = 0.02


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure it."""
    del peers
    rounds, count = (1, DAY // 6) if quick else (3, DAY)
    points = count * house.SENSORS
    alone: list[Run] = []
    beside: list[Run] = []
    theirs: list[Run] = []
    lives: dict[bool, list[tuple[Run, Run]]] = {False: [], True: []}
    remark = ""
    for turn in range(rounds):
        say(f"telemetry: round {turn + 1} of {rounds}")
        alone.append(asyncio.run(_drain(count, others=False)))
        beside.append(asyncio.run(_drain(count, others=True)))
        for others, found in lives.items():
            found.append(asyncio.run(_live(count, others=others)))
        try:
            theirs.append(_peer(points))
        except PackageNotFoundError:
            remark = "influxdb-client: not measured, not installed; scripts/bench installs it"
    ours = median([points / seconds for seconds, _ in alone])
    rows = [
        _row("hearthbus: a backlog, the sink alone", alone, points, ours),
        _row("hearthbus: a backlog, beside a dead sink and one that takes 20 s a call", beside, points, ours),
        *(
            _row(
                f"hearthbus: while it is published, {what}, {which}", [each[at] for each in lives[others]], points, ours
            )
            for others, which in ((False, "the sink alone"), (True, "beside those two"))
            for at, what in enumerate(("until it is written", "until the broker has it"))
        ),
    ]
    if theirs:
        rows.append(_row(f"influxdb-client {version('influxdb-client')}, no bus, no journal", theirs, points, ours))
    return Section(
        title="Telemetry: a backlog into InfluxDB's line protocol",
        text=(
            f"{points:,} points, {rounds} rounds; from the start of the service's process to the last line at the "
            "server. hearthbus reads each from the broker's journal, names it, writes its line with its own time, and "
            "moves its place; influxdb-client makes a Point of a number and writes lists of 5,000. Memory is the most "
            "the process had."
        ),
        head=("points a second", "median", "min - max", "hearthbus is", "seconds", "MB"),
        rows=rows,
        remarks=[remark] if remark else [],
        budgets={"telemetry/points": ours, "telemetry/drain": median([each for each, _ in alone]) * DAY / count},
    )


def _row(name: str, found: list[Run], points: int, ours: float) -> list[str]:
    rates = [points / seconds for seconds, _ in found]
    return [
        name,
        number(median(rates)),
        spread(rates),
        f"{times(ours, median(rates)):.2f} x",
        number(median([seconds for seconds, _ in found])),
        number(max(mb for _, mb in found)),
    ]


@asynccontextmanager
async def _scene(*, others: bool) -> AsyncIterator[tuple[Bus, house.Child, str]]:
    """Run a broker and the service, each sink with its place in the journal; yield a bus, the service, the counter."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder, _counter() as counter, _dead_port() as dead:
        tables = _table("good", counter)
        if others:
            tables += _table("dead", f"http://127.0.0.1:{dead}") + _table("slow", f"{counter}/slow")
        url, file = house.write_house(Path(folder), tables)
        broker, service = house.broker(file), house.service(file)
        try:
            broker.start()
            async with Bus(url, name="feed", connect_timeout=20) as bus:
                service.start()
                await _subscribed(bus, 3 if others else 1)
                yield bus, service, counter
        finally:
            service.kill()
            broker.kill()


async def _drain(count: int, *, others: bool) -> Run:
    """Return the seconds a backlog takes, and the memory it needs."""
    async with _scene(others=others) as (bus, service, counter):
        service.stop()
        await house.publish(bus, _times(count))
        begun = time.perf_counter()
        service.start()
        await _counted(counter, count * house.SENSORS, service)
        return time.perf_counter() - begun, service.highest_mb


async def _live(count: int, *, others: bool) -> tuple[Run, Run]:
    """Return the seconds until the last line is there, and until the bus has taken all, with the service running.

    What the bad sinks read ahead has been read before it begins.
    """
    async with _scene(others=others) as (bus, service, counter):
        await house.publish(bus, _times(_AHEAD))
        await _counted(counter, _AHEAD * house.SENSORS, service)
        begun = time.perf_counter()
        await house.publish(bus, _times(count))
        taken = time.perf_counter() - begun
        await _counted(counter, (_AHEAD + count) * house.SENSORS, service)
        return (time.perf_counter() - begun, service.highest_mb), (taken, service.highest_mb)


def _times(count: int) -> list[int]:
    end = time.time_ns()
    return [end - (count - each) * 10_000_000_000 for each in range(count)]


async def _counted(counter: str, lines: int, service: house.Child) -> None:
    """Return when the server has so many lines."""
    begun = time.perf_counter()
    while _lines(counter) < lines:
        if time.perf_counter() - begun > _PATIENCE_S:
            raise SystemExit(f"bench: the backlog stays: {service.lines[-5:]}")
        service.rss_mb()
        await asyncio.sleep(_LOOK_S)


async def _subscribed(bus: Bus, sinks: int) -> None:
    """Return when every sink has its place in the journal."""
    until = time.monotonic() + house.START_S
    while len(await bus.get("telemetry/+")) < sinks:
        if time.monotonic() > until:
            raise SystemExit("bench: the telemetry service does not tell how its sinks stand")
        await asyncio.sleep(_LOOK_S)


def _peer(points: int) -> Run:
    version("influxdb-client")
    with _counter() as counter:
        command = (sys.executable, "-m", "bench.telemetry_peer", counter, str(points))
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S * 5)
        found = json.loads(done.stdout)
        if _lines(counter) != points:
            raise SystemExit(f"bench: influxdb-client wrote {_lines(counter)} of {points} points")
        return found["seconds"], found["mb"]


def _table(name: str, url: str) -> str:
    return f'[telemetry.influxdb.{name}]\nurl = "{url}"\ndatabase = "house"\nevery_s = 0.5\n\n'


def _lines(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.read())


@contextmanager
def _counter() -> Iterator[str]:
    """Run the counting server; yield its address."""
    command = (sys.executable, "-m", "bench.telemetry_counter")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def _dead_port() -> Iterator[int]:
    """Yield a port at which nothing listens, and nothing else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
