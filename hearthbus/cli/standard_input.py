"""Lines of standard input inside an event loop, from a pipe, a file or a keyboard. Knows no messages."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK: Final = 65536
AHEAD: Final = 4
"""Chunks read before they are wanted: enough to keep busy, and a huge file stays on disk."""


async def lines(file: int = 0) -> AsyncIterator[str]:
    """Yield the lines of `file`, without their ends.

    A thread reads, because a plain file cannot be waited for; it uses the file descriptor itself, because a thread
    that waits inside `sys.stdin` holds a lock the interpreter wants when Ctrl-C ends it.

    Raises:
        Invalid: a line is not UTF-8; it is named by its number.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def read() -> None:
        data = b"."
        while data:
            room.acquire()
            try:
                data = os.read(file, CHUNK)
            except OSError:
                data = b""  # closed from the start: no lines
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, data)
            except RuntimeError:
                return  # the loop is gone, and with it who wanted lines

    threading.Thread(target=read, name="standard input", daemon=True).start()
    rest, number = b"", 0
    while chunk := await chunks.get():
        room.release()
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield _text(line, number).rstrip("\r")
    if rest:
        yield _text(rest, number + 1)


def _text(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Invalid(f"line {number} of standard input is not UTF-8") from None
