"""One 1-wire sensor by itself: when it is told, what it remembers; and the thread that asks it."""

from __future__ import annotations

import threading

import pytest
from w1_tree import HALL

from drivers.onewire import FAMILIES, Fault, parse_address
from services.onewire.sensor import Rules, Say, Sensor
from services.onewire.worker import MOST_STUCK, Worker

WARM = FAMILIES[0x28].channels[0]
CRC = Fault("crc", "damaged")


def hall(**rules: float) -> Sensor:
    """Return a sensor read every minute."""
    given = {"every_s": 60.0, "at_least_s": 600.0, "change": 0.1, "alert_after": 5, "gone_s": 300.0, **rules}
    return Sensor(parse_address(HALL), "hall", "onewire", Rules(**given))  # type: ignore[arg-type]  # alert_after


def says(sensor: Sensor, result: float | Fault | None, ticks: float) -> list[str]:
    """Let a round go by; return the topics of what is said."""
    at = 1_000_000.0 + ticks
    told: list[Say] = (
        sensor.miss("away", at=at, ticks=ticks) if result is None else sensor.take({WARM: result}, at=at, ticks=ticks)
    )
    return [say.topic for say in told]


def test_an_unchanged_reading_is_told_in_time_though_rounds_are_not_exact() -> None:
    """Ten rounds that come a little early are ten minutes; nine are not."""
    sensor = hall()
    says(sensor, 20.0, 0.0)

    assert [] == says(sensor, 20.0, 540.1)
    assert ["sensor/hall/temperature"] == says(sensor, 20.0, 599.7)


def test_a_change_is_from_what_was_told() -> None:
    """A slow drift is told as soon as it adds up to a tenth."""
    sensor = hall()
    told = [bool(says(sensor, 20.0 + step * 0.0625, 60.0 * step)) for step in range(5)]

    assert [True, False, True, False, True] == told


def test_failures_count_in_a_row_only() -> None:
    """Four, a good one, and four more are no alert; the fifth is."""
    sensor = hall()
    results: list[float | Fault] = [*[CRC] * 4, 20.0, *[CRC] * 4]
    topics = [topic for at, result in enumerate(results) for topic in says(sensor, result, 60.0 * at)]

    assert "alert/onewire-hall" not in topics
    assert "alert/onewire-hall" in says(sensor, CRC, 600.0)


def test_a_sensor_that_was_away_has_forgotten_what_it_measured() -> None:
    """It had no power: 85 °C is not believed, though it was near before it went."""
    sensor = hall()
    says(sensor, 84.0, 0.0)
    says(sensor, None, 60.0)
    says(sensor, 85.0, 120.0)

    assert {"gone": 1, "power_on": 1} == dict(sensor.errors)


def test_what_was_long_ago_makes_nothing_likely() -> None:
    """After an hour of failures, 85 °C is not believed."""
    sensor = hall()
    says(sensor, 84.0, 0.0)
    says(sensor, 85.0, 3600.0)

    assert {"power_on": 1} == dict(sensor.errors)


def test_failing_and_gone_in_turn_is_an_alert_too() -> None:
    """A loose plug is down since it was well for the last time."""
    sensor = hall()
    says(sensor, 20.0, 0.0)
    topics = [topic for at in range(1, 7) for topic in says(sensor, CRC if at % 2 else None, 60.0 * at)]

    assert 1 == topics.count("alert/onewire-hall")


async def test_a_job_that_hangs_is_begun_once() -> None:
    """Until it returns, none of its name is begun; others are, in another thread."""
    worker, go, begun = Worker("test"), threading.Event(), []

    def hang() -> str:
        begun.append(1)
        go.wait(20)
        return "late"

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await worker.run("a", hang, 0.05)

    assert "fine" == await worker.run("b", lambda: "fine", 5)
    assert [1] == begun
    go.set()
    worker.close()


async def test_only_so_many_threads_hang() -> None:
    """A dead bus does not fill the memory with threads."""
    worker, go = Worker("test"), threading.Event()
    for number in range(MOST_STUCK + 3):
        with pytest.raises(TimeoutError):
            await worker.run(str(number), lambda: go.wait(20), 0.01)
    hanging = [thread for thread in threading.enumerate() if thread.name == "test"]
    go.set()
    worker.close()

    assert MOST_STUCK == len(hanging)
