"""The compiled firmware of gateway, lights and rooms in one simulated house."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from ether import Ether, ether, settings

from drivers.rf12.commands import hearth_mode, send_hearth
from drivers.rf12.hearth import (
    Announce,
    Commit,
    Effect,
    Key,
    Light,
    Motion,
    Room,
    Set,
    Settings,
    Temperature,
    decode,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RADIOS = ("rfm12b", "rfm69")
BOOT_MS = 500
AWAKE_MS = 7000
"""A sleeping node attends to its serial line first."""
FADE_S = 0.2
GREEN = 12179 / 65535
"""Step 128 of CIE 1931 lightness, in linear light."""
STEP = 1 / 4096
"""A duty is dithered to twelve bits."""
WATCHDOG = 8
DEFAULTS_USED = 4
"""And neither copy sound."""
BOTH_HEAR_MS = 30
TRIES = 8


@contextlib.asynccontextmanager
async def _lit(*, seed: int = 1, gateway: str = "rfm12b", led: str = "rfm12b") -> AsyncIterator[Ether]:
    """A gateway in hearth mode and a light, with these radios."""
    async with ether(seed=seed) as house:
        await house.node("gateway", "gateway", radio=gateway)
        await house.node("led", "led_node", radio=led)
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode())
        await house.said("gateway", "# hearth 1")
        yield house


def _light(tag: int, *, red: int = 255, green: int = 128, blue: int = 0) -> bytes:
    light = Light(
        sender=30,
        sequence=tag,
        effect=Effect.FADE,
        red=red,
        green=green,
        blue=blue,
        brightness=255,
        fade_s=FADE_S,
    )
    return send_hearth(light.encode(), node=2, tag=tag)


async def _moves(house: Ether, room: str) -> None:
    """Somebody walks past."""
    await house.pin(room, "PD7", 0)
    await house.run(BOTH_HEAR_MS)
    await house.pin(room, "PD7", 1)


async def _room(house: Ether, name: str, node: int, **changes: int) -> None:
    await house.node(name, "room_node", eeprom=settings(node=node, **changes), on=False)
    await house.pin(name, "PD7", 1)
    await house.power(name, on=True)


@pytest.mark.parametrize("led", RADIOS)
@pytest.mark.parametrize("gateway", RADIOS)
async def test_a_command_becomes_light(gateway: str, led: str) -> None:
    """A line on the gateway's serial port ends as three duties, gamma-corrected and exact, and is acked."""
    async with _lit(gateway=gateway, led=led) as house:
        await house.type("gateway", _light(17))
        answer = await house.said("gateway", "ACK 17")
        await house.run(FADE_S * 1000 + 20)
        duties = await house.duty("led")

        assert answer.startswith("ACK 17 2 1 ")
        assert pytest.approx((1.0, GREEN, 0.0), abs=STEP) == duties


async def test_motion_becomes_a_line() -> None:
    """An edge at the motion detector is on the air at once, acked, and told; its end comes after the hold time."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await _room(house, "room", 5, hold_s=5)
        await house.run(AWAKE_MS)
        began = await house.time()
        await _moves(house, "room")
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


async def test_every_command_ends_with_a_verdict_in_spite_of_loss() -> None:
    """With 20 % of the packets lost each command is acked, or said to have failed; none is done twice."""
    count = 12
    async with _lit(seed=3) as house:
        await house.loss(20)
        for tag in range(1, count + 1):
            await house.type("gateway", _light(tag, red=tag))
            await house.said("gateway", f"ACK {tag} ", f"NAK {tag} ", within_ms=2000)
        verdicts = [line.split()[:2] for line in house.lines("gateway") if line.startswith(("ACK", "NAK"))]

        assert [str(tag) for tag in range(1, count + 1)] == [tag for _verdict, tag in verdicts]
        assert any("led" in packet.lost for packet in house.packets("gateway"))
        assert TRIES * count > len(house.packets("gateway")) > count


async def test_every_motion_arrives_in_spite_of_loss() -> None:
    """With 20 % of the packets lost every beginning of motion is heard by the gateway."""
    count = 6
    async with ether(seed=5) as house:
        await house.node("gateway", "gateway")
        await _room(house, "room", 5, hold_s=2)
        await house.run(AWAKE_MS)
        await house.loss(20)
        for _ in range(count):
            await _moves(house, "room")
            await house.run(5000)
        heard = {line.split()[4] for line in house.lines("gateway") if line.startswith("OK 37 49 5 ")}

        assert 2 * count == len(heard)


async def test_two_rooms_at_once_are_both_heard() -> None:
    """Two detectors that see the same person in the same moment both get through."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await _room(house, "hall", 5)
        await _room(house, "stairs", 6)
        await house.run(AWAKE_MS)
        before = len(house.packets())
        await house.pin("hall", "PD7", 0)
        await house.pin("stairs", "PD7", 0)
        await house.run(2000)
        begun = [line for line in house.lines("gateway") if line.split()[1:3] in (["37", "49"], ["38", "49"])]

        assert any(packet.collided for packet in house.packets()[before:])
        assert {"OK 37 49 5", "OK 38 49 6"} == {" ".join(line.split()[:4]) for line in begun}


@pytest.mark.parametrize("radio", RADIOS)
async def test_a_radio_that_lost_its_power_is_set_up_anew(radio: str) -> None:
    """A dip of the radio's supply alone is seen, mended and told; the next command goes out."""
    async with _lit(gateway=radio) as house:
        await house.brownout("gateway")
        told = await house.said("gateway", "! radio restarted", within_ms=3000)
        await house.type("gateway", _light(5))
        answer = await house.said("gateway", "ACK 5")

        assert told.startswith("! radio restarted por")
        assert answer.startswith("ACK 5 2 1 ")


async def test_a_radio_that_fell_silent_is_set_up_anew() -> None:
    """Registers lost without a sign are noticed by the silence."""
    async with _lit() as house:
        await house.upset("gateway")
        told = await house.said("gateway", "! radio restarted", within_ms=20000)
        await house.type("gateway", _light(5))
        answer = await house.said("gateway", "ACK 5")

        assert told.startswith("! radio restarted silent")
        assert answer.startswith("ACK 5 2 1 ")


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_hung_node_is_started_by_its_watchdog(*, deaf: bool) -> None:
    """A light whose processor hangs starts again, says why, and comes back with its colour."""
    async with _lit() as house:
        await house.type("gateway", _light(5))
        await house.said("gateway", "ACK 5")
        await house.run(8000)
        await house.hang("led", deaf=deaf)
        reset = await house.until("reset", "led", within_ms=5000)
        await house.until("packet", "led")
        announce = decode(house.packets("led")[-1].payload)
        await house.run(3000)

        assert str(WATCHDOG) == reset.fields["cause"]
        assert isinstance(announce, Announce)
        assert announce.reset & WATCHDOG
        assert pytest.approx((1.0, GREEN, 0.0), abs=STEP) == await house.duty("led")


async def test_a_gateway_reset_in_the_middle_of_a_packet_goes_on() -> None:
    """What was on the air is cut short, and the gateway hears and sends again."""
    async with _lit() as house:
        await house.type("gateway", _light(5))
        await house.run(8)
        await house.reset("gateway")
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode() + _light(6))
        answer = await house.said("gateway", "ACK 6")

        assert answer.startswith("ACK 6 2 1 ")


async def test_a_bad_copy_of_the_settings_is_mended() -> None:
    """One spoilt copy in EEPROM is told of and written anew from the other."""
    async with ether() as house:
        good = settings(node=9)
        await house.node("gateway", "gateway")
        await house.node("led", "led_node", eeprom=b"\x00" * 16 + good[16:])
        await house.until("packet", "led")
        announce = decode(house.packets("led")[-1].payload)
        await house.run(BOOT_MS)

        assert isinstance(announce, Announce)
        assert 9 == announce.sender
        assert good[:12] == await house.eeprom("led", 0, 12)


async def test_a_gateway_says_which_copy_was_bad() -> None:
    """It works with the sound one, and says so to the host that asks for hearth mode."""
    async with ether() as house:
        good = settings(node=30)
        await house.node("gateway", "gateway", eeprom=good[:16] + b"\x00" * 16)
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode())
        await house.said("gateway", "! settings copy B was bad")

        assert good[:12] == await house.eeprom("gateway", 16, 12)


async def test_without_a_sound_copy_the_defaults_are_used() -> None:
    """A light whose EEPROM is noise is a light all the same, and its announcement says that it knows."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("led", "led_node", eeprom=bytes(range(1, 33)))
        await house.said("gateway", "OK 34 17 2 ")
        announce = decode(house.packets("led")[-1].payload)

        assert isinstance(announce, Announce)
        assert DEFAULTS_USED == announce.settings


async def test_a_sleeping_node_reports_at_its_interval() -> None:
    """Its timers stand still while it sleeps; its own clock tells it when to report all the same."""
    async with ether() as house:
        await _room(house, "room", 5, report_s=20)
        await house.run(AWAKE_MS)
        first = await house.until("packet", "room", within_ms=30000)
        second = await house.until("packet", "room", within_ms=30000)

        assert pytest.approx(20000, rel=0.1) == second.ms - first.ms


async def test_settings_over_the_air() -> None:
    """A light that is given a new id by acked packets answers to it, and keeps it through a power cut."""
    wanted = Settings(node=9, group=212, band=8, report_s=300, hold_s=60, offset=1600)
    orders = (Set(sender=30, sequence=1, key=Key.NODE, value=9), Commit(sender=30, sequence=2, check=wanted.check))
    async with _lit() as house:
        for tag, order in enumerate(orders):
            await house.type("gateway", send_hearth(order.encode(), node=2, tag=tag))
            answer = await house.said("gateway", f"ACK {tag} ", f"NAK {tag} ")

            assert " 0 #" in answer  # code 0: done
        await house.run(1000)
        await house.power("led", on=False)
        await house.power("led", on=True)
        await house.said("gateway", "OK 41 17 9 ")

        assert settings(node=9)[:12] == await house.eeprom("led", 0, 12)


async def test_a_corrupt_packet_is_told_and_sent_again() -> None:
    """A wrong byte fails the check; the node tries again, and the gateway has it once."""
    async with _lit() as house:
        await house.type("gateway", b"0q")
        await house.command("corrupt", 100)
        await house.reset("led")
        await house.said("gateway", " ? ")
        await house.command("corrupt", 0)
        await house.said("gateway", "OK 34 17 2 ")
        await house.run(1000)

        assert len([packet for packet in house.packets("led") if packet.ms > BOOT_MS]) > 1


async def test_power_returns_to_a_light() -> None:
    """After a power cut it comes back with its last colour, from dark, within a second or so."""
    async with _lit() as house:
        await house.type("gateway", _light(5))
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
