"""InfluxDB: a real InfluxDB 1 is written to and asked again, and its answers to what is wrong are understood."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from influxd import Influx, influxd

from hearthbus.config.secret import Secret
from services.telemetry.outcomes import Delivered, Held, Outcome, Refused, TooLarge
from services.telemetry.records import Record
from services.telemetry.sinks.influxdb import InfluxDb

if TYPE_CHECKING:
    from collections.abc import Iterator

T = 1_764_000_000_123_456_789


def record(topic: str, body: dict[str, Any], *, at: int = T, offset: int = 1) -> Record:
    return Record(topic, body, at, offset)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influxd(tmp_path_factory.mktemp("influx"), auth=True, most=200_000) as server:
        yield server


async def write(influx: Influx, *records: Record, **settings: Any) -> Outcome:
    table: dict[str, Any] = {"database": "house", "user": "me", "password": Secret("pass word"), **settings}
    sink = InfluxDb(url=influx.url, **table).sink("archive")
    try:
        return await sink.send(records)
    finally:
        await sink.close()


async def test_real_every_value_and_time(influx: Influx) -> None:
    """InfluxDB gives back every value and time it was sent, packed or not."""
    values = [0.1, -0.0, 1e300, 5e-324, 2**53, -17, 21.5, 1e16, 123456789.123456789]
    sent = [record("sensor/hall/precise", {"value": value}, at=T + at) for at, value in enumerate(values)]

    assert Delivered() == await write(influx, *sent[:4])
    assert Delivered() == await write(influx, *sent[4:], gzip=True)
    assert [[T + at, value] for at, value in enumerate(values)] == influx.query(
        "SELECT value FROM precise WHERE place='hall' AND kind='sensor'", db="house"
    )


async def test_real_twice_is_once(influx: Influx) -> None:
    """A batch that is sent again changes nothing."""
    sent = [record("sensor/hall/twice", {"value": n}, at=T + n) for n in range(5)]
    await write(influx, *sent)
    await write(influx, *sent)

    assert [[T + n, n] for n in range(5)] == influx.query("SELECT value FROM twice", db="house")


async def test_real_names(influx: Influx) -> None:
    """Spaces, commas, equals signs, quotes and letters of any language come back as they were."""
    odd = "Küche, \"a=b\" 'c' 日本 🏠"
    sent = record("host/pi/odd", {odd: 1.5, "time": 2.5})
    outcome = await write(influx, sent, measurement=odd, tags={odd: odd})

    assert Delivered() == outcome
    quoted = '"' + odd.replace('"', '\\"') + '"'
    assert [[T, 1.5, 2.5, odd]] == influx.query(f'SELECT {quoted}, "time_", {quoted}::tag FROM {quoted}', db="house")


async def test_real_poison(influx: Influx) -> None:
    """A type conflict is refused, whose batch is found halved; the others of it are stored."""
    await write(influx, record("sensor/hall/kind", {"value": True}), bools="boolean")
    mixed = [record("sensor/hall/fine", {"value": 7}), record("sensor/hall/kind", {"value": 1.0}, at=T + 1)]
    outcome = await write(influx, *mixed)

    assert isinstance(outcome, Refused)
    assert "field type conflict" in outcome.reason
    assert [[T, 7]] == influx.query("SELECT value FROM fine", db="house")


async def test_real_beyond_retention(influx: Influx) -> None:
    """Points older than the retention are counted, and the rest is stored."""
    influx.query("CREATE RETENTION POLICY hours ON house DURATION 2h REPLICATION 1")
    now = time.time_ns()
    sent = [record("sensor/hall/brief", {"value": 1}, at=at) for at in (now - 10**9, now - 10**14, now - 10**15)]
    outcome = await write(influx, *sent, retention_policy="hours")

    assert isinstance(outcome, Delivered)
    assert 2 == outcome.dropped
    assert [[now - 10**9, 1]] == influx.query("SELECT value FROM hours.brief", db="house")


@pytest.mark.parametrize(
    ("settings", "kind", "word"),
    [
        ({"database": "barn"}, Held, "database not found"),
        ({"retention_policy": "week"}, Held, "no such retention policy"),
        ({"password": Secret("guess")}, Held, "authorization failed"),
        ({"user": "", "password": None}, Held, "unable to parse authentication credentials"),
    ],
)
async def test_real_wrong_settings(influx: Influx, settings: dict[str, Any], kind: type, word: str) -> None:
    """What only a person can mend is held, and says what it is."""
    outcome = await write(influx, record("sensor/hall/temperature", {"value": 1.5}), **settings)

    assert kind is type(outcome)
    assert word in outcome.reason
    assert "guess" not in outcome.reason


async def test_real_too_large(influx: Influx) -> None:
    """A batch above what InfluxDB takes at once is told as such."""
    sent = [record("sensor/hall/many", {"value": n * 0.37}, at=T + n) for n in range(5000)]

    assert TooLarge is type(await write(influx, *sent))
    assert Delivered() == await write(influx, *sent[:1000])
