"""A sink's lane on a bus in memory: batches, acknowledgement, back-off, holding, dead letters, and what is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from telemetry_scripted import SINKS, House, ScriptedSink, refuses, takes_at_most

from hearthbus.errors import HandlerError, Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused

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


async def start(bench: Bench, folder: Path, **settings: Any) -> ScriptedSink:
    """Start the service with one sink, `archive`; return what stands for it."""
    await bench.run(House, "telemetry", folder=folder, scripted={"archive": {"every_s": 5.0, **settings}})
    return SINKS["archive"]


async def say(bench: Bench, *values: object, topic: str = "sensor/hall/temperature") -> None:
    """Publish values, one after the other."""
    for value in values:
        await bench.publish(topic, value=value)


async def told(bench: Bench) -> dict[str, Any]:
    """Return what is told of the sink, newly."""
    await bench.advance(10)
    [message] = await bench.bus.get("telemetry/archive")
    return message.body


def dead(folder: Path, sink: str = "archive") -> list[Any]:
    """Return the values in its dead letters."""
    file = folder / f"{sink}.dead.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["body"]["value"] for line in lines]


async def eventually(bench: Bench, wanted: Any, found: Any) -> None:
    """Wait for what a disk takes its time for."""
    async with asyncio.timeout(5):
        while found() != wanted:
            await bench.settle()
            await asyncio.sleep(0.005)


def place(bench: Bench) -> int:
    """Return the place of the sink's subscription."""
    return bench.hub.consumers["telemetry-archive"]


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


async def test_a_sink_that_refuses_us_is_held_with_an_alert(bench: Bench, tmp_path: Path) -> None:
    """It is tried every five minutes; the alert ends when it works."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Held("it does not accept the key")
    await say(bench, 1)
    raised = await bench.next("alert/telemetry-archive")
    status = await bench.next("telemetry/archive")
    while status["status"] != "held":
        status = await bench.next("telemetry/archive")
    await bench.advance(299)
    calls = len(sink.calls)
    sink.answer = lambda _: Delivered()
    await bench.advance(2)
    ended = await bench.next("alert/telemetry-archive")

    assert raised["active"]
    assert "it does not accept the key" in raised["message"]
    assert status["error"] == "it does not accept the key"
    assert 1 == calls
    assert (False, [1]) == (ended["active"], sink.values)


async def test_retry_tries_a_held_sink_now(bench: Bench, tmp_path: Path) -> None:
    """Who has mended the key need not wait five minutes."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Held("no")
    await say(bench, 1)
    sink.answer = lambda _: Delivered()
    answer = await bench.request("telemetry/retry", {"sink": "archive"})

    assert {"queued": 0} == answer
    assert [1] == sink.values


async def test_the_poison_record_alone_is_set_aside(bench: Bench, tmp_path: Path) -> None:
    """All others of its batch are delivered, in order; then the place moves past all."""
    sink = await start(bench, tmp_path)
    sink.answer = refuses(6)
    await say(bench, *range(10))
    await bench.advance(6)
    await eventually(bench, [6], lambda: dead(tmp_path))

    assert [value for value in range(10) if value != 6] == sink.values
    await eventually(bench, True, lambda: place(bench) >= 10)
    assert 1 == (await told(bench))["dead"]


async def test_a_lone_poison_record_is_set_aside_after_a_minute(bench: Bench, tmp_path: Path) -> None:
    """Where nothing else comes that could tell, a refused record does not wait for ever."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = refuses(6)
    await say(bench, 6)
    await bench.advance(50)
    before = dead(tmp_path)
    await bench.advance(12)
    await eventually(bench, [6], lambda: dead(tmp_path))

    assert [] == before


async def test_a_sink_that_refuses_everything_is_held(bench: Bench, tmp_path: Path) -> None:
    """Twenty refused in a row are the sink's fault: nothing is set aside, and all comes when it is mended."""
    sink = await start(bench, tmp_path)
    sink.answer = lambda _: Refused("no such field")
    await say(bench, *range(50))
    await bench.advance(6)
    status: dict[str, Any] = {}
    while status.get("status") != "held":
        status = await bench.next("telemetry/archive")
    sink.answer = lambda _: Delivered()
    await bench.advance(310)
    await eventually(bench, list(range(50)), lambda: sink.values)

    assert "20 of them: no such field" in status["error"]
    assert [] == dead(tmp_path)


async def test_small_batches_all_refused_are_held_too(bench: Bench, tmp_path: Path) -> None:
    """The row goes on over batches: a slow trickle into a broken sink does not fill the dead letters."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Refused("no such field")
    await say(bench, *range(25))
    held = (await told(bench))["status"]
    sink.answer = lambda _: Delivered()
    await bench.advance(310)

    assert ("held", []) == (held, dead(tmp_path))
    assert list(range(25)) == sink.values


async def test_too_large_is_sent_in_parts(bench: Bench, tmp_path: Path) -> None:
    """A batch that is too large is halved until it fits, and later ones are smaller from the start."""
    sink = await start(bench, tmp_path, batch=16)
    sink.answer = takes_at_most(5)
    await say(bench, *range(32))
    await eventually(bench, list(range(32)), lambda: sink.values)
    sizes = [len(call) for call in sink.calls]

    assert [16, 8, 4] == sizes[:3]
    assert {4} == set(sizes[3:])


async def test_one_record_too_large_is_set_aside(bench: Bench, tmp_path: Path) -> None:
    """What does not fit alone never will."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = takes_at_most(0)
    await say(bench, 1)
    sink.answer = takes_at_most(5)
    await say(bench, 2)
    await eventually(bench, [1], lambda: dead(tmp_path))

    assert [2] == sink.values


async def test_dead_letters_go_again_when_asked(bench: Bench, tmp_path: Path) -> None:
    """What is taken now is gone from the file; what is refused again is back in it."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = refuses(6, 7)
    await say(bench, 5, 6, 7, 8)
    while (await told(bench))["dead"] < 2:
        pass
    sink.answer = refuses(7)
    answer = await bench.request("telemetry/retry", {"sink": "archive"})
    await eventually(bench, [5, 8, 6], lambda: sink.values)
    await eventually(bench, [7], lambda: dead(tmp_path))

    assert {"queued": 2} == answer
    await eventually(bench, False, (tmp_path / "archive.again.jsonl").exists)
    assert 1 == (await told(bench))["dead"]


async def test_an_unknown_sink_cannot_be_retried(bench: Bench, tmp_path: Path) -> None:
    """The answer names those there are."""
    await start(bench, tmp_path)

    with pytest.raises(HandlerError, match="no sink 'attic'; there is: archive"):
        await bench.request("telemetry/retry", {"sink": "attic"})


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
    with pytest.raises(Invalid, match="not retry"):
        await bench.run(House, folder=tmp_path, scripted={"retry": {}})
