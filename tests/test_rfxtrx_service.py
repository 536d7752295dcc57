"""The RFXtrx service on a bus: requests and answers, what is confirmed, how the stick is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_bench import packet, start
from test_topics_page import faults

from drivers.rfxtrx import codec
from drivers.rfxtrx.transmissions import Fate, Outcome
from hearthbus import HandlerError
from services.standing import AWAY_S

if TYPE_CHECKING:
    from hearthbus.testing import Bench

DESK = "lighting2.ac.00abcde.5"
DEVICES: dict[str, Any] = {
    "desk": {"id": DESK, "kind": "light", "repeats": 2},
    "blind": {"id": "rfy.rfy.012345.1"},
    "hall": {"id": "lighting2.ac.00abcdf.1", "kind": "motion", "off_delay_s": 60},
    "door": {"id": "chime.byron-sx.0012"},
}


async def retained(bench: Bench, topic: str) -> dict[str, Any]:
    """Return what stands on a topic."""
    return next((message.body for message in await bench.bus.get(topic)), {})


async def test_a_light_is_confirmed_when_the_stick_has_acknowledged_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before: while it is on its way nothing is said of it."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    stick.gate.clear()
    asked = asyncio.create_task(bench.request("light/desk/set", brightness=0.5))
    await bench.nothing("light/desk")
    stick.gate.set()

    assert {"on": True, "brightness": 0.5, "confirmed": True} == await asked
    assert {"on": True, "brightness": 0.5, "confirmed": True} == await retained(bench, "light/desk")
    assert [("set_level", 7, 2)] == [(each.command, each.level, repeats) for each, repeats in stick.sent]  # type: ignore[attr-defined]


async def test_a_delayed_transmission_is_confirmed_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel was busy first."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    stick.fates = [Outcome(fate=Fate.DELAYED, reason="the channel was busy first")]

    assert {"on": True, "confirmed": True} == await bench.request("light/desk/set", on=True)


async def test_what_the_stick_refuses_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is an error with the stick's own reason; the state stays as it was."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    await bench.request("light/desk/set", on=True)
    stick.fates = [Outcome(fate=fate, reason=f"because {fate.value}") for fate in (Fate.NAK, Fate.AWAY, Fate.FULL)]
    for reason in ("because refused", "because stick away", "because queue full"):
        with pytest.raises(HandlerError, match=f"desk was sent nothing: {reason}"):
            await bench.request("light/desk/set", on=False)

    assert {"on": True, "confirmed": True} == await retained(bench, "light/desk")


async def test_no_answer_is_no_confirmation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The air may have had it: the state is what was asked for, unconfirmed, and the answer says why."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    stick.fates = [Outcome(fate=Fate.TIMEOUT, reason="the stick did not acknowledge it in 8 s")]
    answer = await bench.request("light/desk/set", on=True)

    assert {"on": True, "confirmed": False, "reason": "the stick did not acknowledge it in 8 s"} == answer
    assert {"on": True, "confirmed": False} == await retained(bench, "light/desk")


async def test_a_slow_stick_is_not_waited_for_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked is told in time that it is on its way; the state tells the end of it."""
    service, stick = await start(bench, monkeypatch, devices=DEVICES)
    service._desk._answer_s = 0.05
    stick.gate.clear()
    answer = await bench.request("cover/blind/set", open_ratio=1)
    stick.gate.set()

    assert not answer["confirmed"]
    assert "not acknowledged it yet" in answer["reason"]
    assert {"open_ratio": 1.0, "confirmed": True} == await bench.next("cover/blind")


async def test_the_newest_of_many_requests_counts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever drags a slider sends hundred: the first and the last are transmitted, all are answered."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    stick.gate.clear()
    asked = [asyncio.create_task(bench.request("light/desk/set", brightness=step / 100)) for step in range(1, 100)]
    await bench.nothing("light/desk")
    stick.gate.set()
    answers = await asyncio.gather(*asked)

    assert len(stick.sent) <= 2
    assert len(stick.sent) == sum(answer["confirmed"] for answer in answers)
    assert {"a newer request has taken its place"} == {answer.get("reason") for answer in answers[1:-1]}
    assert answers[-1]["confirmed"]
    assert answers[-1]["brightness"] == (await retained(bench, "light/desk"))["brightness"]


async def test_what_a_device_cannot_do_is_the_caller_s_to_know(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is transmitted."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)

    with pytest.raises(HandlerError, match="blind cannot go half way: rfy RFY has stop, up"):
        await bench.request("cover/blind/set", open_ratio=0.5)

    assert [] == stick.sent


async def test_a_bell_rings_and_a_button_is_pressed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes no state is answered all the same."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)

    assert {"confirmed": True} == await bench.request("notify/door", message="somebody is there")
    assert {"confirmed": True} == await bench.request("remote/blind/send", button="program", count=3)
    assert [("chime", 1), ("rfy", 3)] == [(each.name, repeats) for each, repeats in stick.sent]


async def test_what_is_said_to_all_is_the_state_of_each(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The units of one id, and nobody else."""
    devices = {
        name: {"id": f"homeconfort.tel-010.01234.a.{unit}"} for name, unit in (("all", 0), ("one", 1), ("two", 2))
    }
    await start(bench, monkeypatch, devices={**devices, "other": {"id": "homeconfort.tel-010.01235.a.1"}})
    await bench.request("switch/all/set", on=False)
    states = {message.topic: message.body for message in await bench.bus.get("switch/+")}

    assert {"switch/all", "switch/one", "switch/two"} == states.keys()
    assert all({"on": False, "confirmed": True} == body for body in states.values())


async def test_a_remote_that_is_heard_takes_the_confirmation_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has switched it by hand."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    await bench.request("light/desk/set", on=True)
    await stick.heard(packet("lighting2", id="0xABCDE", unit=5, command="off"))

    assert {"on": False, "confirmed": False} == await retained(bench, "light/desk")


async def test_a_frame_is_told_as_it_was_heard(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that nobody knows is read, and could not be written again."""
    _, stick = await start(bench, monkeypatch)
    stick.frame = bytes.fromhex("0b110001029ac7a101630ff0")
    await stick.heard(codec.decode(stick.frame))
    raw = await bench.next("radio/rfxtrx/raw")

    assert ("0b110001029ac7a101630ff0", "unknown_99") == (raw["hex"], raw["fields"]["command"])


async def test_any_frame_can_be_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In hex, or by its fields; what is neither says how to write it."""
    _, stick = await start(bench, monkeypatch)

    assert {"confirmed": True, "fate": "sent"} == await bench.request("rfxtrx/send", hex="0b11000000abcdef01010f00")
    plain = {"packet": "lighting2", "id": "0xABCDE", "unit": 1, "command": "on"}
    await bench.request("rfxtrx/send", packet=plain, repeats=3)

    assert [1, 3] == [repeats for _, repeats in stick.sent]
    for body, complaint in (
        ({"hex": "zz"}, "write the bytes of a frame in hex"),
        ({}, "write the bytes of a frame in hex"),
        ({"packet": {**plain, "unit": 17}}, "unit 17 is not from 1 to 16"),
        ({"hex": "00", "repeats": 0}, "repeats is 0"),
    ):
        with pytest.raises(HandlerError, match=complaint):
            await bench.request("rfxtrx/send", **body)


async def test_a_stick_that_stays_away_is_an_alert(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state says so at once, the alert when it has lasted, and both when it is back."""
    _, stick = await start(bench, monkeypatch)
    stick.status, stick.reason = "away", "no such device"
    stick.changed()

    await bench.advance(1)

    assert "away" == (await retained(bench, "rfxtrx/stick"))["status"]
    assert {} == await retained(bench, "alert/rfxtrx-stick")

    await bench.advance(AWAY_S)

    assert "no such device" in (await retained(bench, "alert/rfxtrx-stick"))["message"]

    stick.status, stick.reason = "online", ""
    stick.changed()
    await bench.advance(1)

    assert not (await retained(bench, "alert/rfxtrx-stick"))["active"]


async def test_protocols_are_set_and_saved_only_when_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stick's memory wears out."""
    _, stick = await start(bench, monkeypatch)

    assert {"protocols": ["ac", "oregon"]} == await bench.request("rfxtrx/protocols")
    assert {"protocols": ["arc"]} == await bench.request("rfxtrx/protocols", set=["arc"])
    assert 0 == stick.saved

    await bench.request("rfxtrx/protocols", save=True)

    assert 1 == stick.saved
    with pytest.raises(HandlerError, match="write a list of names"):
        await bench.request("rfxtrx/protocols", set="arc")


async def test_everything_said_is_as_the_page_says(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests too."""
    service, stick = await start(bench, monkeypatch, devices=DEVICES, heard_times=1)
    await bench.request("light/desk/set", brightness=0.3)
    await bench.request("cover/blind/set", stop=True)
    await bench.request("notify/door", message="ring")
    await bench.request("rfxtrx/send", hex="0b11000000abcdef01010f00")
    await bench.request("rfxtrx/name", id="rain.rain8.1234", name="roof")
    for count in (1, 3):
        await stick.heard(packet("rain", 8, id="0x1234", counter_mm=count * 0.2, battery_level=0))
    await stick.heard(packet("lighting2", id="0xABCDF", unit=1, command="on"))
    await stick.heard(bytes.fromhex("05fe01001234"))
    status = await bench.request("rfxtrx/status", refresh=True)

    assert {"status", "port", "protocols", "packets", "devices"} <= status.keys()
    assert status["devices"] == service.health()["devices"]
    assert 15 <= len({message.topic for message in bench.hub.journal})
    assert [] == [fault for message in bench.hub.journal for fault in faults(message)]
