"""A sink's lane on a bus in memory: batches, acknowledgement, back-off, rate, and what is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from telemetry_bench import place, say, start, told
from telemetry_scripted import SINKS, House

from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Later, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hearthbus.testing import Bench
    from services.telemetry.records import Record


@pytest.fixture(autouse=True)
def _fresh_sinks() -> Iterator[None]:
    """Each test begins without sinks."""
    SINKS.clear()
    yield
    SINKS.clear()


async def test_what_came_within_some_seconds_goes_together(bench: Bench, tmp_path: Path) -> None:
    """The first message of a batch waits `every_s`, no longer."""
    sink = await start(bench, tmp_path)
    await say(bench, 1, 2)
    await bench.advance(4.9)
    before = len(sink.calls)
    await bench.advance(0.2)

    assert (0, 1, [1, 2]) == (before, len(sink.calls), sink.values)


async def test_a_full_batch_goes_at_once(bench: Bench, tmp_path: Path) -> None:
    """A backlog is sent in full batches, without waiting."""
    sink = await start(bench, tmp_path, batch=3)
    await say(bench, *range(7))

    assert [[0, 1, 2], [3, 4, 5]] == [[record.body["value"] for record in call] for call in sink.calls]


async def test_a_record_is_the_message(bench: Bench, tmp_path: Path) -> None:
    """Its time is the publisher's, not that of the sending."""
    sink = await start(bench, tmp_path)
    begun = round(bench.clock.now() * 1e9)
    await bench.publish("sensor/hall/temperature", value=20.5, unit="°C")
    await bench.advance(100)

    assert [("sensor/hall/temperature", {"value": 20.5, "unit": "°C"}, begun)] == [
        (record.topic, record.body, record.time_ns) for record in sink.held
    ]


async def test_nothing_is_acknowledged_before_it_is_delivered(bench: Bench, tmp_path: Path) -> None:
    """While the sink fails the place stays; then it moves past what was delivered."""
    sink = await start(bench, tmp_path)
    sink.answer = lambda _: Later("away")
    begun = place(bench)
    await say(bench, 1)
    await bench.advance(7)
    failing = place(bench)
    sink.answer = lambda _: Delivered()
    await bench.advance(10)

    assert (begun, [1]) == (failing, sink.values)
    assert place(bench) > begun


async def test_a_restart_goes_on_where_it_was(bench: Bench, tmp_path: Path) -> None:
    """What was not delivered before a stop is delivered after it, and nothing twice."""
    sink = await start(bench, tmp_path)
    await say(bench, 1)
    await bench.advance(6)
    await say(bench, 2)
    await bench.stop()
    bench._stop.clear()
    bench.clock._sleepers.clear()
    await bench.bus.publish("sensor/hall/temperature", value=3)
    await start(bench, tmp_path)
    await bench.advance(6)

    assert [1, 2, 3] == sink.values


async def test_a_failing_sink_is_asked_less_and_less_often(bench: Bench, tmp_path: Path) -> None:
    """The same records come again after 1, 2, 4 ... s and a little; later messages wait behind them."""
    sink = await start(bench, tmp_path)
    sink.answer = lambda _: Later("away")
    await say(bench, 1)
    await bench.advance(5)
    await say(bench, 2)
    await bench.advance(60)
    calls = len(sink.calls)
    sink.answer = lambda _: Delivered()
    await bench.advance(60)

    assert 6 == calls
    assert [1] == [record.body["value"] for call in sink.calls[:calls] for record in call[:1] if len(call) == 1][:1]
    assert [1, 2] == sink.values


async def test_retry_after_is_kept(bench: Bench, tmp_path: Path) -> None:
    """A sink that asks for 40 s has them."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Later("busy", 40.0)
    await say(bench, 1)
    await bench.advance(39)
    before = len(sink.calls)
    await bench.advance(3)

    assert (1, 2) == (before, len(sink.calls))


async def test_the_rate_limit_is_kept(bench: Bench, tmp_path: Path) -> None:
    """Four calls a minute, whatever there is to send; what waits goes together."""
    sink = await start(bench, tmp_path, every_s=0.0, per_minute=4.0)
    for value in range(60):
        await say(bench, value)
        await bench.advance(1)
    await bench.advance(15)

    assert 4 <= len(sink.calls) <= 6
    assert list(range(60)) == sink.values


async def test_only_what_is_wanted_is_sent(bench: Bench, tmp_path: Path) -> None:
    """`topics` less `skip`, and no requests; the place moves past the others."""
    sink = await start(bench, tmp_path, every_s=0.0, topics=["#"], skip=["sensor/attic/#", "telemetry/#", "service/#"])
    await bench.serve("light/hall/set", {})
    await say(bench, 1)
    await say(bench, 2, topic="sensor/attic/temperature")
    await bench.request("light/hall/set", value=3)

    assert [1] == sink.values
    await bench.advance(61)
    assert place(bench) >= 3


async def test_requests_are_sent_when_asked_for(bench: Bench, tmp_path: Path) -> None:
    """With `requests`, what is asked of others is sent too."""
    sink = await start(bench, tmp_path, every_s=0.0, topics=["light/#"], requests=True)
    await bench.serve("light/hall/set", {})
    await bench.request("light/hall/set", value=3)

    assert [3] == sink.values


async def test_how_it_stands_is_told(bench: Bench, tmp_path: Path) -> None:
    """Lag and what is behind grow while a sink is away."""
    sink = await start(bench, tmp_path, every_s=0.0)
    await say(bench, 1, 2)
    well = await told(bench)
    sink.answer = lambda _: Later("nothing listens")
    await say(bench, 3, 4)
    await bench.advance(100)
    ill = await told(bench)

    assert ("idle", 2, 0, 0.0) == tuple(well[key] for key in ("status", "sent", "behind", "lag_s"))
    assert ("retrying", 2, "nothing listens") == (ill["status"], ill["behind"], ill["error"])
    assert 100 <= ill["lag_s"] <= 125


async def test_a_fault_of_the_sink_is_no_end(bench: Bench, tmp_path: Path) -> None:
    """A sink that raises is tried again; its text, which may hold a secret, is not told."""

    def burst(_: Sequence[Record]) -> Outcome:
        raise RuntimeError("token=abc")

    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = burst
    await say(bench, 1)
    error = (await told(bench))["error"]
    sink.answer = lambda _: Delivered()
    await bench.advance(60)

    assert [1] == sink.values
    assert "RuntimeError at test_telemetry_lane.py:" in error
    assert "abc" not in error


async def test_one_sink_does_not_wait_for_another(bench: Bench, tmp_path: Path) -> None:
    """A sink that never answers delays no other."""
    gate = asyncio.Event()

    async def never(_: Sequence[Record]) -> Outcome:
        await gate.wait()
        return Delivered()

    await bench.run(
        House, "telemetry", folder=tmp_path, scripted={name: {"every_s": 0.0} for name in ("archive", "slow")}
    )
    SINKS["slow"].send = never  # type: ignore[method-assign, assignment]  # this one hangs
    await say(bench, 1, 2, 3)

    assert [1, 2, 3] == SINKS["archive"].values


async def test_sinks_are_closed_at_the_stop(bench: Bench, tmp_path: Path) -> None:
    """Connections and threads are let go."""
    sink = await start(bench, tmp_path)
    await bench.stop()

    assert sink.closed


async def test_names_are_unique_over_all_kinds(bench: Bench, tmp_path: Path) -> None:
    """Two sinks of one name would share a place; `retry` is a request."""
    url = "http://127.0.0.1:8086"

    with pytest.raises(Invalid, match="another sink of that name"):
        await bench.run(House, folder=tmp_path, scripted={"a": {}}, influxdb={"a": {"url": url, "database": "house"}})
    with pytest.raises(Invalid, match="is not retry"):
        await bench.run(House, folder=tmp_path, scripted={"retry": {}})
