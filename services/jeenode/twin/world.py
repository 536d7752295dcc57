"""A plausible day in a house: how warm, how light, and who moves where.

The same seed makes the same day. Pure: what time it is comes in, seconds since 1970 UTC; nothing here is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

DAY_S: Final = 86400.0
HABITS: Final[tuple[tuple[int, dict[str, float], float], ...]] = (
    (0, {"bedroom": 8, "hall": 1, "kitchen": 1}, 90.0),
    (6, {"kitchen": 5, "hall": 3, "bedroom": 2}, 25.0),
    (9, {"kitchen": 2, "hall": 2, "living": 3}, 45.0),
    (17, {"kitchen": 4, "living": 4, "hall": 3}, 25.0),
    (22, {"living": 3, "hall": 2, "bedroom": 4, "kitchen": 1}, 45.0),
)
"""From which hour: how likely a person goes where, and how many seconds they stay on average."""
WARMTH: Final = {"kitchen": 20.5, "hall": 18.0, "living": 21.5, "bedroom": 17.5, "cellar": 12.0}
"""What a place is like on average, in degrees Celsius."""


@dataclass(frozen=True)
class Air:
    """What a room node would measure."""

    temperature: float
    """Degrees Celsius."""
    humidity: float
    """Percent."""
    light: int
    """0..1023, as the analogue input has it."""


class World:
    """One house and one person in it.

    Args:
        seed: another seed is another day.
    """

    def __init__(self, seed: int = 1) -> None:
        self._chance = Random(seed)  # noqa: S311 - a day in a house is no secret
        self._seed = seed
        self._place = ""
        self._leaves = 0.0

    def air(self, place: str, *, at: float, lamp: float = 0.0) -> Air:
        """Return what is measured at a place; `lamp`, 0..1, is how bright its light burns."""
        day = at % DAY_S / DAY_S
        slow = math.sin(2 * math.pi * (day - 0.4))  # coldest before sunrise, warmest in the afternoon
        ripple = math.sin(at / 300 + self._seed + len(place)) * 0.15
        sun = max(0.0, math.sin(math.pi * (day * 24 - 6) / 12))
        temperature = WARMTH.get(place, 19.0) + 1.2 * slow + ripple
        return Air(
            temperature=round(temperature, 2),
            humidity=round(52 - 8 * slow + ripple * 10, 2),
            light=min(1023, round(12 + 780 * sun + 260 * lamp)),
        )

    def whereabouts(self, *, at: float) -> str:
        """Return where the person is now; asked in the order of time."""
        while at >= self._leaves:
            places, stay = _habits(at)
            others = {place: weight for place, weight in places.items() if place != self._place}
            self._place = self._chance.choices(list(others), weights=list(others.values()))[0]
            start = at if self._leaves == 0.0 or at - self._leaves > DAY_S else self._leaves
            self._leaves = start + stay * (0.5 + self._chance.random())
        return self._place


def _habits(at: float) -> tuple[dict[str, float], float]:
    hour = at % DAY_S / 3600
    _, places, stay = max((habit for habit in HABITS if habit[0] <= hour), key=lambda habit: habit[0])
    return places, stay
