"""Wait for something to happen, or for time to pass on a service's clock, whichever is first. Knows nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hearthbus.clock import Clock


async def happens(*events: asyncio.Event, within: float, clock: Clock) -> bool:
    """Return whether one of `events` was set within `within` seconds."""
    if within > 0 and not any(event.is_set() for event in events):
        waits = [*(event.wait() for event in events), clock.sleep(within)]
        tasks = {asyncio.ensure_future(wait) for wait in waits}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return any(event.is_set() for event in events)
