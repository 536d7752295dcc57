"""One open connection to a device, as a file descriptor in the event loop: a serial line, a pty or a TCP socket.

No thread and no pyserial: a POSIX tty is a file descriptor the event loop can wait for, and setting its speed is ten
lines of termios; a thread with a queue would cost a stack and a hand-over for every chunk. Knows no reconnecting.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK: Final = 4096
MOST: Final = 1 << 16
"""Bytes that may wait for the reader, and for the device; above it reading pauses, and writing is refused."""


class Wire:
    """A file descriptor that does not block; closes itself at the first error."""

    def __init__(self, fd: int, *, close: Callable[[], None]) -> None:
        self.fault = ""
        """Why it is closed; empty while it is open."""
        self._fd, self._close = fd, close
        self._loop = asyncio.get_running_loop()
        self._in, self._out = bytearray(), bytearray()
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._reading = False
        self._resume()

    async def read(self) -> bytes:
        """Return what has come, at least one byte; empty when the connection is closed."""
        while not self._in and not self.fault:
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._in)
        self._in.clear()
        if not self.fault:
            self._resume()
        return data

    async def write(self, data: bytes) -> None:
        """Hand `data` over and wait until the system has taken all of it; cancelling this leaves it queued.

        Raises:
            ConnectionError: the connection is closed, or the device takes nothing any more.
        """
        if self.fault:
            raise ConnectionError(self.fault)
        if len(self._out) + len(data) > MOST:
            raise ConnectionError("the device takes no data")
        self._out += data
        self._send()
        await self._drained.wait()
        if self.fault:
            raise ConnectionError(self.fault)

    def reset_line(self, *, on: bool) -> None:
        """Raise or drop DTR, which resets an AVR through its capacitor; nothing where there is no such line."""
        with suppress(OSError):  # ENOTTY of a pty or a socket
            fcntl.ioctl(self._fd, termios.TIOCMBIS if on else termios.TIOCMBIC, struct.pack("I", termios.TIOCM_DTR))

    def shut(self, reason: str) -> None:
        """Close it; whoever waits for it wakes."""
        if self.fault:
            return
        self.fault = reason or "closed"
        self._pause()
        self._loop.remove_writer(self._fd)
        if self._out:  # a tty's close() would wait half a minute for a device that takes no data
            with suppress(OSError, termios.error):
                termios.tcflush(self._fd, termios.TCOFLUSH)
        self._close()
        self._changed.set()
        self._drained.set()

    def _receive(self) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.shut(error.strerror or str(error))
            return
        if not data:
            self.shut("the other end has gone")
            return
        self._in += data
        self._changed.set()
        if len(self._in) >= MOST:
            self._pause()

    def _send(self) -> None:
        try:
            while self._out:
                del self._out[: os.write(self._fd, self._out[:CHUNK])]
        except BlockingIOError:
            self._drained.clear()
            self._loop.add_writer(self._fd, self._send)
            return
        except OSError as error:
            self.shut(error.strerror or str(error))
            return
        self._loop.remove_writer(self._fd)
        self._drained.set()

    def _resume(self) -> None:
        if not self._reading:
            self._loop.add_reader(self._fd, self._receive)
            self._reading = True

    def _pause(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False


def check(address: str, baud: int) -> None:
    """Check an address and a speed without opening anything.

    Raises:
        ValueError: one of them cannot be.
    """
    if address.startswith("socket://"):
        _host_port(address)
    elif not address.startswith("/") or "\0" in address:
        raise ValueError(f"port {address!r}: write a device such as /dev/ttyUSB0, or socket://host:port")
    if not hasattr(termios, f"B{baud}"):
        raise ValueError(f"baud {baud}: serial lines have no such speed; JeeNodes use 57600, an RFXtrx 38400")


async def connect(address: str, *, baud: int) -> Wire:
    """Open a device, a pty or a socket.

    Raises:
        OSError: it is not there, or somebody else has it.
        ValueError: see `check`.
    """
    check(address, baud)
    if address.startswith("socket://"):
        return await _connect_socket(*_host_port(address))
    return _open_tty(address, baud)


def _host_port(address: str) -> tuple[str, int]:
    """Read socket://host:port, socket://[::1]:port; urllib, which could too, costs each process 0.4 MB."""
    host, _, port = address.removeprefix("socket://").removesuffix("/").rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", "/")
    try:
        bare.encode("idna")
        number = int(port) if port.isascii() and port.isdecimal() else 0
    except ValueError:
        number = 0
    if not bare or not 0 < number < 65536 or not set("/?#@[] ").isdisjoint(bare):
        raise ValueError(f"port {address!r}: write socket://host:port, such as socket://attic.local:2000")
    return bare, number


async def _connect_socket(host: str, port: int) -> Wire:
    loop = asyncio.get_running_loop()
    failed: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, target in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        link = socket.socket(family, kind, protocol)
        try:
            link.setblocking(False)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a bridge without power says no good-bye
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(link, target)
        except OSError as error:
            link.close()
            failed = error
        except BaseException:
            link.close()
            raise
        else:
            return Wire(link.fileno(), close=link.close)
    raise failed


def _open_tty(path: str, baud: int) -> Wire:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _claim(fd)
        _set_up(fd, baud)
    except BaseException:
        os.close(fd)
        raise
    return Wire(fd, close=lambda: os.close(fd))


def _claim(fd: int) -> None:
    """Keep others out: two readers would each get half of the bytes."""
    if not os.isatty(fd):
        raise OSError("it is no serial device")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # holds root too, whom TIOCEXCL lets through
    except BlockingIOError:
        raise OSError("another program has it open; end that first") from None
    if not os.ttyname(fd).startswith("/dev/pts/"):  # a pty outlives who opened it, and the mark with it
        fcntl.ioctl(fd, termios.TIOCEXCL)


def _set_up(fd: int, baud: int) -> None:
    """Set 8N1, raw, no flow control. DTR stays up when we close, so that the next start does not reset the gateway."""
    speed = getattr(termios, f"B{baud}")
    control = list(termios.tcgetattr(fd)[6])
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(fd, termios.TCSANOW, [termios.IGNBRK, 0, flags, 0, speed, speed, control])
