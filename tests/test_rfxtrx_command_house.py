"""The verbs of the stick against a real broker, the real service, and a simulated stick behind a real port."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from cli_house import Told
from test_rfxtrx_house import press, scene

from services.rfxtrx.command import devices, info, modes, send

if TYPE_CHECKING:
    from conftest import Broker


async def test_the_stick_is_asked_set_and_sends(broker: Broker) -> None:
    """`info` says what it is, `modes` has another protocol on, `send` is acknowledged."""
    async with scene(broker) as house:
        about, set_, sent = Told(json=True), Told(json=True), Told(json=True)
        await info.show(house.bus, about.output)
        change = partial(modes.alter, wanted=None, disable=[], save=False)
        await change(house.bus, set_.output, enable=["keeloq"])
        frame = bytes.fromhex("0B11000000ABCDEF05010F00")
        code = await send.send(house.bus, sent.output, frame=frame)

    assert "433.92" == json.loads(about.lines[0])["receiver"]
    assert "keeloq" not in json.loads(about.lines[0])["protocols"]
    assert "keeloq" in json.loads(set_.lines[0])["on"]
    assert (0, True) == (code, json.loads(sent.lines[0])["confirmed"])


async def test_devices_are_listed_and_named(broker: Broker) -> None:
    """What a table names is there once it was heard; a name that is given by request is shown from then on."""
    new = "temperature.temp1.2f00"
    async with scene(broker) as house:
        press(house, "remote-1-on")
        await house.see("light/desk")
        named, listed = Told(), Told(json=True)
        await devices.name(house.bus, named.output, service="rfxtrx", device=new, called="balcony", kind=None)
        await devices.show(house.bus, listed.output, service="rfxtrx")
    found = {each["id"]: each.get("name") for each in map(json.loads, listed.lines)}

    assert [f"{new} is balcony now"] == named.lines
    assert "balcony" == found[new]
    assert "desk" in found.values()
