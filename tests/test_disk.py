"""The disk full, read-only, or somebody else's: the house goes on, says so in one line, and keeps its word."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import HEARTHBUS, Broker

from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hearthbus.bus import Bus

CARD_BYTES = 2 * 1024 * 1024
WAIT_S = 10.0


@pytest.fixture
def card(make_broker: Callable[..., Broker]) -> Iterator[Broker]:
    """A broker that was stopped, with its data on a small file system of its own."""
    broker = make_broker(settings="stats_s = 0.1")
    broker.stop()
    kept = {path.name: path.read_bytes() for path in broker.data.iterdir()}
    mounted = _mount("-t", "tmpfs", "-o", f"size={CARD_BYTES}", "tmpfs", str(broker.data))
    if mounted:
        pytest.skip(f"nothing can be mounted here, so a full or read-only disk is not tested: {mounted}")
    try:
        for name, data in kept.items():
            (broker.data / name).write_bytes(data)
        yield broker
    finally:
        broker.kill()
        subprocess.run(["umount", "-l", str(broker.data)], check=True, timeout=10)


def _mount(*words: str) -> str:
    """Mount; return why not, empty if it worked."""
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, timeout=10, check=False)
    except FileNotFoundError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


def fill(folder: Path) -> Path:
    """Take all the room there is; return the file that takes it."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (65536, 4096, 512):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return filler


async def journal_error(bus: Bus, *, expected: bool) -> str:
    """Wait until broker/stats tells of an error, or of none."""
    async with asyncio.timeout(WAIT_S), bus.subscribe("broker/stats") as stats:
        async for message in stats:
            if bool(message["journal_error"]) is expected:
                return str(message["journal_error"])
    raise AssertionError("the stream ended")


async def confirm_much(bus: Bus) -> None:
    """Publish, confirmed, more than fits into what a file may have left over."""
    for _ in range(50):
        await bus.publish("sensor/hall/power", text="x" * 60_000, retain=True, confirm=True)


async def works_again(bus: Bus) -> None:
    """Wait until a confirmed publish returns."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await bus.publish("sensor/hall/power", value=-1, retain=True, confirm=True)
            except Unavailable:
                continue
            return


async def test_a_disk_that_fills_up(card: Broker) -> None:
    """Full while running: confirmation is refused by name, state is served, and with room it is written again."""
    card.start()
    async with card.bus("sender") as bus:
        await bus.publish("sensor/hall/temperature", value=20, retain=True, confirm=True)
        filler = fill(card.data)
        with pytest.raises(Unavailable, match=r"not on disk: \S+hearthbus.db: .*full"):
            await confirm_much(bus)
        error = await journal_error(bus, expected=True)
        await bus.publish("sensor/hall/temperature", value=21, retain=True)
        (state,) = await bus.get("sensor/hall/temperature")
        filler.unlink()
        await works_again(bus)
        await journal_error(bus, expected=False)
    card.kill()
    card.start()
    async with card.bus("reader") as bus:
        (kept,) = await bus.get("sensor/hall/temperature")
        log = [message["value"] async for message in bus.replay("sensor/hall/temperature")]

    assert "full" in error
    assert 21 == state["value"] == kept["value"]
    assert [20, 21] == log
    told = [line for line in card.lines if "journal" in line and "listening" not in line]
    assert ["cannot be written", "is written again"] == [
        "cannot be written" if "cannot be written" in line else "is written again" for line in told
    ], card.lines
    assert [] == [line for line in card.lines if not line.startswith("broker: ")]


@pytest.mark.parametrize("used", [True, False])
async def test_a_disk_that_is_full_at_the_start(card: Broker, used: bool) -> None:  # noqa: FBT001 - a parameter
    """A broker starts on a full disk, with the state that is there, and writes when there is room."""
    if used:
        card.start()
        async with card.bus("sender") as bus:
            for value in range(30):
                await bus.publish("sensor/hall/temperature", value=value, retain=True, confirm=True)
        card.kill()
    else:
        for path in card.data.iterdir():
            path.unlink()
    filler = fill(card.data)
    card.lines.clear()
    card.start()
    async with card.bus("sender") as bus:
        before = [message["value"] for message in await bus.get("sensor/hall/temperature")]
        with pytest.raises(Unavailable, match="not on disk"):
            await confirm_much(bus)
        await journal_error(bus, expected=True)
        filler.unlink()
        await works_again(bus)

    assert ([29] if used else []) == before
    assert 1 == sum("cannot be written" in line for line in card.lines), card.lines
    assert [] == [line for line in card.lines if "damaged" in line or not line.startswith("broker: ")]


async def test_a_disk_that_fails(broker: Broker) -> None:
    """Every write fails while it runs: state and messages go on, and once writes succeed it recovers by itself."""
    async with broker.bus("sender") as bus:
        await bus.publish("sensor/hall/temperature", value=20, retain=True, confirm=True)
        _, most = resource.prlimit(broker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (1, most))
        with pytest.raises(Unavailable, match="not on disk"):
            await bus.publish("sensor/hall/temperature", value=21, retain=True, confirm=True)
        (state,) = await bus.get("sensor/hall/temperature")
        async with bus.subscribe("sensor/hall/power") as live:
            await bus.publish("sensor/hall/power", value=1, retain=True)
            heard = await anext(aiter(live))
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (most, most))
        await works_again(bus)
    broker.kill()
    broker.start()
    async with broker.bus("reader") as bus:
        log = [message["value"] async for message in bus.replay("sensor/hall/temperature")]

    assert (21, 1) == (state["value"], heard["value"])
    assert [20, 21] == log
    assert [1, 1] == [
        sum(words in line for line in broker.lines) for words in ("cannot be written", "is written again")
    ], broker.lines
    assert [] == [line for line in broker.lines if "damaged" in line or not line.startswith("broker: ")]


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_disk_that_is_read_only(card: Broker, end: str) -> None:
    """A broker runs on a read-only disk with the state that is there, and takes to it again when it can be written."""
    card.start()
    async with card.bus("sender") as bus:
        await bus.publish("sensor/hall/temperature", value=20, retain=True, confirm=True)
        await bus.publish("sensor/hall/temperature", value=21, retain=True)
        await bus.get("#")
    card.stop() if end == "stop" else card.kill()
    assert "" == _mount("-o", "remount,ro", str(card.data))
    card.lines.clear()
    card.start()
    async with card.bus("sender") as bus:
        (state,) = await bus.get("sensor/hall/temperature")
        await bus.publish("sensor/hall/power", value=1, retain=True)
        error = await journal_error(bus, expected=True)
        with pytest.raises(Unavailable, match="not on disk"):
            await bus.publish("sensor/hall/power", value=2, retain=True, confirm=True)
        (other,) = await bus.get("sensor/hall/power")
        assert "" == _mount("-o", "remount,rw", str(card.data))
        await works_again(bus)
    card.kill()
    card.start()
    async with card.bus("reader") as bus:
        (kept,) = await bus.get("sensor/hall/temperature")

    assert (21, 2, 21) == (state["value"], other["value"], kept["value"])
    assert str(card.data) in error
    told = [line for line in card.lines if "cannot be written" in line]
    assert 1 == len(told), card.lines
    assert [] == [line for line in card.lines if "damaged" in line or not line.startswith("broker: ")]


def second(tmp_path: Path, *, address: str, data: Path | str) -> tuple[int, list[str]]:
    """Run one more broker, which is to end by itself; return its exit code and what it said."""
    config = tmp_path / "second.toml"
    config.write_text(f'[broker]\naddress = "{address}"\ndata = "{data}"\n')
    ended = subprocess.run(
        (*HEARTHBUS, "broker", "--config", str(config)), capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    return ended.returncode, ended.stderr.splitlines()


async def test_two_brokers_on_one_folder(broker: Broker, tmp_path: Path) -> None:
    """The second one names the process that has the folder, and ends with 69."""
    told = second(tmp_path, address=f"ipc://{tmp_path}/bus", data=broker.data)

    line = f"another broker (process {broker.pid}) uses {broker.data}; stop it, or give this one its own: [broker] data"
    assert (69, [f"hearthbus: {line}"]) == told


async def test_a_folder_is_beside_the_configuration_that_names_it(broker: Broker, tmp_path: Path) -> None:
    """`data = "journal"` is the same folder from wherever the broker is started."""
    (tmp_path / "journal").symlink_to(broker.data)

    told = second(tmp_path, address=f"ipc://{tmp_path}/bus", data="journal")

    line = f"another broker (process {broker.pid}) uses {tmp_path}/journal; stop it"
    assert (69, True) == (told[0], told[1][0].startswith(f"hearthbus: {line}"))


@pytest.mark.parametrize("tcp", [True, False])
async def test_two_brokers_on_one_address(make_broker: Callable[..., Broker], tmp_path: Path, tcp: bool) -> None:  # noqa: FBT001
    """The second one names the address and ends with 69; the first one goes on."""
    broker = make_broker(tcp=tcp)
    told = second(tmp_path, address=broker.url, data=tmp_path / "data")
    async with broker.bus("sender") as bus:
        await bus.publish("sensor/hall/motion", value=True, confirm=True)

    line = f"{broker.url} is in use: is another broker running? Stop it, or set [broker] address"
    assert (69, [f"hearthbus: {line}"]) == told


async def test_confirmed_then_killed(broker: Broker) -> None:
    """What was confirmed is there after SIGKILL, in the store itself."""
    async with broker.bus("sender") as bus:
        for value in range(20):
            await bus.publish("sensor/hall/energy", value=value, confirm=True)
            if value % 10 == 9:
                broker.kill()
                for name in ("tail.0", "tail.1"):
                    os.truncate(broker.data / name, 0)
                broker.start()
        async with asyncio.timeout(WAIT_S):
            await bus.publish("sensor/hall/energy", value=20, confirm=True)
        log = [message["value"] async for message in bus.replay("sensor/#")]

    assert list(range(21)) == log
