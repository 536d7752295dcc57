"""The broker's clock as a client knows it: what both ends can name the end of a request's time by.

Wall clocks jump, and differ between machines; a clock that only counts seconds does not jump, but each machine has its
own. The broker says its own with every welcome and every answer to a heartbeat. What it said is always old when it
arrives, so the latest reading it allows is the nearest to the truth. Pure: this end's time comes in as an argument.
"""

from __future__ import annotations

from collections import deque
from typing import Final

REMEMBERED: Final = 8
"""Readings, one a heartbeat: clocks of two machines drift apart by less than a millisecond meanwhile."""


class BrokerClock:
    """How far the broker's clock is ahead of this end's."""

    def __init__(self) -> None:
        self._ahead_ms: deque[float] = deque(maxlen=REMEMBERED)

    def forget(self) -> None:
        """Another broker, perhaps on another machine: its clock is another one."""
        self._ahead_ms.clear()

    def heard(self, clock_ms: int, now: float) -> None:
        """The broker's word, that its clock shows `clock_ms`, arrived at `now` (seconds)."""
        self._ahead_ms.append(clock_ms - now * 1000)

    def deadline(self, moment: float) -> int:
        """The broker's reading at `moment` (seconds of this end), in milliseconds; rather too early than too late."""
        return max(1, int(moment * 1000 + max(self._ahead_ms))) if self._ahead_ms else 0

    def moment(self, deadline_ms: int) -> float:
        """When it is `deadline_ms` at the broker, in seconds of this end."""
        return (deadline_ms - max(self._ahead_ms)) / 1000 if self._ahead_ms and deadline_ms else float("inf")
