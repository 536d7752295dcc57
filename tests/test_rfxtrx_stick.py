"""A stick on its port: the real edge, the real port, a simulated stick behind a pseudo terminal."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from rfxtrx_scene import TIMES, scene

from hearthbus import Invalid, Unavailable
from services.rfxtrx.stick import Fate
from services.rfxtrx.twin.stick import Fault, SimulatedStick

if TYPE_CHECKING:
    from pathlib import Path

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")
RFY_UP = bytes.fromhex("0c1a0000010203010100000000")
RFY_PROGRAM = bytes.fromhex("0c1a0000010203010700000000")


async def test_a_packet_each_way(tmp_path: Path) -> None:
    """What the stick hears is handed over as a packet; what is sent is on the air, and said to be."""
    async with scene(tmp_path) as house:
        house.hear(TH1, "oregon")
        await house.until(lambda: bool(house.heard))
        outcome = await house.stick.send(ON)

    assert Fate.SENT is outcome.fate
    assert ON[4:] == house.device.sent[-1][4:]
    assert 21.5 == getattr(house.heard[0], "celsius", None)


async def test_the_wanted_protocols_are_set_and_not_saved(tmp_path: Path) -> None:
    """Those and no others are on; the radio keeps its frequency and power; its own memory is not written."""
    async with scene(tmp_path, protocols=("Lighting4", "OREGON", "fs20")) as house:
        how = house.stick.how()

    assert {"lighting4", "oregon", "legrand_cad"} == house.device.protocols == house.stick.protocols
    assert (0x53, 0x1C, 0) == (house.device.code, house.device.power_code, house.device.wear)
    assert how["protocols"] == how["protocols_wanted"] == ["legrand_cad", "lighting4", "oregon"]
    assert ("online", "433.92", 1043, "ext", "1.2", 10) == tuple(
        how[key] for key in ("status", "receiver", "firmware", "firmware_type", "hardware", "transmit_dbm")
    )


async def test_protocols_are_left_as_they_are(tmp_path: Path) -> None:
    """Where the configuration names none."""
    async with scene(tmp_path) as house:
        on = house.stick.protocols

    assert on == house.device.protocols
    assert "protocols_wanted" not in house.stick.how()


async def test_protocols_are_set_and_saved_when_asked(tmp_path: Path) -> None:
    """Set at once, through a reset; saved only by the command for it, once."""
    async with scene(tmp_path) as house:
        on = await house.stick.set_protocols(["ac", "visonic"])
        before = house.device.wear
        await house.stick.save_protocols()
        house.terminal.unplug()
        await house.until(lambda: not house.stick.open)
        house.terminal.plug()
        await house.until(lambda: house.stick.ready)

    assert {"ac", "visonic"} == on == house.device.protocols
    assert (0, 1) == (before, house.device.wear)


async def test_protocols_the_stick_cannot_have(tmp_path: Path) -> None:
    """The text names those there are; what was on stays on."""
    async with scene(tmp_path) as house:
        before = house.device.protocols
        with pytest.raises(Invalid, match="no stick has one"):
            await house.stick.set_protocols(["nonsense"])
        with pytest.raises(Invalid, match="it has ae_blyss"):
            await house.stick.set_protocols(["orcon"])

    assert before == house.device.protocols


async def test_too_many_protocols(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are set, and the log says what that costs."""
    names = ["ac", "arc", "x10", "oregon", "visonic", "rsl", "lacrosse", "hideki", "ati", "keeloq", "mertik"]
    async with scene(tmp_path) as house:
        await house.stick.set_protocols(names)

    assert "11 protocols are on" in caplog.text


async def test_the_status_is_asked_for(tmp_path: Path) -> None:
    """And is what the stick says now."""
    async with scene(tmp_path) as house:
        house.device.power_code = 0x12
        status = await house.stick.refresh()

    assert 0 == status.transmit_dbm


async def test_a_stick_that_is_away(tmp_path: Path) -> None:
    """A transmission says so at once; protocols are set when it is back."""
    async with scene(tmp_path) as house:
        house.terminal.unplug()
        await house.until(lambda: not house.stick.open)
        outcome = await house.stick.send(ON)
        with pytest.raises(Unavailable, match="set once it is back"):
            await house.stick.set_protocols(["ati"])
        with pytest.raises(Unavailable):
            await house.stick.refresh()
        house.terminal.plug()
        await house.until(lambda: house.stick.ready)

    assert Fate.AWAY is outcome.fate
    assert {"ati"} == house.device.protocols


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("", "is no frame"), ("0b1100", "is no frame"), ("0b11000000d5a0e201010f0000", "is no frame"),
        ("0d00000006000000000000000000", "to the stick itself"),
        ("0d000000035a1c00000000000000", "to the stick itself"), ("0402010000", "to the stick itself"),
    ],
)  # fmt: skip
async def test_what_is_not_for_the_air(tmp_path: Path, frame: str, said: str) -> None:
    """Nobody retunes the stick or writes its memory by sending bytes; half a frame would put it out of step."""
    async with scene(tmp_path) as house:
        with pytest.raises(Invalid, match=said):
            await house.stick.send(bytes.fromhex(frame))

    assert (0, 0x53) == (house.device.wear, house.device.code)


async def test_repeats(tmp_path: Path) -> None:
    """As many as asked are on the air, one behind the other, and reported as one."""
    async with scene(tmp_path) as house:
        outcome = await house.stick.send(ON, repeats=3)

    assert Fate.SENT is outcome.fate
    assert 3 == len(house.device.sent)
    assert 3 == len({frame[3] for frame in house.device.sent})


async def test_many_at_once(tmp_path: Path) -> None:
    """Nothing is lost in the stick: one is in flight, the others wait here, and too many are refused at once."""
    device = SimulatedStick(Random(1), air_s=0.005)
    async with scene(tmp_path, device=device) as house:
        outcomes = await asyncio.gather(*(house.stick.send(ON) for _ in range(40)))

    assert 33 == len(house.device.sent) == [each.fate for each in outcomes].count(Fate.SENT)
    assert [Fate.FULL] * 7 == [each.fate for each in outcomes if each.fate is not Fate.SENT]
    assert 0 == house.device.lost


async def test_a_remote_the_stick_does_not_know(tmp_path: Path) -> None:
    """It is final, and the text says what to do; once taught it is known."""
    async with scene(tmp_path) as house:
        unknown = await house.stick.send(RFY_UP, repeats=3)
        taught = await house.stick.send(RFY_PROGRAM)
        known = await house.stick.send(RFY_UP)

    assert [Fate.UNKNOWN_REMOTE, Fate.SENT, Fate.SENT] == [unknown.fate, taught.fate, known.fate]
    assert "program" in unknown.reason
    assert 2 == len(house.device.sent)


async def test_an_answer_to_what_was_heard(tmp_path: Path) -> None:
    """Who takes a packet may transmit because of it, and wait for the acknowledgement: nothing stands still."""
    fates = []

    async def switch_on(_: object) -> None:
        fates.append((await house.stick.send(ON)).fate)

    async with scene(tmp_path) as house:
        house.stick._handover._heard = switch_on
        house.hear(TH1, "oregon")
        house.hear(TH1, "oregon")
        await house.until(lambda: len(fates) == 2)

    assert [Fate.SENT, Fate.SENT] == fates


async def test_a_frame_that_does_not_decode(tmp_path: Path) -> None:
    """Its bytes are handed over: house @ is none that Lighting1 has."""
    frame = bytes.fromhex("0710000040050100")
    async with scene(tmp_path) as house:
        house.hear(frame)
        await house.until(lambda: bool(house.heard))

    assert [frame[4:]] == [each[4:] for each in house.heard if isinstance(each, bytes)]
    assert 1 == house.stick.figures()["packets_broken"]


@pytest.mark.parametrize("version", [69, 1043])
async def test_old_firmware_without_a_start_command(tmp_path: Path, version: int) -> None:
    """It has always received, and is ready when it says that it does not know the command."""
    device = SimulatedStick(Random(1), version=version, old=True)
    async with scene(tmp_path, device=device) as house:
        house.hear(TH1, "oregon")
        await house.until(lambda: bool(house.heard))

    assert version == house.stick.how()["firmware"]


async def test_a_stick_that_stays_away_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Hung since it was plugged in: however often it is tried, each thing is one line; that it is back is another."""
    caplog.set_level(logging.INFO)
    device = SimulatedStick(Random(1))
    device.faults = {Fault.HUNG}
    times = replace(TIMES, deaf=0.02, answer=0.04, patience=0.1, boot=0.05, back_off=(0.02,))
    async with scene(tmp_path, device=device, times=times, ready=False) as house:
        await house.until(lambda: house.stick.figures()["starts_failed"] >= 4)
        early = len(caplog.records)
        reasons: set[str] = set()

        def twelve() -> bool:
            reasons.add("".join(each for each in house.stick.fault if not each.isdigit()))
            return house.stick.figures()["starts_failed"] >= 12

        await house.until(twelve)
        late = len(caplog.records)
        device.faults = set()
        await house.until(lambda: house.stick.ready)

    assert early == late <= 8
    assert 1 == len(reasons)
    assert "receives; Copyright" in caplog.text


@pytest.mark.parametrize("phase", ["reset", "status", "set_mode", "start"])
async def test_pulled_out_while_it_starts(tmp_path: Path, phase: str) -> None:
    """At whatever step: it starts anew, and is set as wanted."""
    seen = {"reset": 0, "status": 2, "set_mode": 3, "start": 7}[phase]
    device = SimulatedStick(Random(1), answer_s=0.05)
    async with scene(tmp_path, device=device, protocols=("visonic",), ready=False) as house:
        obey = device._command
        met: list[str] = []

        def command(frame: bytes) -> None:
            obey(frame)
            if frame[4] == seen and not met:
                met.append(phase)
                asyncio.get_running_loop().call_soon(house.terminal.unplug)

        device._command = command  # type: ignore[method-assign]
        await house.until(lambda: bool(met) and not house.terminal.plugged)
        device.power()
        house.terminal.plug()
        await house.until(lambda: house.stick.ready)

    assert {"visonic"} == device.protocols
    assert device.receives


async def test_a_stick_without_a_greeting(tmp_path: Path) -> None:
    """It is ready all the same, and hears."""
    device = SimulatedStick(Random(1))
    device.faults = {Fault.NO_GREETING}
    async with scene(tmp_path, device=device, times=replace(TIMES, answer=0.1)) as house:
        house.hear(TH1, "oregon")
        await house.until(lambda: bool(house.heard))
        outcome = await house.stick.send(ON)

    assert Fate.SENT is outcome.fate
