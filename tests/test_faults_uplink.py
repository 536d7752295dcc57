"""A day without the uplink, each kind of fault in turn: little is asked, little is held, and all arrives."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Final

import pytest
from figures import figure
from telemetry_bench import start
from telemetry_scripted import SINKS

from services.telemetry.outcomes import Delivered, Later

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hearthbus.testing import Bench
    from services.telemetry.outcomes import Outcome
    from services.telemetry.records import Record

DAY_S: Final = 86_400
EACH_S: Final = 60
BATCH: Final = 100
ATTEMPTS: Final = DAY_S / 300 + 15
"""In a day: one every five minutes, and those of the first minutes."""
FAULTS: Final = (
    "black hole: no answer in time", "500", "503 busy", "no such host", "connection refused", "half an answer",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh_sinks() -> Iterator[None]:
    SINKS.clear()
    yield
    SINKS.clear()


async def test_a_day_without_the_uplink(bench: Bench, tmp_path: Path) -> None:
    """Every fault in turn for 24 hours: asked every five minutes at most; then all of it, once and in order."""
    sink = await start(bench, tmp_path, batch=BATCH)
    faults = cycle(FAULTS)

    def fails(_: Sequence[Record]) -> Outcome:
        return Later(next(faults))

    sink.answer = fails
    largest = 0
    for number in range(DAY_S // EACH_S):
        await bench.publish("sensor/hall/temperature", value=number)
        await bench.advance(EACH_S)
        [runtime] = bench._runtimes
        [lane] = runtime._service._lanes.values()  # type: ignore[attr-defined]  # the one with lanes
        largest = max(largest, len(lane._intake))
    attempts, sent = len(sink.calls), DAY_S // EACH_S
    [standing] = await bench.bus.get("telemetry/archive")
    sink.answer = lambda _: Delivered()
    back = bench.clock.monotonic()
    while len(sink.held) < sent:
        await bench.advance(1)
    took = bench.clock.monotonic() - back

    assert list(range(sent)) == sink.values
    assert attempts <= ATTEMPTS
    assert largest <= 2 * BATCH
    assert standing["behind"] >= sent - 1
    assert took < 600
    figure(
        21,
        f"24 h away: {attempts} attempts, at most {largest} of {sent} messages in memory, all there {took:.0f} s later",
    )
