"""A broker's files copied at the worst moments of its commits: no message is in neither the store nor the tail."""

from __future__ import annotations

import os
import sqlite3
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from houses import CONFIG, FIRST_EPOCH, IN_TAIL, NEXT_EPOCH, STAMP, begin, commit, publish

from broker import snapshot, store
from broker.access import Open
from broker.core import Core
from broker.recovery import bring_home, find, save
from broker.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Live:
    """A broker's files and what writes them, a step at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.core = Core(CONFIG, access=Open(), epoch=FIRST_EPOCH)
        bring_home(self.core, find(folder, stamp=STAMP), folder, epoch=FIRST_EPOCH)
        assert "" == save(self.core, folder)
        self.tail = Tail(folder, epoch=FIRST_EPOCH, limit=10**9)
        self.tail.open(self.core.stream.offset)
        self.connection = store.connect(folder)
        self.frames: list[bytes] = []

    def publish(self, count: int = IN_TAIL) -> None:
        """Deliver messages: they are in the tail."""
        for _ in range(count):
            self.core.begin(0, FIRST_EPOCH + len(self.frames))
            publish(self.core, len(self.frames))
            self.frames += self.core.out.log
            self.tail.write(*self.core.record())
            self.core.end()

    def turn(self) -> None:
        """Begin a commit: what comes from now on goes to the other file."""
        self.tail.turn(self.core.stream.offset)

    def committed(self) -> None:
        """End it: the store has the messages, and the file they were in is emptied."""
        commit(self.core, self.connection)
        self.tail.committed()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A broker in the middle of its life: messages in the store, and in the tail."""
    live = Live(tmp_path / "data")
    live.publish()
    live.turn()
    live.committed()
    live.publish()
    yield live
    live.connection.close()
    live.tail.close(clean=False)


def copied(live: Live, into: Path) -> list[bytes]:
    """Copy, and return the journal of a broker that starts on the copy."""
    into.mkdir()
    snapshot.take(live.folder, into)
    return begin(into).journal


def after(count: int, given: Callable[..., object], happens: Callable[[], None]) -> Callable[..., object]:
    """Return a function that does as `given`, and at the end of its n-th call lets something happen."""
    calls = iter(range(1, 10**6))

    def wrapped(*words: object) -> object:
        result = given(*words)
        if next(calls) == count:
            happens()
        return result

    return wrapped


def test_a_commit_between_tail_and_store(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit after one of the two was read and before the other takes nothing from the copy."""

    def happens() -> None:
        live.turn()
        live.committed()

    both = after(1, lambda do, *words: do(*words), happens)
    for name in ("_tails", "_copy_store"):
        real = getattr(snapshot, name)
        monkeypatch.setattr(snapshot, name, lambda *words, real=real: both(real, *words))
    journal = copied(live, tmp_path / "copy")

    assert live.frames == journal


def test_a_turn_between_the_files_of_the_tail(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that begins while the tail is read, and is not over, makes no hole."""

    def happens() -> None:
        live.publish()
        live.turn()
        live.publish()

    monkeypatch.setattr(snapshot, "_bytes", after(1, snapshot._bytes, happens))
    journal = copied(live, tmp_path / "copy")

    assert live.frames == journal


def test_a_copy_is_another_history(live: Live, tmp_path: Path) -> None:
    """A broker on a copy has an epoch of its own, taken from a running broker or from one that was stopped."""
    copied(live, tmp_path / "running")
    live.turn()
    live.committed()
    store.end_cleanly(live.connection)
    live.tail.close(clean=True)
    (tmp_path / "stopped").mkdir()
    snapshot.take(live.folder, tmp_path / "stopped")

    assert NEXT_EPOCH == begin(tmp_path / "stopped").epoch
    assert FIRST_EPOCH == begin(live.folder).epoch


def test_a_card_that_became_read_only(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a disk that the kernel made read-only the files are copied first: SQLite would have to write beside them."""
    log = live.folder / f"{store.FILE}-wal"
    before = log.read_bytes()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    opened: list[object] = []
    connect: Any = sqlite3.connect

    def noted(path: object, **more: Any) -> Any:
        opened.append(path)
        return connect(path, **more)

    monkeypatch.setattr(sqlite3, "connect", noted)
    journal = copied(live, tmp_path / "copy")

    assert live.frames == journal
    assert b"" != before == log.read_bytes()
    assert [] == [path for path in opened if str(live.folder) in str(path)]
