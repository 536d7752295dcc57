"""Notice that somebody has set the wall clock: a Pi has none of its own, and starts in the past until it has asked.

Pure: both clocks come in. Times that were noted before a jump, moved along by it, measure the same as before.
"""

from __future__ import annotations

from typing import Final

SMALL_S: Final = 5.0
"""Less is the clock's usual keeping, or the time between two readings."""


class Jumps:
    """The wall clock beside one that never jumps, both in seconds.

    Args:
        at: the wall clock now.
        ticks: the other one now.
    """

    def __init__(self, *, at: float, ticks: float) -> None:
        self._ahead = at - ticks

    def look(self, *, at: float, ticks: float) -> float:
        """Return by how many seconds the wall clock was set since the last look; 0.0: it was not."""
        jump = at - ticks - self._ahead
        self._ahead += jump
        return jump if abs(jump) >= SMALL_S else 0.0
