"""Figures that the processes of one run share: a small memory-mapped file for each sender and each receiver.

The owner writes, the measurement reads while it goes on, so no run needs a closing conversation and a killed
process leaves its figures behind. Knows nothing of messages or clocks.
"""

from __future__ import annotations

import mmap
from enum import IntEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_WORD = 8


class Slot(IntEnum):
    """What stands where; every value is one unsigned 64-bit number."""

    READY = 0
    """1 when connected and, for a receiver, subscribed."""
    GO = 1
    """Set to 1 by the measurement: a sender begins."""
    COUNT = 2
    """Messages sent; or received complete."""
    SUM = 3
    """Sum of the numbers of the messages received complete: with COUNT it shows doubles."""
    BROKEN = 4
    """Messages received that were not complete."""
    FIRST = 5
    """Monotonic nanoseconds when the first message was sent, or received."""
    LAST = 6
    """The same of the last one."""
    DONE = 7
    """1 when a sender has handed over and flushed everything."""
    SAMPLES = 8
    """Number of delays stored behind the header."""


_HEADER = 16


class Board:
    """One such file, made with room for `samples` delays or opened as it is.

    Raises:
        OSError: the file cannot be made or opened.
    """

    def __init__(self, path: Path, *, samples: int | None = None) -> None:
        if samples is not None:
            path.write_bytes(bytes(_WORD * (_HEADER + samples)))
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.words = memoryview(self._map).cast("Q")
        """The numbers themselves, for loops that cannot afford a call."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.words.release()
        self._map.close()

    def __getitem__(self, slot: Slot) -> int:
        return self.words[slot]

    def __setitem__(self, slot: Slot, value: int) -> None:
        self.words[slot] = value

    @property
    def room(self) -> int:
        """How many delays fit."""
        return len(self.words) - _HEADER

    def add_sample(self, delay_ns: int) -> None:
        """Store one delay; what does not fit any more is left out."""
        at = self.words[Slot.SAMPLES]
        if at < self.room:
            self.words[_HEADER + at] = delay_ns
            self.words[Slot.SAMPLES] = at + 1

    def samples(self) -> list[int]:
        """Return the delays stored so far, nanoseconds."""
        return self.words[_HEADER : _HEADER + self.words[Slot.SAMPLES]].tolist()
