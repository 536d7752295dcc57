"""Settings over the air, from a request on the bus to a simulated node and back to its retained state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from jeenode_house import TABLES, scene
from test_topics_page import faults

from hearthbus import HandlerError

if TYPE_CHECKING:
    from conftest import Broker
    from jeenode_house import Scene

ALL = {"id": 3, "group": 212, "band": 868, "report_s": 60, "hold_s": 5, "offset": 1650}
FACTORY = {"id": 3, "group": 212, "band": 868, "report_s": 300, "hold_s": 60, "offset": 1600}


def done(body: dict[str, Any]) -> bool:
    """Whether a node's state says that it has its new settings."""
    return body.get("settings") == "done"


async def announced(house: Scene, *nodes: int) -> None:
    """Wait until nodes have said who they are."""
    for node in nodes:
        await house.see(f"radio/rf12/node/212-{node}", lambda body: "settings_crc" in body)


@pytest.mark.parametrize("stock", [False, True])
async def test_a_light_is_set_at_once(broker: Broker, *, stock: bool) -> None:
    """It listens always: the answer says that it has done so; its state remembers what it has now."""
    async with scene(broker, "jeenode", stock=stock) as house:
        await announced(house, 3)
        answer = await house.bus.request("jeenode/configure", node="hall-strip", report_s=60)
        state = await house.see("radio/rf12/node/212-3", done)
        second = await house.bus.request("jeenode/configure", node=3, hold_s=5)
        light = await house.bus.request("light/hall/set", on=True)
        wrong = [fault for message in house.messages for fault in faults(message)]

    assert {"node": "212-3", "pending": False, "settings": FACTORY | {"report_s": 60}} == answer
    assert FACTORY | {"report_s": 60} == state["committed"]
    assert FACTORY | {"report_s": 60, "hold_s": 5} == second["settings"]
    assert (60, 5) == (house.house.leds["hall"].settings.report_s, house.house.leds["hall"].settings.hold_s)
    assert light["confirmed"]
    assert not wrong


async def test_a_room_is_set_when_it_reports(broker: Broker) -> None:
    """It sleeps: the request waits, a newer one replaces it, motion is no chance to speak, the next report is."""
    async with scene(broker, "jeenode") as house:
        room = house.house.rooms["hall"]
        await announced(house, 6)
        await house.see("sensor/hall/temperature")
        first = await house.bus.request("jeenode/configure", node="hall", report_s=60)
        waits = await house.see("radio/rf12/node/212-6", lambda body: body.get("settings") == "pending")
        room.move()
        house.terminal.wake()
        await house.see("sensor/hall/motion", lambda body: body["value"])
        second = await house.bus.request("jeenode/configure", node="212-6", hold_s=5)
        before = room.settings
        room.report()
        house.terminal.wake()
        state = await house.see("radio/rf12/node/212-6", done)
        log = house.log.read_text()
        wrong = [fault for message in house.messages for fault in faults(message)]

    assert (True, True, 300) == (first["pending"], second["pending"], second["settings"]["report_s"])
    assert "it sleeps until its next report" == waits["settings_reason"]
    assert (300, 60) == (before.report_s, before.hold_s)
    assert replace(before, hold_s=5) == room.settings
    assert "settings_reason" not in state
    assert "rf12-212-6: its settings are done" in log
    assert not wrong


async def test_thermometers_are_set_when_they_report(broker: Broker) -> None:
    """A 1-wire node sends a packet for each sensor; what waits gets there all the same."""
    async with scene(broker, "jeenode") as house:
        cellar = house.house.onewire["cellar"]
        await announced(house, 8)
        await house.see("sensor/return/temperature")
        await house.bus.request("jeenode/configure", node="cellar", report_s=1)
        cellar.report()
        house.terminal.wake()
        await house.see("radio/rf12/node/212-8", done)
        await house.until(lambda: cellar.report_s == 1.0)

    assert 1 == cellar.settings.report_s


async def test_a_new_id_takes_what_is_known_along(broker: Broker) -> None:
    """The answer says what to write in the configuration; the node answers under its new id."""
    async with scene(broker, "jeenode") as house:
        await announced(house, 3)
        answer = await house.bus.request("jeenode/configure", node="hall-strip", id=9)
        new = await house.see("radio/rf12/node/212-9", lambda body: body["status"] == "online")
        old = await house.see("radio/rf12/node/212-3", done)
        again = await house.bus.request("jeenode/configure", node="212-9", report_s=60)

    assert "write id = 9 in [jeenode.nodes.hall-strip]" == answer["warning"]
    assert FACTORY | {"id": 9} == new["committed"]
    assert "it is node 9 of group 212 now" == old["settings_reason"]
    assert (False, FACTORY | {"id": 9, "report_s": 60}) == (again["pending"], again["settings"])


async def test_a_node_with_other_settings_must_be_told_all(broker: Broker) -> None:
    """Its check shows that nobody knows what it has: the text says so, and with all keys it is set."""
    async with scene(broker, "jeenode", boot=False) as house:
        led = house.house.leds["hall"]
        led.settings = replace(led.settings, hold_s=7)
        house.house.boot()
        house.terminal.wake()
        await announced(house, 3)
        with pytest.raises(HandlerError, match=r"so name all of id, group, .*: id, group, band, hold_s, offset are"):
            await house.bus.request("jeenode/configure", node="hall-strip", report_s=60)
        answer = await house.bus.request("jeenode/configure", {"node": "hall-strip", **ALL})

    assert (False, ALL) == (answer["pending"], answer["settings"])
    assert (60, 5, 1650) == (led.settings.report_s, led.settings.hold_s, led.settings.offset)
    assert "a gateway must be at 868 MHz, offset 1650" in answer["warning"]


async def test_settings_changed_behind_our_back_stay(broker: Broker) -> None:
    """On its serial port, after it announced itself: the commit's check differs, and nothing is changed."""
    async with scene(broker, "jeenode") as house:
        led = house.house.leds["hall"]
        await announced(house, 3)
        led.settings = changed = replace(led.settings, hold_s=7)
        led._staged = changed
        with pytest.raises(HandlerError, match="nothing is changed; name all of id, group"):
            await house.bus.request("jeenode/configure", node="hall-strip", report_s=60)
        state = await house.see("radio/rf12/node/212-3", lambda body: body.get("settings") == "failed")

    assert changed == led.settings
    assert "its other settings are not what it announced" in state["settings_reason"]


async def test_a_light_without_power_is_an_error(broker: Broker) -> None:
    """Who asks learns that nobody acked; nothing waits, for nobody would expect it later."""
    async with scene(broker, "jeenode") as house:
        await announced(house, 3)
        house.house.leds["hall"].off()
        with pytest.raises(HandlerError, match="rf12-212-3: report_s = 60: not acked after 8 tries"):
            await house.bus.request("jeenode/configure", node="hall-strip", report_s=60)
        state = await house.see("radio/rf12/node/212-3", lambda body: "settings" in body)

    assert ("failed", "report_s = 60: not acked after 8 tries") == (state["settings"], state["settings_reason"])


async def test_what_waits_is_forgotten_at_a_restart_and_says_so(broker: Broker) -> None:
    """The state that was left says pending; the next run knows that nobody waits any more, and what was committed."""
    async with scene(broker, "jeenode") as house:
        room = house.house.rooms["hall"]
        await announced(house, 6, 3)
        await house.see("sensor/hall/temperature")
        await house.bus.request("jeenode/configure", node="hall-strip", report_s=60)
        await house.bus.request("jeenode/configure", node="hall", report_s=60)
        await house.see("radio/rf12/node/212-6", lambda body: body.get("settings") == "pending")
        await house.stop(kill=True)
        await house.start("jeenode")
        room.report()
        house.terminal.wake()
        state = await house.see("radio/rf12/node/212-6", lambda body: body.get("settings") == "failed")
        light = await house.bus.request("jeenode/configure", node="hall-strip", hold_s=5)

    assert "the service was started anew; ask again" == state["settings_reason"]
    assert 300 == room.settings.report_s
    assert FACTORY | {"report_s": 60, "hold_s": 5} == light["settings"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"node": "attic", "id": 9}, "node is 'attic'; write one of cellar, hall, hall-strip"),
        ({"id": 9}, "node is None; write one of"),
        ({"node": "hall-strip"}, "nothing to set"),
        ({"node": "hall-strip", "id": 31}, "id is 31; write a whole number from 1 to 30"),
        ({"node": "hall-strip", "id": 5}, "node 5 of group 212 is kitchen already"),
        ({"node": "hall-strip", "id": 30}, "node 30 of group 212 is a gateway already"),
        ({"node": "loft", "hold_s": 5}, "is no node of ours .profile room.: it takes no settings over the air"),
    ],
)
async def test_what_cannot_be_is_refused(broker: Broker, body: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    tables = TABLES.replace("living = {{ id = 7 }}", 'living = {{ id = 7 }}\nloft = {{ id = 20, profile = "room" }}')
    async with scene(broker, "jeenode", tables=tables) as house:
        await announced(house, 3)
        with pytest.raises(HandlerError, match=words):
            await house.bus.request("jeenode/configure", body)
