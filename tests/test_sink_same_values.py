"""Every kind of sink writes the same thousand records; read back by other means they are the same values and times."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import pytest

from hearthbus import Secret
from services.telemetry.records import Record
from services.telemetry.sinks.cosm import Cosm, FeedFormat
from services.telemetry.sinks.emoncms import BulkFormat, Emoncms
from services.telemetry.sinks.exchange import Outgoing
from services.telemetry.sinks.graphite import GraphiteSettings, Lines
from services.telemetry.sinks.influxdb import InfluxDb, LineFormat
from services.telemetry.sinks.mqtt import MqttSettings
from services.telemetry.sinks.mqtt_messages import Messages
from services.telemetry.sinks.prometheus_board import Board
from services.telemetry.sinks.thingspeak import ChannelFormat, ThingSpeak
from services.telemetry.sinks.webhook import MessageFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Series = dict[str, dict[int, float]]
"""By what a sink calls it, a series: by time, its values."""
SECOND: Final = 1_000_000_000
KEY: Final = Secret("0123456789abcdef")
NUMBERS: Final = (
    0, 1, -1, 2**53, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), True, False, 0.0, -0.0, 0.1, 21.5, -273.15, 1e-9, 1e16,
    1e22, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e300, 1 / 3,
)  # fmt: skip
NO_NUMBERS: Final = (None, "warm", "", [1, 2], {"a": 1}, "nan", "1")
LONE: Final = ("sensor/hall/temperature", "sensor/living.room-2/co_2", "sensor/a/b", "doorbell", "broker/stats.x/y")
SEVERAL: Final = ("light/desk", "host/pi/disk/root", "host/pi/load", "radio/very-long-name-of-a-room/rssi")
KEYS: Final = ("on", "used", "größe", "a b", 'quote"d', "x=1,y", "comma,s", "load_1m")


def varied(count: int) -> list[Record]:
    """Make records of every shape; none two in a second, from 1970 to as far as each sink's times reach."""
    chance = random.Random(5)
    seconds = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, *(1_764_000_000 + at for at in range(count - 5))]
    made = []
    body: dict[str, Any]
    for offset, second in enumerate(seconds):
        if chance.random() < 0.6:
            topic, body = chance.choice(LONE), {"value": chance.choice((*NUMBERS, chance.gauss(20, 5), None, "text"))}
        else:
            topic = chance.choice(SEVERAL)
            keys = chance.sample(KEYS, chance.randint(0, 4))
            body = {key: chance.choice((*NUMBERS, *NO_NUMBERS, chance.random())) for key in keys}
        if chance.random() < 0.3:
            body["device"] = chance.choice(("rf12:5", 28))
        made.append(Record(topic, body, second * SECOND + chance.randrange(0, SECOND, 1000), offset))
    return made


RECORDS: Final = varied(1000)


def numbers(record: Record) -> dict[str, float]:
    """Return what of a record is a number, by its key: the test's own word on what is to be sent."""
    body = {"value": record.body["value"]} if "value" in record.body else record.body
    return {key: float(value) for key, value in body.items() if isinstance(value, bool | int | float)}


def expected(step: int) -> list[dict[int, float]]:
    series: Series = defaultdict(dict)
    for record in RECORDS:
        for key, value in numbers(record).items():
            series[f"{record.topic} {key}"][record.time_ns // step] = value
    return ordered(series)


def ordered(series: Series) -> list[dict[int, float]]:
    """Return the series without their names, which each sink has its own for."""
    return sorted(series.values(), key=lambda points: sorted(points.items()))


def gathered(points: Iterable[tuple[str, int, float]]) -> list[dict[int, float]]:
    series: Series = defaultdict(dict)
    for name, time, value in points:
        assert time not in series[name]
        series[name][time] = value
    return ordered(series)


def body_of(outgoing: object) -> bytes:
    assert isinstance(outgoing, Outgoing)
    return outgoing.body


def of_influxdb() -> Iterable[tuple[str, int, float]]:
    writer = InfluxDb(url="http://localhost", database="house").writer()
    data = body_of(LineFormat(writer, "/write", {}, zipped=False).encode(RECORDS, 0)).decode()
    for line in data.splitlines():
        head, fields, time = re.split(r"(?<!\\) ", line)
        for field in re.split(r"(?<!\\),", fields):
            name, value = re.split(r"(?<!\\)=", field)
            yield f"{head} {name}", int(time), float(value)


def of_graphite() -> Iterable[tuple[str, int, float]]:
    data, dropped = Lines(GraphiteSettings(host="localhost").path).encode(RECORDS)
    assert 0 == dropped
    for line in data.decode("ascii").splitlines():
        path, value, time = line.split(" ")
        yield path, int(time), float(value)


def of_emoncms() -> Iterable[tuple[str, int, float]]:
    form = parse_qs(body_of(BulkFormat(Emoncms(key=KEY)).encode(RECORDS, 0)).decode())
    for time, node, *inputs in json.loads(form["data"][0]):
        for one in inputs:
            ((name, value),) = one.items()
            assert type(value) in {int, float}
            yield f"{node} {name}", time, float(value)


def of_thingspeak() -> Iterable[tuple[str, int, float]]:
    names = [(topic, "value") for topic in LONE[:4]] + [(SEVERAL[0], key) for key in ("on", "größe")]
    names += [(SEVERAL[1], key) for key in ("used", "a b")]
    fields = {f"field{at}": topic if key == "value" else f"{topic}:{key}" for at, (topic, key) in enumerate(names, 1)}
    made = body_of(ChannelFormat(ThingSpeak(channel=1, key=KEY, fields=fields)).encode(RECORDS, 0))
    for row in json.loads(made)["updates"]:
        time = int(datetime.fromisoformat(row.pop("created_at")).timestamp())
        yield from ((name, time, float(value)) for name, value in row.items())
    for record in RECORDS:  # what no field shows
        for key, value in numbers(record).items():
            if (record.topic, key) not in names:
                yield f"{record.topic} {key}", record.time_ns // SECOND, value


def microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(microseconds=1)


def of_cosm() -> Iterable[tuple[str, int, float]]:
    form = FeedFormat(Cosm(url="http://localhost", feed=1, key=KEY))
    for stream in json.loads(body_of(form.encode(RECORDS, 0)))["datastreams"]:
        points = [(microseconds(point["at"]), point["value"]) for point in stream["datapoints"]]
        assert (microseconds(stream["at"]), stream["current_value"]) == max(points)
        yield from ((stream["id"], time, float(value)) for time, value in points)


def of_mqtt() -> Iterable[tuple[str, int, float]]:
    made = Messages(MqttSettings(host="localhost", payload="value"))
    for record in RECORDS:
        for message in made.of(record):
            assert f"{record.time_ns}-{record.offset}" == message.id
            yield message.topic, microseconds(message.ts) // 1000, float(json.loads(message.payload))


@pytest.mark.parametrize(
    ("read", "step"),
    [
        (of_influxdb, 1), (of_cosm, 1000), (of_mqtt, 1_000_000),
        (of_graphite, SECOND), (of_emoncms, SECOND), (of_thingspeak, SECOND),
    ],
)  # fmt: skip
def test_values(read: Callable[[], Iterable[tuple[str, int, float]]], step: int) -> None:
    """Each number is there once, under a name no other series has, as it was and when it was."""
    assert expected(step) == gathered(read())


def test_whole_messages() -> None:
    """A webhook and MQTT get each message as it was, but for null."""
    posted = json.loads(body_of(MessageFormat(None, {}, zipped=False).encode(RECORDS, 0)))
    made = Messages(MqttSettings(host="localhost", base=""))
    published = [(record, message) for record in RECORDS for message in made.of(record)]
    whole = [(record, {key: value for key, value in record.body.items() if value is not None}) for record in RECORDS]

    assert [(record.topic, body, record.time_ns // 1000) for record, body in whole] == [
        (message["topic"], message["body"], microseconds(message["time"])) for message in posted
    ]
    for record, message in published:
        said = json.loads(message.payload)
        assert (record.topic, record.time_ns // 1_000_000) == (message.topic, microseconds(said.pop("ts")) // 1000)
        assert {key: value for key, value in record.body.items() if value is not None} == said
    assert len(published) == sum("value" not in each.body or each.body["value"] is not None for each in RECORDS)


def test_page() -> None:
    """The page for Prometheus has the newest of each topic."""
    board = Board(prefix="house", limit=5000)
    for record in RECORDS:
        board.hear(record.topic, record.body, record.time_ns)
    own = re.compile(r"#|house_(exporter_|broker_up )")
    lines = [line for line in board.page().splitlines() if not own.match(line)]
    shown = sorted(float(line.rpartition(" ")[2]) for line in lines if "_last_seen_" not in line)
    newest = {record.topic: numbers(record) for record in RECORDS}

    assert sorted(value for values in newest.values() for value in values.values()) == shown


def test_the_records_are_varied() -> None:
    """The records hold what they are for: every number in every place, and times in order."""
    said = [value for record in RECORDS for value in record.body.values()]

    assert {repr(each) for each in (*NUMBERS, *NO_NUMBERS)} <= {repr(each) for each in said}
    assert all(earlier.time_ns // SECOND != later.time_ns // SECOND for earlier, later in pairwise(RECORDS))
