"""The broker's start and end on disk: lock, check, set aside what is damaged, load, and bring the tail home.

Never fatal but for a folder that another broker uses: a house without its past still switches its lights.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from broker import store
from broker.salvage import salvage
from broker.tail import Tail, recover
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.core import Core

_DISK_IS_TO_BLAME: Final = frozenset(
    (
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOLFS,
    )
)  # fmt: skip
UNFINISHED: Final = "restore-unfinished"
"""A file that stands here while `hearthbus restore` puts its files in place."""
_FILE_IS_SHORT: Final = frozenset((sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_READ))


@dataclass(kw_only=True)
class Found:
    """What was on disk."""

    contents: store.Contents
    notes: list[str] = field(default_factory=list)
    damaged: bool = False
    error: str = ""
    """Why the disk cannot be written, empty if it can."""


def lock(folder: Path) -> int:
    """Take the folder for this broker; return the open lock file, or -1 where the folder cannot be written.

    Raises:
        Unavailable: another broker has it, or a restore that was cut short has left half a house there.
    """
    if (folder / UNFINISHED).exists():
        raise Unavailable(f"a restore into {folder} was cut short; type the same `hearthbus restore` once more")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(file, 20).decode(errors="replace").strip() or "unknown"
        os.close(file)
        raise Unavailable(
            f"another broker (process {holder}) uses {folder}; stop it, or give this one its own: [broker] data"
        ) from None
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
    return file


def find(folder: Path, *, stamp: str) -> Found:
    """Open, check and load the store; set a damaged one aside under a name with `stamp`.

    Raises:
        Invalid: a newer hearthbus made it, in a form that this one cannot read; it is left as it is.
    """
    empty = store.Contents(epoch=0, clean=True, offset=0)
    hollow = _is_empty(folder / store.FILE)
    try:
        with _connected(folder) as connection:
            fault = store.check(connection)
            if not fault:
                found = Found(contents=store.load(connection))
                if found.contents.damaged:
                    found.notes.append(f"{found.contents.damaged} damaged values in the store were left out")
                if hollow:
                    found.damaged = True
                    found.notes.append(f"{folder / store.FILE} was empty: what it held is lost, a new journal is begun")
                return found
    except sqlite3.NotSupportedError as error:
        raise Invalid(f"{folder / store.FILE}: {error}") from None
    except (sqlite3.OperationalError, OSError) as error:
        if not _is_damage(error):
            return _without_disk(folder, error, empty)
        fault = str(error)
    except Exception as error:  # noqa: BLE001 - damage shows in many ways, and none may be fatal
        fault = str(error)
    return _set_aside(folder, fault, stamp)


def bring_home(core: Core, found: Found, folder: Path, *, epoch: int) -> None:
    """Give the core what was on disk and in the tail; `epoch` is the new one should history have broken off."""
    contents = found.contents
    old = recover(folder, epoch=None if found.damaged else contents.epoch, offset=contents.offset)
    for row in contents.topics:
        core.stream.restore(row)
    core.stream.offset = core.stream.committed = contents.offset
    core.stream.topics.start_at(contents.offset)
    core.clients.numbers = {**contents.numbers, **old.numbers}
    core.clients.changed_numbers = dict(old.numbers)
    back = core.stream.replay(old.frames)
    places = {**contents.consumers, **old.consumers}
    newest = core.stream.offset
    core.consumers.restore({name: place and min(place, newest) for name, place in places.items()})
    whole = old.whole if old.left else contents.clean
    unbroken = contents.epoch and whole and not found.damaged and not contents.damaged
    core.epoch = contents.epoch if unbroken else epoch
    if back:
        found.notes.append(f"{back} messages brought home after a sudden end")
    if contents.epoch and not whole:
        found.notes.append("the last end was not clean: what was published in its last seconds may be missing")
    core.greeting.expect_back()


def save(core: Core, folder: Path) -> str:
    """Commit what the tail gave back, and with it that a broker runs; return why not, empty if it did."""
    commit = core.stream.hand_over(
        consumers=core.consumers.hand_over(),
        numbers=core.clients.hand_over(),
        oldest_needed=core.consumers.oldest(),
        epoch=core.epoch,
        wall=core.wall,
    )
    try:
        with _connected(folder) as connection:
            store.write(connection, commit)
    except (sqlite3.Error, OSError) as error:
        core.stream.take_back(commit)
        return f"{folder / store.FILE}: {error}"
    core.stream.memory.committed()
    core.stream.committed = commit.offset
    return ""


def finish(core: Core, folder: Path, tail: Tail) -> None:
    """Commit the rest; only then is the end clean."""
    error = save(core, folder)
    if not error:
        with contextlib.suppress(sqlite3.Error, OSError), _connected(folder) as connection:
            store.end_cleanly(connection)
    tail.close(clean=not error)


@contextlib.contextmanager
def _connected(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = store.connect(folder)
    try:
        yield connection
    finally:
        connection.close()


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _is_damage(error: Exception) -> bool:
    """Whether the file is to blame, and not the disk: a full or read-only one shows as an input error too."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code in _FILE_IS_SHORT or (code & 0xFF not in _DISK_IS_TO_BLAME and not isinstance(error, OSError))


def _without_disk(folder: Path, error: Exception, empty: store.Contents) -> Found:
    """The disk is full or read-only: read what is there, keep the rest in memory."""
    found = Found(contents=empty, error=f"{folder / store.FILE}: {error}")
    try:
        with contextlib.closing(store.connect_for_reading(folder)) as connection:
            found.contents = store.load(connection)
            log = folder / f"{store.FILE}-wal"
            found.contents.clean &= not log.exists() or _is_empty(log)  # what it holds cannot be read here
    except (sqlite3.Error, OSError, UnicodeDecodeError, TypeError, ValueError):
        found.contents = empty
    return found


def _set_aside(folder: Path, fault: str, stamp: str) -> Found:
    """Rename the damaged file and save what can be read of it."""
    aside = folder / f"{store.FILE}.damaged-{stamp}"
    found = Found(contents=store.Contents(epoch=0, clean=False, offset=0), damaged=True)
    try:
        for suffix in ("", "-wal", "-shm"):
            path = folder / (store.FILE + suffix)
            if path.exists():
                path.rename(f"{aside}{suffix}")
    except OSError as error:
        found.error = f"{folder / store.FILE}: {error}"
        found.notes.append(
            f"the journal is damaged ({fault}) and cannot be set aside: {error}; state is kept in memory"
        )
        return found
    try:
        salvage(aside, folder, found.contents)
    except (sqlite3.Error, OSError) as error:
        found.error = f"{folder / store.FILE}: {error}"
    found.notes.append(
        f"the journal was damaged ({fault}) and is set aside as {aside}; "
        f"{len(found.contents.topics)} topics were saved from it, a new one is begun"
    )
    return found
