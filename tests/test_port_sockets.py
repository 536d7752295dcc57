"""The port over TCP, and addresses that no port can have."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from stick import FAST, gather, until

from drivers.port import Lost, Opened, Port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[tuple[asyncio.Server, asyncio.Queue[asyncio.StreamWriter]]]:
    """Run a TCP server, as ser2net is; yield it and who connects."""
    guests: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.put_nowait(writer)
        while data := await reader.read(4096):
            writer.write(data)

    server = await asyncio.start_server(greet, "127.0.0.1", port)
    async with server:
        yield server, guests


async def test_a_socket_that_closes_a_hundred_times() -> None:
    """A gateway behind TCP is connected to again each time it hangs up."""
    async with serving() as (server, guests):
        number = server.sockets[0].getsockname()[1]
        async with Port(f"socket://127.0.0.1:{number}", delays=FAST) as port:
            for turn in range(100):
                await until(port, Opened)
                await port.write(b"%d\n" % turn)

                assert b"%d\n" % turn == await gather(port, len(str(turn)) + 1)
                guest = await guests.get()
                guest.close()
                await until(port, Lost)
                with suppress(ConnectionError):
                    await guest.wait_closed()


async def test_a_socket_nobody_listens_on() -> None:
    """A refused connection is a loss with its reason."""
    async with serving() as (server, _):
        number = server.sockets[0].getsockname()[1]
    async with Port(f"socket://127.0.0.1:{number}", delays=FAST) as port:
        refused = await until(port, Lost)

    assert isinstance(refused, Lost)
    assert "connection refused; does ser2net run there, and at this port?" == refused.reason


@pytest.mark.parametrize(
    ("address", "baud", "named"),
    [
        ("ttyUSB0", 57600, "/dev/ttyUSB0"),
        ("socket://", 57600, "socket://host:port"),
        ("socket://attic", 57600, "socket://host:port"),
        ("socket://attic:99999", 57600, "socket://host:port"),
        ("socket://[::1:2000", 57600, "socket://host:port"),
        (f"socket://{'a' * 70}:1", 57600, "socket://host:port"),
        ("/dev/tty\0USB", 57600, "device"),
        ("/dev/ttyUSB0", 57601, "57600"),
    ],
)
def test_addresses_and_speeds_that_cannot_be(address: str, baud: int, named: str) -> None:
    """They are refused before anything is opened, and the text says what to write."""
    with pytest.raises(ValueError, match=named):
        Port(address, baud=baud)
