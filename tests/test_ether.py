"""The simulator itself: what is on the air, and that it is the same in every run."""

from __future__ import annotations

import pytest
from ether import Ether, ether, settings

from drivers.rf12 import air
from drivers.rf12.commands import send

BOOT_MS = 400


async def _gateway(house: Ether) -> None:
    await house.node("gateway", "gateway")
    await house.run(BOOT_MS)


async def test_a_packet_is_preamble_sync_frame_and_check() -> None:
    """What the gateway is told to send is on the air byte for byte as RF12 has it."""
    async with ether() as house:
        await _gateway(house)
        await house.type("gateway", b"0,255,128,64,0,0,1s")
        await house.until("packet", "gateway")
        packet = house.packets()[-1]

        frame = bytes([212, 0x41, 6, 0, 255, 128, 64, 0, 0])
        expected = bytes.fromhex("aaaaaaaaaa2d") + frame + air.crc16(frame).to_bytes(2, "little")
        assert (expected, "good") == (packet.data, packet.crc)


@pytest.mark.parametrize(("size", "expected_ms"), [(0, 2.06), (4, 2.71), (6, 3.03), (66, 12.78)])
async def test_air_time_is_the_real_ones(size: int, expected_ms: float) -> None:
    """A packet occupies the air for 162.4 us a byte and the start of the synthesiser."""
    async with ether() as house:
        await _gateway(house)
        await house.type("gateway", send(bytes(size), node=1))
        await house.until("packet", "gateway")

        assert expected_ms == pytest.approx(house.packets()[-1].air_ms, abs=0.03)


async def test_two_runs_are_the_same() -> None:
    """The same commands give the same events, to the microsecond, with loss and corruption too."""
    runs = []
    for _ in range(2):
        async with ether(seed=7) as house:
            await house.loss(30)
            await house.command("corrupt", 30)
            await house.node("led", "led_node")
            await house.node("gateway", "gateway")
            await house.run(BOOT_MS)
            await house.type("gateway", send(bytes(4), node=2, ack=True))
            await house.run(BOOT_MS)
            runs.append(house.events)

    assert runs[0] == runs[1]
    assert len(runs[0]) > 3


async def test_a_node_out_of_range_is_not_heard() -> None:
    """A link that is off carries nothing; the sender tries in vain."""
    async with ether() as house:
        await house.node("gateway", "gateway", on=False)
        await house.node("led", "led_node", on=False)
        await house.link("gateway", "led", None)
        await house.power("gateway", on=True)
        await house.power("led", on=True)
        await house.run(2000)

        assert {"led"} == {packet.sender for packet in house.packets()}
        assert not [line for line in house.lines("gateway") if "OK" in line]


async def test_two_at_once_spoil_each_other() -> None:
    """Two nodes that start in the same moment collide, and both get through later."""
    async with ether() as house:
        await _gateway(house)
        await house.node("one", "led_node", on=False)
        await house.node("two", "led_node", eeprom=settings(node=3), on=False)
        await house.power("one", on=True)
        await house.power("two", on=True)
        await house.run(2000)
        heard = [event for event in house.events if event.kind == "uart" and event.text.startswith("OK")]
        sent = [packet for packet in house.packets() if packet.sender != "gateway"]

        assert [True, True] == [packet.collided for packet in sent[:2]]
        assert heard[0].ms > next(packet.ms for packet in sent if not packet.collided)
        assert {"34", "35"} == {event.text.split()[1] for event in heard}


async def test_an_eeprom_write_takes_its_time() -> None:
    """A cell that is being written when the power goes stays erased."""
    async with ether() as house:
        await _gateway(house)
        await house.type("gateway", b"7i")
        await house.run(2)
        await house.power("gateway", on=False)
        cut = await house.eeprom("gateway", 0, 32)
        await house.power("gateway", on=True)
        await house.run(BOOT_MS)
        await house.type("gateway", b"7i")
        await house.run(BOOT_MS)

        assert cut != await house.eeprom("gateway", 0, 32)
        assert 7 == (await house.eeprom("gateway", 0, 32))[1]


async def test_a_wrong_command_is_told_with_its_line() -> None:
    """An error names the line and what was wrong with it."""
    async with ether() as house:
        with pytest.raises(AssertionError, match=r"error line 2: there is no node `nobody`"):
            await house.command("reset", "nobody")
