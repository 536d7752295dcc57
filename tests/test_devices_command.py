"""`hearthbus devices`: a table for people, objects for programs, names given and passed on."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from cli_house import House, Told
from test_topics_page import message_of

from hearthbus.cli.main import main as command
from hearthbus.errors import HandlerError, Invalid, NoResponder
from services.rfxtrx.command.devices import main, name, replace, report, show

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hearthbus import Bus

NOW = 1_767_268_800_000_000_000
BALCONY = {
    "device": "temperature.temp1.2f00", "packet": "temperature", "subtype_name": "TEMP1", "kind": "sensor",
    "name": "balcony", "heard": 412, "battery_low": False, "battery": 1.0, "last_seen": "2026-01-01T11:59:20Z",
    "rssi_dbm": -64, "values": {"celsius": -2.5, "battery_level": 9}, "hex": "08500100",
}  # fmt: skip
SWITCH = {
    "device": "lighting2.ac.123abcd.5", "kind": "switch", "heard": 3, "battery_low": False,
    "last_seen": "2026-01-01T11:59:30Z", "rssi_dbm": -72, "values": {"command": "on", "level": 0},
}  # fmt: skip


def told(*bodies: dict[str, Any], json_: bool = False) -> Told:
    """Report devices; return what was printed."""
    messages = [message_of(f"rfxtrx/devices/{each['device']}", retain=True, body=each) for each in bodies]
    output = Told(json=json_)
    assert 0 == report(messages, output.output, now=NOW)
    return output


def test_a_table_for_people() -> None:
    """Id, kind, name, last value, when it was heard last, battery, signal, times heard; those with a name first."""
    assert [
        "id                      kind    name     last value   last seen  battery   signal  heard",
        "temperature.temp1.2f00  sensor  balcony  -2.5 °C           40 s     good  -64 dBm    412",
        "lighting2.ac.123abcd.5  switch           on, level=0       30 s           -72 dBm      3",
    ] == [line.rstrip() for line in told(SWITCH, BALCONY).lines]


@pytest.mark.parametrize(
    ("change", "shown"),
    [({"battery_low": True, "battery": 0.1}, "low"), ({"battery": 0.4}, "40 %"), ({"battery": 1.0}, "good")],
)
def test_how_the_battery_is(change: dict[str, Any], shown: str) -> None:
    """Low, good, or a percentage where the device tells one."""
    assert f"  {shown}  " in told(BALCONY | change).lines[1]


def test_a_long_value_is_cut() -> None:
    """A table stays a table; all of it is in --json."""
    (_, line) = told(BALCONY | {"values": {"text": "x" * 500}}).lines

    assert "..." in line
    assert len(line) < 150


def test_objects_for_programs() -> None:
    """All that is known, and when it was told."""
    (line,) = told(BALCONY, json_=True).lines
    found = json.loads(line)

    assert BALCONY == {key: found[key] for key in BALCONY}
    assert "temperature.temp1.2f00" == found["id"]


def test_nothing_heard_yet_says_what_to_do() -> None:
    """And a device that was taken back is none."""
    output = Told()
    report([message_of("rfxtrx/devices/gone", retain=True, body={})], output.output, now=NOW)

    assert [] == output.lines
    assert "hearthbus rfxtrx info" in output.notes[0]


async def test_no_such_service_is_said() -> None:
    """An empty list would send a person to look after the stick."""
    async with House().client() as bus:
        with pytest.raises(NoResponder, match="there is no service rfxtrx; `hearthbus status` lists"):
            await show(bus, Told().output, service="rfxtrx")


@pytest.mark.parametrize(("presence", "notes"), [("online", 0), ("lost", 1), ("offline", 1)])
async def test_a_service_that_does_not_run_leaves_its_list(presence: str, notes: int) -> None:
    """What it heard is shown, and that it hears nothing now."""
    output = Told()
    async with House().client() as bus:
        await bus.publish("service/rfxtrx", status=presence, retain=True)
        await bus.publish(f"rfxtrx/devices/{SWITCH['device']}", SWITCH, retain=True)
        assert 0 == await show(bus, output.output, service="rfxtrx")

    assert 2 == len(output.lines)
    assert notes == len(output.notes)
    assert all(f"rfxtrx is {presence}: nothing is heard now" in note for note in output.notes)


def test_a_body_that_makes_no_sense_is_shown_as_far_as_it_goes() -> None:
    """Anybody may publish anything."""
    output = told(
        {"device": "x", "name": 5, "heard": "often", "values": [1], "last_seen": "yesterday", "battery": True}
    )

    assert "x" == output.lines[1].split()[0]


async def asked(
    topic: str, answer: dict[str, Any] | str, work: Callable[[Bus, Told], Awaitable[int]]
) -> tuple[Told, dict[str, Any]]:
    """Serve one request, with a text as its failure; return what was printed and what was asked."""
    output, bodies = Told(), []
    async with House().client() as bus, bus.serve(topic) as responder:

        async def serve() -> None:
            async for request in responder:
                bodies.append(dict(request.message.body))
                await (request.fail(answer) if isinstance(answer, str) else request.reply(answer))

        serving = asyncio.create_task(serve())
        try:
            assert 0 == await work(bus, output)
        finally:
            serving.cancel()
    return output, bodies[0]


async def test_name() -> None:
    """The service is asked, and what it did is said in one line."""
    output, body = await asked(
        "rfxtrx/name",
        {"device": "lighting2.ac.123abcd.5", "name": "desk"},
        lambda bus, told: name(
            bus, told.output, service="rfxtrx", device="lighting2.ac.123ABCD.5", called="desk", kind="light"
        ),
    )

    assert {"id": "lighting2.ac.123ABCD.5", "name": "desk", "kind": "light"} == body
    assert ["lighting2.ac.123abcd.5 is desk now"] == output.lines


async def test_replace() -> None:
    """Old and new, and who is who now."""
    output, body = await asked(
        "rfxtrx/replace",
        {"device": "temperature.temp1.2f00", "name": "balcony"},
        lambda bus, told: replace(bus, told.output, service="rfxtrx", old="balcony", new="temperature.temp1.2f00"),
    )

    assert {"old": "balcony", "new": "temperature.temp1.2f00"} == body
    assert ["temperature.temp1.2f00 is balcony now"] == output.lines


async def test_what_the_service_refuses_is_its_own_words() -> None:
    """They name what is wrong and the next step."""
    with pytest.raises(HandlerError, match="is named in the configuration"):
        await asked(
            "rfxtrx/replace",
            "desk is named in the configuration",
            lambda bus, told: replace(bus, told.output, service="rfxtrx", old="desk", new="x"),
        )


def test_an_action_that_is_not_there() -> None:
    """It names those that are."""
    with pytest.raises(Invalid, match="there is name, replace"):
        main(["rename"])


@pytest.mark.parametrize("words", [[], ["name"], ["replace"]])
def test_every_action_has_its_help(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """`--help` prints it and ends with 0."""
    assert 0 == command(["devices", *words, "--help"])
    assert "usage: hearthbus devices" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["name", "x"], ["name"], ["replace", "x"], ["--nmae"]])
def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """With exit code 64, before any broker is asked."""
    assert 64 == command(["devices", *words])
    assert 1 == capsys.readouterr().err.count("\n")
