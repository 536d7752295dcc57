"""Ask a source from a thread of its own: one that hangs delays nothing but itself.

Knows threads; neither what is asked nor when.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus.errors import HearthbusError
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.calendar.events import Event
    from services.calendar.sources import Source, Window


@dataclass(frozen=True)
class Answer:
    """What a source gave: events, or a fault."""

    window: Window
    events: Sequence[Event] = ()
    unread: int = 0
    """Events that could not be understood."""
    unclear: frozenset[str] = frozenset()
    """Ids, or uids, of those."""
    fault: SourceFault | None = None


class Fetcher:
    """A source and its thread.

    Args:
        name: of the thread, for whoever looks at a process.
        make: makes the source; called in the thread, since it loads what is heavy.
    """

    def __init__(self, name: str, make: Callable[[], Source]) -> None:
        self._name = name
        self._make = make
        self._questions: queue.SimpleQueue[tuple[Window, asyncio.Future[Answer]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, window: Window) -> asyncio.Future[Answer]:
        """Return the answer of the source, when it comes; it never raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._thread is None:
            # a daemon: a source that hangs does not keep the process
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._questions.put((window, answer))
        return answer

    def close(self) -> None:
        """End the thread when it has done what it does now."""
        self._questions.put(None)

    def _work(self) -> None:
        source: Source | None = None
        while (question := self._questions.get()) is not None:
            window, answer = question
            try:
                source = source or self._make()
                events = source.fetch(window)
                found = Answer(window, events, source.unread, frozenset(source.unclear))
            except SourceFault as fault:
                found = Answer(window, fault=fault)
            except HearthbusError as error:  # keys that are none, for example: the table is wrong
                found = Answer(window, fault=SourceFault("refused", str(error)))
            except Exception as error:  # noqa: BLE001 - whatever a source's libraries raise; its text may hold a key
                found = Answer(window, fault=SourceFault("broken", f"the source failed: {_where(error)}"))
            with suppress(RuntimeError):  # the service has ended meanwhile
                answer.get_loop().call_soon_threadsafe(_settle, answer, found)
        if source is not None:
            with suppress(Exception):
                source.close()


def _settle(answer: asyncio.Future[Answer], found: Answer) -> None:
    if not answer.done():
        answer.set_result(found)


def _where(error: Exception) -> str:
    """Name an error and the line that raised it, and nothing of what it says."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
