"""How long to wait before starting again what has failed: longer each time, never exactly together with others.

Pure: time and chance come in.
"""

from __future__ import annotations

FIRST = 1.0
"""Seconds before the first new attempt."""
LONGEST = 60.0
STEADY = 60.0
"""Seconds of good work after which the failures before are forgotten."""


class Backoff:
    """The waits of one thing that is kept running: 1, 2, 4, ... 60 seconds, each up to a quarter longer."""

    def __init__(self) -> None:
        self._next = FIRST

    def failed(self, *, after: float, chance: float) -> float:
        """Return the seconds to wait now.

        Args:
            after: seconds it had been up.
            chance: a random number from 0 to 1.
        """
        if after >= STEADY:
            self._next = FIRST
        wait = self._next
        self._next = min(LONGEST, 2 * self._next)
        return wait * (1 + chance / 4)
