"""What is due as the wall clock moves, and the wall clock may jump.

A service that acts at instants cannot trust its clock: a Pi without a battery boots in the past, a time server sets it
right by hours, a machine sleeps. The law here: **an instant is lived once.** The agenda remembers the stretches of wall
time it has been through; set back into one, nothing is due until it is over. And what is more than `LATE` seconds ago
is not due any more: a jump forwards brings no storm of old acts. Names that are to catch up learn that they missed one.

Pure: the time comes in, as whole seconds since 1970 UTC, and what is due comes out. Acting is the service's part.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid
from services.instants import instant, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LATE: Final = 120
"""Seconds an act may be late (a busy machine, a quick restart) and is still due."""
CHECK: Final = 60.0
"""Seconds to sleep at most: so soon a clock that was set is noticed."""
_STRETCHES: Final = 32
"""Kept at most; each jump, and each restart, begins a new one."""
_LOOK_AGAIN: Final = 86400
"""Seconds after which a name without a next instant is asked anew: the sun may be back in a year from now."""


@dataclass(frozen=True)
class Due:
    """`name` is due, its instant being `at`; `missed` when that is more than `LATE` seconds ago."""

    name: str
    at: int
    missed: bool = False


@dataclass(frozen=True)
class Lived:
    """The stretches of wall time that have been lived through, (first, last) second each, apart and in order."""

    stretches: tuple[tuple[int, int], ...] = ()

    def __contains__(self, at: int) -> bool:
        return any(first <= at <= last for first, last in self.stretches)

    def leave(self, at: int) -> int:
        """Return the last second of the stretch that holds `at`; `at` itself when none does."""
        place = bisect_right(self.stretches, at, key=lambda stretch: stretch[0]) - 1
        return max(at, self.stretches[place][1]) if place >= 0 else at

    def through(self, first: int, last: int) -> Lived:
        """Return these stretches and the one from `first` to `last`, joined where they touch."""
        apart: list[tuple[int, int]] = []
        for start, end in self.stretches:
            if end + 1 < first or start > last + 1:
                apart.append((start, end))
            else:
                first, last = min(first, start), max(last, end)
        return Lived(tuple(sorted([*apart, (first, last)])[-_STRETCHES:]))

    def to_body(self) -> list[list[str]]:
        """Return what a retained message holds of it: pairs of times in ISO 8601."""
        return [[iso(first), iso(last)] for first, last in self.stretches]

    @classmethod
    def from_body(cls, pairs: object) -> Lived:
        """Read what `to_body` made; what is no such thing, an older version's or a stranger's, counts as nothing."""
        lived = cls()
        try:
            for first, last in pairs:  # type: ignore[attr-defined]  # whatever was retained: judged by trying
                lived = lived.through(instant(first), instant(last))
        except (TypeError, ValueError, Invalid):
            return cls()
        return lived


class Agenda:
    """The next instant of each name, and what falls due from one look at the clock to the next.

    Args:
        next_of: for each name a function from an instant to the first one later, None if there is none in reach.
        now: the instant the agenda begins; what lies before is past, not due.
        lived: what an earlier run of the service has been through.
        catch_up: names that want to know what they missed, each with the instant it was last done: what lies
            between that and `now` is missed.
    """

    def __init__(
        self,
        next_of: Mapping[str, Callable[[int], int | None]],
        *,
        now: int,
        lived: Lived | None = None,
        catch_up: Mapping[str, int] | None = None,
    ) -> None:
        self._next_of = next_of
        self._now = now
        self._done = dict(catch_up or {})
        self._look_again = now + _LOOK_AGAIN
        self.lived = (lived or Lived()).through(now, now)
        """Store it where a restart finds it."""
        self.planned: dict[str, int | None] = {}
        """The next instant of each name, as far as there is one in reach."""
        for name in next_of:
            self._plan(name, min(now, self._done.get(name, now)))

    def step(self, now: int) -> list[Due]:
        """Go on to `now`; return what falls due thereby, in the order of its instants, each name at most once."""
        jumped = not 0 <= now - self._now <= LATE
        found = [self._fallen(name, at, now) for name, at in self.planned.items() if at is not None and at <= now]
        dues = sorted((due for due in found if due is not None), key=lambda due: due.at)
        self.lived = self.lived.through(now if jumped else self._now, now)
        for due in dues:
            self.lived = self.lived.through(due.at, due.at if due.missed else now)
            if due.name in self._done:
                self._done[due.name] = due.at
        self._now = now
        look_again = jumped or now >= self._look_again
        for name, at in self.planned.items():
            if jumped or (at is not None and at <= now) or (at is None and look_again):
                self._plan(name, now)
        if look_again:
            self._look_again = now + _LOOK_AGAIN
        return dues

    def sleep(self, now: float) -> float:
        """Return for how many seconds nothing has to be looked at."""
        soonest = min((at for at in self.planned.values() if at is not None), default=now + CHECK)
        return min(CHECK, max(soonest - now, 0.001))

    def _fallen(self, name: str, at: int, now: int) -> Due | None:
        """Judge an instant that is past: due, missed, or no business of anybody."""
        if now - at <= LATE:
            return Due(name, at)
        if name not in self._done:
            return None
        if self._done[name] <= now:  # the clock was behind when it was planned: count from what was truly done
            first = self._first(name, self._done[name])
            return Due(name, first, missed=now - first > LATE) if first is not None and first <= now else None
        return Due(name, at, missed=True)

    def _plan(self, name: str, after: int) -> None:
        self.planned[name] = self._first(name, after)

    def _first(self, name: str, after: int) -> int | None:
        """Return the first instant of `name` later than `after` that has not been lived."""
        at = self._next_of[name](after)
        while at is not None and at in self.lived:
            at = self._next_of[name](self.lived.leave(at))
        return at
