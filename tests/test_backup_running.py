"""A backup of a house that runs, and kills in the middle: what was confirmed is in it, and nothing is ever half."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backups import Scene, scene
from conftest import HEARTHBUS, Broker
from houses import House, begin, houses, killed, stopped

from broker.recovery import lock
from hearthbus.backup.belongings import UNFINISHED
from hearthbus.cli.main import main
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hearthbus.bus import Bus

__all__ = ["houses", "killed", "scene", "stopped"]

TOPIC = "sensor/room{}/temperature"
ROOMS = 20
KILLED = 9


class Publisher:
    """Publishes without an end, confirmed, and knows what it was told is on disk."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.confirmed = 0
        self._count = 0

    async def run(self) -> None:
        while True:
            number, self._count = self._count, self._count + 1
            confirm = number % 5 == 4
            await self.bus.publish(TOPIC.format(number % ROOMS), value=number, retain=True, confirm=confirm)
            if confirm:
                self.confirmed = number + 1

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.confirmed < count:
                await asyncio.sleep(0)


async def backed_up(broker: Broker, file: Path) -> None:
    """Run the command, as its own process, while this one goes on."""
    config = str(broker.folder / "hearthbus.toml")
    command = await asyncio.create_subprocess_exec(
        *HEARTHBUS, "backup", str(file), "--config", config, "--without-secrets",
        env={**os.environ, "STATE_DIRECTORY": str(broker.folder / "none")}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert 0 == await asyncio.wait_for(command.wait(), 30)


async def test_what_was_confirmed_is_in_it(make_broker: Callable[..., Broker], tmp_path: Path) -> None:
    """While thousands of messages come, a backup holds all that were confirmed before it began, state and places."""
    broker = make_broker(settings="commit_s = 0.2")
    file = tmp_path / "house.backup"
    async with broker.bus("publisher") as bus, broker.bus("reader") as other:
        publisher = Publisher(bus)
        async with other.subscribe("sensor/#", durable="diary") as diary:
            running = asyncio.create_task(publisher.run())
            read = 0
            async for message in diary:
                read += 1
                if read == 50:
                    await diary.ack(message)
                    break
        await publisher.reach(500)
        before = publisher.confirmed
        await backed_up(broker, file)
        after = publisher.confirmed
        running.cancel()
    broker.stop()
    main(["restore", str(file), "--to", str(tmp_path / "there")])
    broker.data = Path(f"{tmp_path}/there{broker.data}")
    broker.lines.clear()
    broker.start()
    async with broker.bus("after") as bus:
        state = {message.topic: message["value"] for message in await bus.get("sensor/#")}
        journal = [message["value"] async for message in bus.replay("sensor/#")]
        async with bus.subscribe("sensor/#", durable="diary") as diary:
            first = await anext(aiter(diary))

    assert list(range(len(journal))) == journal
    assert before <= len(journal)
    assert before < after, "nothing was published meanwhile"
    newest = {TOPIC.format(number % ROOMS): number for number in range(len(journal))}
    assert newest == state
    assert 50 == first["value"]
    assert [] == [line for line in broker.lines if "damaged" in line or "aside" in line]


async def test_a_restored_house_is_another_history(broker: Broker, tmp_path: Path) -> None:
    """A client that was there sees that what it knew broke off: no new message is taken for one it had."""
    async with broker.bus("a") as bus:
        await bus.publish("sensor/hall/temperature", value=1, retain=True, confirm=True)
        await backed_up(broker, tmp_path / "house.backup")
        await bus.publish("sensor/hall/temperature", value=2, retain=True, confirm=True)
    async with broker.bus("b") as watcher, watcher.subscribe("sensor/#") as stream:
        seen = [(await anext(aiter(stream)))["value"]]
        broker.stop()
        main(["restore", str(tmp_path / "house.backup"), "--to", str(tmp_path / "there")])
        broker.data = Path(f"{tmp_path}/there{broker.data}")
        broker.start()
        async with asyncio.timeout(20):
            seen.append((await anext(aiter(stream)))["value"])
            async with broker.bus("c") as bus:
                await bus.publish("sensor/hall/temperature", value=3, retain=True, confirm=True)
            seen.append((await anext(aiter(stream)))["value"])

    assert [2, 1, 3] == seen


def as_command(scene: Scene, data: Path) -> None:
    """Let a scene's configuration have a broker's folder."""
    scene.config.write_text(f'[broker]\ndata = "{data}"\n')


@pytest.mark.parametrize("clean", [True, False])
def test_a_stopped_house(houses: dict[bool, House], scene: Scene, *, clean: bool) -> None:
    """A house that was stopped, or killed, is in it whole: store and tail."""
    as_command(scene, houses[clean].folder)
    codes = scene.backup(), scene.restore()
    back = begin(scene.restored(houses[clean].folder))

    assert (0, 0) == codes
    assert (houses[clean].state, houses[clean].frames) == (back.state, back.journal)
    assert {"diary": 7} == back.found.contents.consumers


def test_a_running_broker_is_not_restored_over(
    broker: Broker, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """A restore into the folder of a broker that runs is refused, with what to do, --force or not."""
    as_command(scene, broker.data)
    scene.backup()
    code = main(["restore", str(scene.file), "--force", *scene.with_secret])

    assert 69 == code
    assert f"a broker runs on {broker.data}: stop it and its services first" in capsys.readouterr().err
    assert broker.runs()


DIES = """
import os, sys
from pathlib import Path
from hearthbus.cli.main import main
name, at, words = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
room = Path if hasattr(Path, name) and name == "replace" else os
real, count = getattr(room, name), iter(range(10**6))
def last(*given, **more):
    if next(count) == at:
        os._exit(9)
    return real(*given, **more)
setattr(room, name, last)
sys.exit(main(words))
"""
"""The command, killed at its n-th call of a function."""


def dies(name: str, at: int, *words: str) -> int:
    return subprocess.run(
        (sys.executable, "-c", DIES, name, str(at), *words), timeout=30, check=False, capture_output=True
    ).returncode


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("at", [0, 2])
def test_a_killed_backup(scene: Scene, at: int) -> None:
    """A backup killed while it is written leaves the older one as it was, and the next one tidies up."""
    scene.backup()
    older = scene.file.read_bytes()
    (scene.config.parent / "notes.csv").write_text("new")
    words = ("backup", str(scene.file), "--config", str(scene.config), *scene.with_secret)
    code = dies("fsync" if at == 0 else "replace", 0, *words)
    kept = scene.file.read_bytes()
    again = scene.backup()

    assert (KILLED, older, 0) == (code, kept, again)
    assert older != scene.file.read_bytes()
    assert [] == list(scene.folder.glob(".*part"))


@pytest.mark.parametrize(("name", "at"), [("fsync", 1), ("fsync", 5), ("replace", 0), ("replace", 3), ("unlink", 3)])
def test_a_killed_restore(scene: Scene, stopped: House, name: str, at: int) -> None:
    """Killed while it stages, a restore changed nothing; killed while it moves, no broker starts until it is done."""
    as_command(scene, stopped.folder)
    scene.backup()
    there = scene.restored(stopped.folder)
    there.mkdir(parents=True)
    for path in stopped.folder.iterdir():
        (there / path.name).write_bytes(path.read_bytes() + b"old")
    before = everything(there)
    words = ("restore", str(scene.file), "--to", str(scene.there), *scene.with_secret)
    code = dies(name, at, *words, "--force")
    after = {path: data for path, data in everything(there).items() if not path.endswith(".restored")}
    moving = (there / UNFINISHED).exists()

    assert KILLED == code
    if moving:
        with pytest.raises(Unavailable, match=r"a restore into .* was cut short"):
            lock(there)
    else:
        assert before == {path: after[path] for path in before}
    assert 0 == main([*words, *([] if moving else ["--force"])])
    back = begin(there)
    assert (stopped.state, stopped.frames) == (back.state, back.journal)
    assert [] == [path for path in everything(scene.there) if path.endswith((".restored", UNFINISHED))]


def test_it_is_soon_over(scene: Scene, stopped: House) -> None:
    """A small house takes less than a few seconds, also where nothing else is known of the machine."""
    as_command(scene, stopped.folder)
    begun = time.monotonic()

    assert 0 == scene.backup()
    assert 5 > time.monotonic() - begun
