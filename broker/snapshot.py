"""A copy of what a broker keeps, taken while it runs: its store and its tail. Knows their files; no backup's form.

First the tail, then the store. What is confirmed is in the store before anybody is told so, and SQLite copies a store
as it is at one moment; what was only delivered is in the tail until the store has it. So of the two at least one has
each message, and a broker that starts on the copy takes what both have once.

A copy is not the house it was made of: that one has gone on, and clients know it. The copy says that its history broke
off, and the broker that starts on it tells them so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from broker import schema, store
from broker.recovery import UNFINISHED
from broker.tail import BOOT, NAMES
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OWN: Final = (store.FILE, f"{store.FILE}-wal", f"{store.FILE}-shm", *NAMES, "lock", UNFINISHED)
"""Names of a broker's files in its folder."""
_TRIES: Final = 50


def take(folder: Path, into: Path) -> list[str]:
    """Copy a broker's files from its folder to another one; return their names, none where there is no store.

    Raises:
        Unavailable: they cannot be read or written, or the store is damaged.
        Invalid: a newer hearthbus made the store.
    """
    if not (folder / store.FILE).exists():
        return []
    try:
        tails = _tails(folder)
        _copy_store(folder / store.FILE, into / store.FILE)
        for name, data in tails.items():
            (into / name).write_bytes(data)
    except sqlite3.NotSupportedError as error:
        raise Invalid(f"{folder / store.FILE}: {error}") from None
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"the journal {folder / store.FILE} cannot be copied: {error}") from None
    return [store.FILE, *tails]


def check(path: Path) -> None:
    """Whether this version's broker can start on a copy of a store.

    Raises:
        Invalid: it is damaged, or a newer hearthbus made it.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            schema.form_of(connection)
            fault = store.check(connection)
    except sqlite3.Error as error:
        fault = str(error)
    if fault:
        raise Invalid(f"the journal in it: {fault}")


def _copy_store(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{_writable(source, target)}?mode=rw", uri=True, timeout=30)) as old,
        closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        schema.form_of(old)
        old.backup(new, pages=-1)
        new.execute("pragma journal_mode=delete")
        fault = store.check(new)
        if fault:
            raise sqlite3.DatabaseError(
                f"it is damaged ({fault}); start the broker once, it saves what is sound, then back up again"
            )
        new.execute("insert or replace into meta values('clean', 0)")


def _writable(source: Path, target: Path) -> Path:
    """Return a store that SQLite can open: its own copy where a failing card has become read-only."""
    if not os.statvfs(source).f_flag & os.ST_RDONLY:
        return source
    copy = target.with_name("read-only")
    for end in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{source}{end}", f"{copy}{end}")
    return copy


def _tails(folder: Path) -> dict[str, bytes]:
    """Read the files of the tail as they are at one moment, but for records appended meanwhile."""
    last: Sequence[bytes] = ()
    for _ in range(_TRIES):
        found = [_bytes(folder / name) for name in NAMES]
        if _heads(found) == _heads(last):
            break
        last = found
    strange = b"?" * (BOOT.stop - BOOT.start)
    return {
        name: data[: BOOT.start] + strange + data[BOOT.stop :]
        for name, data in zip(NAMES, found, strict=True)
        if len(data) >= BOOT.stop
    }


def _heads(parts: Sequence[bytes]) -> list[bytes]:
    """What tells one filling of each file from the next."""
    return [part[: BOOT.stop] for part in parts]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
