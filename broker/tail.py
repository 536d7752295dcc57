"""The tail: what was delivered but is not committed yet, in a plain file: a crash of the broker loses nothing.

Each turn of the loop appends one record with `write`, without waiting for the disk: the kernel keeps it when the
process is killed, and mostly drops it again before it ever reaches the SD card, because two files take turns and the
older is emptied as soon as the store has committed what is in it. After a power cut the tail is what the kernel saved.

    file    = "hearthtail2" epoch(u64) turn(u64) after(u64) boot id(36 bytes) *record
    record  = length(u32) length(u32) crc32(u32) msgpack [frames, {session: number}, {consumer: offset or nil}]

`after` is the newest offset when the file was begun: a store that does not reach it has lost a commit. The length
stands there twice to tell a record that a kill cut short, which nobody was told of, from one that was damaged later.

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

from hearthbus.message import order_of

_MAGIC: Final = b"hearthtail2"
_HEADER: Final = struct.Struct("!11sQQQ36s")
BOOT: Final = slice(_HEADER.size - 36, _HEADER.size)
"""Where a file says in which run of the machine it was written."""
UNKNOWN: Final = b"?" * 36
"""A run of the machine that has no name: no other can be known to be the same."""
_RECORD: Final = struct.Struct("!III")
_Record = tuple[list[bytes], dict[bytes, int], dict[str, int | None]]
NAMES: Final = ("tail.0", "tail.1")


@dataclass(kw_only=True)
class Recovered:
    """What a tail left behind gives back, oldest first."""

    frames: list[bytes] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)
    consumers: dict[str, int | None] = field(default_factory=dict)
    left: bool = False
    """There was a tail: the end was not clean, whatever an older state of the store says."""
    whole: bool = False
    """Nothing that was delivered can be missing: written in this run of the machine, for this store, undamaged."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One file, as far as it can be read."""

    turn: int
    after: int
    boot: bytes
    records: list[_Record]
    sound: bool


def boot_id() -> bytes:
    """The kernel's name for this run of the machine, 36 bytes; `UNKNOWN` where /proc/sys is hidden."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36)[:36]
    except OSError:
        return UNKNOWN


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

    def open(self, after: int) -> None:
        """Begin with two empty files: what they held, up to the offset `after`, has been recovered and committed."""
        try:
            self._begin(after)
            self._begin(after)
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
            self._append(_RECORD.pack(len(payload), len(payload), zlib.crc32(payload)) + payload)
        except OSError as error:
            self._fail(error)

    def turn(self, after: int) -> None:
        """What comes from now on, after this offset, is not part of the commit that is handed over: use the other file.

        While the one before has not been committed (a full disk), the other file is still needed: stay with this one.
        """
        if self._needed:
            return
        self._needed = True
        try:
            self._begin(after)
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

    def _begin(self, after: int) -> None:
        self._let_go()
        self._turn += 1
        self._fd = os.open(self._paths[self._turn % 2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._append(_HEADER.pack(_MAGIC, self._epoch, self._turn, after, self._boot))

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


def recover(folder: Path, *, epoch: int | None, offset: int) -> Recovered:
    """Read what an earlier broker left for the store of `epoch` that reaches to `offset`.

    With None for any epoch: the store was damaged.
    """
    found = Recovered()
    parts = [part for name in NAMES if (part := _read(folder / name, epoch)) is not None]
    parts.sort(key=lambda part: part.turn)
    boot = boot_id()
    found.left = bool(parts)
    found.whole = bool(parts) and boot != UNKNOWN
    for part in parts:
        found.whole &= part.sound and part.boot == boot and part.after <= offset
        for frames, numbers, consumers in part.records:
            found.frames += frames
            found.numbers.update(numbers)
            found.consumers.update(consumers)
        if found.frames:
            offset = max(offset, order_of(found.frames[-1], found.frames[-1].find(b"\0"))[1])
    return found


def _read(path: Path, epoch: int | None) -> _Part | None:
    """Read one file, up to where it is cut short and past records that are unsound; None where it is empty."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not data:
        return None
    strange = _Part(turn=0, after=0, boot=b"", records=[], sound=False)
    try:
        magic, of_epoch, turn, after, boot = _HEADER.unpack_from(data)
    except struct.error:
        return strange
    if magic != _MAGIC or epoch not in (None, of_epoch):
        return strange
    records: list[_Record] = []
    sound = True
    at = _HEADER.size
    while at + _RECORD.size <= len(data):
        length, again, crc = _RECORD.unpack_from(data, at)
        if length != again or not length:
            sound = False
            break
        at += _RECORD.size + length
        if at > len(data):
            break
        payload = data[at - length : at]
        if zlib.crc32(payload) == crc:
            frames, numbers, consumers = msgpack.unpackb(payload, strict_map_key=False)
            records.append((frames, numbers, consumers))
        else:
            sound = False
    return _Part(turn=turn, after=after, boot=boot, records=records, sound=sound)
