"""Run what may take for ever, and give up on it: each job in so much work, all of them in so many seconds.

A rule of a calendar can keep a library busy until the year 9999, and no argument of that library prevents it. The jobs
run in a thread; to one that works too long an exception is sent, which CPython raises between two of its steps. A job
must therefore share nothing with others: no lock, no import, no log. Knows nothing of calendars.
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
"""Seconds for an interrupted job to end; one that cannot be interrupted is left behind."""
_SLOWEST: Final = 6.0
"""A machine that has much else to do may take so many seconds for one of work."""
_MOST_LEFT: Final = 4
"""So many may be left behind and work on; while they do, nothing is run any more."""

_left: Final[list[threading.Thread]] = []


class TooLong(Exception):
    """It took longer than it may."""


class _Struck(BaseException):
    """Sent to the thread; no `except Exception` of a library catches it."""


def run_bounded(jobs: Sequence[Callable[[], _Result]], *, each_s: float, all_s: float) -> list[_Result | Exception]:
    """Return what each job returns or raises; one that was interrupted raises `TooLong`.

    Args:
        jobs: run one after the other.
        each_s: seconds of work for one of them; those in which the machine sleeps or does something else do not count.
        all_s: seconds of work for all; six times as many may pass.

    Raises:
        TooLong: they took longer than `all_s` together, or one cannot be interrupted.
    """
    _left[:] = [thread for thread in _left if thread.is_alive()]
    if len(_left) >= _MOST_LEFT:
        raise TooLong
    return _Run(jobs).run(each_s, all_s)


class _Run(Generic[_Result]):
    def __init__(self, jobs: Sequence[Callable[[], _Result]]) -> None:
        self._jobs = jobs
        self._results: list[_Result | Exception] = []
        self._lock = threading.Lock()
        """Held to change what follows: so an exception is sent to a job that runs, and never after its end."""
        self._turn = -1
        """The job that runs; -1 between two."""
        self._struck = -1
        """The job that an exception was sent to, once."""
        self._clock: int | None = None
        """The thread's own, of the seconds it has worked; None while it does not run."""
        self._began = 0.0
        self._over = False

    def run(self, each_s: float, all_s: float) -> list[_Result | Exception]:
        thread = threading.Thread(target=self._work, name="calendar expansion", daemon=True)
        begin = time.monotonic()
        thread.start()
        thread.join(_LOOK_S)
        while thread.is_alive():
            with self._lock:
                worked = 0.0 if self._clock is None else time.clock_gettime(self._clock)
                of_one = worked - self._began if self._turn >= 0 else 0.0
                if of_one > each_s:
                    self._strike(thread)
            if worked > all_s or of_one > each_s + _PATIENCE_S or time.monotonic() - begin > all_s * _SLOWEST:
                self._give_up(thread)
            thread.join(_LOOK_S)
        return self._results

    def _give_up(self, thread: threading.Thread) -> None:
        with self._lock:
            self._over = True
            if self._turn >= 0:
                self._strike(thread)
        thread.join(_PATIENCE_S)
        if thread.is_alive():
            _left.append(thread)
        raise TooLong

    def _strike(self, thread: threading.Thread) -> None:
        """Send the exception, to a job that runs and only once; the lock is held."""
        import ctypes

        if self._struck != self._turn and thread.ident is not None:
            self._struck = self._turn
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Struck))

    def _work(self) -> None:
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self._work_all()
        finally:
            with self._lock:
                self._clock = None

    def _work_all(self) -> None:
        for at, job in enumerate(self._jobs):
            if self._over:
                return
            result: _Result | Exception = TooLong()
            with suppress(_Struck):
                result = self._one(at, job)
            with self._lock:
                self._turn = -1
            self._results.append(result)

    def _one(self, at: int, job: Callable[[], _Result]) -> _Result | Exception:
        result: _Result | Exception
        with self._lock:
            self._began = time.thread_time()
            self._turn = at
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            result = error
        with self._lock:
            self._turn = -1
        if self._struck == at:
            time.sleep(_LOOK_S)  # it arrives here, unless the job has swallowed it
        return result
