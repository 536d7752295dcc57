"""When a source is asked next: at its interval or its cron times, once more before a start, and ever more seldom while
it has nothing to give.

Pure: both clocks (`at`, seconds since 1970 UTC, which may be set; `ticks`, seconds that only pass) and the draw of a
number come in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.calendar.sources import Class, SourceFault

BACK_OFF: Final[dict[Class, tuple[float, float]]] = {
    "busy": (60.0, 3600.0),
    "unreachable": (30.0, 900.0),
    "broken": (30.0, 900.0),
    "refused": (900.0, 21600.0),
    "gone": (900.0, 21600.0),
}
"""Seconds to wait after the first fault of a kind, doubled with each, and the most."""
LONGEST_AFTER_S: Final = 21600.0
"""A source may ask to be left alone for so long; longer is not believed."""
LEAD_S: Final = (3.0, 15.0)
"""A source is asked once more so many seconds before a start or end, somewhere in between: houses do not ask as one."""
FRESH_S: Final = 10.0
"""Seconds for which an answer is fresh enough for a start: the source is not asked once more."""
_SET_S: Final = 5.0


class Cron(Protocol):
    """A cron expression."""

    def next(self, after: float) -> int:
        """Return the first instant later than `after` at which it fires."""


@dataclass(frozen=True)
class Plan:
    """How often a source is asked while all is well."""

    every_s: float
    jitter_s: float
    cron: Cron | None = None


def back_off(fault: SourceFault, count: int, draw: float) -> float:
    """Return for how many seconds a source is left alone after its `count`-th fault in a row, `draw` being 0..1."""
    first, most = BACK_OFF[fault.kind]
    wait = min(most, first * 2.0 ** min(count - 1, 20))
    after = fault.after_s
    if after is not None and math.isfinite(after):
        wait = max(wait, min(after, LONGEST_AFTER_S))
    return wait * (1 + draw / 5)


class Polling:
    """When one source is asked next.

    Args:
        plan: how often, while all is well.
        draw: gives a number of 0..1, another one each time.
    """

    def __init__(self, plan: Plan, draw: Callable[[], float]) -> None:
        self._plan = plan
        self._draw = draw
        self._asked: float | None = None
        self._faults = 0
        self._next = -math.inf
        """In ticks; for a cron expression, in wall time while all is well."""
        self._planned_at = -math.inf
        self._lead = (0, 0.0)

    def hurry(self) -> None:
        """Have it asked at once."""
        self._faults = 0
        self._next = -math.inf
        self._planned_at = -math.inf

    def asked(self, *, ticks: float) -> None:
        """Note that it is being asked."""
        self._asked = ticks

    def answered(self, fault: SourceFault | None, *, at: float, ticks: float) -> None:
        """Note its answer: events, or a fault."""
        if fault is not None:
            self._faults += 1
            self._next = ticks + back_off(fault, self._faults, self._draw())
            return
        self._faults = 0
        late = self._draw() * self._plan.jitter_s
        self._planned_at = at
        self._next = ticks + self._plan.every_s + late if self._plan.cron is None else self._plan.cron.next(at) + late

    def wait(self, instant: int | None, *, at: float, ticks: float) -> float:
        """Return in how many seconds it is to be asked, 0 for now; `instant` is the next planned start or end."""
        if self._faults:
            return max(0.0, self._next - ticks)
        if self._plan.cron is None:
            wait = self._next - ticks
        else:
            set_back = at < self._planned_at - _SET_S
            wait = 0.0 if set_back else self._next - at
        return max(0.0, min(wait, self._before(instant, at=at, ticks=ticks)))

    def _before(self, instant: int | None, *, at: float, ticks: float) -> float:
        """Return in how many seconds it is to be asked because of `instant`."""
        if instant is None or self._asked is None or instant <= at:
            return math.inf
        if self._lead[0] != instant:
            low, high = LEAD_S
            self._lead = (instant, low + self._draw() * (high - low))
        wait = instant - self._lead[1] - at
        return wait if ticks + wait - self._asked >= FRESH_S else math.inf
