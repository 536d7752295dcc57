"""Prometheus' page beside the lanes: the same service, no folder, and a port that is taken is no end."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from ports import free_port

from services.telemetry import Telemetry

if TYPE_CHECKING:
    from hearthbus.testing import Bench


async def fetch(port: int) -> str:
    """Return the page."""
    async with asyncio.timeout(5):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            page = (await reader.read()).decode()
            writer.close()
            await writer.wait_closed()
            return page


async def test_the_page_is_served_without_any_other_sink(bench: Bench) -> None:
    """What was retained before the start is on it."""
    port = free_port()
    await bench.publish("sensor/hall/temperature", value=20.5, unit="°C", retain=True)
    service = await bench.run(Telemetry, prometheus={"page": {"port": port}})
    page = await fetch(port)

    assert "20.5" in page
    assert "hall" in page
    assert "" == service.trouble


async def test_a_broker_that_is_away_is_on_the_page(bench: Bench) -> None:
    """Telemetry outlives it, and says so, where everything would look as well as when it was heard last."""
    port = free_port()
    await bench.publish("service/sun", status="online", retain=True)
    await bench.run(Telemetry, prometheus={"page": {"port": port}})
    there = await fetch(port)
    async with bench.outage():
        away = await fetch(port)
    back = await fetch(port)

    assert ["hearthbus_broker_up 1", "hearthbus_broker_up 0", "hearthbus_broker_up 1"] == [
        line for page in (there, away, back) for line in page.splitlines() if line.startswith("hearthbus_broker_up")
    ]
    assert ("hearthbus_service_up" in there, "hearthbus_service_up" in away) == (True, False)


async def test_a_port_that_is_taken_is_told(bench: Bench) -> None:
    """The service goes on; what is wrong is in its health."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = await bench.run(Telemetry, prometheus={"page": {"port": port}})
        async with asyncio.timeout(5):
            while not service.trouble:
                await bench.advance(10)
                await asyncio.sleep(0.01)

    assert f"page: 127.0.0.1:{port}" in service.trouble
