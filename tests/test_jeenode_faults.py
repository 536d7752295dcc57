"""What a serial port does to a service: resets, pulled plugs, noise, half lines. It recovers, and says so."""

from __future__ import annotations

import asyncio
import os
import random
import tty
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jeenode_house import TABLES, scene
from test_topics_page import faults

from hearthbus import HandlerError
from services.jeenode.twin.house import House
from services.terminal import Terminal

if TYPE_CHECKING:
    from conftest import Broker


async def test_a_gateway_reset_in_mid_packet(broker: Broker) -> None:
    """What was under way is said again once it is back in hearth mode; the reset is counted and told."""
    async with scene(broker, "jeenode") as house:
        led, board = house.house.leds["kitchen"], house.house.board
        await house.see("radio/rf12/node/212-2")
        for red in range(1, 6):
            led.off()  # it hears nothing, so that the gateway has the packet until the reset
            asking = asyncio.create_task(house.bus.request("light/kitchen/set", rgb=[red, 0, 0]))
            await house.until(lambda: board.busy > 0)
            board.boot()
            led.on = True
            house.terminal.wake()
            await asking
            await house.until(lambda red=red: bool(led.orders) and led.orders[-1].red == red)  # type: ignore[misc]
            await house.see("light/kitchen", lambda body: body["confirmed"])
        gateway = await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "online")

    assert gateway["hearth"]
    assert [1, 2, 3, 4, 5] == sorted({order.red for order in led.orders})


async def test_a_plug_pulled_a_hundred_times(broker: Broker) -> None:
    """Each time the port is opened again, the gateway greeted; then everything works as before, in the same process."""
    async with scene(broker, "jeenode") as house:
        led, terminal = house.house.leds["kitchen"], house.terminal
        house.house.board.boot_s = 0.01
        for turn in range(100):
            await house.until(lambda: terminal.there)
            if turn % 10:
                await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "online")
            else:
                await house.until(lambda: house.house.board.said > 0)  # in mid-greeting
            terminal.unplug()
            await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "away")
            terminal.plug()
        await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "online")
        answer = await house.bus.request("light/kitchen/set", rgb=[7, 0, 0])
        presence = house.bodies("service/jeenode")

    assert answer["confirmed"]
    assert 7 == led.orders[-1].red
    assert 101 == terminal.opened
    assert ["online"] == [body["status"] for body in presence]


async def test_noise_and_half_lines_lose_nothing_but_themselves(broker: Broker) -> None:
    """Between any noise every command is confirmed; what was broken or is missing is counted and told."""
    chance = random.Random(5)
    async with scene(broker, "jeenode") as house:
        led, board = house.house.leds["kitchen"], house.house.board
        await house.see("radio/rf12/node/212-8")
        await house.see("radio/rf12/gateway/attic", lambda body: body["hearth"])
        for red in range(1, 31):
            if red % 5 == 0:
                board.swallow()
            else:
                board.garble(chance.randbytes(chance.randrange(60)) + b"\r\n")
                board.garble(b"OK 5 1 2 3 #7F*00\r\nOK 37 1\r\n"[: chance.randrange(28)] + b"\n")
            house.terminal.wake()
            answer = await house.bus.request("light/kitchen/set", rgb=[red, 0, 0], timeout=10)
            assert answer["confirmed"] or await house.see("light/kitchen", lambda body: body["confirmed"])
        await house.bus.request("jeenode/release", port="attic")
        figures = (await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "released")).body
        log = house.log.read_text()

    assert 30 == led.orders[-1].red
    assert figures["lines_broken"] > 30
    assert figures["lines_lost"] > 0
    assert "lines were lost on the way here" in log
    assert "lines were broken" in log


async def test_two_gateways_hear_the_same_node_once(broker: Broker) -> None:
    """Motion that comes through both is one motion; one pulled out is said, and the light is reached by the other."""
    tables = TABLES.replace(
        "[jeenode.nodes]", '[jeenode.gateways.cellar]\nport = "{folder}/tty2"\ncollect = true\n\n[jeenode.nodes]'
    )
    async with scene(broker, tables=tables) as house:
        second = second_gateway(house.house, broker.folder)
        running = asyncio.create_task(second.run())
        await house.start("jeenode")
        await house.see("radio/rf12/gateway/cellar", lambda body: body["status"] == "online")
        await house.until(lambda: house.house.ether.now > 4)
        room = house.house.rooms["living"]
        for _ in range(5):
            room.move()
            house.terminal.wake()
            await house.until(lambda: not room.moving and not room.waiting)
            await house.see("sensor/living/motion", lambda body: not body["value"])
        values = [body["value"] for body in house.bodies("sensor/living/motion")]
        house.terminal.unplug()
        await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "away")
        health = await house.see("service/jeenode/health", lambda body: "trouble" in body)
        answer = await house.bus.request("light/kitchen/set", on=True)
        running.cancel()

    assert second.device.board.collect
    assert health["trouble"].startswith("gateway attic at ")
    assert [True, False] * 5 == values[values.index(True) :]
    assert answer["confirmed"]


def second_gateway(house: House, folder: Path) -> Terminal[House]:
    """Return another gateway in the same ether, behind a port of its own; the first one's acks are enough."""
    from services.jeenode.twin.board import Board

    class Other(House):
        def __init__(self) -> None:
            self.ether, self.board = house.ether, Board(house.ether, node=29)

        def run(self, until: float) -> None:
            """The first runs the time."""

    return Terminal(Other(), folder / "tty2", clock=lambda: 0.0)


@pytest.fixture
def board_of_lines(broker: Broker) -> int:
    """Be a board that takes lines: return the end of a pseudo terminal whose other end is `<folder>/lines`."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    Path(broker.folder, "lines").symlink_to(os.ttyname(theirs))
    return ours


async def read(fd: int, wanted: int) -> bytes:
    """Read so many bytes from a terminal."""
    data = b""
    async with asyncio.timeout(10):
        while len(data) < wanted:
            data += await asyncio.to_thread(os.read, fd, 4096)
    return data


async def test_the_wrong_speed_is_named(broker: Broker, board_of_lines: int) -> None:
    """A gateway that says nothing but noise is not online, and the reason asks the right question."""
    tables = '[jeenode.gateways.attic]\nport = "{folder}/lines"\n'
    async with scene(broker, tables=tables) as house:
        os.write(board_of_lines, bytes(range(128, 256)) + b"\n")
        await house.start("jeenode", online=False)
        os.write(board_of_lines, bytes(range(128, 256)) + b"\n")
        gateway = await house.see("radio/rf12/gateway/attic", lambda body: "noise" in body.get("reason", ""))

    assert ("away", "what it says is noise; is its baud right?") == (gateway["status"], gateway["reason"])


async def test_the_mcu_relay_s_lines(broker: Broker, board_of_lines: int) -> None:
    """JSON lines become readings; buttons leave a quarter of a second apart, as often as asked."""
    tables = (
        '[jeenode.gateways.attic]\nport = "{folder}/lines"\nprofile = "mcu-relay"\n'
        '[jeenode.nodes]\nhall = {{ id = 3, profile = "masternode" }}\n'
    )
    async with scene(broker, "jeenode", tables=tables) as house:
        os.write(
            board_of_lines, b'{"nodeid": 3, "temp{garbage\r\n{"nodeid": 3, "temperature": 21.5, "voltage": 3120}\r\n'
        )
        reading = await house.see("sensor/hall/temperature")
        voltage = await house.see("sensor/hall/voltage")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await house.bus.request("remote/attic/send", button="volume_up", count=3)
        lines = await read(board_of_lines, 3 * len("\nSR,VOLUP\n"))
        took = loop.time() - began
        said = [fault for message in house.messages for fault in faults(message)]
        with pytest.raises(HandlerError, match="one of power, volume_up"):
            await house.bus.request("remote/attic/send", button="mute")

    assert (21.5, 3.12) == (reading["value"], voltage["value"])
    assert b"\nSR,VOLUP\n" * 3 == lines
    assert took >= 0.5
    assert not said


async def test_the_ledcontroller_s_lines(broker: Broker, board_of_lines: int) -> None:
    """Switches are pins, in the order of the requests; the state never claims to be confirmed."""
    tables = (
        '[jeenode.gateways.attic]\nport = "{folder}/lines"\nprofile = "ledcontroller"\nbaud = 9600\n'
        "pins = {{ desk = 13, shelf = 12 }}\n"
    )
    async with scene(broker, "jeenode", tables=tables) as house:
        await house.bus.request("switch/desk/set", on=True)
        await house.bus.request("switch/shelf/set", on=True)
        await house.bus.request("switch/desk/set", on=False)
        lines = await read(board_of_lines, 27)
        state = await house.see("switch/desk", lambda body: not body["on"])

    assert b"1/2/13/2/1/2/12/2/1/2/13/1/" == lines
    assert {"on": False, "confirmed": False} == state.body
