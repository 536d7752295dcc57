"""The tail: what was delivered but is not committed yet, in a plain file: a crash of the broker loses nothing.

Each turn of the loop appends one record with `write`, without waiting for the disk: the kernel keeps it when the
process is killed, and mostly drops it again before it ever reaches the SD card, because two files take turns and the
older is emptied as soon as the store has committed what is in it. After a power cut the tail is what the kernel saved.

    file    = "hearthtail1" epoch(u64) turn(u64) boot id(36 bytes) *record
    record  = length(u32) crc32(u32) msgpack [frames, {session: number}, {consumer: offset or nil}]

Knows files; decides nothing.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgpack

_MAGIC: Final = b"hearthtail1"
_HEADER: Final = struct.Struct("!11sQQ36s")
_RECORD: Final = struct.Struct("!II")
_Record = tuple[list[bytes], dict[bytes, int], dict[str, int | None]]
NAMES: Final = ("tail.0", "tail.1")


@dataclass(kw_only=True)
class Recovered:
    """What a tail left behind gives back, oldest first."""

    frames: list[bytes] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)
    consumers: dict[str, int | None] = field(default_factory=dict)
    whole: bool = False
    """Nothing that was delivered can be missing: written in this run of the machine, for this store."""


def boot_id() -> bytes:
    """The kernel's name for this run of the machine; 36 bytes."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36)[:36]
    except OSError:
        return b"?" * 36


class Tail:
    """The two files, of which one is written."""

    def __init__(self, folder: Path, *, epoch: int, limit: int) -> None:
        self._paths = [folder / name for name in NAMES]
        self._epoch = epoch
        self._boot = boot_id()
        self._turn = 0
        self._fd = -1
        self._limit = limit
        self._size = 0
        """Bytes since the store last took a commit; beyond `limit` the tail is given up: it must not fill the disk."""
        self._needed = False
        """The file before this one holds what is not committed."""
        self.error = ""
        """Why it is not written; empty while it is."""

    def open(self) -> None:
        """Begin with two empty files: what they held has been recovered and committed."""
        try:
            self._begin()
            self._begin()
        except OSError as error:
            self._fail(error)

    def write(self, frames: list[bytes], numbers: dict[bytes, int], consumers: dict[str, int | None]) -> None:
        """Append one record."""
        if self._fd < 0:
            return
        payload: bytes = msgpack.packb((frames, numbers, consumers))
        self._size += len(payload)
        if self._size > self._limit:
            self._fail(OSError(28, "the store takes nothing"))
            return
        try:
            self._append(_RECORD.pack(len(payload), zlib.crc32(payload)) + payload)
        except OSError as error:
            self._fail(error)

    def turn(self) -> None:
        """What comes from now on is not part of the commit that is handed over: use the other file.

        While the one before has not been committed (a full disk), the other file is still needed: stay with this one.
        """
        if self._needed:
            return
        self._needed = True
        try:
            self._begin()
            self.error = ""
        except OSError as error:
            self._fail(error)

    def committed(self) -> None:
        """The commit handed over last is on disk: the file before this one is not needed any more."""
        self._needed = False
        self._size = 0
        try:
            os.truncate(self._paths[(self._turn + 1) % 2], 0)
        except OSError as error:
            self._fail(error)

    def close(self, *, clean: bool) -> None:
        """Stop writing; after a clean end nothing is left to recover."""
        self._let_go()
        if clean:
            for path in self._paths:
                path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._let_go()
        self._turn += 1
        self._fd = os.open(self._paths[self._turn % 2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._append(_HEADER.pack(_MAGIC, self._epoch, self._turn, self._boot))

    def _append(self, data: bytes) -> None:
        if os.write(self._fd, data) != len(data):
            raise OSError(28, "no space left on the disk")

    def _let_go(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _fail(self, error: OSError) -> None:
        """A tail with a hole in it is worse than none: empty both files, so that nothing is believed to be whole."""
        self._let_go()
        self.error = error.strerror or str(error)
        for path in self._paths:
            try:
                os.truncate(path, 0)
            except OSError:
                continue


def recover(folder: Path, *, epoch: int | None) -> Recovered:
    """Read what an earlier broker left for the store of `epoch`; with None for any: the store was damaged."""
    found = Recovered()
    boot = boot_id()
    parts = [part for name in NAMES if (part := _read(folder / name, epoch)) is not None]
    parts.sort(key=lambda part: part[0])
    found.whole = bool(parts) and all(part[1] == boot for part in parts)
    for _, _, records in parts:
        for frames, numbers, consumers in records:
            found.frames += frames
            found.numbers.update(numbers)
            found.consumers.update(consumers)
    return found


def _read(path: Path, epoch: int | None) -> tuple[int, bytes, list[_Record]] | None:
    """Return (turn, boot id, records) of one file, up to its first unsound byte; None where it is not ours."""
    try:
        data = path.read_bytes()
        magic, of_epoch, turn, boot = _HEADER.unpack_from(data)
    except (OSError, struct.error):
        return None
    if magic != _MAGIC or epoch not in (None, of_epoch):
        return None
    records = []
    at = _HEADER.size
    while at + _RECORD.size <= len(data):
        length, crc = _RECORD.unpack_from(data, at)
        payload = data[at + _RECORD.size : at + _RECORD.size + length]
        if len(payload) != length or zlib.crc32(payload) != crc:
            break
        frames, numbers, consumers = msgpack.unpackb(payload, strict_map_key=False)
        records.append((frames, numbers, consumers))
        at += _RECORD.size + length
    return turn, boot, records
