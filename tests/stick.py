"""A serial stick for tests: a pty that is plugged in and pulled out, and what a port says of it."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from typing import TYPE_CHECKING

from drivers.port import Port, Received

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.port import Event

SOON_S = 20.0
FAST = (0.001,)


class Stick:
    """A serial stick on a pty: a path that stays while the device behind it is plugged in and pulled out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyUSB0"
        self.master = -1

    def plug(self) -> None:
        """Make the device appear."""
        self.master, slave = pty.openpty()
        tty.setraw(self.master)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)

    def pull(self) -> None:
        """Make it vanish."""
        if self.master >= 0:
            self.path.unlink()
            os.close(self.master)
            self.master = -1

    def say(self, data: bytes) -> None:
        """Let the device say something."""
        os.write(self.master, data)


async def until(port: Port, *kinds: type[Event]) -> Event:
    """Return the next event of a kind, passing over others."""
    async with asyncio.timeout(SOON_S):
        async for event in port:
            if isinstance(event, kinds):
                return event
    raise AssertionError("the port ended")


async def gather(port: Port, count: int) -> bytes:
    """Return the next `count` bytes."""
    data = b""
    while len(data) < count:
        event = await until(port, Received)
        assert isinstance(event, Received)
        data += event.data
    return data
