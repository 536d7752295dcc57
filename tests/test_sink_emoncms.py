"""emoncms: rows by node and second, names it takes, and its errors of status 200."""

from __future__ import annotations

from typing import Any

import pytest
from http_services import EmoncmsServer
from http_sink import HttpServer

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.records import Record
from services.telemetry.sinks.emoncms import BulkFormat, Emoncms
from services.telemetry.sinks.exchange import Answer

KEY = "0123456789abcdef0123456789abcdef"
S = 1_764_000_000
READINGS = [
    Record("sensor/hall/temperature", {"value": 21.5, "unit": "°C"}, S * 10**9 + 1, 1),
    Record("sensor/hall/humidity", {"value": 40}, S * 10**9 + 999_999_999, 2),
    Record("sensor/hall/temperature", {"value": 21.75, "unit": "°C"}, S * 10**9 + 10**9, 3),
    Record("sensor/hall/motion", {"value": True}, S * 10**9 + 10**9, 4),
    Record("sensor/hall/note", {"value": "text"}, S * 10**9 + 10**9, 5),
]


async def deliver(server: HttpServer, *records: Record, key: str = KEY, **settings: Any) -> Outcome:
    sink = Emoncms(url=f"{server.url}/emoncms", key=Secret(key), **settings).sink("energy")
    try:
        return await sink.send(records)
    finally:
        await sink.close()


async def test_readings_arrive() -> None:
    """Every value is there under its node and input, at its second."""
    emoncms = EmoncmsServer(KEY)
    with HttpServer(emoncms) as server:
        outcome = await deliver(server, *READINGS)
        (request,) = server.requests
    late = int(request.at) - int(request.form["sentat"])

    assert Delivered() == outcome
    assert late in (0, 1)
    assert {
        ("hall", "temperature"): {S: 21.5, S + 1: 21.75},
        ("hall", "humidity"): {S: 40.0},
        ("hall", "motion"): {S + 1: 1.0},
    } == {name: {second - late: value for second, value in values.items()} for name, values in emoncms.inputs.items()}


async def test_a_wrong_clock_does_no_harm() -> None:
    """Times are told against the time of sending: a server an hour ahead has them an hour ahead, all of them."""
    emoncms = EmoncmsServer(KEY, ahead_s=3600)
    with HttpServer(emoncms) as server:
        await deliver(server, *READINGS)
    (first, second) = emoncms.inputs["hall", "temperature"]

    assert 1 == second - first
    assert first - S in (3600, 3601)


async def test_twice_is_once() -> None:
    """A batch that comes again stores nothing new."""
    form = BulkFormat(Emoncms(key=Secret(KEY)))

    assert form.merges
    assert form.encode(READINGS, 5.0) == form.encode(READINGS, 5.0)


async def test_one_object_for_each_input() -> None:
    """Each input has an object of its own, of which old servers read the first key only; the same input a new row."""
    with HttpServer(EmoncmsServer(KEY)) as server:
        again = Record("sensor/hall/temperature", {"value": 22}, S * 10**9 + 2, 9)
        await deliver(server, *READINGS[:2], again)
        (request,) = server.requests

    assert (
        f'[[{S},"hall",{{"temperature":21.5}},{{"humidity":40}}],[{S},"hall",{{"temperature":22}}]]'
        == request.form["data"]
    )


async def test_names() -> None:
    """Letters emoncms would take out become `_`, long names are cut and stay apart, several numbers have their keys."""
    places = ["livingroom-bookshelf-left", "livingroom-bookshelf-right"]
    emoncms = EmoncmsServer(KEY)
    with HttpServer(emoncms) as server:
        readings = [Record(f"sensor/{place}/temperature", {"value": 1}, S * 10**9, 1) for place in places]
        disk = Record("host/pi/disk/root", {"used": 5, "frée & é": 1}, S * 10**9, 2)
        outcome = await deliver(server, *readings, disk, input="{quantity}")
    names = sorted(emoncms.inputs)

    assert Delivered() == outcome
    assert 4 == len(names)
    assert {"root_fr_e____", "root_used", "temperature"} == {name for _, name in names}
    assert {"livingroom-"} == {node[:11] for node, _ in names if node != "pi.disk"}


async def test_units() -> None:
    """Numbers are converted on their way."""
    emoncms = EmoncmsServer(KEY)
    with HttpServer(emoncms) as server:
        energy = Record("sensor/meter/energy", {"value": 1500, "unit": "Wh"}, S * 10**9, 1)
        await deliver(server, energy, units={"Wh": "kWh"})

    assert [1.5] == [*emoncms.inputs["meter", "energy"].values()]


async def test_a_wrong_key() -> None:
    """A key it does not know is held, and not told."""
    wrong = "f" * 32
    with HttpServer(EmoncmsServer(KEY)) as server:
        outcome = await deliver(server, *READINGS, key=wrong)

    assert Held("it does not accept the key or password (HTTP 401: Invalid API key)") == outcome


async def test_a_row_at_fault() -> None:
    """An error with status 200 refuses the batch, so that the record at fault is looked for."""
    emoncms = EmoncmsServer(KEY)
    with HttpServer(emoncms) as server:
        outcome = await deliver(server, READINGS[0], Record("sensor/poison/x", {"value": 1}, S * 10**9, 2))

    assert Refused("it does not take this: Error: Maximum node length exceeded") == outcome
    assert [("hall", "temperature")] == [*emoncms.inputs]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"ok", Delivered),
        (200, b'"ok"\n', Delivered),
        (200, b'{"success": true}', Delivered),
        (200, b'{"success": false, "message": "Invalid API key"}', Held),
        (200, b'{"success": false, "message": "Format error"}', Refused),
        (200, b"Format error, json string supplied is not valid", Refused),
        (200, b"<!doctype html><h1>Welcome to the hotel's network</h1>", Held),
        (200, b"", Refused),
        (404, b"", Held),
        (503, b"", Later),
    ],
)
def test_answers(status: int, body: bytes, kind: type) -> None:
    """The body decides; a page that is not emoncms's is no success."""
    assert kind is type(BulkFormat(Emoncms(key=Secret(KEY))).judge(Answer(status, {}, body)))


def test_tables() -> None:
    """What makes no sense is told before anything starts, and the key is not."""
    with pytest.raises(Invalid) as caught:
        Emoncms(url="emonpi", key=Secret("two\nlines"), node="{plaec}", units={"Wh": "°C"}, node_letters=3)

    assert {"url", "key", "node", "units", "node_letters"} == {
        problem.split()[0].rstrip(":") for problem in caught.value.problems
    }
    assert KEY not in repr(Emoncms(key=Secret(KEY)))
