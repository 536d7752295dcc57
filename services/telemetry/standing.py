"""How one sink stands, as it is told on `telemetry/<sink>`. Pure: times come in.

held         it refuses everything until somebody acts          retrying     it failed, and is tried again
delivering   records are on their way to it                     waiting      for a batch to fill, or for its turn
idle         it has everything
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Literal

from services.instants import iso

Status = Literal["delivering", "waiting", "retrying", "held", "idle"]
Fault = Literal["retrying", "held"]
RATE_S: Final = 60.0
"""Seconds over which the rate is taken."""


class Standing:
    """Figures of one sink since the service started.

    Args:
        now: of a clock that never jumps.
    """

    def __init__(self, now: float) -> None:
        self.fault: Fault | Literal[""] = ""
        self.busy = False
        """An attempt is under way."""
        self.sent = 0
        self.dropped = 0
        """Records the sink took and threw away."""
        self.skipped = 0
        self.lost = 0
        """Messages the journal did not have any more."""
        self.error = ""
        self.error_at = 0.0
        self.since = 0.0
        """When the present fault began, seconds since 1970 UTC."""
        self._recent: deque[tuple[float, int]] = deque()
        self._born = now

    def failed(self, fault: Fault, reason: str, *, wall: float) -> bool:
        """Note a failure; return whether it is news."""
        news = self.fault != fault
        if not self.fault:
            self.since = wall
        self.fault = fault
        self.note(reason, wall=wall)
        return news

    def note(self, reason: str, *, wall: float) -> None:
        """Note what went wrong."""
        self.error, self.error_at = reason, wall

    def delivered(self, records: int, dropped: int, *, now: float) -> bool:
        """Count what was delivered; return whether that ends a fault."""
        self.sent += records - dropped
        self.dropped += dropped
        self._recent.append((now, records - dropped))
        self._forget(now)
        ended, self.fault = bool(self.fault), ""
        return ended

    def rate(self, now: float) -> float:
        """Records a second of late."""
        self._forget(now)
        return sum(count for _, count in self._recent) / max(1.0, min(RATE_S, now - self._born))

    def status(self, pending: int) -> Status:
        """Say it in a word; `pending` is how many records are in hand."""
        if self.fault:
            return self.fault
        if self.busy:
            return "delivering"
        return "waiting" if pending else "idle"

    def body(self, *, pending: int, behind: int, lag_s: float, dead: int, forgotten: int, now: float) -> dict[str, Any]:
        """Return what is told.

        Args:
            pending: records in hand.
            behind: messages still to come, at most.
            lag_s: age of the oldest record that is not delivered.
            dead: dead letters.
            forgotten: dead letters that went because there were too many.
            now: of a clock that never jumps.
        """
        body: dict[str, Any] = {
            "status": self.status(pending),
            "lag_s": round(lag_s, 1),
            "behind": behind,
            "sent": self.sent,
            "rate_per_s": round(self.rate(now), 1),
            "dead": dead,
            "forgotten": forgotten,
            "dropped": self.dropped,
            "skipped": self.skipped,
            "lost": self.lost,
        }
        if self.error:
            body["error"] = self.error
            body["error_at"] = iso(self.error_at)
        return body

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - RATE_S:
            self._recent.popleft()
