"""Cosm: datastreams with their datapoints, and a 403 that means two things."""

from __future__ import annotations

import json
from typing import Any

import pytest
from http_services import CosmServer
from http_sink import HttpServer, Reply

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge
from services.telemetry.records import Record
from services.telemetry.sinks.cosm import Cosm, FeedFormat
from services.telemetry.sinks.exchange import Answer, Outgoing

KEY = "cosm-key-7f3e"
T = 1_764_000_000_123_456_000
READINGS = [
    Record("sensor/hall/temperature", {"value": 21.5}, T, 1),
    Record("sensor/attic/light", {"value": 7}, T + 10**9, 2),
    Record("sensor/hall/temperature", {"value": 21.75}, T + 2 * 10**9, 3),
    Record("sensor/hall/motion", {"value": True}, T, 4),
    Record("sensor/hall/temperature", {"value": float("nan")}, T + 3 * 10**9, 5),
]


def settings(url: str = "http://cosm.example", key: str = KEY, **more: Any) -> Cosm:
    return Cosm(url=url, feed=504, key=Secret(key), **more)


async def deliver(server: HttpServer, *records: Record, **more: Any) -> Outcome:
    sink = settings(server.url, **more).sink("feed")
    try:
        return await sink.send(records)
    finally:
        await sink.close()


async def test_readings_arrive() -> None:
    """Every value is there in its datastream, at its time; the newest is the current one. Twice is once."""
    cosm = CosmServer(KEY, "504")
    with HttpServer(cosm) as server:
        outcomes = [await deliver(server, *READINGS) for _ in range(2)]

    assert [Delivered()] * 2 == outcomes
    assert {
        "temperature-hall": {"2025-11-24T16:00:00.123456Z": "21.5", "2025-11-24T16:00:02.123456Z": "21.75"},
        "light-attic": {"2025-11-24T16:00:01.123456Z": "7"},
        "motion-hall": {"2025-11-24T16:00:00.123456Z": "1"},
    } == cosm.streams
    assert {"temperature-hall": "21.75", "light-attic": "7", "motion-hall": "1"} == cosm.current


async def test_five_hundred() -> None:
    """A datastream has at most 500 values in a call: a full batch fits, and what does not is sent in parts."""
    many = [Record("sensor/hall/temperature", {"value": n}, T + n * 10**6, n) for n in range(501)]
    cosm = CosmServer(KEY, "504")
    with HttpServer(cosm) as server:
        full = await deliver(server, *many[:500])

    assert Delivered() == full
    assert 500 == len(cosm.streams["temperature-hall"]) == FeedFormat.most
    assert TooLarge is type(FeedFormat(settings()).encode(many, 0.0))


def test_names() -> None:
    """Letters an id cannot have become `_`; several numbers of a message have their keys."""
    disk = Record("host/pi/disk/root", {"used": 5, "f ü": 1}, T, 2)
    outgoing = FeedFormat(settings(id="{kind}/{quantity}")).encode([disk], 0.0)

    assert isinstance(outgoing, Outgoing)
    assert ["host_root_used", "host_root_f__"] == [each["id"] for each in json.loads(outgoing.body)["datastreams"]]
    assert ("PUT", "/v2/feeds/504.json") == (outgoing.method, outgoing.path)


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (200, {}, "", Delivered()),
        (403, {}, "You do not have permission to access this resource",
         Held("it does not allow this (HTTP 403: You do not have permission to access this resource)")),
        (403, {}, '{"title":"Forbidden","errors":"Rate limit exceeded"}',
         Later("it is asked too often (HTTP 403: Rate limit exceeded: Forbidden)")),
        (403, {"retry-after": "5"}, "", Later("it is asked too often (HTTP 403)", 5.0)),
        (406, {"retry-after": "5"}, "", Later("it is asked too often (HTTP 406)", 5.0)),
        (503, {}, "", Later("it fails (HTTP 503)")),
        (422, {}, '{"errors":["value is invalid"]}', Refused("it does not take this (HTTP 422: value is invalid)")),
        (400, {}, '{"title":"JSON Parser Error","errors":"x"}',
         Refused("it does not take this (HTTP 400: x: JSON Parser Error)")),
    ],
)  # fmt: skip
def test_answers(status: int, headers: dict[str, str], body: str, outcome: Outcome) -> None:
    """A 403 is a limit where it says so, else a key that may not write."""
    assert outcome == FeedFormat(settings()).judge(Answer(status, headers, body.encode()))


async def test_wrong_key_and_feed() -> None:
    """A key or feed it does not know is held; the key is not told, even where the server repeats it."""
    with HttpServer(CosmServer(KEY, "505")) as server:
        no_key = await deliver(server, *READINGS, key="guess-1234")
        no_feed = await deliver(server, *READINGS)
        server.script(Reply(403, f"key {KEY} may not".encode()))
        echoed = await deliver(server, *READINGS)

    assert [Held, Held, Held] == [type(no_key), type(no_feed), type(echoed)]
    assert "guess-1234" not in repr((no_key, no_feed))
    assert KEY not in repr(echoed)


def test_tables() -> None:
    """The address has no default, and what makes no sense is told at once."""
    with pytest.raises(Invalid) as caught:
        Cosm(url="api.cosm.com", feed="", key=Secret("ключ"), id="{x}", batch=0)

    assert {"url", "feed", "key", "id", "batch"} == {
        problem.split()[0].rstrip(":") for problem in caught.value.problems
    }
