"""Sinks that cannot tell a record they have from a new one; and a disk that takes nothing."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from telemetry_scripted import SINKS, House, ScriptedSink, refuses

from services.telemetry.outcomes import Delivered, Later
from services.telemetry.place import Place, read_place, write_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hearthbus.testing import Bench

EPOCH = 1
"""Of the bus in memory."""


@pytest.fixture(autouse=True)
def _fresh_sinks() -> Iterator[None]:
    """Each test begins without sinks."""
    SINKS.clear()
    yield
    SINKS.clear()


@contextmanager
def disk_full() -> Iterator[None]:
    """Let no file grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, quiet)


async def start(bench: Bench, folder: Path, *, merges: bool = False) -> ScriptedSink:
    """Start the service with a sink that sends at once."""
    await bench.run(House, "telemetry", folder=folder, scripted={"barn": {"every_s": 0.5, "merges": merges}})
    return SINKS["barn"]


async def in_time(bench: Bench, wanted: Any, found: Any) -> None:
    """Let time pass until it is so: a disk takes its time, and tries are apart."""
    async with asyncio.timeout(5):
        while found() != wanted:
            await bench.advance(0.1)
            await asyncio.sleep(0.002)


def calls(sink: ScriptedSink) -> list[list[object]]:
    """Return the values of each call."""
    return [[record.body["value"] for record in call] for call in sink.calls]


async def backlog(bench: Bench, count: int) -> None:
    """Let messages wait whose values are their offsets."""
    bench.hub.consumers["telemetry-barn"] = 0
    for value in range(1, count + 1):
        await bench.publish("sensor/hall/temperature", value=value)


async def test_an_attempt_that_was_cut_off_is_made_again_as_it_was(bench: Bench, tmp_path: Path) -> None:
    """The very same records come first, though more are waiting: their key is the same, and the receiver knows it."""
    await backlog(bench, 6)
    write_place(tmp_path / "barn.batch", Place(EPOCH, 0, ((1, 3),)))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[1, 2, 3], [4, 5, 6]], lambda: calls(sink))


async def test_what_was_suspected_before_that_attempt_is_sent_apart(bench: Bench, tmp_path: Path) -> None:
    """A record that was refused before it and not yet set aside does not join the batch whose key must stay."""
    await backlog(bench, 6)
    write_place(tmp_path / "barn.batch", Place(EPOCH, 1, ((3, 4),)))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[2], [3, 4], [5, 6]], lambda: calls(sink))


async def test_a_second_crash_keeps_both_attempts_as_they_were(bench: Bench, tmp_path: Path) -> None:
    """A record before the attempt was being sent alone when the process died again: neither joins another batch."""
    await backlog(bench, 6)
    write_place(tmp_path / "barn.batch", Place(EPOCH, 1, ((3, 3),)).begin(2, 2))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[2], [3], [4, 5, 6]], lambda: calls(sink))


async def test_what_the_broker_forgot_is_not_sent_twice(bench: Bench, tmp_path: Path) -> None:
    """The broker's note of the place is older than ours: nothing up to ours is sent."""
    await backlog(bench, 6)
    write_place(tmp_path / "barn.batch", Place(EPOCH, 4))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[5, 6]], lambda: calls(sink))


async def test_offsets_of_another_history_mean_nothing(bench: Bench, tmp_path: Path) -> None:
    """After a power cut of the broker's machine numbers are given out again: nothing new is taken for old."""
    await backlog(bench, 6)
    write_place(tmp_path / "barn.batch", Place(EPOCH + 1, 4, ((5, 5),)))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[1, 2, 3, 4, 5, 6]], lambda: calls(sink))


async def test_an_attempt_whose_end_never_comes_is_not_waited_for(bench: Bench, tmp_path: Path) -> None:
    """Where its last record is not wanted any more, what there is goes."""
    await backlog(bench, 3)
    write_place(tmp_path / "barn.batch", Place(EPOCH, 0, ((1, 9),)))
    sink = await start(bench, tmp_path)
    await in_time(bench, [[1, 2, 3]], lambda: calls(sink))


async def test_two_batches_are_read_ahead_after_a_crash_too(bench: Bench, tmp_path: Path) -> None:
    """Once the attempt that was cut off is made again, memory is bounded as it always is."""
    write_place(tmp_path / "barn.batch", Place(EPOCH, 0, ((1, 5),)))
    await backlog(bench, 5)
    table = {"barn": {"every_s": 0.5, "merges": False, "batch": 10}}
    service = await bench.run(House, "telemetry", folder=tmp_path, scripted=table)
    await in_time(bench, [[1, 2, 3, 4, 5]], lambda: calls(SINKS["barn"]))
    SINKS["barn"].answer = lambda _: Later("away")
    for value in range(100):
        await bench.publish("sensor/hall/temperature", value=value)
    await bench.advance(10)
    intake = service._lanes["barn"]._intake

    assert intake is not None
    assert len(intake) <= 20


async def test_the_range_is_on_the_disk_before_it_is_sent(bench: Bench, tmp_path: Path) -> None:
    """And after it, how far it has come."""
    seen: list[Place] = []
    sink = await start(bench, tmp_path)

    def look(_: object) -> Delivered:
        seen.append(read_place(tmp_path / "barn.batch"))
        return Delivered()

    sink.answer = look
    await bench.publish("sensor/hall/temperature", value=1)
    await in_time(bench, [1], lambda: sink.values)
    offset = sink.held[0].offset

    assert [Place(EPOCH, 0, ((offset, offset),))] == seen
    await in_time(bench, Place(EPOCH, offset), lambda: read_place(tmp_path / "barn.batch"))


async def test_nothing_is_sent_that_could_come_twice(bench: Bench, tmp_path: Path) -> None:
    """While the range cannot be written nothing goes, and the reason is told; nothing is lost."""
    sink = await start(bench, tmp_path)
    with disk_full():
        await bench.publish("sensor/hall/temperature", value=1)
        status: dict[str, Any] = {}
        while status.get("status") != "retrying":
            await bench.advance(0.5)
            status = await bench.next("telemetry/barn")
    before = list(sink.calls)
    await in_time(bench, [1], lambda: sink.values)

    assert [] == before
    assert "barn.batch cannot be written" in status["error"]


async def test_a_full_disk_holds_up_no_data(bench: Bench, tmp_path: Path) -> None:
    """The dead letter waits in memory and the place does not move past it; the others go on; then it is written."""
    sink = await start(bench, tmp_path, merges=True)
    sink.answer = refuses(6)
    with disk_full():
        for value in (5, 6, 7):
            await bench.publish("sensor/hall/temperature", value=value)
        await in_time(bench, [5, 7], lambda: sink.values)
        await bench.publish("sensor/hall/temperature", value=8)
        await in_time(bench, [5, 7, 8], lambda: sink.values)
        await bench.advance(10)
        [health] = [runtime._service.trouble for runtime in bench._runtimes]
        place = bench.hub.consumers["telemetry-barn"]
    await bench.publish("sensor/hall/temperature", value=9)
    await in_time(bench, 1, lambda: (tmp_path / "barn.dead.jsonl").read_bytes().count(b"\n"))
    letter = json.loads((tmp_path / "barn.dead.jsonl").read_text())

    assert "barn.dead.jsonl cannot be written: File too large" in health
    assert place < min(record.offset for call in sink.calls for record in call if record.body["value"] == 6)
    assert 6 == letter["body"]["value"]
    await in_time(bench, True, lambda: bench.hub.consumers["telemetry-barn"] >= sink.held[-1].offset)


async def test_the_same_records_come_again_after_a_failure(bench: Bench, tmp_path: Path) -> None:
    """New messages do not join a batch that may have arrived."""
    sink = await start(bench, tmp_path)
    sink.answer = lambda _: Later("its answer was lost")
    await bench.publish("sensor/hall/temperature", value=1)
    await in_time(bench, [[1]], lambda: calls(sink)[:1])
    await bench.publish("sensor/hall/temperature", value=2)
    await bench.advance(3)
    sink.answer = lambda _: Delivered()
    await in_time(bench, [1, 2], lambda: sink.values)

    assert {(1,), (2,)} == {tuple(call) for call in calls(sink)}
