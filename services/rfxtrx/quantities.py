"""What a field of a packet measures: its quantity and unit as docs/topics.md has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Measure:
    """A field's meaning."""

    quantity: str
    unit: str | None = None
    scale: float = 1
    """What the field is multiplied by."""
    part: str = ""
    """What is added to the place: `-2` for the second of several."""


@dataclass(frozen=True)
class Reading:
    """One value a sensor tells."""

    quantity: str
    value: Any
    unit: str | None = None
    part: str = ""
    delta: float | None = None
    """How much it has grown since the packet before."""


MEASURES: Final = {
    "celsius": Measure("temperature", "°C"),
    "celsius_1": Measure("temperature", "°C"),
    "celsius_2": Measure("temperature", "°C", part="-2"),
    "chill_celsius": Measure("wind_chill", "°C"),
    "hpa": Measure("pressure", "hPa"),
    "mm": Measure("rain", "mm"),
    "mm_per_hour": Measure("rain_rate", "mm/h"),
    "degrees": Measure("wind_direction", "°"),
    "metres_per_second": Measure("wind_speed", "m/s"),
    "gust_metres_per_second": Measure("wind_gust", "m/s"),
    "uv_index": Measure("uv_index"),
    "watts": Measure("power", "W"),
    "watt_hours": Measure("energy", "Wh"),
    "watt_hours_1": Measure("energy", "Wh"),
    "watt_hours_2": Measure("energy", "Wh", part="-2"),
    "production_watt_hours": Measure("energy", "Wh", part="-production"),
    "volt_amperes": Measure("apparent_power", "VA"),
    "volts": Measure("voltage", "V"),
    "millivolts": Measure("voltage", "V", scale=0.001),
    "battery_volts": Measure("voltage", "V"),
    "amperes": Measure("current", "A"),
    "amperes_1": Measure("current", "A"),
    "amperes_2": Measure("current", "A", part="-2"),
    "amperes_3": Measure("current", "A", part="-3"),
    "hertz": Measure("frequency", "Hz"),
    "power_factor": Measure("power_factor"),
    "kilograms": Measure("weight", "kg"),
    "counter": Measure("count"),
    "counter_1": Measure("count"),
    "counter_2": Measure("count", part="-2"),
    "centimetres": Measure("level", "m", scale=0.01),
    "kilometres": Measure("distance", "m", scale=1000),
    "strikes": Measure("strikes"),
    "watts_per_square_metre": Measure("solar", "W/m²"),
    "tamper": Measure("tamper"),
}
"""By field name, of whatever packet."""
HUMID: Final = frozenset({"humidity", "temperature_humidity", "temperature_humidity_barometer", "weather_station"})
"""Packets whose `percent` is the air's humidity: a blind has one too."""
RANGES: Final = {
    "temperature": (-90, 400), "wind_chill": (-90, 90), "humidity": (0, 100), "pressure": (300, 1100),
    "rain": (0, 10000000), "rain_rate": (0, 1000), "wind_speed": (0, 120), "wind_gust": (0, 120),
    "wind_direction": (0, 360), "uv_index": (0, 25), "solar": (0, 2000), "power": (-100000, 100000),
    "apparent_power": (0, 1000000), "power_factor": (-1, 1), "frequency": (0, 1000), "energy": (0, 1e12),
    "current": (-1000, 1000), "voltage": (-1000, 1000), "weight": (-1000, 1000000), "level": (-100, 10000),
    "distance": (0, 100000), "strikes": (0, 1000000), "count": (0, 2**53 - 1),
}  # fmt: skip
"""What can be, as docs/topics.md says: what is beyond was not measured but misheard.

Most protocols have a checksum of a byte or none, so a busy band makes packets that nobody sent.
"""
QUANTITIES: Final = frozenset({"humidity", *(measure.quantity for measure in MEASURES.values())})
_WHOLE: Final = frozenset({"count", "strikes"})


def implausible(packet: str, fields: Mapping[str, Any]) -> str:
    """Return why a packet is noise, for people; "" where it may be true.

    One value that cannot be says that none of the packet's can be believed.
    """
    for name, value in fields.items():
        measure = _measure(packet, name)
        if measure is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        told = _scaled(value, measure, {})
        if not can_be(measure.quantity, told):
            low, high = RANGES[measure.quantity]
            return f"{measure.quantity} {told:g} is not from {low:g} to {high:g}"
    return ""


def readings(packet: str, fields: dict[str, Any], *, offset: dict[str, float] | None = None) -> list[Reading]:
    """Return what a packet measures, without what cannot be.

    Args:
        packet: its name.
        fields: its fields by name.
        offset: by quantity, what is added.
    """
    found = []
    for name, value in fields.items():
        measure = _measure(packet, name)
        if measure is None or value is None or isinstance(value, str):
            continue
        told = value if isinstance(value, bool) else _scaled(value, measure, offset or {})
        if isinstance(told, bool) or can_be(measure.quantity, told):
            found.append(Reading(measure.quantity, told, measure.unit, measure.part))
    return found


def _measure(packet: str, name: str) -> Measure | None:
    return Measure("humidity", "%") if name == "percent" and packet in HUMID else MEASURES.get(name)


def _scaled(value: float, measure: Measure, offset: dict[str, float]) -> float:
    if measure.quantity in _WHOLE:
        return int(value)
    added = offset.get(measure.quantity, 0)
    return value if measure.scale == 1 and not added else round(value * measure.scale + added, 4)


def can_be(quantity: str, value: float) -> bool:
    """Whether a sensor can have measured it."""
    low, high = RANGES.get(quantity, (float("-inf"), float("inf")))
    return low <= value <= high
