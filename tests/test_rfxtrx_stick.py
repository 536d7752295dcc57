"""A stick on its port: the real edge, the real port, a simulated stick behind a pseudo terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfxtrx_scene import scene

from services.rfxtrx.stick import Fate

if TYPE_CHECKING:
    from pathlib import Path

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")


async def test_a_packet_each_way(tmp_path: Path) -> None:
    """What the stick hears is handed over as a packet; what is sent is on the air, and said to be."""
    async with scene(tmp_path) as house:
        house.hear(TH1, "oregon")
        await house.until(lambda: bool(house.heard))
        outcome = await house.stick.send(ON)

    assert Fate.SENT is outcome.fate
    assert ON[4:] == house.device.sent[-1][4:]
    assert 21.5 == getattr(house.heard[0], "celsius", None)
