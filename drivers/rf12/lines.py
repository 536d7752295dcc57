"""A gateway's output: bytes in, values out, however the bytes are cut.

In hearth mode every line ends in ` #NN*CC`, its number and its CRC-8 over all before the `*`. The reader sees by the
lines themselves that the mode is on; a banner, or three lines without a check in a row, say that it is over.

Survives anything: what is no line of a gateway becomes `Broken` or `Text`, and never more than one line is kept.
"""

from __future__ import annotations

import re
from typing import Final

from drivers.rf12.air import crc8
from drivers.rf12.grammar import parse
from drivers.rf12.values import Banner, Broken, Fault, Line, Missing, Ready

LONGEST: Final = 400
"""Bytes of a line; the longest a gateway says, an echo of 66 bytes of data, has about 280."""
GIVE_UP: Final = 3
"""Lines without a check after which the gateway is no longer in hearth mode."""
_CHECKED: Final = re.compile(r"(?P<text>.*) #(?P<number>[0-9A-F]{2})\*(?P<check>[0-9A-F]{2})", re.ASCII)


class Lines:
    """The reader of one connection; a new connection gets a new one."""

    def __init__(self) -> None:
        self.hearth = False
        """Whether lines carry numbers and checks."""
        self.missing = 0
        """Lines lost, by their numbers."""
        self.broken = 0
        """Lines dropped."""
        self._line = bytearray()
        self._skipping = False
        self._next: int | None = None
        self._dropped = 0
        self._unchecked = 0

    def feed(self, chunk: bytes) -> list[Line]:
        """Take the next bytes; return the values of the lines they complete."""
        values: list[Line] = []
        first, *others = chunk.split(b"\n")
        self._gather(first, values)
        for part in others:
            self._end(values)
            self._gather(part, values)
        return values

    def _gather(self, part: bytes, values: list[Line]) -> None:
        if self._skipping:
            return
        self._line += part[: LONGEST + 1 - len(self._line)]
        if len(self._line) > LONGEST:
            self._drop(Fault.OVERLONG, bytes(self._line), values)
            self._skipping = True

    def _end(self, values: list[Line]) -> None:
        line, skipped = bytes(self._line).strip(b"\r"), self._skipping
        self._line.clear()
        self._skipping = False
        if skipped or not line.strip():
            return
        if not all(32 <= byte < 127 for byte in line):
            self._drop(Fault.GARBAGE, line, values)
        elif checked := _CHECKED.fullmatch(line.decode("ascii")):
            self._take_checked(checked, values)
        else:
            self._take_plain(line.decode("ascii"), values)

    def _take_checked(self, line: re.Match[str], values: list[Line]) -> None:
        if crc8(line[0].rpartition("*")[0].encode()) != int(line["check"], 16):
            self._drop(Fault.CHECK, line[0].encode(), values)
            return
        value, number = parse(line["text"]), int(line["number"], 16)
        if self._next is not None and not isinstance(value, Ready):
            lost = max(0, (number - self._next) % 256 - self._dropped)
            if lost:
                self.missing += lost
                values.append(Missing(count=lost))
        self.hearth, self._next = not _ends(value), (number + 1) % 256
        self._dropped = self._unchecked = 0
        values.append(value)

    def _take_plain(self, text: str, values: list[Line]) -> None:
        value = parse(text)
        if self.hearth:
            self._unchecked += 1
            if _ends(value) or self._unchecked == GIVE_UP:
                self.hearth, self._next, self._unchecked = False, None, 0
            else:
                self._drop(Fault.UNCHECKED, text.encode(), values)
                return
        if isinstance(value, Broken):
            self.broken += 1
        values.append(value)

    def _drop(self, fault: Fault, line: bytes, values: list[Line]) -> None:
        self.broken += 1
        self._dropped += 1
        values.append(Broken(fault=fault, text=line[:40].decode("ascii", "backslashreplace")))


def _ends(value: Line) -> bool:
    """Whether a line says that hearth mode is over: a start, or the answer to `0h`."""
    return isinstance(value, Banner) or (isinstance(value, Ready) and not value.protocol)
