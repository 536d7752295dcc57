"""InfluxDB: lines by the book, what its answers mean, and a real InfluxDB 1 written to and asked again."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from http_sink import HttpServer, Reply
from hypothesis import example, given
from hypothesis import strategies as st

from hearthbus.config.schema import build
from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.naming import Template
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.records import Record
from services.telemetry.sinks.exchange import Answer
from services.telemetry.sinks.influxdb import InfluxDb, InfluxDb2, LineFormat
from services.telemetry.sinks.lines import LineWriter

T = 1_764_000_000_123_456_789


def record(topic: str, body: dict[str, Any], *, at: int = T, offset: int = 1) -> Record:
    return Record(topic, body, at, offset)


def lines(*records: Record, **settings: Any) -> list[str]:
    return InfluxDb(url="http://host", database="house", **settings).writer().write(records).decode().splitlines()


def test_a_reading() -> None:
    """A reading is a measurement by its quantity, with its kind and place as tags and its time to the nanosecond."""
    reading = record("sensor/hall/temperature", {"value": 21.5, "unit": "°C", "device": "rfm12.7"})

    assert [f"temperature,kind=sensor,place=hall value=21.5 {T}"] == lines(reading)


def test_several_numbers() -> None:
    """The numbers of a message are the fields of one line; where each is a quantity, it has a line."""
    disk = record("host/pi/disk/root", {"used": 5, "free": 1.5, "path": "/"})
    light = record("light/desk", {"on": True, "brightness": 0.25})

    assert [
        f"root,kind=host,place=pi.disk used=5.0,free=1.5 {T}",
        f"on,kind=light,place=desk value=1.0 {T}",
        f"brightness,kind=light,place=desk value=0.25 {T}",
    ] == lines(disk, light)


def test_several_numbers_without_their_keys() -> None:
    """The numbers of a message are never one field, whatever the templates leave out."""
    light = record("light/desk", {"on": True, "brightness": 0.25})
    disk = record("host/pi/disk/root", {"used": 5, "free": 1.5})

    assert [
        f"house,place=desk value_on=1.0,value_brightness=0.25 {T}",
        f"house,place=pi.disk used=5.0,free=1.5 {T}",
    ] == (lines(light, disk, measurement="house", tags={"place": "{place}"}))
    assert [f"root v_used=5.0,v_free=1.5 {T}"] == lines(disk, measurement="{quantity}", tags={}, field="v")


def test_nothing_to_send() -> None:
    """Texts, null, NaN, infinities and lists make no line, and a batch of them no call."""
    bodies = [{"value": value} for value in ("on", None, math.nan, math.inf, -math.inf, [1], {"a": 1})]
    empty = [record("sensor/hall/x", body) for body in (*bodies, {})]
    form = LineFormat(InfluxDb(url="http://host", database="house").writer(), "/write", {}, zipped=False)

    assert Delivered() == form.encode(empty, 0.0)


def test_bools() -> None:
    """True is 1.0, or a boolean where that is asked for; numbers are floats in both."""
    said = [record("sensor/hall/motion", {"value": True}), record("sensor/hall/count", {"value": 3})]

    assert ["value=1.0", "value=3.0"] == [line.split()[1] for line in lines(*said)]
    assert ["value=true", "value=3.0"] == [line.split()[1] for line in lines(*said, bools="boolean")]


@pytest.mark.parametrize(
    ("precision", "time"), [("ns", T), ("us", T // 1000), ("ms", T // 10**6), ("s", T // 10**9)]
)  # fmt: skip
def test_precision(precision: str, time: int) -> None:
    """Times are as fine as the table says."""
    (line,) = lines(record("sensor/hall/temperature", {"value": 1}), precision=precision)

    assert str(time) == line.split()[-1]


def test_templates_and_units() -> None:
    """Names are by templates, an empty tag is left out, and numbers are converted."""
    reading = record("sensor/hall/temperature", {"value": 100, "unit": "°C"})
    settings = {
        "measurement": "{kind} {quantity}",
        "tags": {"topic": "{topic}", "device": "{device}", "house": "Old, mill=1", "unit": "{unit}"},
        "field": "v {field}",
        "units": {"°C": "°F"},
    }

    assert [
        f"sensor\\ temperature,house=Old\\,\\ mill\\=1,topic=sensor/hall/temperature,unit=°F v\\ value=212.0 {T}"
    ] == lines(reading, **settings)


def test_names_influx_keeps_to_itself() -> None:
    """A key that InfluxDB has a meaning for, or that no line can hold, is stored under one it has not."""
    said = record("host/pi/x", {"time": 1, "_field": 2, "": 3, "a\nb\\": 4})

    assert [f"x,kind=host,place=pi time_=1.0,field=2.0,value=3.0,a_b_=4.0 {T}"] == lines(said)


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\\"), min_size=1).filter(
    lambda text: text[0] not in "_#" and text != "time" and "{" not in text and "}" not in text
)


@given(
    measurement=names,
    tags=st.dictionaries(names, names, max_size=4),
    values=st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False) | st.booleans(), min_size=1),
    time=st.integers(-(2**62), 2**62),
)
@example(measurement="m", tags={"0": "a", " ": "b"}, values={"x": 0.0}, time=0)
def test_round_trip(measurement: str, tags: dict[str, str], values: dict[str, Any], time: int) -> None:
    """What an independent reader of the protocol finds in a line is what was written."""
    writer = LineWriter(
        measurement=Template(measurement),
        tags={key: Template(value) for key, value in tags.items()},
        field=Template("{field}"),
        units={},
        booleans=True,
        precision="ns",
    )
    (line,) = writer.write([record("host/pi/x", dict(values), at=time)]).decode().split("\n")[:-1]
    expected = {"value": values["value"]} if type(values.get("value")) in (float, bool) else values

    assert (measurement, tags, expected, time) == read_line(line)


def read_line(line: str) -> tuple[str, dict[str, str], dict[str, Any], int]:
    """Take a line apart, letter by letter, by the reference's words alone."""
    parts: list[list[str]] = [[""]]
    escaped = False
    for char in line:
        if escaped:
            parts[-1][-1] += char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == " " and len(parts) < 3:
            parts.append([""])
        elif (char == "," and len(parts) < 3) or (char == "=" and not (len(parts) == 1 and len(parts[0]) == 1)):
            parts[-1].append("")
        else:
            parts[-1][-1] += char
    (measurement, *tags), fields, ((time),) = parts
    keys = [*fields[0::2]]
    assert list(tags[0::2]) == sorted(tags[0::2], key=str)
    values = [text == "true" if text in ("true", "false") else float(text) for text in fields[1::2]]
    return measurement, dict(zip(tags[0::2], tags[1::2], strict=True)), dict(zip(keys, values, strict=True)), int(time)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (204, "", Delivered()),
        (400, '{"error":"unable to parse \'x\': missing fields"}',
         Refused("it does not take this (HTTP 400: unable to parse 'x': missing fields)")),
        (400, '{"error":"partial write: points beyond retention policy dropped=3"}',
         Delivered(3, "older than the retention: partial write: points beyond retention policy dropped=3")),
        (422, '{"code":"unprocessable entity","message":"dropped 12 points outside retention policy of duration 3h"}',
         Delivered(12, "older than the retention: dropped 12 points outside retention policy of duration 3h:"
                   " unprocessable entity")),
        (422, '{"message":"failure writing points to database: partial write: field type conflict dropped=1"}',
         Refused("it does not take this (HTTP 422: failure writing points to database: partial write: field type"
                 " conflict dropped=1)")),
        (404, '{"code":"not found","message":"bucket \\"house\\" not found"}',
         Held('there is no such thing at this address (HTTP 404: bucket "house" not found: not found)')),
        (500, '{"error":"retention policy not found: week"}',
         Held("there is no such retention policy (HTTP 500: retention policy not found: week)")),
        (500, '{"error":"timeout"}', Later("it fails (HTTP 500: timeout)")),
        (401, '{"code":"unauthorized","message":"unauthorized access"}',
         Held("it does not accept the key or password (HTTP 401: unauthorized access: unauthorized)")),
    ],
)  # fmt: skip
def test_answers(status: int, body: str, outcome: Outcome) -> None:
    """Each answer of InfluxDB has its outcome."""
    form = LineFormat(InfluxDb(url="http://host", database="house").writer(), "/write", {}, zipped=False)

    assert outcome == form.judge(Answer(status, {}, body.encode()))


async def test_version_2_on_the_wire() -> None:
    """Version 2 is asked with organisation, bucket and token."""
    with HttpServer() as server:
        settings = InfluxDb2(url=server.url + "/influx/", org="my home", bucket="house/raw", token=Secret("tok"))
        sink = settings.sink("cloud")
        outcome = await sink.send([record("sensor/hall/temperature", {"value": 21.5})])
        await sink.close()
    (request,) = server.requests

    assert Delivered() == outcome
    assert ("POST", "/influx/api/v2/write") == (request.method, request.path)
    assert {"org": "my home", "bucket": "house/raw", "precision": "ns"} == request.query
    assert "Token tok" == request.headers["authorization"]


async def test_version_2_retry_after() -> None:
    """A cloud that is asked too often says when to come back."""
    with HttpServer() as server:
        server.script(Reply(429, b'{"code":"too many requests"}', {"Retry-After": "30"}))
        sink = InfluxDb2(url=server.url, bucket="house", token=Secret("tok")).sink("cloud")
        outcome = await sink.send([record("sensor/hall/temperature", {"value": 21.5})])
        await sink.close()

    assert Later("it is asked too often (HTTP 429: too many requests)", 30.0) == outcome


def test_it_is_fast() -> None:
    """At least 60,000 points a second are written as lines."""
    writer = InfluxDb(url="http://host", database="house").writer()
    backlog = [
        record(f"sensor/place{n % 50}/temperature", {"value": n * 0.1, "unit": "°C", "device": "a"}, at=T + n)
        for n in range(20_000)
    ]
    begun = time.perf_counter()
    written = sum(writer.write(backlog[at : at + 5000]).count(b"\n") for at in range(0, 20_000, 5000))
    rate = written / (time.perf_counter() - begun)
    print(f"\n{rate:,.0f} points a second into line protocol")  # noqa: T201 - the figure is what is wanted

    assert 20_000 == written
    assert 60_000 <= rate


def test_tables() -> None:
    """A table of the configuration becomes settings; what does not fit is told."""
    made = build(InfluxDb, {"url": "http://host", "database": "house", "tags": {"place": "{place}"}, "batch": 10})

    assert 10 == made.batch
    with pytest.raises(Invalid, match="password"):
        InfluxDb(url="http://host", database="house", user="me")
    with pytest.raises(Invalid, match="token"):
        InfluxDb2(url="http://host", bucket="house", token=Secret("two\nlines"))
