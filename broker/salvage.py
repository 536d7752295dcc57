"""What can still be read of a damaged store: rows around the damage, one by one. Knows SQLite's pages; decides nothing.

The damaged file is left as it was found. To read it, what is missing at its end is filled with holes, and it is lent
the first page of the new store: that is the same in every store but for the size it tells.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from typing import TYPE_CHECKING, Any, Final

from broker import store
from broker.rows import Commit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE: Final = 4096
_MOST: Final = 2**32
"""A header that tells of more than this is damaged itself."""
_BLOCK: Final = (int, int, int, int, int, int, str, bytes, bytes)


def salvage(aside: Path, folder: Path, contents: store.Contents) -> None:
    """Add what can be read of `aside` to `contents`, and all of it to the new store in `folder`.

    Raises:
        sqlite3.Error, OSError: the new store cannot be written.
    """
    size = aside.stat().st_size
    with aside.open("rb") as file:
        first = file.read(PAGE)
    pages = max(-(-size // PAGE), 1)
    try:
        with contextlib.closing(store.connect(folder)) as new:
            said = int.from_bytes(first[28:32], "big")
            os.truncate(aside, max(pages, said if said * PAGE < _MOST else 0) * PAGE)
            _lend(aside, _first_page(new, folder), pages)
            _read_state(aside, contents)
            _copy_journal(aside, new, contents)
            # a broker writes what changes, and most of this may not for days
            store.write(new, _all_of(contents))
    finally:
        with aside.open("r+b") as file:
            file.write(first)
            file.truncate(size)


def _read_state(aside: Path, contents: store.Contents) -> None:
    with _opened(aside) as connection:
        for row in _rows_around_damage(connection, "topic", "name"):
            for topic in store.sound_topic(row):
                contents.topics.append(topic)
                contents.offset = max(contents.offset, topic.offset)
        with contextlib.suppress(sqlite3.Error):
            contents.consumers = store.sound_places(connection)


def _all_of(contents: store.Contents) -> Commit:
    return Commit(
        frames=[],
        topics=contents.topics,
        forgotten=[],
        consumers=dict(contents.consumers),
        numbers={},
        offset=contents.offset,
        epoch=contents.epoch,
        oldest_needed=0,
        oldest=0,
        newest=0,
    )


def _copy_journal(aside: Path, new: sqlite3.Connection, contents: store.Contents) -> None:
    new.execute("begin immediate")
    with _opened(aside) as connection:
        for row in _rows_around_damage(connection, "block", "last"):
            if tuple(map(type, row)) == _BLOCK and row[5] == zlib.crc32(row[8]):
                new.execute("insert or replace into block values(?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                contents.offset = max(contents.offset, row[0])
    new.execute("commit")


@contextlib.contextmanager
def _opened(aside: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{aside}?mode=ro", uri=True)) as connection:
        connection.text_factory = store.text
        yield connection


def _first_page(new: sqlite3.Connection, folder: Path) -> bytes:
    new.execute("pragma wal_checkpoint(truncate)")
    with (folder / store.FILE).open("rb") as file:
        return file.read(PAGE)


def _lend(aside: Path, page: bytes, pages: int) -> None:
    with aside.open("r+b") as file:
        file.write(page[:28] + pages.to_bytes(4, "big") + page[32:])


def _rows_around_damage(connection: sqlite3.Connection, table: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Read the keys from both ends up to what is damaged, then each row by itself."""
    keys: dict[object, None] = {}
    for direction in ("asc", "desc"):
        with contextlib.suppress(sqlite3.Error):
            for (value,) in connection.execute(f"select {key} from {table} order by {key} {direction}"):  # noqa: S608 - ours
                keys[value] = None
            break
    for value in keys:
        with contextlib.suppress(sqlite3.Error):
            row = connection.execute(f"select * from {table} where {key} = ?", (value,)).fetchone()  # noqa: S608 - ours
            if row is not None:
                yield row
