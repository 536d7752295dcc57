"""Time in a test's hand: a clock that stands still until it is told otherwise.

Knows only how to wake sleepers in the order of their moments; `hearthbus.testing` lets the services work in between.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Any

from hearthbus.clock import Clock

_NOON = 1_767_268_800.0
"""2026-01-01 12:00 UTC: where a clock begins unless told otherwise."""


class ManualClock(Clock):
    """A clock that moves only when told: `advance` for time that passes, `jump` for somebody setting it."""

    def __init__(self, start: float = _NOON) -> None:
        self.asleep: set[asyncio.Task[Any]] = set()
        self._wall = start
        self._passed = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return the clock's wall time, seconds since 1970 UTC."""
        return self._wall + self._passed

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until that much time has passed on this clock."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in a task
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._passed + seconds, self._count, woken))
        self.asleep.add(task)
        try:
            await woken
        finally:
            self.asleep.discard(task)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forwards or back; no time passes."""
        self._wall += seconds

    def advance_to_next(self, limit: float) -> bool:
        """Let time pass up to the next sleeper's moment and wake it, but not beyond `limit` (monotonic).

        Returns:
            Whether somebody was woken; if not, the clock stands at `limit`.
        """
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers or self._sleepers[0][0] > limit:
            self._passed = max(self._passed, limit)
            return False
        due, _, woken = heapq.heappop(self._sleepers)
        self._passed = max(self._passed, due)
        woken.set_result(None)
        return True

    def stop(self) -> None:
        """Cancel whoever still sleeps: this clock will not move again."""
        for _, _, woken in self._sleepers:
            woken.cancel()
        self._sleepers.clear()
