"""The RFXtrx service as a process, with a real broker, on a simulated stick behind a real pseudo terminal."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jeenode_house import Scene
from test_topics_page import faults

from hearthbus import HandlerError
from services.rfxtrx.twin.house import House
from services.rfxtrx.twin.stick import Fault
from services.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Broker

TABLES = """
[rfxtrx]
port = "{folder}/tty"
heard_times = 1
protocols = ["ac", "oregon", "x10", "byron_sx"]

[rfxtrx.devices]
desk = {{ id = "lighting2.ac.0d5a0e2.1", kind = "light" }}
garden = {{ id = "temperature_humidity.th1.2f01" }}
stairs = {{ id = "security1.x10-pir.5a3c", off_delay_s = 2 }}
doorbell = {{ id = "chime.byron-sx.005a" }}
"""
PAUSED: dict[str, Any] = {"pace": 0.01}
"""The sensors speak by themselves so seldom that the test alone does."""


@asynccontextmanager
async def scene(broker: Broker, *, tables: str = TABLES, start: bool = True) -> AsyncIterator[Scene]:
    """Run a stick, and the service on it, for a block."""
    folder = broker.folder
    (folder / "house.toml").write_text(f'[bus]\nurl = "{broker.url}"\n{tables.format(folder=folder)}')
    (folder / "log").touch()
    house = House(wall=time.time(), **PAUSED)
    terminal = Terminal(house, Path(folder, "tty"), clock=time.monotonic)
    async with broker.bus("test") as bus:
        made: Any = Scene(house, terminal, folder, bus)  # type: ignore[arg-type]  # another house, the same port
        tasks = [asyncio.create_task(terminal.run()), asyncio.create_task(made.listen())]
        try:
            if start:
                await begin(made)
            yield made
        except BaseException as error:
            error.add_note((folder / "log").read_text()[-3000:])
            raise
        finally:
            await made.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def begin(house: Scene) -> None:
    """Start the service, and wait until its stick receives."""
    await house.start("rfxtrx")
    await house.see("rfxtrx/stick", lambda body: body["status"] == "online")


def press(house: Any, button: str) -> None:
    """Do something in the simulated house."""
    assert house.house.press(button)
    house.terminal.wake()


async def test_the_whole_way(broker: Broker) -> None:
    """A remote switches, a request dims and is confirmed, a bell rings, motion is seen and over by its delay."""
    async with scene(broker) as house:
        press(house, "remote-1-on")
        by_hand = await house.see("light/desk")
        answer = await house.bus.request("light/desk/set", brightness=0.5)
        await house.see("light/desk", lambda body: body["confirmed"])
        press(house, "doorbell")
        rung = await house.see("remote/doorbell")
        press(house, "motion")
        await house.see("sensor/stairs/motion", lambda body: body["value"])
        over = await house.see("sensor/stairs/motion", lambda body: not body["value"])
        told: Any = house.house.receivers["lighting2.ac.0d5a0e2.1"]  # type: ignore[attr-defined]

    assert {"on": True, "confirmed": False} == by_hand.body
    assert {"on": True, "brightness": 0.5, "confirmed": True} == answer
    assert ("set_level", 7) == (told.command, told.level)
    assert {"button": "sound_13", "action": "press"} == rung.body
    assert over
    assert not [fault for message in house.messages for fault in faults(message)]


async def test_a_refusal_reaches_who_asked(broker: Broker) -> None:
    """The stick says no: the error has its reason, and the state stays."""
    async with scene(broker) as house:
        await house.bus.request("light/desk/set", on=True)
        house.house.stick.faults = {Fault.NAK}  # type: ignore[attr-defined]
        with pytest.raises(HandlerError, match="desk was sent nothing: the transmitter did not lock"):
            await house.bus.request("light/desk/set", on=False)
        state = await house.see("light/desk")

    assert {"on": True, "confirmed": True} == state.body


async def test_a_stick_that_is_pulled_out_is_told_and_taken_up_again(broker: Broker) -> None:
    """Its state says why at once; what is asked meanwhile is refused; replugged, everything goes on."""
    async with scene(broker) as house:
        house.terminal.unplug()
        away = await house.see("rfxtrx/stick", lambda body: body["status"] == "away")
        with pytest.raises(HandlerError, match=r"desk was sent nothing: .*away"):
            await house.bus.request("light/desk/set", on=True)
        house.house.stick.power()  # type: ignore[attr-defined]
        house.terminal.plug()
        await house.see("rfxtrx/stick", lambda body: body["status"] == "online")
        answer = await house.bus.request("light/desk/set", on=True)

    assert away["reason"]
    assert answer["confirmed"]


async def test_what_was_learned_outlives_the_service(broker: Broker) -> None:
    """Killed without a goodbye: a name given by request is still served, and motion ends at its time."""
    async with scene(broker) as house:
        press(house, "remote-3-on")
        await house.see("rfxtrx/devices/lighting2.ac.0d5a0e2.3")
        await house.bus.request("rfxtrx/name", id="lighting2.ac.0d5a0e2.3", name="heater")
        press(house, "motion")
        began = await house.see("sensor/stairs/motion", lambda body: body["value"])
        await house.stop(kill=True)
        await begin(house)
        answer = await house.bus.request("switch/heater/set", on=True)
        ended = await house.see("sensor/stairs/motion", lambda body: not body["value"])

    assert {"on": True, "confirmed": True} == answer
    assert 2.0 <= (ended.time - began.time) / 1e9
