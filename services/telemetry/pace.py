"""How long to wait, and how much to send at a time. Pure: time and chance come in, seconds and sizes go out.

failed for now    1, 2, 4 ... 300 s, each up to a quarter longer; or what the sink itself asks for
held              300 s: somebody must act first
too large         half of what was sent; a tenth more after twenty that went well
"""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 300.0
HELD_S: Final = 300.0
ASKED_S: Final = 3600.0
"""A sink may ask for so many seconds at most: its clock may be a year off."""
WELL: Final = 20
"""Batches that went well before a larger one is tried."""


class Backoff:
    """The waits between attempts that fail."""

    def __init__(self) -> None:
        self._next = FIRST_S

    def failed(self, *, asked: float | None, chance: float) -> float:
        """Return the seconds to wait now.

        Args:
            asked: the sink's own wish; None where it has none.
            chance: a random number from 0 to 1.
        """
        wait = self._next
        self._next = min(LONGEST_S, 2 * self._next)
        if asked is not None:
            return min(max(asked, FIRST_S), ASKED_S) + chance
        return wait * (1 + chance / 4)

    def worked(self) -> None:
        """Forget the failures."""
        self._next = FIRST_S


class Size:
    """Records of one attempt, at most.

    Args:
        largest: what the table and the sink allow.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._well = 0
        self.now = largest

    def too_large(self, sent: int) -> None:
        """Send half as many from now on."""
        self.now = max(1, min(self.now, sent) // 2)
        self._well = 0

    def worked(self) -> None:
        """Try a few more after a while."""
        if self.now < self._largest:
            self._well += 1
            if self._well >= WELL:
                self._well = 0
                self.now = min(self._largest, self.now + max(1, self.now // 10))


class Rate:
    """Calls a minute, evenly spread.

    Args:
        per_minute: how many; 0: any number.
    """

    def __init__(self, per_minute: float) -> None:
        self._apart = 60 / per_minute if per_minute else 0.0
        self._due = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next call; `now` is of a clock that never jumps."""
        return max(0.0, self._due - now)

    def called(self, now: float) -> None:
        """Count a call."""
        self._due = now + self._apart
