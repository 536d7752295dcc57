"""What no sensor measures: noise that a receiver took for a packet. Knows limits by field, no device and no bus.

Most protocols have a checksum of a byte or none, so a busy band makes packets that nobody sent. The limits are wide:
they are what cannot be, not what is seldom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.rfxtrx.packet import Packet

LIMITS: Final = {
    "celsius": (-200, 380),  # of Domoticz; a grill is hot
    "celsius_1": (-200, 380),
    "celsius_2": (-200, 380),
    "chill_celsius": (-200, 380),
    "percent": (0, 100),
    "hpa": (800, 1200),
    "degrees": (0, 360),
    "metres_per_second": (0, 120),  # the strongest gust ever measured had 113
    "gust_metres_per_second": (0, 120),
    "uv_index": (0, 25),
    "watts_per_square_metre": (0, 2000),  # the sun has 1361 outside the air; clouds can focus it
    "mm_per_hour": (0, 2500),  # the heaviest minute ever measured was at 1872
    "power_factor": (0, 1),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}
"""Least and greatest value of a field that can be."""


def implausible(packet: Packet) -> str:
    """Return why a packet is noise, for people; "" where it may be true."""
    for name, value in vars(packet).items():
        limits = LIMITS.get(name)
        if limits is not None and value is not None and not limits[0] <= value <= limits[1]:
            return f"{name} {value} is not from {limits[0]} to {limits[1]}"
    return ""
