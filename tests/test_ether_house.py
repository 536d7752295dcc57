"""The compiled firmware of gateway, lights and rooms in one simulated house, when all is well."""

from __future__ import annotations

import pytest
from ether import ether, settings
from ether_scenes import AWAKE_MS, BOTH_HEAR_MS, FADE_S, GREEN, RADIOS, STEP, light, lit, moves, sleeping_room

from drivers.rf12.commands import send_hearth
from drivers.rf12.hearth import Commit, Key, Motion, Room, Set, Settings, Temperature, decode


@pytest.mark.parametrize("led", RADIOS)
@pytest.mark.parametrize("gateway", RADIOS)
async def test_a_command_becomes_light(gateway: str, led: str) -> None:
    """A line on the gateway's serial port ends as three duties, gamma-corrected and exact, and is acked."""
    async with lit(gateway=gateway, led=led) as house:
        await house.type("gateway", light(17))
        answer = await house.said("gateway", "ACK 17")
        await house.run(FADE_S * 1000 + 20)
        duties = await house.duty("led")

        assert answer.startswith("ACK 17 2 1 ")
        assert pytest.approx((1.0, GREEN, 0.0), abs=STEP) == duties


async def test_motion_becomes_a_line() -> None:
    """An edge at the motion detector is on the air at once, acked, and told; its end comes after the hold time."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5, hold_s=5)
        await house.run(AWAKE_MS)
        began = await house.time()
        await moves(house, "room")
        await house.said("gateway", "OK 37 49 5 ")
        await house.run(8000)
        motions = [(p.ms, decode(p.payload)) for p in house.packets("room") if isinstance(decode(p.payload), Motion)]

        assert [True, False] == [payload.motion for _ms, payload in motions if isinstance(payload, Motion)]
        assert motions[0][0] - began < BOTH_HEAR_MS
        assert 4000 < motions[1][0] - began < 7000


async def test_a_room_says_what_it_measures() -> None:
    """Temperature, humidity, light and battery arrive as the sensors have them."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("room", "room_node", eeprom=settings(node=5), on=False)
        await house.pin("room", "PD7", 1)
        await house.adc("room", 3, 1450)
        await house.command("hyt131", "room", 55.5, -4.25)
        await house.command("supply", "room", 2900)
        await house.power("room", on=True)
        await house.said("gateway", "OK 5 33 ", within_ms=15000)
        room = decode(house.packets("room")[-1].payload)

        assert isinstance(room, Room)
        assert pytest.approx(-4.25, abs=0.02) == room.temperature
        assert pytest.approx(55.5, abs=0.02) == room.humidity
        assert 512 == room.light
        assert pytest.approx(2900, abs=15) == room.battery_mv


async def test_a_missing_sensor_is_missing() -> None:
    """A dead sensor is told as missing, not as a plausible temperature."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("room", "room_node", eeprom=settings(node=5), on=False)
        await house.pin("room", "PD7", 1)
        await house.command("hyt131", "room", "none")
        await house.power("room", on=True)
        await house.said("gateway", "OK 5 33 ", within_ms=15000)
        room = decode(house.packets("room")[-1].payload)

        assert isinstance(room, Room)
        assert (None, None) == (room.temperature, room.humidity)


async def test_thermometers_on_one_wire() -> None:
    """Two DS18B20 on one pin are told apart, each with its own index."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("wire", "onewire_node", eeprom=settings(node=4), on=False)
        await house.command("ds18b20", "wire", 0, 19.5)
        await house.command("ds18b20", "wire", 1, -3.25)
        await house.power("wire", on=True)
        await house.said("gateway", "OK 4 65 4 ", within_ms=15000)
        await house.said("gateway", "OK 4 65 4 ", within_ms=15000)
        heard = [decode(packet.payload) for packet in house.packets("wire")]

        assert [(0, 19.5), (1, -3.25)] == [(t.index, t.temperature) for t in heard if isinstance(t, Temperature)]


async def test_a_sleeping_node_reports_at_its_interval() -> None:
    """Its timers stand still while it sleeps; its own clock tells it when to report all the same."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5, report_s=20)
        await house.run(AWAKE_MS)
        first = await house.until("packet", "room", within_ms=30000)
        second = await house.until("packet", "room", within_ms=30000)

        assert pytest.approx(20000, rel=0.1) == second.ms - first.ms


async def test_settings_over_the_air() -> None:
    """A light that is given a new id by acked packets answers to it, and keeps it through a power cut."""
    wanted = Settings(node=9, group=212, band=8, report_s=300, hold_s=60, offset=1600)
    orders = (Set(sender=30, sequence=1, key=Key.NODE, value=9), Commit(sender=30, sequence=2, check=wanted.check))
    async with lit() as house:
        for tag, order in enumerate(orders):
            await house.type("gateway", send_hearth(order.encode(), node=2, tag=tag))
            answer = await house.said("gateway", f"ACK {tag} ", f"NAK {tag} ")

            assert " 0 #" in answer  # code 0: done
        await house.run(1000)
        await house.power("led", on=False)
        await house.power("led", on=True)
        await house.said("gateway", "OK 41 17 9 ")

        assert settings(node=9)[:12] == await house.eeprom("led", 0, 12)


async def test_power_returns_to_a_light() -> None:
    """After a power cut it comes back with its last colour, from dark, within a second or so."""
    async with lit() as house:
        await house.type("gateway", light(5))
        await house.said("gateway", "ACK 5")
        await house.run(8000)
        await house.power("led", on=False)
        await house.run(100)
        dark = await house.duty("led")
        await house.power("led", on=True)
        await house.run(300)
        between = await house.duty("led")
        await house.run(1500)
        after = await house.duty("led")

        assert (0.0, 0.0, 0.0) == dark
        assert 0 < between[0] < 1
        assert pytest.approx((1.0, GREEN, 0.0), abs=STEP) == after
