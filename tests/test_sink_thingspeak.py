"""ThingSpeak: eight fields, one row for a second, and answers of status 200 that are none."""

from __future__ import annotations

from typing import Any

import pytest
from http_services import ThingSpeakServer
from http_sink import HttpServer, Reply

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge
from services.telemetry.records import Record
from services.telemetry.sinks.exchange import Answer
from services.telemetry.sinks.thingspeak import ChannelFormat, ThingSpeak

KEY = "WRITEKEY12345678"
S = 1_764_000_000
ONE_ROW = "a channel has one row for a second, and one value in each field of it"
FIELDS = {"field1": "sensor/hall/temperature", "field2": "light/desk:brightness", "field8": "host/pi/disk/root:used"}


def settings(url: str = "https://api.thingspeak.com", key: str = KEY, **more: Any) -> ThingSpeak:
    return ThingSpeak(url=url, channel=77, key=Secret(key), **{"fields": FIELDS, **more})


async def deliver(server: HttpServer, *records: Record, **more: Any) -> Outcome:
    sink = settings(server.url, **more).sink("garden")
    try:
        return await sink.send(records)
    finally:
        await sink.close()


def reading(second: int, value: float, *, ns: int = 0) -> Record:
    return Record("sensor/hall/temperature", {"value": value}, (S + second) * 10**9 + ns, second)


async def test_readings_arrive() -> None:
    """The values of a second are one row, under their fields; other topics and keys are not sent. Twice is once."""
    others = [
        Record("light/desk", {"on": True, "brightness": 0.25}, S * 10**9 + 5, 2),
        Record("host/pi/disk/root", {"used": 5, "free": 7}, S * 10**9 + 10**9, 3),
        Record("sensor/attic/temperature", {"value": 3}, S * 10**9, 4),
        Record("sensor/hall/temperature", {"value": None}, S * 10**9 + 9 * 10**9, 5),
    ]
    thingspeak = ThingSpeakServer(KEY, 77)
    with HttpServer(thingspeak) as server:
        outcomes = [await deliver(server, reading(0, 21.5), *others, reading(2, 22)) for _ in range(2)]

    assert [Delivered()] * 2 == outcomes
    assert {
        "2025-11-24T16:00:00Z": {"field1": 21.5, "field2": 0.25},
        "2025-11-24T16:00:01Z": {"field8": 5},
        "2025-11-24T16:00:02Z": {"field1": 22},
    } == thingspeak.rows


async def test_one_value_for_a_second() -> None:
    """Of several values of a field for one second the last is sent, and the others are counted and told."""
    thingspeak = ThingSpeakServer(KEY, 77)
    with HttpServer(thingspeak) as server:
        outcome = await deliver(server, reading(0, 1), reading(0, 2, ns=5), reading(0, 3, ns=9), reading(1, 4))

    assert Delivered(2, ONE_ROW) == outcome
    assert [3, 4] == [row["field1"] for row in thingspeak.rows.values()]


async def test_a_second_on_the_border_of_two_batches() -> None:
    """What comes for a second that was stored with the batch before is counted and told; a repeated batch is not."""
    thingspeak = ThingSpeakServer(KEY, 77)
    with HttpServer(thingspeak) as server:
        server.script(Reply(500))
        sink = settings(server.url).sink("garden")
        first = [reading(0, 1), reading(1, 2)]
        later = [Record("sensor/hall/temperature", {"value": 3}, (S + 1) * 10**9 + 7, 3), reading(4, 4)]
        outcomes = [await sink.send(batch) for batch in (first, first, later, later[:1])]
        await sink.close()

    assert [Later("it fails (HTTP 500)"), Delivered(), Delivered(1, ONE_ROW), Delivered()] == outcomes
    assert [1, 2, 4] == [row["field1"] for row in thingspeak.rows.values()]


async def test_a_full_batch() -> None:
    """960 rows go in one call."""
    thingspeak = ThingSpeakServer(KEY, 77)
    with HttpServer(thingspeak) as server:
        outcome = await deliver(server, *(reading(n, n) for n in range(ChannelFormat.most)))

    assert Delivered() == outcome
    assert 960 == len(thingspeak.rows)


def test_what_is_subscribed() -> None:
    """The topics of the fields are what is sent, and a free account's limits are kept, unless the table says so."""
    assert ("sensor/hall/temperature", "light/desk", "host/pi/disk/root") == settings().topics
    assert (4.0, 960, 15.0) == (settings().per_minute, settings().batch, settings().every_s)
    assert ("#",) == settings(topics=("#",)).topics


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (202, '{"success":true}', Delivered()),
        (200, "0", Later("it took nothing (HTTP 200: 0)", 15.0)),
        (200, "error_auth_required", Held("it does not accept the key or password (HTTP 401: error_auth_required)")),
        (402, "error_payment_required",
         Held("the messages of the licence are used up (HTTP 402: error_payment_required)")),
        (404, "", Held("there is no such thing at this address (HTTP 404)")),
        (413, "", TooLarge("it finds the batch too large (HTTP 413)")),
        (421, "error_no_action", Refused("it does not take this (HTTP 421: error_no_action)")),
        (429, "", Later("it is asked too often (HTTP 429)", 15.0)),
        (502, "", Later("it fails (HTTP 502)")),
    ],
)  # fmt: skip
def test_answers(status: int, body: str, outcome: Outcome) -> None:
    """Each code has its outcome, also where it comes as text with a status that says otherwise."""
    assert outcome == ChannelFormat(settings()).judge(Answer(status, {}, body.encode()))


def test_a_conflict_passes_or_is_looked_into() -> None:
    """A conflict is tried again three times; then the batch is taken apart, until something else is answered."""
    form = ChannelFormat(settings())
    kinds = [type(form.judge(Answer(409))) for _ in range(5)]
    form.judge(Answer(202))

    assert [Later, Later, Later, Refused, Refused] == kinds
    assert Later is type(form.judge(Answer(409)))


async def test_a_wrong_key() -> None:
    """A key it does not know is held, and not told, though the server repeats its own."""
    with HttpServer(ThingSpeakServer(KEY, 77)) as server:
        wrong = await deliver(server, reading(0, 1), key="guess-1234")
        server.script(ThingSpeakServer(KEY, 77)._error(401, "error_auth_required"))
        echoed = await deliver(server, reading(0, 1))

    assert [Held, Held] == [type(wrong), type(echoed)]
    assert "guess-1234" not in repr(wrong)
    assert KEY not in repr(echoed) + repr(settings())


def test_tables() -> None:
    """What makes no sense is told at once."""
    with pytest.raises(Invalid) as caught:
        settings("thingspeak", fields={"field9": "sensor/hall/temperature", "field1": "Sensor/Hall"}, key="a\nb")

    assert {"url", "fields.field9", "fields.field1", "key", "topics"} == {
        problem.split()[0].rstrip(":") for problem in caught.value.problems
    }
    with pytest.raises(Invalid, match="fields is empty"):
        settings(fields={})
