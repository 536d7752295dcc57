"""Graphite, against Debian's carbon: what it keeps of a batch, and what becomes of one it did not get."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from carbon import Carbon

from services.telemetry.outcomes import Delivered, Later, Outcome
from services.telemetry.records import Record
from services.telemetry.sinks.graphite import Graphite, GraphiteSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SECOND = 1_000_000_000


def record(topic: str, *, at: int, **body: Any) -> Record:
    return Record(topic, body, at * SECOND, 1)


async def send(port: int, records: Sequence[Record]) -> Outcome:
    return await Graphite(GraphiteSettings(host="127.0.0.1", port=port)).send(records)


@pytest.fixture(scope="module")
def carbon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carbon]:
    cache = Carbon(tmp_path_factory.mktemp("carbon"))
    try:
        cache.start()
        yield cache
    finally:
        cache.kill()


async def test_carbon_keeps_times_and_values(carbon: Carbon) -> None:
    """Carbon holds each number at its own second, also what is ten days late; a repeated batch changes nothing."""
    now = int(time.time())
    records = [record("sensor/hall/temperature", at=now - back, value=20 + back / 10) for back in range(50, 0, -1)]
    old = now - 10 * 86400
    records.append(record("sensor/cellar/temperature", at=old, value=-3.5))
    outcomes = [await send(carbon.port, records) for _ in range(2)]

    expected = {now - back: 20 + back / 10 for back in range(1, 51)}
    assert [Delivered(), Delivered()] == outcomes
    assert expected == carbon.points("sensor.hall.temperature", start=now - 50, end=now, count=50)
    assert {old - old % 60: -3.5} == carbon.points("sensor.cellar.temperature", start=old - 60, end=old + 60)


async def test_carbon_takes_odd_names(carbon: Carbon) -> None:
    """Whatever a message's keys are made of, carbon makes a file below its own folder."""
    now = int(time.time())
    body = {"température": 1, "../../etc/passwd": 2, "a b;c=d": 3, "": 4}
    outcome = await send(carbon.port, [record("host/pi/odd", at=now, **body)])

    assert Delivered() == outcome
    assert {now: 1.0} == carbon.points("host.pi.odd.temp_rature", start=now, end=now)
    assert {now: 2.0} == carbon.points("host.pi.odd.etc.passwd", start=now, end=now)
    assert {now: 3.0} == carbon.points("host.pi.odd.a_b_c_d", start=now, end=now)
    assert {now: 4.0} == carbon.points("host.pi.odd", start=now, end=now)


async def test_carbon_killed_and_back(tmp_path: Path) -> None:
    """While carbon is away a batch is kept; sent again it is there, whole."""
    cache = Carbon(tmp_path / "carbon")
    now = int(time.time())
    batch = [record(f"sensor/r{number}/power", at=now, value=number) for number in range(20)]
    try:
        cache.start()
        assert Delivered() == await send(cache.port, batch[:1])
        cache.kill()
        away = await send(cache.port, batch)
        cache.start()
        back = await send(cache.port, batch)
        found = [cache.points(f"sensor.r{number}.power", start=now, end=now) for number in range(20)]
    finally:
        cache.kill()

    assert isinstance(away, Later)
    assert Delivered() == back
    assert [{now: float(number)} for number in range(20)] == found
