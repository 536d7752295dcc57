"""The JeeNode service as a process, with a real broker, on a simulated house behind a real pseudo terminal."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from jeenode_house import TABLES, scene
from test_topics_page import faults

from hearthbus import HandlerError, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Broker

ORANGE = [255, 120, 20]


async def test_the_nodes_of_a_house_report(broker: Broker) -> None:
    """Announcements make nodes, reports make readings, each in its unit; every message is as docs/topics.md says."""
    async with scene(broker, "jeenode") as house:
        for place in ("kitchen", "hall", "living", "flow", "return"):
            await house.see(f"sensor/{place}/temperature")
        for node in (2, 3, 5, 6, 7, 8):
            await house.see(f"radio/rf12/node/212-{node}", lambda body: body["version"] == "1.0")
        kinds = {body["node"]: body["kind"] for body in house.bodies("radio/rf12/node/+")}

    assert {2: "led", 3: "led", 5: "room", 6: "room", 7: "room", 8: "onewire"} == kinds
    assert not [fault for message in house.messages for fault in faults(message)]


async def test_motion_lights_the_light(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way, several times; the time from the motion to the LEDs is printed, for whoever looks."""
    took = []
    async with scene(broker, "jeenode", "motion_light") as house:
        await house.see("sensor/hall/temperature")
        led, room = house.house.leds["hall"], house.house.rooms["hall"]
        for turn in range(10):
            lit = led.orders[-1].brightness if led.orders else 0
            assert 0 == lit
            began = time.monotonic()
            room.move()
            house.terminal.wake()
            await house.until(lambda turn=turn: len(led.orders) > 2 * turn)  # type: ignore[misc]
            took.append(time.monotonic() - began)
            await house.see("light/hall", lambda body: body["on"] and body["confirmed"])
            await house.until(lambda turn=turn: len(led.orders) > 2 * turn + 1)  # type: ignore[misc]
            await house.see("light/hall", lambda body: not body["on"] and body["confirmed"])
    with capsys.disabled():
        sys.stdout.write(
            f"\nmotion -> LEDs: median {1000 * statistics.median(took):.1f} ms, worst {1000 * max(took):.1f} ms "
        )

    assert 20 == len(led.orders)
    assert (255, 120, 20) == (led.orders[-2].red, led.orders[-2].green, led.orders[-2].blue)


async def test_a_light_fades_and_confirms(broker: Broker) -> None:
    """What a person types arrives at the node as asked, and the answer says that it has."""
    async with scene(broker, "jeenode") as house:
        answer = await house.bus.request("light/kitchen/set", rgb=ORANGE, fade_s=2, brightness=0.5)
        order = house.house.leds["kitchen"].orders[-1]

    assert {"on": True, "rgb": ORANGE, "brightness": 0.5, "confirmed": True} == answer
    assert (255, 120, 20, 128, 2.0) == (order.red, order.green, order.blue, order.brightness, order.fade_s)


async def test_a_dragged_slider_ends_on_its_last_colour(broker: Broker) -> None:
    """Hundred requests in a row: the LEDs get few of them, and the last for sure; every request is answered."""
    async with scene(broker, "jeenode") as house:
        led = house.house.leds["kitchen"]
        asked = [asyncio.create_task(house.bus.request("light/kitchen/set", rgb=[red, 0, 0])) for red in range(100)]
        answers = await asyncio.gather(*asked)

    assert 99 == led.orders[-1].red
    assert len(led.orders) < 50
    assert all(answer["confirmed"] for answer in answers)
    assert sorted(order.red for order in led.orders) == [order.red for order in led.orders]


async def test_a_fifth_of_all_packets_lost(broker: Broker) -> None:
    """Every motion and every command arrives once, in order; what did not is reported by the node or by the answer."""
    async with scene(broker, "jeenode", loss=0.2, hold_s=0.2, seed=7) as house:
        reported = house.house.ether.now + 4  # those of the start, which say again whether somebody moves
        await house.until(lambda: house.house.ether.now > reported)
        leds, rooms = house.house.leds, [house.house.rooms[place] for place in ("hall", "living")]
        answers: dict[str, list[Mapping[str, Any]]] = {"kitchen": [], "hall": []}
        for turn in range(1, 13):
            for room in rooms:
                room.move()
            house.terminal.wake()
            both = [house.bus.request(f"light/{name}/set", rgb=[turn, 0, 0]) for name in answers]
            for given, answer in zip(answers.values(), await asyncio.gather(*both), strict=True):
                given.append(answer)
            await house.until(lambda: not any(room.moving or room.waiting for room in rooms))
        await house.until(
            lambda: all(len(of(house.messages, room.place)) >= len(room.motions) - 2 * room.given_up for room in rooms)
        )

    assert house.house.ether.lost > 30
    for room in rooms:  # one in 3,600 exchanges fails eight times over, and then the node says so
        told, heard = [began for began, _ in room.motions], of(house.messages, room.place)
        seen = [(each.seq, each.body) for each in house.messages if each.topic == f"sensor/{room.place}/motion"]
        assert told == heard or len(told) - 2 * room.given_up <= len(heard) < len(told), (seen, house.log.read_text())
    for name, given in answers.items():
        orders = [order.red for order in leds[name].orders]
        sure = [turn for turn, answer in enumerate(given, 1) if answer["confirmed"]]
        assert sure == [turn for turn in orders if turn in sure]
        assert sorted(orders) == orders
        assert all("after 8 tries" in answer["reason"] for answer in given if not answer["confirmed"])


def of(messages: list[Message], place: str) -> list[bool]:
    """Return what was told of motion at a place, since somebody moved there."""
    values = [message["value"] for message in messages if message.topic == f"sensor/{place}/motion"]
    return values[next((at for at, value in enumerate(values) if value), len(values)) :]


async def test_a_node_that_starts_gets_its_colour_back(broker: Broker) -> None:
    """Power goes and comes: what was wanted of the light is said again, and confirmed."""
    async with scene(broker, "jeenode") as house:
        led = house.house.leds["kitchen"]
        await house.see("radio/rf12/node/212-2")
        await house.bus.request("light/kitchen/set", rgb=ORANGE)
        led.boot()
        house.terminal.wake()
        await house.until(lambda: len(led.orders) == 2)
        await house.see("light/kitchen", lambda body: body["confirmed"])

    assert (255, 120, 20) == (led.orders[1].red, led.orders[1].green, led.orders[1].blue)


async def test_a_light_without_power_is_not_confirmed_and_comes_later(broker: Broker) -> None:
    """The answer says so at once; when the node has power again it gets the colour, without anybody asking."""
    async with scene(broker, "jeenode") as house:
        led = house.house.leds["kitchen"]
        await house.see("radio/rf12/node/212-2")
        led.off()
        answer = await house.bus.request("light/kitchen/set", rgb=ORANGE)
        led.boot()
        house.terminal.wake()
        await house.see("light/kitchen", lambda body: body["confirmed"])

    assert not answer["confirmed"]
    assert "after 8 tries" in answer["reason"]
    assert (255, 120, 20) == (led.orders[0].red, led.orders[0].green, led.orders[0].blue)


async def test_a_silent_node_is_lost_and_comes_back(broker: Broker) -> None:
    """Three intervals without a word."""
    tables = TABLES.replace("living = {{ id = 7 }}", "living = {{ id = 7, interval_s = 0.5 }}")
    async with scene(broker, "jeenode", tables=tables, report_s=0.4) as house:
        living = house.house.rooms["living"]
        await house.see("radio/rf12/node/212-7", lambda body: body["status"] == "online")
        living.off()
        lost_ = await house.see("radio/rf12/node/212-7", lambda body: body["status"] == "lost")
        living.boot()
        house.terminal.wake()
        await house.see("radio/rf12/node/212-7", lambda body: body["status"] == "online")

    assert (0.5, "living") == (lost_["interval_s"], lost_["name"])


async def test_motion_of_before_a_restart_ends_after_it(broker: Broker) -> None:
    """Service killed while somebody moves, node dead: motion ends all the same, at its time."""
    tables = TABLES.replace("living = {{ id = 7 }}", "living = {{ id = 7, motion_timeout_s = 2 }}")
    async with scene(broker, "jeenode", tables=tables, hold_s=600) as house:
        living = house.house.rooms["living"]
        await house.see("sensor/living/temperature")
        living.move()
        house.terminal.wake()
        began = await house.see("sensor/living/motion", lambda body: body["value"])
        living.off()
        await house.stop(kill=True)
        await house.start("jeenode")
        ended = await house.see("sensor/living/motion", lambda body: not body["value"])

    assert 2.0 <= (ended.time - began.time) / 1e9


async def test_the_number_of_an_order_is_not_used_again_after_a_restart(broker: Broker) -> None:
    """A node takes each number once: what is asked after a restart must not look like a repeat."""
    async with scene(broker, "jeenode") as house:
        led = house.house.leds["kitchen"]
        await house.see("radio/rf12/node/212-2")
        await house.bus.request("light/kitchen/set", rgb=[1, 0, 0])
        await house.stop(kill=True)
        await house.start("jeenode")
        answer = await house.bus.request("light/kitchen/set", rgb=[2, 0, 0])

    assert answer["confirmed"]
    assert [1, 2] == [order.red for order in led.orders]
    assert led.orders[1].sequence == (led.orders[0].sequence + 1) & 0xFF


async def test_a_port_is_let_go_and_taken_again(broker: Broker) -> None:
    """By any of its paths; another program can open it meanwhile; a command waits no longer than its answer says."""
    async with scene(broker, "jeenode") as house:
        port = f"{broker.folder}/tty"
        link = broker.folder / "by-id"
        link.symlink_to(port)
        released = await house.bus.request("jeenode/release", port=str(link), for_s=60)
        await house.until(lambda: not house.terminal.there)
        again = await house.bus.request("jeenode/release", port="attic")
        await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "released")
        answer = await house.bus.request("light/kitchen/set", on=True)
        await house.bus.request("jeenode/take", port=port)
        await house.see("light/kitchen", lambda body: body["confirmed"])
        with pytest.raises(HandlerError, match="no gateway of this service is at '/dev/nothing'"):
            await house.bus.request("jeenode/release", port="/dev/nothing")
        with pytest.raises(HandlerError, match=r"port is \[1\]; write a gateway's port"):
            await house.bus.request("jeenode/release", port=[1])

    assert {"gateway": "attic", "port": port} == released == again
    assert not answer["confirmed"]
    assert "no gateway of group 212 is there (attic: another program has it); it is tried again" == answer["reason"]


async def test_a_stock_gateway_does_the_same(broker: Broker) -> None:
    """RF12demo knows no hearth mode: the service asks for acks and repeats by itself, with packets lost on the way."""
    async with scene(broker, "jeenode", stock=True, loss=0.2, seed=3) as house:
        await house.see("radio/rf12/node/+")  # one report, as of a temperature, may be lost
        answers = [await house.bus.request("light/kitchen/set", rgb=[red, 0, 0]) for red in (1, 2, 3)]
        gateway = await house.see("radio/rf12/gateway/attic", lambda body: body["status"] == "online")
        orders = house.house.leds["kitchen"].orders

    assert not gateway["hearth"]
    assert all(answer["confirmed"] for answer in answers)
    assert [1, 2, 3] == [order.red for order in orders]
