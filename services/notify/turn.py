"""Whose turn it is at a target: one at a time, those who may pass before the others, each in the order they came.

Knows nothing of messages.
"""

from __future__ import annotations

import asyncio
import heapq
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turn:
    """A lock with two queues."""

    def __init__(self) -> None:
        self._taken = False
        self._number = count()
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taken(self, *, deadline: float | None = None, first: bool = False) -> AsyncIterator[None]:
        """Have the turn for a block.

        Args:
            deadline: event loop time until which to wait for it.
            first: before those who are not.

        Raises:
            TimeoutError: it did not come in time.
        """
        async with asyncio.timeout_at(deadline):
            await self._take(first=first)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, *, first: bool) -> None:
        if not self._taken:
            self._taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (not first, next(self._number), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.cancelled():
                self._queue = [each for each in self._queue if each[2] is not mine]
                heapq.heapify(self._queue)
            else:  # it came in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._queue:
            *_, next_one = heapq.heappop(self._queue)
            if not next_one.done():  # else its task is about to leave
                next_one.set_result(None)
                return
        self._taken = False
