"""A roster of RFXtrx devices, and the air it listens to: what its tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfxtrx_bench import packet

from hearthbus.config.schema import build
from services.rfxtrx.roster import Found, Roster
from services.rfxtrx.settings import Settings

if TYPE_CHECKING:
    from services.rfxtrx.known import Say

NOON = 1_767_268_800.0
DESK = "lighting2.ac.00abcde.5"


def table(**config: Any) -> Settings:
    """Return a table, checked as a file's is."""
    return build(Settings, {"port": "/dev/nowhere", **config})


class Ear:
    """A roster, and the air it listens to."""

    def __init__(self, devices: dict[str, Any] | None = None, **config: Any) -> None:
        self.settings = table(devices=devices or {}, **config)
        self.roster = Roster(self.settings)

    def hear(self, name: str, subtype: int = 0, *, after: float = 0.0, **fields: Any) -> Found:
        """Hear a packet, so many seconds after noon."""
        return self.roster.hear(packet(name, subtype, **fields), at=NOON + after, ticks=after)

    def desk(self, command: str = "on", *, after: float = 0.0, unit: int = 5, **fields: Any) -> Found:
        """Hear a wall switch."""
        return self.hear("lighting2", after=after, id="0xABCDE", unit=unit, command=command, **fields)

    def again(self, *, at: float) -> Roster:
        """Return a new roster, which has what this one's devices have left."""
        late = Roster(self.settings)
        for known in self.roster.registry.all():
            late.registry.restore(known.body(), at=at)
        return late


def bodies(says: list[Say], kind: str = "") -> dict[str, dict[str, Any]]:
    """Return what is to be published on topics of one kind."""
    return {say.topic: say.body for say in says if say.topic.startswith(kind)}
