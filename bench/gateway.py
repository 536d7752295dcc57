"""The gateway's end of a pseudo terminal, for measurements: our line protocol at a radio of no air time at all.

Every packet it is given to send is acked at once, so what is measured is the host's part alone.
"""

from __future__ import annotations

import os
import pty
import re
import select
import tty
from time import perf_counter
from typing import TYPE_CHECKING, Final

from drivers.rf12.air import crc8

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_BANNER: Final = "\r\n[RF12demo.12+hearth.1] A i30 g212 @ 868 MHz\r\n"
_HELLO: Final = "# hearth 1 fw=1.0 radio=rfm12b reset=2 queue=4"
_COMMAND: Final = re.compile(rb"([\d,]*)([a-z])")
_SEND: Final = b"u"


class Gateway:
    """One; use it in a `with` block. `path` is its port."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._number = 0
        self._text = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._master)
        os.close(self._slave)

    def hear(self, *packets: bytes) -> None:
        """Say packets that came off the air: header byte and payload each; blocks while the host is behind."""
        data = b"".join(self._line(f"OK {' '.join(map(str, packet))}") for packet in packets)
        while data:
            data = data[os.write(self._master, data[:1024]) :]

    def sent(self, *, within_s: float) -> float | None:
        """Return when (perf_counter) the host gave a packet to send, having acked it; None where it does not."""
        deadline = perf_counter() + within_s
        found = None
        while found is None:
            left = deadline - perf_counter()
            if left <= 0 or not select.select([self._master], [], [], left)[0]:
                return None
            at = perf_counter()
            self._text += os.read(self._master, 4096)
            *whole, self._text = self._text.split(b"\n")
            for line in whole:
                if self._answer(line):
                    found = at
        return found

    def _answer(self, line: bytes) -> bool:
        found = _COMMAND.fullmatch(line)
        if found is None:
            return False
        if found[2] == _SEND:
            *data, node, tag, _check = map(int, found[1].split(b","))
            ack = f"241 {node} {data[2]} 0"
            os.write(self._master, self._line(f"Q {tag}") + self._line(f"ACK {tag} {node} 1 {ack}"))
            return True
        if found[2] == b"v":
            os.write(self._master, _BANNER.encode())
        elif found[0] == b"1h":
            os.write(self._master, self._line(_HELLO))
        return False

    def _line(self, text: str) -> bytes:
        body = f"{text} #{self._number:02X}"
        self._number = (self._number + 1) & 0xFF
        return f"{body}*{crc8(body.encode()):02X}\r\n".encode()
