"""A simulated device's serial port for whoever opens it: a pseudo terminal behind a name that stays.

Knows bytes and time; what they mean is the device's, which is pure: see `Device`.
"""

from __future__ import annotations

import asyncio
import os
import tty
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOOK_S: Final = 0.02
"""How often to look whether somebody has opened the port."""
_IDLE_S: Final = 1.0
_MOST: Final = 65536
"""Bytes kept for a host that does not read."""


class Device(Protocol):
    """What is behind the port; its time counts from 0."""

    def run(self, until: float) -> None:
        """Let time pass up to `until`, seconds."""

    def due(self) -> float | None:
        """Return when it has something to do next; None: when something is written to it."""

    def opened(self) -> None:
        """Somebody has opened the port."""

    def write(self, data: bytes) -> None:
        """Take what a program has written."""

    def read(self) -> bytes:
        """Return what it has said since the last time."""


Simulated = TypeVar("Simulated", bound=Device)


class Terminal(Generic[Simulated]):
    """Runs a device in real time behind a pseudo terminal.

    Args:
        device: what to run.
        link: the name under which programs find the port; one that is there is replaced.
        clock: seconds on a clock that never jumps.
    """

    def __init__(self, device: Simulated, link: Path, *, clock: Callable[[], float]) -> None:
        self.device = device
        self._link = link
        self._clock = clock
        self._began = clock()
        self._ours = -1
        self.there = False
        """Whether somebody has it open."""
        self._rest = b""
        self._woken = asyncio.Event()
        self.opened = 0
        """How often the port was opened."""

    @property
    def plugged(self) -> bool:
        """Whether the name is there."""
        return self._ours >= 0

    async def run(self) -> None:
        """Run until cancelled."""
        self.plug()
        try:
            while True:
                self._woken.clear()
                self.device.run(self._clock() - self._began)
                self._flush()
                due = self.device.due()
                left = _IDLE_S if due is None else max(0.0, due - (self._clock() - self._began))
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _IDLE_S if self.there else _LOOK_S)):
                        await self._woken.wait()
                if not self.there:
                    self._read()
        finally:
            self.unplug()

    def plug(self) -> None:
        """Put the adapter in: the name appears."""
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(self._ours, False)
        name = os.ttyname(theirs)
        os.close(theirs)
        new = self._link.with_name(f".{self._link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(name)
        new.replace(self._link)

    def unplug(self) -> None:
        """Pull the adapter out: who had it open reads an error, and the name is gone."""
        if self._ours < 0:
            return
        self._leave()
        self._link.unlink(missing_ok=True)  # before the number of the pty is free for another's
        os.close(self._ours)
        self._ours = -1

    def wake(self) -> None:
        """Look at the device at once: something was done to it from outside."""
        self._woken.set()

    def _read(self) -> None:
        if self._ours < 0:
            return
        try:
            data = os.read(self._ours, 4096)
        except BlockingIOError:
            self._arrive()
            return
        except OSError:  # EIO: nobody has it open
            self._leave()
            return
        self._arrive()
        self.device.run(self._clock() - self._began)
        self.device.write(data)
        self._woken.set()

    def _arrive(self) -> None:
        """Somebody has opened the port."""
        if not self.there:
            self.there = True
            self.opened += 1
            self._rest = b""
            asyncio.get_running_loop().add_reader(self._ours, self._read)
            self.device.opened()

    def _leave(self) -> None:
        if self.there:
            self.there = False
            self._woken.set()
            asyncio.get_running_loop().remove_reader(self._ours)

    def _flush(self) -> None:
        said = self.device.read()
        if not self.there:
            return
        self._rest = (self._rest + said)[-_MOST:]
        try:
            self._rest = self._rest[os.write(self._ours, self._rest) :] if self._rest else b""
        except BlockingIOError:
            pass
        except OSError:
            self._leave()
