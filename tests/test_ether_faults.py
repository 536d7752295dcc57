"""The compiled firmware in trouble: loss, collisions, dips, hangs, spoilt settings. It recovers, and says so."""

from __future__ import annotations

import pytest
from ether import ether, settings
from ether_scenes import AWAKE_MS, BOOT_MS, GREEN, RADIOS, STEP, light, lit, moves, sleeping_room

from drivers.rf12.commands import hearth_mode
from drivers.rf12.hearth import Announce, decode

WATCHDOG = 8
DEFAULTS_USED = 4
"""And neither copy sound."""
TRIES = 8


async def test_every_command_ends_with_a_verdict_in_spite_of_loss() -> None:
    """With 20 % of the packets lost each command is acked, or said to have failed; none is done twice."""
    count = 12
    async with lit(seed=3) as house:
        await house.loss(20)
        for tag in range(1, count + 1):
            await house.type("gateway", light(tag, red=tag))
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
        await sleeping_room(house, "room", 5, hold_s=2)
        await house.run(AWAKE_MS)
        await house.loss(20)
        for _ in range(count):
            await moves(house, "room")
            await house.run(5000)
        heard = {line.split()[4] for line in house.lines("gateway") if line.startswith("OK 37 49 5 ")}

        assert 2 * count == len(heard)


async def test_two_rooms_at_once_are_both_heard() -> None:
    """Two detectors that see the same person in the same moment both get through."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "hall", 5)
        await sleeping_room(house, "stairs", 6)
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
    async with lit(gateway=radio) as house:
        await house.brownout("gateway")
        told = await house.said("gateway", "! radio restarted", within_ms=3000)
        await house.type("gateway", light(5))
        answer = await house.said("gateway", "ACK 5")

        assert told.startswith("! radio restarted por")
        assert answer.startswith("ACK 5 2 1 ")


async def test_a_radio_that_fell_silent_is_set_up_anew() -> None:
    """Registers lost without a sign are noticed by the silence."""
    async with lit() as house:
        await house.upset("gateway")
        told = await house.said("gateway", "! radio restarted", within_ms=20000)
        await house.type("gateway", light(5))
        answer = await house.said("gateway", "ACK 5")

        assert told.startswith("! radio restarted silent")
        assert answer.startswith("ACK 5 2 1 ")


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_hung_node_is_started_by_its_watchdog(*, deaf: bool) -> None:
    """A light whose processor hangs starts again, says why, and comes back with its colour."""
    async with lit() as house:
        await house.type("gateway", light(5))
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
    async with lit() as house:
        await house.type("gateway", light(5))
        await house.run(8)
        await house.reset("gateway")
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode() + light(6))
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


async def test_a_corrupt_packet_is_told_and_sent_again() -> None:
    """A wrong byte fails the check; the node tries again, and the gateway has it once."""
    async with lit() as house:
        await house.type("gateway", b"0q")
        await house.command("corrupt", 100)
        await house.reset("led")
        await house.said("gateway", " ? ")
        await house.command("corrupt", 0)
        await house.said("gateway", "OK 34 17 2 ")
        await house.run(1000)

        assert len([packet for packet in house.packets("led") if packet.ms > BOOT_MS]) > 1
