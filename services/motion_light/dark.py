"""Whether it is dark, by where the sun stands and by how light it is in the room.

Pure. What is not known, or is too old to be believed, has no say; and where nothing is known it is dark: a light too
many is better than a dark stair.
"""

from __future__ import annotations

from dataclasses import dataclass

BELIEVED_S = 7200.0
"""Seconds for which a reading counts; the sun's state comes each minute, a room's light each few minutes."""


@dataclass
class Dark:
    """What is known of the light outdoors and in the room.

    Args:
        sun_below: degrees; dark while the sun stands lower. None: the sun has no say.
        light_below: in the sensor's own unit; dark while it tells less. None: the sensor has no say.
    """

    sun_below: float | None
    light_below: float | None
    _sun: tuple[float, float] | None = None
    _light: tuple[float, float] | None = None

    def sun(self, elevation: float, *, at: float) -> None:
        """Take the sun's elevation, in degrees."""
        self._sun = (elevation, at)

    def light(self, value: float, *, at: float) -> None:
        """Take a light sensor's reading."""
        self._light = (value, at)

    def holds(self, *, at: float) -> bool:
        """Whether it is dark: where two have a say, one that says so is enough."""
        said = [*_below(self.sun_below, self._sun, at), *_below(self.light_below, self._light, at)]
        return any(said) or not said


def _below(limit: float | None, reading: tuple[float, float] | None, at: float) -> list[bool]:
    if limit is None or reading is None or at - reading[1] > BELIEVED_S:
        return []
    return [reading[0] < limit]
