"""Compiled sensor nodes, which sleep: their watchdog, their clock, what they tell when nobody answers."""

from __future__ import annotations

import pytest
from ether import Ether, ether, settings
from ether_scenes import AWAKE_MS, BOTH_HEAR_MS, RADIOS, moves, sleeping_room

from drivers.rf12.commands import hearth_mode, send_hearth
from drivers.rf12.hearth import Announce, Key, Motion, Room, Set, decode

POWER_ON = 1
WATCHDOG = "8"
TICK_MS = 1000
SENDING_MS = 7
"""After an edge at the detector a room node is in the middle of its packet."""


def _motions(house: Ether) -> list[tuple[float, Motion]]:
    """Every try of every motion, and when it ended."""
    found = [(packet.ms, decode(packet.payload)) for packet in house.packets("room")]
    return [(ms, payload) for ms, payload in found if isinstance(payload, Motion)]


@pytest.mark.parametrize(("at_ms", "deaf"), [(1000, False), (1000, True), (AWAKE_MS, False)])
async def test_a_hung_node_is_started_by_its_watchdog(at_ms: float, *, deaf: bool) -> None:
    """Awake with interrupts on or off, or as it wakes: within two ticks it starts again."""
    async with ether() as house:
        await sleeping_room(house, "room", 5)
        await house.run(at_ms)
        await house.hang("room", deaf=deaf)
        reset = await house.until("reset", "room", within_ms=2.2 * TICK_MS)
        await house.until("packet", "room")

        assert WATCHDOG == reset.fields["cause"]


async def test_nodes_started_together_do_not_report_together() -> None:
    """Two nodes of one power-up have one clock; their reports do not spoil each other time after time."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        for node in (5, 6):
            await sleeping_room(house, f"room{node}", node, report_s=5)
        await house.run(AWAKE_MS)
        before = len(house.packets())
        await house.run(50_000)
        reports = [packet for packet in house.packets()[before:] if isinstance(decode(packet.payload), Room)]

        assert 20 == len(reports)
        assert 2 >= sum(packet.collided for packet in reports)


async def test_motion_lasts_its_hold_time() -> None:
    """Wherever in a tick the detector falls silent, the end is told the hold time later: never before, a tick after."""
    hold_ms = 3000
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5, hold_s=hold_ms // 1000)
        await house.run(AWAKE_MS)
        for wait_ms in (0, 170, 390, 610, 830):
            await house.run(wait_ms)
            await moves(house, "room")
            await house.run(wait_ms)
            await moves(house, "room")
            silent = await house.time()
            await house.run(hold_ms + 3 * TICK_MS)
            ended, motion = _motions(house)[-1]

            assert not motion.motion
            assert 0 <= ended - silent - hold_ms < 2 * TICK_MS + BOTH_HEAR_MS


async def test_a_chattering_detector_does_not_hurry_the_clock() -> None:
    """Each edge cuts a sleep short, yet reports keep their interval."""
    async with ether() as house:
        await sleeping_room(house, "room", 5, report_s=10, hold_s=2)
        await house.run(AWAKE_MS + 200)
        before = len(house.packets())
        for _ in range(200):
            await house.pin("room", "PD7", 0)
            await house.run(20)
            await house.pin("room", "PD7", 1)
            await house.run(80)
        reports = [packet.ms for packet in house.packets()[before:] if isinstance(decode(packet.payload), Room)]

        assert 2 == len(reports)
        assert pytest.approx(10_000, abs=1.5 * TICK_MS) == reports[1] - reports[0]


async def test_motion_is_told_while_the_node_introduces_itself() -> None:
    """In the first seconds too motion is told at once, and both its lines go on being heard."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5)
        await house.run(1000)
        await house.type("gateway", hearth_mode())
        await moves(house, "room")
        await house.said("gateway", "OK 37 49 5 ", within_ms=BOTH_HEAR_MS)
        order = Set(sender=30, sequence=1, key=Key.HOLD_S, value=5)
        await house.type("gateway", send_hearth(order.encode(), node=5, tag=1))
        answer = await house.said("gateway", "ACK 1 ", "NAK 1 ")
        await house.type("room", b"90r")

        assert answer.startswith("ACK 1 5 1 ")
        assert "E i5 g212 @ 868 MHz r90 m60" in await house.said("room", "r90")


async def test_what_was_given_up_is_told() -> None:
    """Motion that nobody acked while the gateway was away is counted in what the node tells when it is back."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5, hold_s=2)
        await house.run(AWAKE_MS)
        await house.power("gateway", on=False)
        await moves(house, "room")
        await house.run(8000)
        tries = len(_motions(house))
        await house.power("gateway", on=True)
        await house.run(1000)
        await moves(house, "room")
        line = await house.said("gateway", "OK 37 49 5 ")

        assert 2 * 8 == tries
        assert ("1", "2") == (line.split()[5], line.split()[-1])


@pytest.mark.parametrize("sketch", ["room_node", "onewire_node", "led_node"])
async def test_a_start_that_nobody_heard_is_told_when_somebody_does(sketch: str) -> None:
    """Kind, version and reset cause reach a gateway that was away when the node started, wanting an ack; and once."""
    async with ether() as house:
        await house.node("gateway", "gateway", on=False)
        await house.node("room", sketch, eeprom=settings(node=5, report_s=8), on=False)
        await house.pin("room", "PD7", 1)
        await house.power("room", on=True)
        await house.run(5000)
        await house.power("gateway", on=True)
        await house.said("gateway", "OK 37 17 5 ", within_ms=20_000)
        told = [decode(packet.payload) for packet in house.packets("room")]
        await house.run(20_000)
        asking = [line for line in house.lines("gateway") if line.startswith("OK 37 17 5 ")]

        assert {POWER_ON} == {announce.reset for announce in told if isinstance(announce, Announce)}
        assert 1 == len(asking)


@pytest.mark.parametrize("seed", range(3))
async def test_motion_arrives_or_is_counted(seed: int) -> None:
    """On a bad link each beginning and end of motion is heard by the gateway, or in the count of what was given up."""
    count = 4
    async with ether(seed=seed) as house:
        await house.node("gateway", "gateway")
        await sleeping_room(house, "room", 5, hold_s=2, report_s=10)
        await house.run(AWAKE_MS)
        await house.loss(70)
        for _ in range(count):
            await moves(house, "room")
            await house.run(6000)
        await house.loss(0)
        await house.run(12_000)
        given_up = int([line for line in house.lines("gateway") if line.startswith("OK 5 33 5 ")][-1].split()[-1])
        heard = {line.split()[4] for line in house.lines("gateway") if line.startswith("OK 37 49 5 ")}
        told = {motion.sequence for _ms, motion in _motions(house)}

        assert 2 * count == len(told)
        assert max(1, len(told - {int(sequence) for sequence in heard})) <= given_up < 2 * count


@pytest.mark.parametrize("radio", RADIOS)
async def test_a_radio_that_fails_in_mid_packet_does_not_keep_its_node_awake(radio: str) -> None:
    """The supply of the radio goes while it sends: the node gives the packet up, sleeps, and tells the next motion."""
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("room", "room_node", radio=radio, eeprom=settings(node=5, hold_s=2), on=False)
        await house.pin("room", "PD7", 1)
        await house.power("room", on=True)
        await house.run(AWAKE_MS)
        await house.pin("room", "PD7", 0)
        await house.run(SENDING_MS)
        await house.brownout("room")
        await house.pin("room", "PD7", 1)
        cut = house.packets("room")[-1]
        await house.run(10_000)
        await moves(house, "room")
        await house.said("gateway", "OK 37 49 5 ")

        assert "good" != cut.crc
        assert AWAKE_MS < cut.ms < AWAKE_MS + 2 * SENDING_MS
