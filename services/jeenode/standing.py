"""How a gateway is, as retained state, and the alert about one that stays away.

Pure: what is known of it and the time, seconds since 1970 UTC, come in; messages go out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from services.instants import iso
from services.jeenode.roster import DRIVER, Say

AWAY_S: Final = 30.0
"""Seconds a gateway may be away before there is an alert: who pulls a plug by mistake puts it back."""
FIGURES_S: Final = 30.0
"""How often its figures are told, where they have changed; how it is, at once."""


@dataclass
class Standing:
    """One gateway's.

    Args:
        name: that of its table.
        alerted: whether an alert about it is active.
    """

    name: str
    alerted: bool = False
    _since: float | None = None
    _told_at: float = 0.0
    _how: dict[str, Any] = field(default_factory=dict)
    _figures: dict[str, int] = field(default_factory=dict)

    def look(self, how: dict[str, Any], figures: dict[str, int], *, at: float) -> list[Say]:
        """Return what there is to say.

        Args:
            how: `status` and the like.
            figures: counts.
            at: now.
        """
        says = []
        if how.get("status") != self._how.get("status"):
            self._since = at
        if how != self._how or (figures != self._figures and at - self._told_at >= FIGURES_S):
            self._how, self._figures, self._told_at = how, dict(figures), at
            body = {**how, "since": iso(self._since or at), **figures}
            says.append(Say(f"radio/{DRIVER}/gateway/{self.name}", body, retain=True))
        away = how["status"] == "away"
        if away and not self.alerted and at >= (self._since or at) + AWAY_S:
            says.append(self._alert(f"gateway {self.name} is away: {how.get('reason', '')}", active=True, at=at))
        elif self.alerted and how["status"] == "online":
            says.append(self._alert(f"gateway {self.name} is back", active=False, at=at))
        return says

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self._since = None if self._since is None else self._since + seconds
        self._told_at += seconds

    def due(self) -> float | None:
        """Return when the alert is."""
        away = self._how.get("status") == "away" and not self.alerted
        return (self._since or 0.0) + AWAY_S if away else None

    def _alert(self, message: str, *, active: bool, at: float) -> Say:
        self.alerted = active
        body = {"active": active, "message": message, "since": iso(at)}
        return Say(f"alert/gateway-{self.name}", body, retain=True)
