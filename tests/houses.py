"""Folders as a broker leaves them, what happens to them, and what a broker that starts on them has."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker import store
from broker.access import Open
from broker.config import BrokerConfig
from broker.core import Core
from broker.memory import Query
from broker.recovery import bring_home, find, finish, save
from broker.tail import Tail
from hearthbus.message import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.recovery import Found

PAGE = 4096
"""Size of SQLite's pages."""
ROOTS = 5 * PAGE
"""The header and the tops of the four tables: damage there can cost more than one page of what is below."""
TOPICS = 60
COMMITS = 10
FIRST_EPOCH, NEXT_EPOCH = 1_000, 2_000
STAMP = "2026-01-01T000000Z"
ROWS_OF_A_PAGE = 16
COMMITS_OF_A_PAGE = 8
IN_TAIL = 20
STATE_ENDS = 12 * PAGE
"""Where the table of topics ends in the file that `build` makes; what follows is the journal."""
MISSING = "the last end was not clean: what was published in its last seconds may be missing"
CONFIG = BrokerConfig()
MEMORY = "/dev/shm"


@dataclass
class House:
    """A broker's folder, and what was published before something happened to it."""

    folder: Path
    frames: list[bytes]
    """Everything, in the order of its offsets."""
    state: dict[str, bytes]
    """The newest message of each topic."""


@dataclass
class Back:
    """What a broker that starts on a folder has."""

    found: Found
    epoch: int
    state: dict[str, bytes]
    journal: list[bytes]


def publish(core: Core, number: int) -> None:
    """Publish one message, retained, large enough that a page holds a few."""
    body = {"value": number, "text": f"{number:04d}" * 60}
    core.stream.say(f"sensor/room{number % TOPICS:02d}/temperature", body, wall=FIRST_EPOCH + number)


def commit(core: Core, connection: sqlite3.Connection) -> None:
    """Write what is in memory, as the broker's loop does."""
    given = core.stream.hand_over(
        consumers=core.consumers.hand_over(),
        numbers=core.clients.hand_over(),
        wall=core.wall,
        oldest_needed=core.consumers.oldest(),
        epoch=core.epoch,
    )
    store.write(connection, given)
    core.stream.memory.committed()
    core.stream.committed = given.offset


def build(folder: Path, *, clean: bool) -> House:
    """Let a broker live in `folder`, and end it with a stop or, unless `clean`, as kill -9 does."""
    live = folder.parent / f"{folder.name}-live"
    live.mkdir()
    core = Core(CONFIG, access=Open(), epoch=FIRST_EPOCH)
    bring_home(core, find(live, stamp=STAMP), live, epoch=FIRST_EPOCH)
    assert "" == save(core, live)
    tail = Tail(live, epoch=core.epoch, limit=10**9)
    tail.open(core.stream.offset)
    core.consumers.move("diary", 7)
    connection = store.connect(live)
    frames: list[bytes] = []
    number = 0
    for turn in range(COMMITS + 1):
        for _ in range(TOPICS if turn < COMMITS else IN_TAIL):
            core.begin(0, FIRST_EPOCH + number)
            publish(core, number)
            number += 1
            frames += core.out.log
            tail.write(*core.record())
            core.end()
        if turn < COMMITS:
            tail.turn(core.stream.offset)
            commit(core, connection)
            tail.committed()
    if clean:
        connection.close()
        finish(core, live, tail)
    shutil.copytree(live, folder)
    connection.close()
    tail.close(clean=False)
    shutil.rmtree(live)
    state = {name_of(frame): frame for frame in frames}
    return House(folder, frames, state)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a disk takes five times longer, and no damage here needs one."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


def begin(folder: Path) -> Back:
    """Start a broker on `folder`, without sockets, and read everything it has."""
    found = find(folder, stamp=STAMP)
    core = Core(CONFIG, access=Open(), epoch=NEXT_EPOCH)
    core.begin(0, NEXT_EPOCH)
    bring_home(core, found, folder, epoch=NEXT_EPOCH)
    assert "" == (found.error or save(core, folder))
    journal: list[bytes] = []
    connection = store.connect(folder)
    reader = store.Reader(connection)
    query = Query(patterns=("#",), after=0, messages=10**6, size=10**9)
    reading, _ = reader.read(query, [])
    journal += reading.frames
    connection.close()
    page = core.stream.topics.snapshot(["#"], "", messages=10**6, size=10**9)
    return Back(found, core.epoch, {name_of(frame): frame for frame in page.frames}, journal)


def name_of(frame: bytes) -> str:
    """Topic of a frame."""
    return frame[: frame.index(0)].decode()


def check(house: House, back: Back) -> None:
    """What holds after any damage."""
    assert set() == set(back.journal) - set(house.frames)
    assert set() == set(back.state.values()) - set(house.frames)
    assert all(decode(frame)["value"] % TOPICS == int(name[11:13]) for name, frame in back.state.items())
    if back.state != house.state:
        assert NEXT_EPOCH == back.epoch
        assert 1 <= len(back.found.notes)
    if back.found.damaged:
        assert (house.folder / f"{store.FILE}.damaged-{STAMP}").exists()
    assert all("\n" not in note and "Traceback" not in note for note in back.found.notes)


def flip(path: Path, at: int, bit: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def cut(path: Path, at: int) -> None:
    """End a file at an offset."""
    with path.open("r+b") as file:
        file.truncate(at)


def alter(house: House, statement: str) -> None:
    """Change a store with SQL."""
    connection = sqlite3.connect(house.folder / store.FILE, isolation_level=None)
    connection.execute(statement)
    connection.close()


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, House]:
    """Two folders to copy from: one after a clean stop, one after kill -9."""
    folder = tmp_path_factory.mktemp("houses")
    return {clean: build(folder / f"clean-{clean}", clean=clean) for clean in (True, False)}


@pytest.fixture
def stopped(houses: dict[bool, House], tmp_path: Path) -> House:
    """A house after a clean stop."""
    return House(shutil.copytree(houses[True].folder, tmp_path / "data"), houses[True].frames, houses[True].state)


@pytest.fixture
def killed(houses: dict[bool, House], tmp_path: Path) -> House:
    """A house after kill -9."""
    return House(shutil.copytree(houses[False].folder, tmp_path / "data"), houses[False].frames, houses[False].state)
