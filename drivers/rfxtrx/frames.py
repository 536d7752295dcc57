"""Frames in a stream of bytes that marks neither their beginning nor checks their content. Knows lengths, no meanings.

    boot loader's zeros, skipped │ length, type, subtype, number, ... │ length, type, ... silence: a half is dropped

A frame begins where the last one ended, or after a silence: there any length the type could have is taken, since new
firmware adds bytes. Once a byte fits nowhere the place is lost; from there on only what is declared to the byte is
taken, until the next silence. Pure: bytes and time come in, seconds on a clock that never jumps.

Source: the interface's rules, as node-rfxcom and Domoticz show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from drivers.rfxtrx.codec import PACKETS

SILENCE_S: Final = 0.15
"""A frame of 37 bytes takes 10 ms at 38400 baud, and a USB adapter holds bytes back for 16 ms."""
NETWORK_SILENCE_S: Final = 1.0
"""Over a network a lost segment is sent again after a fifth of a second, and later still."""
_LEAST: Final = 4
_MOST: Final = 0x2A
"""Lengths of a type that is not known, or whose end is not."""
_LONG: Final = frozenset({0x62, 0x7F})
"""Types that may be as long as their first byte can say: what a serial port gave, and raw pulses."""
_NEWER: Final = 4
"""Bytes that a newer firmware may have added to a type that is known."""
_SHOWN: Final = 48


class Why(Enum):
    """Why bytes were skipped."""

    ZEROS = "zeros of a boot loader"
    GARBAGE = "no frame begins like this"
    HALF = "a frame that was never finished"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Bytes that are no frame."""

    why: Why
    count: int
    data: bytes
    """The first of them."""


def _declared() -> dict[tuple[int, int], tuple[tuple[int, int], ...]]:
    """Return the lengths each type and subtype can have, from its declarations: from, to."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for packet in PACKETS:
        for subtype, shape in packet.shapes.items():
            least = shape.size - 1 + (shape.tail[1].least if shape.tail else 0)
            longest = 255 if packet.kind in _LONG else _MOST
            most = min(shape.size - 1 + shape.tail[1].most, longest) if shape.tail else least
            found.setdefault((packet.kind, subtype), []).append((least, most))
    return {key: tuple(lengths) for key, lengths in found.items()}


_DECLARED: Final = _declared()


def _ranges() -> dict[int, tuple[int, int]]:
    """Return by type the least and the greatest length that any of its subtypes has."""
    found: dict[int, tuple[int, int]] = {}
    for (kind, _), lengths in _DECLARED.items():
        low, high = found.get(kind, (255, 0))
        found[kind] = (
            max(_LEAST, min(low, *(least for least, _ in lengths))),
            max(high, *(most for _, most in lengths)),
        )
    return {kind: (low, min(high + _NEWER, 255)) for kind, (low, high) in found.items()}


_RANGES: Final = _ranges()


class Frames:
    """One stream.

    Args:
        silence_s: how long a pause within a frame can be at most.
    """

    def __init__(self, *, silence_s: float = SILENCE_S) -> None:
        self.zeros = 0
        self.garbage = 0
        """Bytes that were skipped, but for a boot loader's zeros."""
        self._silence_s = silence_s
        self._data = bytearray()
        self._at = 0.0
        self._sure = True
        """Whether a frame must begin with the next byte."""

    def feed(self, data: bytes, *, at: float) -> list[bytes | Skipped]:
        """Take bytes; return the frames that are whole now, and what was skipped, in their order."""
        found = self.tick(at=at)
        if data:
            self._at = at
            self._data += data
            self._scan(found)
        return found

    def tick(self, *, at: float) -> list[bytes | Skipped]:
        """Let time pass: after a silence what is half is dropped, and the frames it had swallowed come out."""
        found: list[bytes | Skipped] = []
        if (due := self.due()) is None or at < due:
            return found
        while self._data:
            self._sure = False
            self._skip(1, Why.HALF, found)
            self._scan(found, why=Why.HALF)
        self._sure = True
        return found

    def clear(self) -> None:
        """Begin afresh, with the counts as they are: what comes next is another stream."""
        self._data.clear()
        self._sure = True

    def due(self) -> float | None:
        """Return when `tick` has something to do."""
        return self._at + self._silence_s if self._data or not self._sure else None

    def _scan(self, found: list[bytes | Skipped], *, why: Why = Why.GARBAGE) -> None:
        data = self._data
        while data:
            if data[0] == 0 and self._sure:
                self._skip(len(data) - len(data.lstrip(b"\0")), Why.ZEROS, found)
                continue
            fits = self._fits()
            if fits is None:
                return
            if not fits:
                self._sure = False
                self._skip(1, why, found)
                continue
            size = data[0] + 1
            if len(data) < size:
                return
            found.append(bytes(data[:size]))
            del data[:size]
            self._sure = True

    def _fits(self) -> bool | None:
        """Return whether a frame can begin here; None while too little has come to say."""
        data = self._data
        length = data[0]
        if length < _LEAST:
            return False
        if len(data) < 2:
            return None
        if self._sure:
            low, high = _RANGES.get(data[1], (_LEAST, _MOST))
            return low <= length <= high
        if len(data) < 3:
            return None
        return any(low <= length <= high for low, high in _DECLARED.get((data[1], data[2]), ()))

    def _skip(self, count: int, why: Why, found: list[bytes | Skipped]) -> None:
        """Drop bytes, and say so together with those just before."""
        data = bytes(self._data[: min(count, _SHOWN)])
        del self._data[:count]
        if why is Why.ZEROS:
            self.zeros += count
        else:
            self.garbage += count
        last = found[-1] if found else None
        if isinstance(last, Skipped) and last.why is why:
            found[-1] = Skipped(why=why, count=last.count + count, data=(last.data + data)[:_SHOWN])
        else:
            found.append(Skipped(why=why, count=count, data=data))
