"""Work that follows from what the broker said and that nobody waits for. Knows tasks, and nothing of the work."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from hearthbus.errors import HearthbusError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine

log = logging.getLogger("hearthbus")


class Afterwards:
    """The tasks of one transport that nobody waits for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin `work`; what goes wrong with it is logged."""
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Unavailable:
        return  # the next greeting does it again
    except HearthbusError as error:
        log.warning("%s", error)
