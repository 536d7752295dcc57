"""What Prometheus calls a number: a name with its base unit, and labels that tell it from others. Pure.

    sensor/hall/temperature   {value: 21.5, unit: °C}   hearthbus_sensor_temperature_celsius{place="hall"}
    sensor/meter/energy       {value: 5, unit: Wh}      hearthbus_sensor_energy_joules_total{place="meter"}
    host/pi/disk/root         {free_bytes: 7}           hearthbus_host_disk_free_bytes{place="pi",item="root"}
    light/desk                {on: true}                hearthbus_light_on{place="desk"}

Source: prometheus.io, "Metric and label naming" (base units, `_total`), and "Exposition formats" (text 0.0.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.telemetry.naming import VALUE, Parts
from services.telemetry.units import KINDS, converter

if TYPE_CHECKING:
    from collections.abc import Callable

_BASES: Final = {
    "temperature": ("°C", "celsius"),
    "speed": ("m/s", "meters_per_second"),
    "pressure": ("Pa", "pascals"),
    "length": ("m", "meters"),
    "rate of rain": ("mm/h", "mm_per_hour"),  # as meters a second nobody knows it
    "volume": ("m³", "cubic_meters"),
    "flow": ("m³/s", "cubic_meters_per_second"),
    "power": ("W", "watts"),
    "apparent power": ("VA", "voltamperes"),
    "energy": ("J", "joules"),
    "voltage": ("V", "volts"),
    "current": ("A", "amperes"),
    "frequency": ("Hz", "hertz"),
    "mass": ("g", "grams"),
    "share": ("ratio", "ratio"),
    "time": ("s", "seconds"),
    "angle": ("°", "degrees"),
    "amount of data": ("bytes", "bytes"),
}
"""By kind of unit, the one Prometheus wants, and what it calls it."""
_OTHERS: Final = {
    "lx": "lux",
    "W/m²": "watts_per_square_meter",
    "ppm": "ppm",
    "dB": "decibels",
    "dBm": "dbm",
}
"""Units that stay as they are."""
_SUFFIXES: Final = (("_per_s", "_per_second"), ("_s", "_seconds"))
"""Endings of keys that name a unit in short."""
_COUNTERS: Final = frozenset({
    "energy", "rain", "gas", "count", "strikes",
})  # fmt: skip
"""Quantities that only grow, but for a meter that begins anew."""
_WITH_ITEMS: Final = frozenset({"host"})
"""Kinds whose fourth segment tells one of several: a disk, an interface."""
LONGEST: Final = 200
"""Characters of a name."""
_STRANGE: Final = re.compile(r"[^a-z0-9_]+")
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Series:
    """One series.

    Args:
        name: the family's.
        labels: `{place="hall"}`, escaped; "" where there are none.
        convert: from what is published to the base unit; None where nothing is to be done.
    """

    name: str
    labels: str
    convert: Callable[[float], float] | None = None


def series_of(parts: Parts, *, prefix: str) -> Series | None:
    """Return what the number is called; None where that would be longer than anybody means."""
    kind, quantity, labels = parts.kind, parts.quantity, {"place": parts.place}
    segments = parts.topic.split("/")
    if kind in _WITH_ITEMS and len(segments) > 3:
        quantity = segments[2]
        labels = {"place": segments[1], "item": "/".join(segments[3:])}
    field = "" if parts.field == VALUE else parts.field
    unit, convert = _unit(parts.unit)
    words = [prefix, *(_word(word) for word in (kind, quantity, field, unit)), "total" if quantity in _COUNTERS else ""]
    name = _joined(words)
    return Series(name, labels_of(labels), convert) if len(name) <= LONGEST else None


def labels_of(labels: dict[str, str]) -> str:
    """Write labels as the text format has them, those without a value left out."""
    written = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items() if value)
    return f"{{{written}}}" if written else ""


def _unit(unit: str) -> tuple[str, Callable[[float], float] | None]:
    if unit in _OTHERS:
        return _OTHERS[unit], None
    for kind, (base, word) in _BASES.items():
        if unit in KINDS[kind]:
            return word, None if unit == base else converter(unit, base)
    return unit, None


def _word(text: str) -> str:
    word = _STRANGE.sub("_", text.lower()).strip("_")
    for short, full in _SUFFIXES:
        if word.endswith(short):
            return word.removesuffix(short) + full
    return word


def _joined(words: list[str]) -> str:
    """Join words to a name; of two that say the same one stays: `bytes_bytes`, `uptime_uptime_seconds`."""
    kept: list[str] = []
    for word in words:
        if not word or (kept and f"_{kept[-1]}".endswith(f"_{word}")):
            continue
        if kept and word.startswith(f"{kept[-1]}_"):
            kept.pop()
        kept.append(word)
    return "_".join(kept)
