"""Names of RFXtrx devices on a bus: given, kept, moved, taken away; what outlives a restart of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_bench import kill, packet, start

from hearthbus import HandlerError, NoResponder

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


async def test_a_device_gets_its_name_by_request(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on it is served and published under it, after a restart too; without a name it is not."""
    _, stick = await start(bench, monkeypatch, heard_times=1)
    await stick.heard(packet("lighting2", id="0xABCDE", unit=5, command="on"))

    assert {"device": DESK, "name": "lamp", "kind": "light"} == await bench.request(
        "rfxtrx/name", id=DESK, name="lamp", kind="light"
    )

    await kill(bench)
    _, stick = await start(bench, monkeypatch)

    assert {"on": True, "confirmed": True} == await bench.request("light/lamp/set", on=True)

    await bench.request("rfxtrx/name", id="lamp", name="")

    assert {} == await retained(bench, "light/lamp")
    with pytest.raises(NoResponder):
        await bench.request("light/lamp/set", on=True)


async def test_a_device_of_the_configuration_is_changed_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the table, and what to write into it."""
    await start(bench, monkeypatch, devices=DEVICES)
    asks: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("rfxtrx/name", {"id": DESK, "name": "lamp"}, r"change the table \[rfxtrx\.devices\.desk\]"),
        ("rfxtrx/name", {"id": "lighting2.ac.1.1", "name": "desk"}, f"desk is {DESK} already"),
        ("rfxtrx/name", {"id": "lighting2.ac.1.1", "name": "The Desk"}, "write one part of a topic"),
        ("rfxtrx/name", {"id": "lighting2.ac.1.1", "name": "x", "kind": "lamp"}, "kind is 'lamp'; write one of light"),
        ("rfxtrx/name", {"id": "rain.rain2.2a19", "name": "x", "kind": "light"}, "its kind is sensor, not light"),
        ("rfxtrx/replace", {"old": "desk", "new": "lighting2.ac.1.1"}, 'write id = "lighting2.ac.0000001.1" in'),
        ("rfxtrx/replace", {"old": "lighting2.ac.1.1", "new": DESK}, "has not been heard, and has no name"),
        ("rfxtrx/replace", {"old": "nobody", "new": DESK}, "'nobody' is no packet"),
    )
    for topic, body, complaint in asks:
        with pytest.raises(HandlerError, match=complaint):
            await bench.request(topic, body)


async def test_a_new_battery_keeps_the_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sensor with its new id says what it measures where the old one did; the old id is gone from the list."""
    _, stick = await start(bench, monkeypatch, heard_times=1)
    await stick.heard(packet("temperature", 1, id="0x2E00", celsius=20.0))
    await bench.request("rfxtrx/name", id="temperature.temp1.2e00", name="balcony")
    answer = await bench.request("rfxtrx/replace", old="balcony", new="temperature.temp1.2f00")
    await stick.heard(packet("temperature", 1, id="0x2F00", celsius=5.0))

    assert {"device": "temperature.temp1.2f00", "name": "balcony", "kind": "sensor"} == answer
    assert 5.0 == (await retained(bench, "sensor/balcony/temperature"))["value"]
    assert {} == await retained(bench, "rfxtrx/devices/temperature.temp1.2e00")


async def test_motion_of_before_a_restart_ends_after_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its time, and not a whole delay after the start."""
    _, stick = await start(bench, monkeypatch, devices=DEVICES)
    await stick.heard(packet("lighting2", id="0xABCDF", unit=1, command="on"))
    await bench.advance(40)
    await kill(bench)
    await start(bench, monkeypatch, devices=DEVICES)

    assert (await retained(bench, "sensor/hall/motion"))["value"]

    await bench.advance(30)

    assert not (await retained(bench, "sensor/hall/motion"))["value"]


async def test_what_has_no_table_any_more_is_taken_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A light that is gone from the configuration does not stand for ever."""
    await start(bench, monkeypatch, devices=DEVICES)
    await bench.request("light/desk/set", on=True)
    await kill(bench)
    await start(bench, monkeypatch)

    assert {} == await retained(bench, "light/desk")
