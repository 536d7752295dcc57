"""A port that stays: opens a device and opens it again for ever, and tells what happens as a stream of events.

    async with Port("/dev/ttyUSB0", baud=57600, silence_s=600) as port:
        async for event in port:
            match event:
                case Opened(): await port.write(b"v")
                case Received(data=data): ...
                case Lost(reason=reason): ...
                case Silent(seconds=seconds): ...

An address is a serial device, a pty, or `socket://host:port` (ser2net, a gateway with a network). Logs nothing.
"""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from drivers import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

DELAYS: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each next attempt to open; the last repeats. They begin anew when the port has proved itself."""
CONNECT_S: Final = 10.0
"""How long a socket may take to open."""
RESET_S: Final = 0.1
"""How long DTR is low: the capacitor of a JeeNode's reset needs a few ms."""

_REASONS: Final = {
    errno.ENOENT: "there is no such port; `ls /dev/serial/by-id` shows what is plugged in",
    errno.EACCES: "you may not open it; type: sudo adduser $USER dialout    and log in anew",
    errno.EISDIR: "it is a folder, no port",
    errno.ECONNREFUSED: "connection refused; does ser2net run there, and at this port?",
}
"""What a person can do about the errors that are a person's."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The port is open; a gateway may just have been reset by it."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """Bytes, cut anywhere."""

    data: bytes


@dataclass(frozen=True, kw_only=True)
class Lost:
    """The port is closed, or could not be opened; the next attempt comes in `retry_s`."""

    reason: str
    retry_s: float


@dataclass(frozen=True, kw_only=True)
class Silent:
    """Nothing has come for so long; said again after each further time."""

    seconds: float


Event = Opened | Received | Lost | Silent


class Port:
    """One port; see the module."""

    def __init__(
        self,
        address: str,
        *,
        baud: int = 57600,
        delays: Sequence[float] = DELAYS,
        silence_s: float | None = None,
        write_s: float = 10.0,
        data_proves: bool = True,
    ) -> None:
        """Note what to open; entering the block does not wait for it.

        Args:
            address: a device, a pty, or `socket://host:port`.
            baud: the speed of a serial line.
            delays: seconds before each next attempt to open; the last repeats.
            silence_s: after how long without a byte to say `Silent`.
            write_s: how long a device may take nothing before it is dropped.
            data_proves: whether the first data proves the port; else `prove` does: a network bridge whose port is taken
                says so, and hangs up, each time.

        Raises:
            ValueError: the address or the speed cannot be.
        """
        wire.check(address, baud)
        self.address = address
        self._baud, self._delays, self._silence_s = baud, tuple(delays) or DELAYS, silence_s
        self._write_s, self._data_proves = write_s, data_proves
        self._wire: wire.Wire | None = None
        self._attempts = 0
        self._retry_at = 0.0
        self._quiet_since = 0.0
        self._said = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event; cancelling this loses nothing."""
        return await self._open() if self._wire is None else await self._read(self._wire)

    async def write(self, data: bytes) -> None:
        """Write `data`; return when the system has taken it. A device that takes nothing for `write_s` is dropped.

        Raises:
            ConnectionError: the port is not open, or was lost meanwhile.
        """
        if self._wire is None:
            raise ConnectionError(f"{self.address} is not open")
        link = self._wire
        try:
            async with asyncio.timeout(self._write_s):
                await link.write(data)
        except TimeoutError:
            link.shut("the device takes no data")
            raise ConnectionError(link.fault) from None

    async def reset(self) -> None:
        """Reset an AVR behind the port by its DTR line; nothing happens on a pty or a socket."""
        if self._wire is not None:
            self._wire.reset_line(on=False)
            await asyncio.sleep(RESET_S)
            self._wire.reset_line(on=True)

    def prove(self) -> None:
        """What is behind the port is what was expected: the next attempts to open it come soon again."""
        self._attempts = 0

    def drop(self, reason: str) -> None:
        """Close what is open: the next event is `Lost` with this reason, then the port opens again."""
        if self._wire is not None:
            self._wire.shut(reason)

    def close(self) -> None:
        """Close it for another program."""
        self.drop("closed by us")
        self._wire = None

    async def _open(self) -> Event:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._retry_at - loop.time())
        try:
            async with asyncio.timeout(CONNECT_S):
                self._wire = await wire.connect(self.address, baud=self._baud)
        except OSError as error:  # a time-out is one
            return self._lost(_reason(error))
        self._quiet_since, self._said = loop.time(), 0
        return Opened()

    async def _read(self, link: wire.Wire) -> Event:
        loop = asyncio.get_running_loop()
        silent_at = None if self._silence_s is None else self._quiet_since + (self._said + 1) * self._silence_s
        try:
            async with asyncio.timeout_at(silent_at):
                data = await link.read()
        except TimeoutError:
            self._said += 1
            return Silent(seconds=loop.time() - self._quiet_since)
        if not data:
            return self._lost(link.fault)
        self._quiet_since, self._said = loop.time(), 0
        if self._data_proves:
            self.prove()
        return Received(data=data)

    def _lost(self, reason: str) -> Lost:
        delay = self._delays[min(self._attempts, len(self._delays) - 1)]
        self._wire = None
        self._attempts += 1
        self._retry_at = asyncio.get_running_loop().time() + delay
        return Lost(reason=reason, retry_s=delay)


def _reason(error: OSError) -> str:
    """Return why opening failed, and where the system's own words do not say it, what to do: asyncio's do not."""
    if isinstance(error, TimeoutError):
        return "does not answer"
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
