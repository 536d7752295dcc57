"""A thread for what blocks, and may block for ever: whoever waits for it gives up in time, and the next gets another.

Never the event loop's own threads: the process could not end while one hangs. Knows nothing of 1-wire.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")
MOST_STUCK: Final = 8
"""Threads that may hang at once; one has 8 MB of addresses, and a few tens of kB of memory."""


class Worker:
    """One thread, replaced when it hangs.

    Args:
        name: of the threads, for whoever looks at a stack dump.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] | None = None
        self._stuck: dict[str, Future[Any]] = {}

    async def run(self, name: str, job: Callable[[], _Result], timeout: float) -> _Result:
        """Return what `job` returns, or raise what it raises.

        Args:
            name: of the job; while one of that name hangs, none is begun.
            job: what blocks.
            timeout: seconds to wait for it.

        Raises:
            TimeoutError: it has not returned in time, or one of its name, or too many others, hang already.
        """
        self._stuck = {each: future for each, future in self._stuck.items() if not future.done()}
        if name in self._stuck or len(self._stuck) >= MOST_STUCK:
            raise TimeoutError(f"{name} hangs")
        future: Future[_Result] = Future()
        future.set_running_or_notify_cancel()
        self._queue().put((job, future))
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(future)
        finally:
            if not future.done():
                self._stuck[name] = future
                self.close()

    def close(self) -> None:
        """Let the thread end when it has nothing to do any more."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None

    def _queue(self) -> SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]:
        if self._jobs is None:
            self._jobs = SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True).start()
        return self._jobs


def _work(jobs: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    while (given := jobs.get()) is not None:
        job, future = given
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
            future.set_exception(error)
