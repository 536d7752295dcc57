"""The simulated stick as a service: what can be done to it over the bus, with the real service on its port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_rfxtrx_house import TABLES, scene

from hearthbus import HandlerError
from services.rfxtrx.twin import Twin

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Broker
    from jeenode_house import Scene

    from hearthbus.testing import Bench

BOTH = (
    TABLES.replace("{folder}/tty", "{folder}/stick")
    .replace("[rfxtrx]", '[rfxtrx-twin]\nlink = "{folder}/stick"\npace = 0.01\n\n[rfxtrx]')
    .replace("[rfxtrx.devices]", '[rfxtrx.devices]\nfront = {{ id = "security1.powercode-door.0a1b2c" }}')
)


async def begin(house: Scene) -> None:
    """Start both, and wait until the stick receives."""
    await house.start("rfxtrx-twin", "rfxtrx")
    await house.see("rfxtrx/stick", lambda body: body["status"] == "online")


async def test_pressed_and_heard(broker: Broker) -> None:
    """A button, a frame in hex; what the stick does not receive is answered so."""
    async with scene(broker, tables=BOTH, start=False) as house:
        await begin(house)
        rung = await house.bus.request("rfxtrx-twin/press", button="doorbell")
        bell = await house.see("remote/doorbell")
        deaf = await house.bus.request("rfxtrx-twin/press", button="door-open")
        heard = await house.bus.request("rfxtrx-twin/hear", hex="0a5201002f0100d7290189")
        warm = await house.see("sensor/garden/temperature")

    assert ({"heard": True}, {"heard": False}, {"heard": True}) == (rung, deaf, heard)
    assert "sound_13" == bell.body["button"]
    assert 21.5 == warm.body["value"]


async def test_broken_and_mended(broker: Broker) -> None:
    """Each fault is what the house sees; no fault is none; unplugged is away, and plugged in again it is back."""
    async with scene(broker, tables=BOTH, start=False) as house:
        await begin(house)
        ask = house.bus.request
        await ask("rfxtrx-twin/fault", faults=["nak"])
        with pytest.raises(HandlerError, match="did not lock"):
            await ask("light/desk/set", on=True)
        await ask("rfxtrx-twin/fault", faults=[])
        mended = await ask("light/desk/set", on=True)
        await ask("rfxtrx-twin/fault", faults=["unplugged"])
        await house.see("rfxtrx/stick", lambda body: body["status"] == "away")
        await ask("rfxtrx-twin/fault", faults=["delayed"])
        await house.see("rfxtrx/stick", lambda body: body["status"] == "online")
        late = await ask("light/desk/set", on=False)
        sent = await ask("rfxtrx-twin/sent")

    assert mended["confirmed"]
    assert late["confirmed"]
    assert "off" == sent["devices"]["lighting2.ac.0d5a0e2.1"]["command"]
    assert 2 == sent["frames"]
    assert 0 < sent["duty"] < 0.01


@pytest.mark.parametrize(
    ("topic", "body", "complaint"),
    [
        ("press", {"button": "nose"}, "there is no button 'nose'; buttons: remote-1-on"),
        ("press", {"button": ["doorbell"]}, "there is no button"),
        ("press", {}, "'button' is missing"),
        ("hear", {"hex": "zz"}, "is no hex"),
        ("hear", {"hex": 5}, "is no hex"),
        ("hear", {"hex": "0a52"}, "a frame of 2 bytes"),
        ("fault", {"faults": "nak"}, "a list of unplugged, deaf"),
        ("fault", {"faults": [["nak"]]}, "a list of unplugged, deaf"),
        ("fault", {"faults": ["tired"]}, "a list of unplugged, deaf"),
    ],
)
async def test_what_it_does_not_understand(
    bench: Bench, tmp_path: Path, topic: str, body: dict[str, Any], complaint: str
) -> None:
    """The error says what there is."""
    await bench.run(Twin, "rfxtrx-twin", link=str(tmp_path / "stick"))
    with pytest.raises(HandlerError, match=complaint):
        await bench.request(f"rfxtrx-twin/{topic}", **body)
