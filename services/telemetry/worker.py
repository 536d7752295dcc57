"""One thread for the blocking calls of one sink, which cannot keep a process alive.

A call that hangs is left behind by whoever stops waiting for it: its thread is a daemon and is joined by nobody, which
is why the executors of `concurrent.futures` are not used. Knows nothing of what is called.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")
_Call = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", "Callable[[], Any]"]


class Worker:
    """Runs functions one after the other, in a thread of its own.

    Args:
        name: the thread's, for whoever looks at the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[_Call | None] | None = None

    async def run(self, call: Callable[[], _Answer]) -> _Answer:
        """Return what `call` returns, raise what it raises; cancelled, leave it to its fate."""
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_work, args=(self._calls,), name=self._name, daemon=True).start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()
        self._calls.put((loop, answer, call))
        try:
            return await answer
        except asyncio.CancelledError:
            self.close()  # whoever calls next shall not wait behind a call that hangs
            raise

    def close(self) -> None:
        """Let the thread end after the call it is in; a later `run` has a new one."""
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None


def _work(calls: queue.SimpleQueue[_Call | None]) -> None:
    while (item := calls.get()) is not None:
        loop, answer, call = item
        result: Any = None
        fault: BaseException | None = None
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            fault = error
        try:
            loop.call_soon_threadsafe(_tell, answer, result, fault)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more


def _tell(answer: asyncio.Future[Any], result: Any, fault: BaseException | None) -> None:
    if answer.done():
        return
    if fault is not None:
        answer.set_exception(fault)
    else:
        answer.set_result(result)
