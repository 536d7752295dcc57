"""The clock a service lives by: UTC wall time, time that never jumps, and sleep.

Services never read `time` themselves, so that a test can hold the clock in its hand
(`hearthbus.testing.manual_clock.ManualClock`).
Knows nothing else of hearthbus.
"""

from __future__ import annotations

import asyncio
import time


class Clock:
    """The machine's clock."""

    def now(self) -> float:
        """Return UTC wall time, seconds since 1970; it jumps when somebody sets the clock."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; it never jumps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds`, whatever the wall clock does meanwhile."""
        await asyncio.sleep(seconds)
