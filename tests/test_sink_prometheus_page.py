"""The page of Prometheus, served: Prometheus' own programs read it, and bad clients do it no harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from ports import free_port

from services.telemetry.sinks.prometheus import PrometheusSettings
from services.telemetry.sinks.prometheus_exporter import CROWD, Exporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hearthbus.testing import Bench

SOON_S = 30.0
HOUSE = (
    ("sensor/hall/temperature", {"value": 21.5, "unit": "°C"}),
    ("sensor/hall/motion", {"value": True}),
    ("sensor/meter/energy", {"value": 1000, "unit": "Wh"}),
    ("sensor/roof/rain_rate", {"value": 2, "unit": "mm/h"}),
    ("light/desk", {"on": True, "brightness": 0.5, "effect": "candle"}),
    ("host/pi/disk/root", {"free_bytes": 7, "used_ratio": 0.5}),
)


@contextlib.asynccontextmanager
async def serving(bench: Bench, *, patience_s: float = 5.0, **settings: Any) -> AsyncIterator[tuple[Exporter, int]]:
    """An exporter that listens on the bench's bus, and its port."""
    port = free_port()
    exporter = Exporter("page", PrometheusSettings(port=port, topics=("#",), **settings), patience_s=patience_s)
    running = asyncio.create_task(exporter.run(bench.bus.subscribe, lambda: bench.bus.connected))
    try:
        async with asyncio.timeout(SOON_S):
            while b"200 OK" not in await ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n"):
                assert not running.done()
        yield exporter, port
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def ask(port: int, request: bytes) -> bytes:
    """Return all that is answered; nothing where nobody listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return b""
    try:
        writer.write(request)
        async with asyncio.timeout(SOON_S):
            return await reader.read()
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.transport.abort()


async def page(port: int) -> str:
    head, _, body = (await ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n")
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    return body.decode()


async def run(*arguments: str, given: bytes = b"") -> tuple[int | None, str]:
    """Run a program to its end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(given), SOON_S)
    return process.returncode, said.decode()


def program(name: str) -> str:
    """Return the path of one of Prometheus' programs."""
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install prometheus, or scripts/test, which does"
    return found


async def test_retained_state_and_news(bench: Bench) -> None:
    """The page has what was retained before it was there, and what is said since; what is skipped is not there."""
    await bench.publish("sensor/hall/temperature", value=20.0, unit="°C", retain=True)
    async with serving(bench, skip=("sensor/secret/#",)) as (_, port):
        before = await page(port)
        await bench.publish("sensor/hall/temperature", value=21.0, unit="°C", retain=True)
        await bench.publish("sensor/secret/temperature", value=99.0, unit="°C")
        after = await page(port)

    assert 'hearthbus_sensor_temperature_celsius{place="hall"} 20.0\n' in before
    assert 'hearthbus_sensor_temperature_celsius{place="hall"} 21.0\n' in after
    assert "secret" not in after


async def test_promtool(bench: Bench) -> None:
    """Prometheus' own checker finds nothing to complain of."""
    async with serving(bench) as (_, port):
        for topic, body in HOUSE:
            await bench.publish(topic, body)
        code, said = await run(program("promtool"), "check", "metrics", given=(await page(port)).encode())

    assert (0, "") == (code, said)


async def test_prometheus_scrapes(bench: Bench, tmp_path: Path) -> None:
    """A Prometheus that is told of the page has the house's values."""
    async with serving(bench) as (_, port):
        for topic, body in HOUSE:
            await bench.publish(topic, body)
        web = free_port()
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "house", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        process = await asyncio.create_subprocess_exec(
            program("prometheus"),
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{web}",
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            energy = await asyncio.to_thread(query, web, "hearthbus_sensor_energy_joules_total")
            up = await asyncio.to_thread(query, web, "up")
        finally:
            process.kill()
            await process.wait()

    assert ("meter", "3600000") == (energy["metric"]["place"], energy["value"][1])
    assert "1" == up["value"][1]


def query(port: int, expression: str) -> dict[str, Any]:
    """Return the one series of an expression, once Prometheus has it."""
    deadline = time.monotonic() + SOON_S
    while True:
        assert time.monotonic() < deadline, f"Prometheus has no {expression}"
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/query?query={expression}", timeout=5
            ) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                if found:
                    return found[0]
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (b"GET /metrics?x=1 HTTP/1.0\n\n", b"200", b"hearthbus_exporter_series"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b"404", b"the page is /metrics"),
        (b"GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n", b"404", b"the page is /metrics"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405", b"read only"),
        (b"\x16\x03\x01\x02\x00\n\n", b"400", b"not a request"),
        (b"GET /metrics HTTP/1.1\r\n" + b"x: y\r\n" * 3000, b"431", b"8192 bytes"),
        (b"GET /" + b"m" * 20000, b"431", b"8192 bytes"),
    ],
)
async def test_requests(bench: Bench, request_: bytes, status: bytes, words: bytes) -> None:
    """Only the page is answered, and every other request told why not."""
    async with serving(bench) as (_, port):
        head, _, body = (await ask(port, request_)).partition(b"\r\n\r\n")

    assert status == head.split(b" ")[1]
    assert words in body
    assert words or not body


async def test_slow_clients(bench: Bench) -> None:
    """Clients that say nothing are cut off; while they are there in crowds, others are told to come again."""
    async with serving(bench, patience_s=1.5) as (exporter, port):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CROWD)]
        crowded = await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        said = [await asyncio.wait_for(reader.read(), SOON_S) for reader, _ in silent]
        for _, writer in silent:
            writer.transport.abort()
        async with asyncio.timeout(SOON_S):
            while exporter._clients:
                await asyncio.sleep(0.01)
        calm = await ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n")

    assert crowded.startswith((b"HTTP/1.1 503 Service Unavailable\r\n", b"reset"))
    assert {b"HTTP/1.1 408 Request Timeout"} == {each.split(b"\r\n")[0] for each in said}
    assert calm.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_port_in_use(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A port that somebody else has is told, once, with what to change; it is taken when it is free."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        exporter = Exporter("page", PrometheusSettings(port=port), again_s=0.01)
        running = asyncio.create_task(exporter.run(bench.bus.subscribe, lambda: bench.bus.connected))
        async with asyncio.timeout(SOON_S):
            while not exporter.fault:
                await asyncio.sleep(0.01)
        told = exporter.fault
    async with asyncio.timeout(SOON_S):
        while exporter.fault:
            await asyncio.sleep(0.01)
    body = await page(port)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert f"page: 127.0.0.1:{port}: Address already in use; set another host or port" == told
    assert [told] == [each.message for each in caplog.records if each.levelname == "ERROR"]
    assert "hearthbus_exporter_series" in body


async def test_told_when_public(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A page that others than this machine can read says so in the log."""
    async with serving(bench, host="0.0.0.0"):
        warned = [each.message for each in caplog.records if "whoever reaches" in each.message]
    async with serving(bench):
        again = [each.message for each in caplog.records if "whoever reaches" in each.message]

    assert 1 == len(warned)
    assert warned == again
