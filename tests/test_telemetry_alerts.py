"""The alert of a sink, and how much a durable subscription has not looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from telemetry_bench import say, start
from telemetry_scripted import SINKS

from services.telemetry.outcomes import Delivered, Held, Later

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hearthbus.bus import Bus
    from hearthbus.testing import Bench


class Broker(Protocol):
    def bus(self, name: str | None = None) -> Bus: ...


@pytest.fixture(autouse=True)
def _fresh_sinks() -> Iterator[None]:
    """Each test begins without sinks."""
    SINKS.clear()
    yield
    SINKS.clear()


async def alert(bench: Bench) -> dict[str, Any]:
    """Return the alert as it is now; empty where there was none."""
    found = await bench.bus.get("alert/telemetry-archive")
    return found[0].body if found else {}


async def test_an_alert_of_before_the_restart_ends_when_the_sink_works(bench: Bench, tmp_path: Path) -> None:
    """Whoever mends the key and restarts the service does not keep the alert for ever."""
    await bench.publish("alert/telemetry-archive", active=True, message="no", since="2026-01-01T11:00:00Z", retain=True)
    await start(bench, tmp_path, every_s=0.0)
    before = await alert(bench)
    await say(bench, 1)

    assert (True, False) == (before["active"], (await alert(bench))["active"])


async def test_an_alert_stays_over_a_restart_while_the_sink_is_held(bench: Bench, tmp_path: Path) -> None:
    """It is raised once, not again at each start."""
    text = "archive takes nothing until somebody acts: no"
    await bench.publish("alert/telemetry-archive", active=True, message=text, since="2026-01-01T11:00:00Z", retain=True)
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Held("no")
    await say(bench, 1)

    assert "2026-01-01T11:00:00Z" == (await alert(bench))["since"]


async def test_a_sink_that_is_tried_in_vain_for_an_hour_is_told(bench: Bench, tmp_path: Path) -> None:
    """Not before; once, with the reason; and it ends when the sink works."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Later("nothing listens")
    await say(bench, 1)
    await bench.advance(3500)
    before = await alert(bench)
    await bench.advance(200)
    raised = await alert(bench)
    sink.answer = lambda _: Later("it is busy")
    await bench.advance(1000)
    still = await alert(bench)
    sink.answer = lambda _: Delivered()
    await bench.advance(400)

    assert ({}, "archive has taken nothing for an hour: nothing listens") == (before, raised["message"])
    assert raised == still
    assert (False, "archive works") == ((await alert(bench))["active"], (await alert(bench))["message"])


async def test_a_sink_that_fails_now_and_then_is_no_alert(bench: Bench, tmp_path: Path) -> None:
    """The hour begins anew whenever something was taken."""
    sink = await start(bench, tmp_path, every_s=0.0)
    for number in range(3):
        sink.answer = lambda _: Later("nothing listens")
        await say(bench, number)
        await bench.advance(2400)
        sink.answer = lambda _: Delivered()
        await bench.advance(400)

    assert [0, 1, 2] == sink.values
    assert {} == await alert(bench)


async def test_messages_lost_are_counted_and_raised(bench: Bench, tmp_path: Path) -> None:
    """What the journal did not have any more is told, also when the sink works, until somebody has seen it."""
    sink = await start(bench, tmp_path, every_s=0.0)
    [stream] = [each for each in bench.hub.streams if each.durable]
    stream.lost = 3
    await say(bench, 1)
    await bench.advance(10)
    [status] = await bench.bus.get("telemetry/archive")
    raised = await alert(bench)
    sink.answer = lambda _: Delivered()
    await say(bench, 2)
    still = await alert(bench)
    await bench.request("telemetry/retry", {})

    assert 3 == status["lost"]
    assert "messages are lost" in raised["message"]
    assert [True, True, False] == [raised["active"], still["active"], (await alert(bench))["active"]]


async def test_a_durable_subscription_tells_how_much_it_has_not_looked_at(broker: Broker) -> None:
    """Also what came while its reader did not read: the broker's heartbeat says it. While it waits, it is nothing."""
    async with broker.bus("writer") as writer, broker.bus("reader") as reader:
        async with reader.subscribe("sensor/#", durable="reader-archive") as stream:
            for number in range(1500):
                await writer.publish("sensor/hall/temperature", value=number)
            await writer.publish("sensor/hall/temperature", value=1500, confirm=True)
            await anext(stream)
            async with asyncio.timeout(10):
                while stream.unread < 1500:
                    await asyncio.sleep(0.02)
            for _ in range(1500):
                message = await anext(stream)
            waiting = asyncio.create_task(anext(stream))
            async with asyncio.timeout(10):
                while stream.unread:
                    await asyncio.sleep(0.02)
            await writer.publish("light/hall", on=True, confirm=True)
            unread = stream.unread
            await writer.publish("sensor/hall/temperature", value=1501)
            await waiting

    assert (1500, 0) == (message["value"], unread)
