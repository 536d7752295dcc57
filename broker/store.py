"""The store: retained state, the journal and durable places in one SQLite file. Knows SQL; decides nothing.

    topic      one row a topic: its sequence number, newest offset, and retained message if it has one
    block      one row a commit: its messages, oldest first, as one blob with a checksum. Two pages a commit instead of
               one row a message, without an index: measured, an SD card gets 3 times the payload instead of 70 times
    consumer   the places of durable subscriptions
    meta       epoch, whether the last end was clean, and the form of the file (`broker.schema`)

WAL with FULL synchronisation: what is committed survives a power cut. Every topic and every block carries a CRC-32,
because SQLite notices a damaged page and not a damaged byte in a value.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgpack

from broker import schema
from broker.memory import Reading
from broker.rows import TopicRow
from hearthbus.message import order_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.memory import Query
    from broker.rows import Commit

FILE: Final = "hearthbus.db"
_SCAN_BYTES: Final = 8 * 1024 * 1024
"""How much of the journal one page may look through before it is answered, full or not."""


@dataclass(kw_only=True)
class Contents:
    """What a store gives back at the start."""

    epoch: int
    clean: bool
    offset: int
    topics: list[TopicRow] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)
    consumers: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    """Values whose checksum was wrong, left out."""


def connect(folder: Path) -> sqlite3.Connection:
    """Open or create the file; raises sqlite3.Error or OSError where it cannot be written, read, or is damaged."""
    connection = sqlite3.connect(folder / FILE, timeout=10, isolation_level=None, check_same_thread=False)
    connection.text_factory = text
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma wal_autocheckpoint=1000")
        connection.execute("pragma journal_size_limit=4194304")
        connection.execute("pragma cache_size=-1024")
        schema.ensure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_for_reading(folder: Path) -> sqlite3.Connection:
    """Open a file on a disk that cannot be written; raises sqlite3.Error where there is none."""
    return sqlite3.connect(f"file:{folder / FILE}?mode=ro&immutable=1", uri=True, isolation_level=None)


def check(connection: sqlite3.Connection) -> str:
    """Return the first fault SQLite finds in its file, empty if it is sound."""
    (answer,) = connection.execute("pragma quick_check(1)").fetchone()
    return "" if answer == "ok" else str(answer).rpartition("\n")[2]


def load(connection: sqlite3.Connection) -> Contents:
    """Read everything but the journal's messages."""
    meta = {key: value for key, value in connection.execute("select * from meta") if type(value) is int}
    found = Contents(epoch=meta.get("epoch", 0), clean=bool(meta.get("clean", 1)), offset=meta.get("offset", 0))
    (rows,) = connection.execute("select count(*) from topic").fetchone()
    found.topics = list(sound_topics(connection))
    found.damaged = rows - len(found.topics)
    found.offset = max([found.offset, *(row.offset for row in found.topics)])
    for last, numbers in connection.execute("select last, numbers from block order by last desc limit 200"):
        found.offset = max(found.offset, last)
        if type(numbers) is bytes and numbers[:4] == zlib.crc32(numbers[4:]).to_bytes(4, "big"):
            found.numbers = {**msgpack.unpackb(numbers[4:], strict_map_key=False), **found.numbers}
        else:
            found.damaged += 1
    found.consumers = sound_places(connection)
    return found


def sound_places(connection: sqlite3.Connection) -> dict[str, int]:
    """Read the places of durable subscriptions."""
    rows = connection.execute("select name, offset from consumer")
    return {name: offset for name, offset in rows if type(name) is str and type(offset) is int}


def sound_topics(connection: sqlite3.Connection) -> Iterator[TopicRow]:
    """Read the topics whose checksum is right."""
    for row in connection.execute("select * from topic"):
        yield from sound_topic(row)


def end_cleanly(connection: sqlite3.Connection) -> None:
    """Note that everything is in this file."""
    connection.execute("insert or replace into meta values('clean', 1)")
    connection.execute("pragma wal_checkpoint(truncate)")


def write(connection: sqlite3.Connection, commit: Commit) -> None:
    """Write one commit, in one transaction; until `end_cleanly` the file says that a broker is running on it."""
    connection.execute("begin immediate")
    try:
        connection.executemany(
            "insert or replace into topic values(?, ?, ?, ?, ?)",
            (
                (
                    row.name,
                    row.seq,
                    row.offset,
                    row.retained,
                    _crc(row.name.encode(), row.seq, row.offset, row.retained),
                )
                for row in commit.topics
            ),
        )
        if commit.frames:
            connection.execute("insert or replace into block values(?, ?, ?, ?, ?, ?, ?, ?, ?)", _block(commit))
        elif commit.numbers:
            connection.execute("insert or ignore into block values(?, ?, ?, ?, ?, ?, ?, ?, ?)", _block(commit))
        connection.executemany("delete from topic where name = ?", ((name,) for name in commit.forgotten))
        for name, offset in commit.consumers.items():
            if offset is None:
                connection.execute("delete from consumer where name = ?", (name,))
            else:
                connection.execute("insert or replace into consumer values(?, ?)", (name, offset))
        meta = (("offset", commit.offset), ("epoch", commit.epoch), ("clean", 0))
        connection.executemany("insert or replace into meta values(?, ?)", meta)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def retain(connection: sqlite3.Connection, *, before: int, size: int, needed: int) -> int:
    """Delete blocks whose newest message is older than `before` (ns), and the oldest beyond `size` bytes.

    Age spares what a durable subscription at offset `needed` has not read; size does not. Age takes a twentieth of
    the journal at most at a time: a clock that is a year ahead for an hour must not cost the whole past.
    Returns how many blocks were deleted.
    """
    (blocks,) = connection.execute("select count(*) from block").fetchone()
    removed = connection.execute(
        "delete from block where last in (select last from block where newest < ? and last <= ? order by last limit ?)",
        (before, needed, blocks // 20 + 1),
    ).rowcount
    (total,) = connection.execute("select coalesce(sum(size), 0) from block").fetchone()
    cut = 0
    for last, part in connection.execute("select last, size from block order by last"):
        if total <= size:
            break
        cut, total = last, total - part
    if cut:
        removed += connection.execute("delete from block where last <= ?", (cut,)).rowcount
    return removed


class Reader:
    """Pages from disk; keeps the block it read last, because the next page mostly goes on in it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._last = -1
        self._frames: list[bytes] = []

    def read(self, query: Query, recent: list[bytes]) -> tuple[Reading, int]:
        """Fill a page from disk, then from `recent`; return it and the oldest offset the journal has."""
        reading = Reading(query)
        (oldest,) = self.connection.execute("select coalesce(min(first) + 0, 0) from block").fetchone()
        # one flipped bit can make a number a text or nothing, and a text a blob
        rows = self.connection.execute(
            "select last, ifnull(topics, '') || '', crc, ifnull(size, 0) + 0 from block "
            "where last > ? and newest >= ? and oldest < ? order by last",
            (query.after, query.since, query.until),
        )
        scanned = 0
        for last, topics, crc, size in rows:
            if any(reading.wants(topic) for topic in topics.encode().split(b"\n")):
                if not reading.feed(self._block(last, crc)):
                    return reading, oldest
                scanned += size
            reading.after = max(reading.after, last)
            if scanned > _SCAN_BYTES:
                reading.full = True
                return reading, oldest
        reading.feed(recent)
        return reading, oldest

    def _block(self, last: int, crc: int) -> list[bytes]:
        """The messages of one block; none where its checksum is wrong."""
        if last != self._last:
            (blob,) = self.connection.execute("select frames from block where last = ?", (last,)).fetchone()
            sound = type(blob) is bytes and zlib.crc32(blob) == crc
            self._frames = msgpack.unpackb(blob) if sound else []
            self._last = last
        return self._frames


def text(raw: bytes) -> str:
    """A text that is not UTF-8 any more must not keep the rows beside it from being read; its checksum tells."""
    return raw.decode(errors="replace")


def sound_topic(row: tuple[object, ...]) -> Iterator[TopicRow]:
    """The topic of one row, unless it is damaged."""
    match row:
        # one flipped bit can make a number a text
        case (str(name), int(seq), int(offset), bytes(retained), crc) if crc == _crc(
            name.encode(), seq, offset, retained
        ):
            yield TopicRow(name=name, seq=seq, offset=offset, retained=retained)


def _block(commit: Commit) -> tuple[int, int, int, int, int, int, str, bytes, bytes]:
    frames: bytes = msgpack.packb(commit.frames)
    numbers: bytes = msgpack.packb(commit.numbers)
    numbers = zlib.crc32(numbers).to_bytes(4, "big") + numbers
    ends = (commit.frames[0], commit.frames[-1]) if commit.frames else ()
    first, last = (order_of(frame, frame.find(b"\0"))[1] for frame in ends) if ends else (commit.offset, commit.offset)
    topics = "\n".join(row.name for row in commit.topics)  # every topic of its messages changed since the last commit
    return last, first, commit.oldest, commit.newest, len(frames), zlib.crc32(frames), topics, numbers, frames


def _crc(name: bytes, seq: int, offset: int, retained: bytes) -> int:
    return zlib.crc32(b"%b %d %d %b" % (name, seq, offset, retained))
