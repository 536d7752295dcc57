"""Counting messages by topic: how many in the last turn, how many in the last minute, what the newest one said.

Pure: the passing of time is a call. Memory grows with the number of topics, which the broker bounds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hearthbus.message import Message

WINDOW: Final = 60.0
"""Seconds the longer rate looks back."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One topic at the end of a turn."""

    topic: str
    per_second: float
    """In the last turn."""
    last_minute: int
    """How many there were in the last minute."""
    total: int
    newest: Message


class _Counter:
    __slots__ = ("newest", "now", "recent", "total", "window")

    def __init__(self, newest: Message, turns: int) -> None:
        self.now = 0
        self.total = 0
        self.recent = 0
        self.newest = newest
        self.window: deque[int] = deque([0] * turns, maxlen=turns)

    def turn(self) -> None:
        """Move the window on."""
        self.recent += self.now - self.window[0]
        self.window.append(self.now)
        self.now = 0


class Rates:
    """Counts of every topic seen; `turn` seconds pass between two calls of `turned`."""

    def __init__(self, *, turn: float) -> None:
        self._turns = max(1, round(WINDOW / turn))
        self._counters: dict[str, _Counter] = {}

    def count(self, message: Message) -> None:
        """Count one message."""
        counter = self._counters.get(message.topic)
        if counter is None:
            counter = self._counters[message.topic] = _Counter(message, self._turns)
        counter.now += 1
        counter.total += 1
        counter.newest = message

    def turned(self, seconds: float) -> list[Rate]:
        """End a turn that took `seconds`: return every topic, the busiest first."""
        found = []
        for topic, counter in self._counters.items():
            per_second = counter.now / seconds
            counter.turn()
            found.append(
                Rate(
                    topic=topic,
                    per_second=per_second,
                    last_minute=counter.recent,
                    total=counter.total,
                    newest=counter.newest,
                )
            )
        return sorted(found, key=lambda rate: (-rate.per_second, -rate.last_minute, rate.topic))


def rate_object(rate: Rate) -> dict[str, Any]:
    """Return a rate as `--json` prints it."""
    return {
        "topic": rate.topic,
        "per_second": round(rate.per_second, 3),
        "last_minute": rate.last_minute,
        "total": rate.total,
    }
