"""The files of one sink's dead letters: those set aside, and those that are being sent again.

    <sink>.dead.jsonl     set aside; at most 10 MB, then the oldest go
    <sink>.again.jsonl    asked to be sent again; gone when that is done
    <sink>.again          how far that has come, in bytes: a crash does not begin it anew

A process that dies after a letter was written and before it is acknowledged is given the same record again: its letter
is there already, and not written twice. Blocking, and one call at a time. Knows no sink.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid, Unavailable
from services.folder import write_whole
from services.telemetry.letters import read_letter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LIMIT: Final = 10_000_000
"""Bytes of dead letters kept for one sink."""
_KEPT: Final = 0.75
"""Part of the limit that is left when the oldest go, so that they do not go one by one."""
_PRIVATE: Final = 0o600
_CHUNK: Final = 1 << 20
_TAIL: Final = 1 << 20
"""Bytes at the end of the file in which a letter may be that a crash left unacknowledged."""


class Shelf:
    """Dead letters of one sink.

    Args:
        folder: where the files are.
        sink: its name.
        limit: bytes kept.
    """

    def __init__(self, folder: Path, sink: str, *, limit: int = LIMIT) -> None:
        self.dead = folder / f"{sink}.dead.jsonl"
        self.again = folder / f"{sink}.again.jsonl"
        self._place = folder / f"{sink}.again"
        self._limit = limit
        self._at = 0
        self._known: frozenset[str] = frozenset()
        """Ids of the letters a process before this one wrote last."""
        self.letters = 0
        """How many there are, set aside or being sent again."""
        self.gone = 0
        """How many went because there were too many."""

    def open(self) -> None:
        """Look what is there.

        Raises:
            Unavailable: it cannot be read.
        """
        with suppress(OSError, ValueError):
            self._at = int(self._place.read_bytes())
        self.letters = _lines(self.dead) + _lines(self.again, start=self._at)
        self._known = _ids_at_the_end(self.dead)

    def add(self, lines: Sequence[bytes]) -> None:
        """Set letters aside, but for those that are already; when this returns they are on the disk.

        Raises:
            Unavailable: not one of them is; the text says why.
        """
        if self._known:
            lines = [line for line in lines if _id(line) not in self._known]
        if not lines:
            return
        data = b"".join(lines)
        try:
            self._make_room(len(data))
            descriptor = os.open(self.dead, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _PRIVATE)
            try:
                size = os.fstat(descriptor).st_size
                try:
                    _write(descriptor, _after_torn(self.dead, size) + data)
                    os.fsync(descriptor)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Unavailable(f"{self.dead} cannot be written: {error.strerror}") from None
        self.letters += len(lines)

    def take(self) -> bool:
        """Let the letters set aside be the ones to be sent again; return whether there are any.

        Those a crash or a stop left half-way come first, and the others when they are through.

        Raises:
            Unavailable: the file cannot be moved.
        """
        if not self.again.exists():
            if not self.dead.exists():
                return False
            try:
                self._place.unlink(missing_ok=True)
                self._at = 0
                self.dead.rename(self.again)
                self._known = frozenset()
            except OSError as error:
                raise Unavailable(f"{self.dead} cannot be moved: {error.strerror}") from None
        return True

    def read(self, most: int) -> tuple[list[bytes], int]:
        """Return the next lines to be sent again, at most `most`, and the place behind them; none: they are through.

        Raises:
            Unavailable: the file cannot be read.
        """
        try:
            with self.again.open("rb") as file:
                file.seek(self._at)
                lines = [line for _, line in zip(range(most), file, strict=False)]
                return lines, file.tell() if not lines else self._at + sum(map(len, lines))
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise Unavailable(f"{self.again} cannot be read: {error.strerror}") from None

    def passed(self, place: int) -> None:
        """Go on behind `place`, after the next start too: what is before it is dealt with.

        Raises:
            Unavailable: it cannot be written.
        """
        self.letters -= _lines(self.again, start=self._at, end=place)
        self._at = place
        write_whole(self._place, str(place).encode())

    def through(self) -> None:
        """Nothing is left to be sent again."""
        with suppress(OSError):
            self.again.unlink(missing_ok=True)
            self._place.unlink(missing_ok=True)
        self._at = 0

    def _make_room(self, more: int) -> None:
        try:
            size = self.dead.stat().st_size
        except FileNotFoundError:
            return
        if size + more <= self._limit:
            return
        with self.dead.open("rb") as file:
            file.seek(max(0, size + more - int(self._limit * _KEPT)) - 1 if size else 0)
            file.readline()  # the rest of a letter that goes
            rest = file.read()
        gone = _lines(self.dead) - rest.count(b"\n")
        write_whole(self.dead, rest)
        self.gone += gone
        self.letters -= gone


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _after_torn(path: Path, size: int) -> bytes:
    """Return what has to stand between a line that a power cut tore and the next one."""
    if not size:
        return b""
    with path.open("rb") as file:
        file.seek(size - 1)
        return b"" if file.read(1) == b"\n" else b"\n"


def _lines(path: Path, *, start: int = 0, end: int | None = None) -> int:
    """Count the lines between two places, one that has no end too."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            left = os.fstat(file.fileno()).st_size - start if end is None else end - start
            count, last = 0, b"\n"
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                count += chunk.count(b"\n")
                left -= len(chunk)
                last = chunk[-1:]
            return count + (last != b"\n")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None


def _ids_at_the_end(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return frozenset(map(_id, file)) - {""}
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None


def _id(line: bytes) -> str:
    """Return the id of a letter's record; "" where it is no letter."""
    try:
        return read_letter(line).id
    except Invalid:
        return ""
