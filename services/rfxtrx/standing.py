"""How the stick is, as retained state, and the alert about one that stays away or is deaf.

Pure: what is known of it and the time, seconds since 1970 UTC, come in; messages go out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from services.instants import iso
from services.rfxtrx.known import Say

if TYPE_CHECKING:
    from collections.abc import Mapping

AWAY_S: Final = 30.0
"""Seconds a stick may be away before there is an alert: who pulls a plug by mistake puts it back."""
FIGURES_S: Final = 60.0
"""How often its figures are told, where they have changed; how it is, at once."""


@dataclass
class Standing:
    """The stick's.

    Args:
        name: the service's.
        alerted: whether an alert about it is active.
    """

    name: str
    alerted: bool = False
    _since: float | None = None
    _told_at: float = 0.0
    _how: dict[str, Any] = field(default_factory=dict)
    _figures: dict[str, int] = field(default_factory=dict)

    @property
    def alert(self) -> str:
        """Return the topic of its alert."""
        return f"alert/{self.name}-stick"

    def look(self, how: Mapping[str, Any], figures: Mapping[str, int], *, at: float) -> list[Say]:
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
            self._how, self._figures, self._told_at = dict(how), dict(figures), at
            says.append(Say(f"{self.name}/stick", {**how, "since": iso(self._since or at), **figures}, retain=True))
        online = how.get("status") == "online"
        if not online and not self.alerted and at >= (self._since or at) + AWAY_S:
            reason = how.get("reason") or how.get("status")
            says.append(self._alert(f"the RFXtrx at {how.get('port')} hears nothing: {reason}", active=True, at=at))
        elif self.alerted and online:
            says.append(self._alert(f"the RFXtrx at {how.get('port')} is back", active=False, at=at))
        return says

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self._since = None if self._since is None else self._since + seconds
        self._told_at += seconds

    def due(self) -> float | None:
        """Return when the alert is."""
        waits = self._how.get("status") not in {None, "online"} and not self.alerted
        return (self._since or 0.0) + AWAY_S if waits else None

    def _alert(self, message: str, *, active: bool, at: float) -> Say:
        self.alerted = active
        return Say(self.alert, {"active": active, "message": message, "since": iso(at)}, retain=True)
