"""What a small house costs at rest: memory of its services, start-up times, CPU while nothing happens.

The house is `deploy/house.toml` with its broker moved to a random loopback port and a private folder.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import median, number, spread
from bench.peers.hearthbus import COMMAND, Hearthbus, broker_table, url
from bench.process import ROOT, Failed, child, cpu_seconds, family, free_port, listens, private_mb, tail, wait_for
from bench.report import Section
from bench.rig import serving
from hearthbus.config import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from bench.peers.base import Peer
    from hearthbus import Subscription

_TITLE = "A small house at rest"
_HOUSE = ROOT / "deploy" / "house.toml"
_PLAIN = "host"
_SETTLE_S = 3.0
"""From online until a service has imported and read what it needs, and published for the first time."""
_ONLINE_WITHIN_S = 20.0


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure the house; a figure that cannot be taken is a remark."""
    del peers
    if not _names():
        return Section(title=_TITLE, text="Not measured: `deploy/house.toml` has no services.", head=(), rows=())
    remarks: list[str] = []
    rows: list[list[str]] = []
    budgets: dict[str, float] = {}
    times = 5 if quick else 15
    figures: tuple[tuple[str, str, Callable[[], list[float]]], ...] = (
        ("start/help", "`hearthbus --help`, s", lambda: _help(times)),
        ("start/online", f"`hearthbus run {_PLAIN}` to online, s", lambda: _online(times)),
        ("service/private", f"`hearthbus run {_PLAIN}`, private MB", _plain_service),
        ("house/private", "all services in one process, private MB", _hosted),
        ("house/cpu", "the whole house at rest, % of a core", lambda: _idle(10.0 if quick else 60.0, remarks)),
    )
    for name, what, take in figures:
        say(f"house: {what}")
        try:
            values = take()
        except (Failed, subprocess.SubprocessError, OSError) as failure:
            remarks.append(f"{what}: not measured: {failure}")
            continue
        budgets[name] = median(values)
        rows.append([what, number(budgets[name]), spread(values) if len(values) > 1 else "-"])
    return Section(
        title=_TITLE,
        text=(
            f"Services of `deploy/house.toml`: {', '.join(_names())}. Private memory is what would come back if the "
            f"process ended (USS of smaps_rollup), {_SETTLE_S:.0f} s after it was online. Times are medians of {times}."
        ),
        head=("what", "median", "min - max"),
        rows=rows,
        remarks=remarks,
        budgets=budgets,
    )


def _help(times: int) -> list[float]:
    found = []
    for _turn in range(times + 1):
        start = time.perf_counter()
        subprocess.run([COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True, timeout=20)
        found.append(time.perf_counter() - start)
    return found[1:]  # the first one compiles and fills the page cache


def _online(times: int) -> list[float]:
    with _broker() as (port, config):
        return [asyncio.run(_run(port, config, [_PLAIN]))[0] for _turn in range(times)]


def _plain_service() -> list[float]:
    return _private([_PLAIN])


def _hosted() -> list[float]:
    return _private(_names())


def _private(names: Sequence[str]) -> list[float]:
    with _broker() as (port, config):
        return [asyncio.run(_run(port, config, names, settle=_SETTLE_S))[1]]


def _idle(seconds: float, remarks: list[str]) -> list[float]:
    """Run the house as `hearthbus up` does and add up the CPU time of all its processes over some seconds."""
    with tempfile.TemporaryDirectory(prefix="bench-house-") as name:
        home, port = Path(name), free_port()
        config = _config(home, port)
        log = home / "up.log"
        with child([COMMAND, "up", "--config", str(config)], log=log, env=_env(home, port), grace=10.0) as process:
            wait_for(lambda: listens(port), what="`hearthbus up`", watched=process, log=log)
            asyncio.run(_all_there(port, _names(), process, log))
            time.sleep(_SETTLE_S)
            members = family(process.pid)
            before = {pid: cpu_seconds(pid) for pid in members}
            start = time.monotonic()
            time.sleep(seconds)
            spent = sum(cpu_seconds(pid) - since for pid, since in before.items())
            share = spent / (time.monotonic() - start) * 100
            private = sum(private_mb(pid) for pid in members)
            remarks.append(
                f"`hearthbus up` is {len(members)} processes with {number(private)} MB of private memory together; "
                f"CPU over {seconds:.0f} s"
            )
            return [share]


async def _all_there(port: int, names: Sequence[str], process: subprocess.Popen[bytes], log: Path) -> None:
    async with _watching(port, names) as messages:
        await _online_at(messages, names, process, log)


@contextmanager
def _broker() -> Iterator[tuple[int, Path]]:
    with serving("hearthbus", Hearthbus()) as server:
        yield server.port, _config(server.home / "services", server.port)


async def _run(port: int, config: Path, names: Sequence[str], *, settle: float = 0.0) -> tuple[float, float]:
    """Run services in one process until all are online and `settle` is over; return seconds to online, private MB."""
    log = config.parent / f"{'-'.join(names)}.log"
    async with _watching(port, names) as messages:
        start = time.monotonic()
        with child(
            [COMMAND, "run", *names, "--config", str(config)], log=log, env=_env(config.parent, port)
        ) as process:
            online = await _online_at(messages, names, process, log, own=True)
            await asyncio.sleep(settle)
            return online - start, private_mb(process.pid)


@asynccontextmanager
async def _watching(port: int, names: Sequence[str]) -> AsyncIterator[Subscription]:
    from hearthbus import Bus

    async with (
        Bus(url(port), name="bench-watch", connect_timeout=_ONLINE_WITHIN_S) as bus,
        bus.subscribe(*(f"service/{name}" for name in names)) as messages,
    ):
        yield messages


async def _online_at(
    messages: Subscription, names: Sequence[str], process: subprocess.Popen[bytes], log: Path, *, own: bool = False
) -> float:
    """Return the monotonic time when the last of `names` was seen online; `own`: in that very process."""
    missing = set(names)
    try:
        async with asyncio.timeout(_ONLINE_WITHIN_S):
            async for message in messages:
                if message.get("status") == "online" and (not own or message.get("pid") == process.pid):
                    missing.discard(message.topic.rpartition("/")[2])
                if not missing:
                    return time.monotonic()
    except TimeoutError:
        pass
    ended = f"; it ended with code {process.returncode}" if process.poll() is not None else ""
    raise Failed(f"{', '.join(sorted(missing))} not online within {_ONLINE_WITHIN_S:.0f} s{ended}: {tail(log)}")


def _config(home: Path, port: int) -> Path:
    """Write the default house with a broker of our own."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / "house.toml"
    config.write_text(broker_table(home, port) + "\n" + without_broker(_HOUSE.read_text()))
    return config


def without_broker(text: str) -> str:
    """Return TOML without its `broker` tables."""
    parts = re.split(r"(?m)^(?=\[)", text)
    return "".join(part for part in parts if not re.match(r"\[+\s*broker\s*[.\]]", part))


def _names() -> list[str]:
    """Return the services of the default house."""
    return list(load(_HOUSE).services)


def _env(home: Path, port: int) -> dict[str, str]:
    """Name our broker, and keep whatever a service stores in the private folder."""
    return {"XDG_STATE_HOME": str(home), "HOME": str(home), "HEARTHBUS_URL": url(port)}
