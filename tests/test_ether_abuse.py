"""Compiled firmware that is treated badly: power cuts in every write, garbage, half commands, crowds, strange sizes."""

from __future__ import annotations

import random

import pytest
from ether import Ether, ether, settings
from ether_scenes import AWAKE_MS, BOOT_MS, FADE_S, GREEN, RADIOS, STEP, light, lit, sleeping_room

from drivers.rf12.commands import hearth_mode, send_hearth
from drivers.rf12.hearth import Announce, Commit, Key, Set, Settings, decode

CELL_MS = 3.4
"""One cell of EEPROM takes as long to write."""
SETTLED_MS = 5000
"""A light remembers its colour so long after the last order."""
LINE_BAUD = 57600


async def _starts_as(house: Ether) -> int:
    """Switch the light on; which node it says it is."""
    before = len(house.packets("led"))
    await house.power("led", on=True)
    await house.until("packet", "led")
    announce = decode(house.packets("led")[before].payload)
    assert isinstance(announce, Announce)
    return announce.sender


async def test_a_power_cut_in_the_middle_of_a_save_leaves_old_or_new_settings() -> None:
    """Wherever the supply goes while both copies are written, the node starts as the old one or the new one."""
    now, wanted = 2, 9
    became = set()
    async with ether() as house:
        await house.node("led", "led_node", eeprom=settings(node=now))
        for half_cell in range(1, 16):
            await house.run(40)
            await house.type("led", f"{wanted}i".encode())
            await house.run(0.4 + half_cell * CELL_MS / 2)  # two letters, and then the writes
            await house.power("led", on=False)
            found = await _starts_as(house)
            block = settings(node=found)

            assert found in {now, wanted}
            assert (block[:12], block[:12]) == (await house.eeprom("led", 0, 12), await house.eeprom("led", 16, 12))
            became.add(found == wanted)
            if found == wanted:
                now, wanted = wanted, now

    assert {False, True} == became


async def test_a_power_cut_in_the_middle_of_a_save_leaves_the_old_or_the_new_colour() -> None:
    """Wherever the supply goes while a colour is written, a light comes back with it or with the one before."""
    shown = set()
    async with lit() as house:
        await house.type("gateway", light(1))
        await house.said("gateway", "ACK 1 ")
        await house.run(SETTLED_MS + 100)
        kept = await house.eeprom("led", 0, 1024)
        for cell in range(9):
            await house.power("gateway", on=True)
            await house.eeprom_set("led", 0, kept)
            await house.power("led", on=True)
            await house.run(BOOT_MS)
            await house.type("gateway", hearth_mode() + light(2 + cell, red=0, green=0, blue=255))
            await house.until("packet", "led")
            await house.power("gateway", on=False)
            await house.run(SETTLED_MS - 20 + (cell + 0.5) * 2 * CELL_MS)
            await house.power("led", on=False)
            await house.power("led", on=True)
            await house.run(1500)
            duties = await house.duty("led")
            await house.power("led", on=False)

            assert duties in ((pytest.approx(1.0), pytest.approx(GREEN, abs=STEP), 0.0), (0.0, 0.0, 1.0))
            shown.add(duties)

    assert 2 == len(shown)


async def test_a_repeat_is_acked_and_not_done_again() -> None:
    """While its acks are lost a light is told again and again; its fade began once and ends when it should."""
    async with lit() as house:
        before = len(house.packets("gateway"))
        await house.type("gateway", light(5))
        await house.until("packet", "gateway")
        first = await house.time()
        while await house.time() - first < FADE_S * 1000:
            await house.command("drop", 1)
            await house.until("packet", "led")
            await house.until("packet", "gateway")
        tries = len(house.packets("gateway")) - before
        duties = await house.duty("led", over_ms=16.384)
        answer = await house.said("gateway", "ACK 5")

        assert tries > 3
        assert pytest.approx((1.0, GREEN, 0.0), abs=STEP) == duties
        assert answer.startswith(f"ACK 5 2 {tries} ")


async def test_a_node_with_a_new_id_leaves_the_old_one_alone() -> None:
    """A commit that is repeated changes nothing more; then the old id is nobody, and the new one a light."""
    wanted = Settings(node=9, group=212, band=8, report_s=300, hold_s=60, offset=1600)
    orders = (
        Set(sender=30, sequence=1, key=Key.NODE, value=9),
        Commit(sender=30, sequence=2, check=wanted.check ^ 1),
        Commit(sender=30, sequence=3, check=wanted.check),
        Commit(sender=30, sequence=3, check=wanted.check),
    )
    async with lit() as house:
        codes = []
        for tag, order in enumerate(orders):
            await house.type("gateway", send_hearth(order.encode(), node=2, tag=tag))
            codes.append((await house.said("gateway", f"ACK {tag} ")).split()[-2])
        await house.run(700)
        await house.type("gateway", light(5))
        old = await house.said("gateway", "ACK 5 ", "NAK 5 ", within_ms=3000)
        order_to_new = light(6).replace(b",2,6,", b",9,6,").rsplit(b",", 1)[0]
        await house.type("gateway", send_hearth(bytes(map(int, order_to_new.split(b",")[:-2])), node=9, tag=6))
        new = await house.said("gateway", "ACK 6 ", "NAK 6 ")

        assert ["0", "3", "0", "0"] == codes
        assert old.startswith("NAK 5 2 8")
        assert new.startswith("ACK 6 9 1 ")


@pytest.mark.parametrize("baud", [9600, 38400, 115200])
async def test_a_host_at_the_wrong_speed_does_no_lasting_harm(baud: int) -> None:
    """What a gateway makes of letters at another speed is noise to it; it is there for the right one at once."""
    async with lit() as house:
        await house.type("gateway", _misread(b"v1h" + light(5) * 3, baud))
        await house.run(500)
        await house.type("gateway", b"\n" + hearth_mode() + light(6))
        answer = await house.said("gateway", "ACK 6 ", within_ms=2000)

        assert answer.startswith("ACK 6 2 1 ")


def _misread(text: bytes, baud: int) -> bytes:
    """What a receiver at the line's speed makes of letters sent at another."""
    level = "1" + "".join("0" + f"{byte:08b}"[::-1] + "1" for byte in text) + "1" * 12
    bits = [level[int(at)] for at in (n * baud / LINE_BAUD / 8 for n in range(int(len(level) * 8 * LINE_BAUD / baud)))]
    read, at = bytearray(), 0
    while (at := next((n for n in range(at, len(bits) - 80) if bits[n] == "0"), -1)) >= 0:
        read.append(int("".join(bits[at + 12 + 8 * n] for n in range(8))[::-1], 2))
        at += 76
    return bytes(read)


async def test_garbage_and_half_commands_send_nothing_wrong() -> None:
    """Commands cut anywhere run into the next one, and noise: on the air goes what was asked for, or nothing."""
    noise = random.Random(5)
    order = light(7)
    async with lit() as house:
        before = len(house.packets("gateway"))
        for cut in range(1, len(order)):
            await house.type("gateway", order[:cut] + order)
            await house.run(25)
        await house.type("gateway", b"\n" + bytes(noise.choice(b"\0\x80\xff ,:;*+-%&") for _ in range(800)))
        await house.run(200)
        await house.type("gateway", b"\n" + order)
        await house.said("gateway", "ACK 7 ")
        await house.run(500)
        sent = {packet.payload for packet in house.packets("gateway")[before:]}

        assert {bytes(map(int, order.split(b",")[:-3]))} == sent


async def test_letters_lost_in_a_flood_are_told_and_spoil_only_their_own_command() -> None:
    """A host that types more than the gateway can hear loses commands; none that is left is another than it was."""
    async with lit() as house:
        before = len(house.packets("gateway"))
        for questions in range(8, 16):
            await house.type("gateway", b"v" * questions + b"1,2,3,4,5,6,7,0s" * 40)
            await house.run(1000)
            await house.said("gateway", "! line overrun")
            await house.type("gateway", b"8,9,0s" * 2)
            await house.run(100)
        sent = [packet.payload for packet in house.packets("gateway")[before:]]

        assert {bytes([1, 2, 3, 4, 5, 6, 7]), bytes([8, 9])} == set(sent)


@pytest.mark.parametrize("hears", RADIOS)
@pytest.mark.parametrize("sends", RADIOS)
async def test_the_longest_packet_arrives(sends: str, hears: str) -> None:
    """66 bytes from each radio to each, acked."""
    async with ether() as house:
        await house.node("one", "gateway", radio=sends)
        await house.node("other", "gateway", radio=hears, eeprom=settings(node=29))
        await house.run(BOOT_MS)
        await house.type("one", b"t")
        heard = await house.said("other", "OK 62 ")
        await house.said("one", "OK 222")

        assert [str(n) for n in range(66)] == heard.split()[2:68]


@pytest.mark.parametrize("radio", RADIOS)
async def test_a_gateway_of_every_group_hears_every_group(radio: str) -> None:
    """With group 0 each packet is shown with its group; back in its own group it works as before."""
    async with lit(gateway=radio) as house:
        await house.node("far", "led_node", eeprom=settings(node=3, group=33), on=False)
        await house.type("gateway", b"0g")
        await house.run(50)
        await house.power("far", on=True)
        await house.said("gateway", "OK G33 35 17 3 ")
        await house.reset("led")
        await house.said("gateway", "OK G212 34 17 2 ")
        await house.run(500)
        await house.type("gateway", b"212g" + light(5))
        answer = await house.said("gateway", "ACK 5 ", "NAK 5 ")

        assert answer.startswith("ACK 5 2 1 ")


async def test_three_rooms_at_once_are_all_heard() -> None:
    """Three detectors that see the same person in the same moment all get through, each motion once."""
    names = {5: "hall", 6: "stairs", 7: "attic"}
    async with ether() as house:
        await house.node("gateway", "gateway")
        for node, name in names.items():
            await sleeping_room(house, name, node)
        await house.run(AWAKE_MS)
        before = len(house.packets())
        for name in names.values():
            await house.pin(name, "PD7", 0)
        await house.run(3000)
        motions = {tuple(p.payload[:3]) for name in names.values() for p in house.packets(name) if p.payload[0] == 0x31}
        told = {line for line in house.lines("gateway") if line.split()[2:3] == ["49"]}

        assert any(packet.collided for packet in house.packets()[before:])
        assert motions == {tuple(map(int, line.split()[2:5])) for line in told}
        assert names.keys() == {node for _type, node, _sequence in motions}


async def test_a_full_queue_says_so_and_empties() -> None:
    """Four packets wait, the fifth is refused; each of the four has its verdict, in order."""
    async with lit() as house:
        await house.power("led", on=False)
        await house.type("gateway", b"".join(light(tag) for tag in range(1, 6)))
        await house.said("gateway", "BAD 5 full")
        await house.said("gateway", "NAK 4 ", within_ms=8000)
        verdicts = [line.split()[1] for line in house.lines("gateway") if line.startswith("NAK")]

        assert ["1", "2", "3", "4"] == verdicts


@pytest.mark.parametrize("radio", RADIOS)
async def test_a_gateway_whose_radio_fails_in_mid_packet_says_so_and_goes_on(radio: str) -> None:
    """The supply of the radio goes while it sends: it is told, the packet has its verdict, and the next one arrives."""
    async with lit(gateway=radio) as house:
        await house.type("gateway", light(5))
        await house.said("gateway", "Q 5")
        await house.brownout("gateway")
        cut = house.packets("gateway")[-1]
        told = await house.said("gateway", "! radio restarted", within_ms=3000)
        await house.run(3000)
        await house.type("gateway", light(6))
        answer = await house.said("gateway", "ACK 6 ", "NAK 6 ")
        verdicts = [line for line in house.lines("gateway") if line.startswith(("ACK 5 ", "NAK 5 "))]

        assert "good" != cut.crc
        assert told.startswith("! radio restarted por")
        assert 1 == len(verdicts)
        assert answer.startswith("ACK 6 2 1 ")
