"""What is known of one node from what it has sent: how often it reports, how much of it is lost, whether it is there.

Pure: times are seconds since 1970 UTC, and come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SILENT_INTERVALS: Final = 3
"""After so many intervals without a word a node is lost."""
FIRST_INTERVAL_S: Final = 3600.0
"""What is assumed of a node that has reported once: our nodes announce themselves each hour."""
UNSURE_INTERVAL_S: Final = 900.0
"""No shorter interval is believed before `SURE_AFTER` gaps: a node that has just started says much in little time."""
SURE_AFTER: Final = 4
SHORTEST_INTERVAL_S: Final = 10.0
_SHRINK: Final = 0.05
"""How fast the learned interval follows shorter gaps: some reports in a row that come early are no new habit."""
_LOSS_WEIGHT: Final = 1 / 64
"""The loss is an average over about the last 64 packets."""
_MOST_MISSED: Final = 100
"""A greater gap in the numbers is a node that has started again, or was out of reach: no measure of the radio."""


@dataclass
class Story:
    """One node.

    Args:
        fixed_interval_s: seconds between reports where its owner knows them; None: learned.
        listening_since: since when anybody could have heard it: silence before that is not its own.
    """

    fixed_interval_s: float | None = None
    listening_since: float = 0.0
    last_seen: float | None = None
    learned_interval_s: float | None = None
    loss_ratio: float | None = None
    """Part of its packets that came through no gateway; None for nodes that do not number them."""
    lost: bool = False
    gaps: int = 0
    """Between reports, that have taught the interval."""
    _sequence: int | None = None
    _reported: float | None = None

    def heard(self, *, at: float, report: bool, sequence: int | None = None, restarted: bool = False) -> int:
        """Take a packet that is no repeat; return how many before it are missing.

        Args:
            at: when.
            report: it came because its time had come, not because something happened: only these teach the interval.
            sequence: its number, 0..255, where it has one.
            restarted: the node has just started, so its numbers begin anew.
        """
        missed = 0 if restarted or sequence is None else self._missed(sequence)
        if sequence is not None:
            self._sequence = sequence
            self._count(missed)
        if report:
            if self._reported is not None and not self.lost:
                self._learn(at - self._reported)
            self._reported = at
        self.last_seen = at
        self.lost = False
        return missed

    @property
    def interval_s(self) -> float:
        """Seconds between its reports, as far as known."""
        if self.fixed_interval_s is not None:
            return self.fixed_interval_s
        if self.learned_interval_s is None:
            return FIRST_INTERVAL_S
        return max(self.learned_interval_s, 0.0 if self.gaps >= SURE_AFTER else UNSURE_INTERVAL_S)

    def trust(self, interval_s: float) -> None:
        """Take up what an earlier run has learned."""
        self.learned_interval_s = interval_s
        self.gaps = SURE_AFTER

    def shift(self, seconds: float) -> None:
        """The clock was set by so much: what was noted since anybody listens moves along; what is older was right."""
        if self.last_seen is not None and self.last_seen >= self.listening_since:
            self.last_seen += seconds
        if self._reported is not None:
            self._reported += seconds
        self.listening_since += seconds

    def due(self) -> float | None:
        """Return when it will be lost unless it says something; None: it is, or was never heard."""
        if self.last_seen is None or self.lost:
            return None
        return max(self.last_seen, self.listening_since) + SILENT_INTERVALS * self.interval_s

    def look(self, *, at: float) -> bool:
        """Return whether it has just become lost."""
        due = self.due()
        if due is None or at < due:
            return False
        self.lost = True
        self._reported = None  # the gap that ends when it comes back is no interval
        return True

    def _missed(self, sequence: int) -> int:
        if self._sequence is None:
            return 0
        missed = (sequence - self._sequence - 1) & 0xFF
        return missed if missed <= _MOST_MISSED else 0

    def _count(self, missed: int) -> None:
        loss = 0.0 if self.loss_ratio is None else self.loss_ratio
        for lost in (*(1.0,) * missed, 0.0):
            loss += (lost - loss) * _LOSS_WEIGHT
        self.loss_ratio = loss

    def _learn(self, gap: float) -> None:
        """Grow at most to the double at once, so that a report lost on the way costs little; shrink slowly."""
        self.gaps += 1
        gap = max(gap, SHORTEST_INTERVAL_S)
        known = self.learned_interval_s
        if known is None:
            self.learned_interval_s = gap
        elif gap > known:
            self.learned_interval_s = min(gap, 2 * known)
        else:
            self.learned_interval_s = known + (gap - known) * _SHRINK
