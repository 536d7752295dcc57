"""What a packet's battery nibble says. Knows no bus.

Most devices have two states, whatever the number: 0 is low. A few count tenths: 0 is 10 %, 9 is full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.rfxtrx.packet import Packet

COUNTED: Final = frozenset({("rain", 0x01), ("rain", 0x09), ("wind", 0x03), ("temperature_humidity", 0x08)})
"""Packets and subtypes whose nibble counts tenths: RAIN1, RAIN9, WIND3, TH8 (WT450 and others)."""
LOW: Final = 0.2
"""A counted battery that has this part left, or less, is low."""


def part(packet: Packet) -> float | None:
    """Return how full the battery is, 0.1 to 1; None where the device does not count it."""
    level = _level(packet)
    if level is None or (packet.name, packet.subtype) not in COUNTED:
        return None
    return min(level + 1, 10) / 10


def is_low(packet: Packet) -> bool | None:
    """Return whether the battery wants changing; None where the packet says nothing of a battery."""
    counted = part(packet)
    if counted is not None:
        return counted <= LOW
    level = _level(packet)
    return None if level is None else level == 0


def _level(packet: Packet) -> int | None:
    level: int | None = vars(packet).get("battery_level")
    return level
