"""The simulated gateway on a pseudo-terminal, in real time: what a driver sees of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ether import ether

from drivers.port import Lost, Opened, Port, Received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PULLS = 20
RETRY_S = 0.01
TICK_MS = 1


async def _until(port: AsyncIterator[object], text: bytes) -> bytes:
    """Read until `text` has come."""
    read = b""
    async for event in port:
        if isinstance(event, Received):
            read += event.data
            if text in read:
                return read
    raise AssertionError(f"the port ended: {read!r}")


async def test_a_driver_reads_and_writes_the_gateway() -> None:
    """The banner comes, a command is understood, and what was sent is on the air."""
    async with ether(real_time=True) as house:
        await house.node("gateway", "gateway")
        async with Port(await house.plug("gateway")) as port:
            await house.go()
            banner = await _until(port, b"MHz q1\r\n")
            await port.write(b"1,2,3,0s")
            sent = await _until(port, b" -> 3 b\r\n")
            await house.came(lambda event: event.kind == "packet")

    assert banner.startswith(b"\r\n[RF12demo.12+hearth.1] ")
    assert b"> 1,2,3,0s\r\n" in sent
    assert bytes([1, 2, 3]) == house.packets("gateway")[-1].payload


async def test_the_cable_can_be_pulled_again_and_again() -> None:
    """Each time the driver sees the port go, finds it again, and is answered."""
    async with ether(real_time=True) as house:
        await house.node("gateway", "gateway")
        path = await house.plug("gateway")
        await house.go()
        async with Port(path, delays=(RETRY_S,)) as port:
            await _until(port, b"MHz q1\r\n")
            for _ in range(PULLS):
                await house.command("unplug", "gateway")
                while not isinstance(await anext(port), Lost):
                    pass
                await house.plug("gateway")
                while not isinstance(await anext(port), Opened):
                    pass
                await port.write(b"v")
                await _until(port, b"MHz q1\r\n")


async def test_time_does_not_run_ahead_of_the_wall() -> None:
    """Half a second in the house takes half a second outside, and the program ends with its stdin."""
    loop = asyncio.get_running_loop()
    async with ether(real_time=True) as house:
        await house.node("led", "led_node")
        began = loop.time()
        await house.go()
        late = await house.came(lambda event: event.ms > 500)
        waited = loop.time() - began

    assert waited * 1000 > late.ms - TICK_MS
    assert 0 == house.process.returncode
