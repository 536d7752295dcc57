"""Lines that somebody says, and waiting for one: for tests of processes that log."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Told:
    """Lines that were said, and a way to wait for one."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @property
    def lines(self) -> list[str]:
        """What has been said so far."""
        return self._lines

    def say(self, line: str) -> None:
        """Take a line."""
        self._lines.append(line)

    async def until(self, pattern: str, *, times: int = 1) -> None:
        """Wait until something has been said that many times, half a minute at most."""
        deadline = time.monotonic() + 30
        while len(re.findall(pattern, "\n".join(self.lines))) < times:
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.lines}"
            await asyncio.sleep(0.005)


class Tail(Told):
    """The lines of a file that grows."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def lines(self) -> list[str]:
        """What it holds now."""
        return self._file.read_text().splitlines()
