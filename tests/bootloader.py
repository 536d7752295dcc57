"""A board behind a pty: its STK500v1 boot loader, and after it what the sketch would say. The other end of the wire.

Commands as in Atmel's application note AVR061; the answers are those of an ATmega328P unless told otherwise. It runs in
a thread, because the program that talks to it is a real avrdude, or a test's own event loop.
"""

from __future__ import annotations

import os
import pty
import re
import select
import threading
import tty
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

IN_SYNC, OK = b"\x14", b"\x10"
END: Final = 0x20
SIGNATURE: Final = bytes.fromhex("1e950f")
_ARGUMENTS: Final = {
    0x30: 0, 0x31: 0, 0x41: 1, 0x42: 20, 0x50: 0, 0x51: 0, 0x55: 2, 0x56: 4, 0x74: 3, 0x75: 0,
}  # fmt: skip
"""Commands and their fixed argument bytes."""
_EXTENDED, _PROGRAM_PAGE, _READ_PAGE, _LEAVE, _SIGNATURE, _ADDRESS, _UNIVERSAL, _PARAMETER = (
    0x45, 0x64, 0x74, 0x51, 0x75, 0x55, 0x56, 0x41,
)  # fmt: skip


class Board:
    """A board on a pty; `path` is its port. Use it in a `with` block."""

    def __init__(
        self,
        *,
        signature: bytes = SIGNATURE,
        silent: bool = False,
        worn_at: int | None = None,
        dies_at: int | None = None,
    ) -> None:
        self.flash = bytearray(b"\xff" * 32_768)
        self.heard = b""
        """What came after the boot loader ended: text for the sketch."""
        self.answer: Callable[[str], str] = lambda _: ""
        """What the sketch says to a command of RF12demo's kind, such as `5i`."""
        self._signature = signature
        self._silent = silent
        self._worn_at = worn_at
        self._dies_at = dies_at
        self._address = 0
        self._sketch = False
        self._buffer = bytearray()
        self._news = threading.Condition()
        self._stop, self._wake = os.pipe()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, name="board")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake, b".")
        self._thread.join(10)
        for descriptor in (self._stop, self._wake, self._master, self._slave):
            os.close(descriptor)

    def hears(self, text: bytes, *, after: int) -> None:
        """Wait until the sketch has been told `text`, after so many bytes."""
        with self._news:
            assert self._news.wait_for(lambda: text in self.heard[after:], timeout=20), f"{text!r} did not come"

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._stop, self._master], [], [])
            if self._stop in ready:
                return
            data = os.read(self._master, 4096)
            if self._silent:
                continue
            self._buffer += data
            reply = b"".join(self._commands())
            if reply:
                os.write(self._master, reply)

    def _commands(self) -> list[bytes]:
        """Answer every whole command of the buffer."""
        replies = []
        while self._buffer:
            if self._sketch:
                replies.append(self._text())
                break
            if self._buffer[0] not in {*_ARGUMENTS, _EXTENDED, _PROGRAM_PAGE}:
                del self._buffer[0]  # noise, or what was meant for the sketch
                continue
            length = self._length()
            if length is None or len(self._buffer) < length:
                break
            words, self._buffer = bytes(self._buffer[:length]), self._buffer[length:]
            if words[-1] == END:
                replies.append(self._boot(words))
        return replies

    def _length(self) -> int | None:
        kind, size = self._buffer[0], self._buffer[1:3]
        if kind == _PROGRAM_PAGE:
            return 5 + int.from_bytes(size, "big") if len(size) == 2 else None
        if kind == _EXTENDED:
            return 2 + size[0] if size else None
        return 2 + _ARGUMENTS.get(kind, 0)

    def _boot(self, words: bytes) -> bytes:
        kind, arguments = words[0], words[1:-1]
        if self._dies_at is not None and self._address >= self._dies_at:
            self._silent = True
            return b""
        answer = b""
        if kind == _SIGNATURE:
            answer = self._signature
        elif kind == _ADDRESS:
            self._address = int.from_bytes(arguments, "little") * 2
        elif kind == _PROGRAM_PAGE:
            page = arguments[3:]
            self.flash[self._address : self._address + len(page)] = page
            if self._worn_at is not None and self._address <= self._worn_at < self._address + len(page):
                self.flash[self._worn_at] ^= 1
        elif kind == _READ_PAGE:
            answer = bytes(self.flash[self._address : self._address + int.from_bytes(arguments[:2], "big")])
        elif kind in {_UNIVERSAL, _PARAMETER}:
            answer = b"\x01"
        elif kind == _LEAVE:
            self._sketch = True
        return IN_SYNC + answer + OK

    def _text(self) -> bytes:
        with self._news:
            self.heard += bytes(self._buffer)
            self._news.notify_all()
        text, self._buffer = self._buffer.decode("latin-1"), bytearray()
        return "".join(self.answer(command) for command in re.findall(r"[\d,]*[a-z]", text)).encode()
