"""Run what may take for ever, and give up on it: each job in so many seconds, all of them in so many.

A rule of a calendar can keep a library busy until the year 9999, and no argument of that library prevents it. The jobs
run in a thread; to one that takes too long an exception is sent, which CPython raises between two of its steps.
Knows nothing of calendars.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Result = TypeVar("_Result")
_LOOK_S: Final = 0.02
_PATIENCE_S: Final = 2.0
"""Seconds for an interrupted job to end; one that waits inside C code is left behind."""


class TooLong(Exception):
    """It took longer than it may."""


class _Struck(BaseException):
    """Sent to the thread; no `except Exception` of a library catches it."""


def run_bounded(jobs: Sequence[Callable[[], _Result]], *, each_s: float, all_s: float) -> list[_Result | Exception]:
    """Return what each job returns or raises; one that was interrupted raises `TooLong`.

    Args:
        jobs: run one after the other.
        each_s: seconds for one of them.
        all_s: seconds for all.

    Raises:
        TooLong: they took longer than `all_s` together.
    """
    return _Run(jobs).run(each_s, all_s)


class _Run(Generic[_Result]):
    def __init__(self, jobs: Sequence[Callable[[], _Result]]) -> None:
        self._jobs = jobs
        self._results: list[_Result | Exception] = []
        self._turn = -1
        """The job that runs; -1 between two."""
        self._began = 0.0
        self._struck = -1
        self._over = False

    def run(self, each_s: float, all_s: float) -> list[_Result | Exception]:
        thread = threading.Thread(target=self._thread, name="calendar expansion", daemon=True)
        begin = time.monotonic()
        thread.start()
        thread.join(_LOOK_S)
        while thread.is_alive():
            turn, began = self._turn, self._began
            now = time.monotonic()
            if now - begin > all_s:
                self._over = True
                self._give_up(thread)
                raise TooLong
            if turn >= 0 and turn == self._turn and now - began > each_s:
                if now - began > each_s + _PATIENCE_S:
                    self._over = True
                    raise TooLong
                if self._struck != turn:
                    self._struck = turn
                    _strike(thread)
            thread.join(_LOOK_S)
        return self._results

    def _give_up(self, thread: threading.Thread) -> None:
        self._struck = self._turn
        _strike(thread)
        thread.join(_PATIENCE_S)

    def _thread(self) -> None:
        with suppress(_Struck):
            self._work()

    def _work(self) -> None:
        at = 0
        while at < len(self._jobs) and not self._over:
            try:
                result = self._one(at)
            except _Struck:
                self._turn = -1
                if self._struck != at:
                    continue  # it was meant for the job before, which ended in this very moment
                result = TooLong()
            self._results.append(result)
            at += 1

    def _one(self, at: int) -> _Result | Exception:
        result: _Result | Exception
        self._began = time.monotonic()
        self._turn = at
        try:
            result = self._jobs[at]()
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            result = error
        self._turn = -1
        while self._struck == at:
            time.sleep(_LOOK_S)  # it is on its way
        return result


def _strike(thread: threading.Thread) -> None:
    import ctypes

    ident = thread.ident
    if ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(_Struck))
