"""What the measurement asks of each bus: one small class a peer, the same few methods.

A peer starts no process and looks at no clock: it says which command serves, and how its own clients send and
receive. `send` and `receive` run in processes of their own, which are killed at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.work import Batches, Reading


class Peer(Protocol):
    """A bus under measurement."""

    name: ClassVar[str]
    """In the tables."""
    driven: ClassVar[str]
    """How its server and clients are used, for the legend under the tables."""
    window: ClassVar[int]
    """Messages on their way at most when the sender goes as fast as it can; 0: its own back-pressure is trusted."""

    def missing(self) -> str:
        """Return what is not installed and how to get it; empty when all is there."""

    def version(self) -> str:
        """Return the versions of server and client."""

    def command(self, home: Path, port: int) -> list[str]:
        """Return the command of a server on loopback at `port` with its files in `home`; may write them there."""

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        """Subscribe everything under `sensor`, call `ready` when that holds, then `take` with each body; for ever."""

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        """Connect, send what `batches` yields (its first step says that we are ready), flush, call `done`; stay."""


def find(program: str) -> str:
    """Return where a server's program is; empty when it is not here. Debian keeps some outside a user's PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin") or ""


def missing_of(*, program: str = "", package: str = "", distribution: str) -> str:
    """Say which of a Debian package's program and a Python distribution is not here, and how to get it."""
    lines = []
    if program and not find(program):
        lines.append(f"{program} is not installed: sudo apt-get install {package}")
    if not package_version(distribution):
        lines.append(f"{distribution} is not installed: pip install 'hearthbus[bench]'")
    return "; ".join(lines)


def package_version(distribution: str) -> str:
    """Return the version of an installed distribution; empty when it is not installed."""
    try:
        return installed(distribution)
    except PackageNotFoundError:
        return ""


def first_line(*command: str) -> str:
    """Return the first line a program prints about its version."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (result.stdout or result.stderr).strip().partition("\n")[0]
