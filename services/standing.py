"""How an instrument is, as retained state, and the alert about one that stays away.

Pure: what is known of it and the time, seconds since 1970 UTC, come in; what to publish goes out. What the instrument
is called, and what is said of it when it is away, are its service's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from services.instants import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AWAY_S: Final = 30.0
"""Seconds an instrument may be away before there is an alert: who pulls a plug by mistake puts it back."""


class Told(NamedTuple):
    """One retained message to publish."""

    topic: str
    body: dict[str, Any]


@dataclass
class Standing:
    """One instrument's.

    Args:
        topic: where its state is.
        alert: where the alert about it is.
        away: what the alert says of how it is; empty where that is worth none.
        back: what the alert says when it is online again.
        figures_s: seconds between two tellings of its figures, where they have changed; how it is, is told at once.
        alerted: whether the alert is active.
    """

    topic: str
    alert: str
    away: Callable[[Mapping[str, Any]], str]
    back: Callable[[Mapping[str, Any]], str]
    figures_s: float
    alerted: bool = False
    _since: float | None = None
    _told_at: float = 0.0
    _how: dict[str, Any] = field(default_factory=dict)
    _figures: dict[str, int] = field(default_factory=dict)

    def look(self, how: Mapping[str, Any], figures: Mapping[str, int], *, at: float) -> list[Told]:
        """Return what there is to say.

        Args:
            how: `status` and the like.
            figures: counts.
            at: now.
        """
        told = []
        if how.get("status") != self._how.get("status"):
            self._since = at
        if how != self._how or (figures != self._figures and at - self._told_at >= self.figures_s):
            self._how, self._figures, self._told_at = dict(how), dict(figures), at
            told.append(Told(self.topic, {**how, "since": iso(self._since or at), **figures}))
        away = self.away(how)
        if away and not self.alerted and at >= (self._since or at) + AWAY_S:
            told.append(self._alert(away, active=True, at=at))
        elif self.alerted and how.get("status") == "online":
            told.append(self._alert(self.back(how), active=False, at=at))
        return told

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self._since = None if self._since is None else self._since + seconds
        self._told_at += seconds

    def due(self) -> float | None:
        """Return when the alert is."""
        waits = self._how and not self.alerted and self.away(self._how)
        return (self._since or 0.0) + AWAY_S if waits else None

    def _alert(self, message: str, *, active: bool, at: float) -> Told:
        self.alerted = active
        return Told(self.alert, {"active": active, "message": message, "since": iso(at)})
