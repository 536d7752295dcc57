"""Standard output inside an event loop: lines are out by the end of the loop's turn, and a reader who left is noticed.

Flushing once a turn, not once a line, keeps up with a fast bus and still shows a lone message at once. Knows no
messages.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable


class StandardOutput:
    """Lines to a stream; `failed` is told once when nobody can read them any more."""

    def __init__(
        self, loop: AbstractEventLoop, failed: Callable[[OSError], None], stream: TextIO | None = None
    ) -> None:
        self._loop = loop
        self._failed = failed
        self._stream = stream if stream is not None else sys.stdout
        self._pending = False
        self._watched = self._watch()

    def line(self, text: str) -> None:
        """Print one line."""
        if self._stream is None:
            return
        self._stream.write(text + "\n")
        if not self._pending:
            self._pending = True
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Stop watching; what was printed goes out with the command's last flush."""
        if self._watched >= 0:
            self._loop.remove_reader(self._watched)
            self._watched = -1

    def _flush(self) -> None:
        self._pending = False
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(error)

    def _watch(self) -> int:
        """Wait for the other end of a pipe to close: `sub | head -1` ends at once, not with the next message."""
        try:
            file = self._stream.fileno()
            if not stat.S_ISFIFO(os.fstat(file).st_mode):
                return -1
            self._loop.add_reader(file, self._closed)
        except (OSError, ValueError, AttributeError):
            return -1  # closed from the start, or not a file
        return file

    def _closed(self) -> None:
        self.close()
        self._failed(BrokenPipeError())
