"""What is on the air around a simulated stick: a weather station, meters, people, a neighbour; plausible, and seeded.

A row is a device: how often it speaks, under which protocol, and what it says at a time of day. Pure: time comes in,
seconds since 1970 UTC; packets go out as plain objects, as `drivers.rfxtrx.codec` has them. Nothing is measured.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_S: Final = 86400.0
Plain = dict[str, Any]

REMOTE: Final = 0x0D5A0E2
"""The id of the wall remote, whose switches learnt it."""
_DOOR: Final = {"packet": "security1", "subtype": 4, "id": 0x0A1B2C, "battery_level": 9}
_PIR: Final = {"packet": "security1", "subtype": 1, "id": 0x5A3C, "battery_level": 9}
_SWITCH: Final = {"packet": "lighting2", "subtype": 0, "id": REMOTE}
BUTTONS: Final[dict[str, tuple[str, Plain]]] = {
    **{f"remote-{unit}-on": ("ac", {**_SWITCH, "unit": unit, "command": "on", "level": 15}) for unit in (1, 2, 3)},
    **{f"remote-{unit}-off": ("ac", {**_SWITCH, "unit": unit, "command": "off"}) for unit in (1, 2, 3)},
    "doorbell": ("byron_sx", {"packet": "chime", "subtype": 0, "id": 0x5A, "sound": 13}),
    "motion": ("x10", {**_PIR, "status": "motion"}),
    "still": ("x10", {**_PIR, "status": "no_motion"}),
    "door-open": ("visonic", {**_DOOR, "status": "alarm"}),
    "door-closed": ("visonic", {**_DOOR, "status": "normal"}),
    "smoke": ("", {"packet": "security1", "subtype": 3, "id": 0x1A2B, "status": "panic"}),
}
"""What a person can do in the house: under which protocol it is heard, and the packet."""


@dataclass(frozen=True)
class Source:
    """One device that speaks by itself."""

    name: str
    protocol: str
    every_s: float
    says: Callable[[float], Plain]
    then_s: tuple[float, ...] = ()
    """Pauses after the first, in turn, of one with a rhythm: a door is open for a moment, and closed for long."""


class Traffic:
    """The devices of one house and its neighbours.

    Args:
        seed: another seed is another day.
    """

    def __init__(self, seed: int = 1) -> None:
        self._chance = Random(seed)  # noqa: S311 - the weather is no secret
        self._phase = seed % 7
        self._rain_mm = 12.4
        self._watt_hours = 84210.0
        self._at: float | None = None
        self._turns: Counter[str] = Counter()
        self.sources: tuple[Source, ...] = (
            Source("garden", "oregon", 41.0, self._garden), Source("bathroom", "oregon", 39.0, self._bathroom),
            Source("rain", "oregon", 47.0, self._rain), Source("wind", "oregon", 14.0, self._wind),
            Source("heat pump", "rsl", 11.0, self._power), Source("pool", "lacrosse", 53.0, self._pool),
            Source("neighbour's thermometer", "lacrosse", 420.0, self._neighbour),
            Source("neighbour's gate", "lighting4", 1900.0, self._gate),
            Source("stairs", "x10", 170.0, self._does("motion", "still"), (25.0,)),
            Source("front door", "visonic", 900.0, self._does("door-open", "door-closed"), (9.0,)),
            Source("wall remote", "ac", 1100.0,
                   self._does("remote-1-on", "remote-2-on", "remote-2-off", "remote-1-off"), (40.0, 1500.0, 20.0)),
        )  # fmt: skip

    def plan(self, at: float, source: Source) -> float:
        """Return when a device speaks next: they drift past each other; people have no clock at all."""
        pauses = (source.every_s, *source.then_s)
        self._turns[source.name] += 1
        pause, drift = pauses[self._turns[source.name] % len(pauses)], 0.4 if source.then_s else 0.03
        return at + pause * self._chance.uniform(1 - drift, 1 + drift)

    def first(self, source: Source) -> float:
        """Return in how many seconds a device speaks first."""
        return source.every_s * self._chance.uniform(0.02, 0.3)

    def signal(self) -> int:
        """Return a signal strength, dBm, in the steps a stick has."""
        return -120 + 8 * self._chance.randrange(4, 9)

    def warmth(self, at: float) -> float:
        """Return degrees Celsius outdoors: coldest before sunrise."""
        return round(9 + 6 * self._day(at) + 0.3 * math.sin(at / 700 + self._phase), 1)

    def _does(self, *buttons: str) -> Callable[[float], Plain]:
        """Return what people do, one thing after the other."""
        turns = itertools.cycle(buttons)
        return lambda _: BUTTONS[next(turns)][1]

    def _day(self, at: float) -> float:
        return math.sin(2 * math.pi * (at % DAY_S / DAY_S - 0.4))

    def _garden(self, at: float) -> Plain:
        percent = round(74 - 14 * self._day(at))
        return {
            "packet": "temperature_humidity", "subtype": 1, "id": 0x2F01, "celsius": self.warmth(at),
            "percent": percent, "humidity_status": "wet" if percent > 70 else "normal", "battery_level": 9,
        }  # fmt: skip

    def _bathroom(self, at: float) -> Plain:
        percent = round(58 + 9 * math.sin(at / 5000))
        return {
            "packet": "temperature_humidity", "subtype": 2, "id": 0xB402, "celsius": round(21.4 + self._day(at), 1),
            "percent": percent, "humidity_status": "comfort", "battery_level": 9,
        }  # fmt: skip

    def _rain(self, at: float) -> Plain:
        raining = math.sin(at / 9000 + self._phase) > 0.6
        self._rain_mm = round(self._rain_mm + 0.1 * raining, 1)
        return {
            "packet": "rain", "subtype": 2, "id": 0x2A19, "mm_per_hour": 1.8 if raining else 0.0, "mm": self._rain_mm,
            "battery_level": 9,
        }  # fmt: skip

    def _wind(self, at: float) -> Plain:
        mean = round(3 + 2 * math.sin(at / 3000) + self._chance.uniform(-0.8, 0.8), 1)
        return {
            "packet": "wind", "subtype": 2, "id": 0x1B44, "degrees": round(230 + 40 * math.sin(at / 4000)),
            "metres_per_second": mean, "gust_metres_per_second": round(mean * 1.6, 1), "battery_level": 9,
        }  # fmt: skip

    def _power(self, at: float) -> Plain:
        watts = round(640 + 420 * math.sin(at / 900) ** 2, 1)
        self._watt_hours += watts * (0 if self._at is None else max(0.0, at - self._at)) / 3600
        self._at = at
        return {
            "packet": "power", "subtype": 1, "id": 0x5A11, "volts": 231, "amperes": round(watts / 231 / 0.95, 2),
            "watts": watts, "watt_hours": round(self._watt_hours / 10) * 10, "power_factor": 0.95, "hertz": 50,
        }  # fmt: skip

    def _pool(self, at: float) -> Plain:
        return {
            "packet": "temperature", "subtype": 5, "id": 0x7700, "celsius": round(17 + 1.5 * self._day(at), 1),
            "battery_level": 9,
        }  # fmt: skip

    def _neighbour(self, at: float) -> Plain:
        return {
            "packet": "temperature", "subtype": 5, "id": self._chance.choice((0x4C00, 0x4C00, 0x9100)),
            "celsius": round(self.warmth(at) + 1.1, 1), "battery_level": 0,
        }  # fmt: skip

    def _gate(self, at: float) -> Plain:  # noqa: ARG002 - a gate has no time of day
        return {"packet": "lighting4", "subtype": 0, "code": 0x550154, "pulse_us": 350}
