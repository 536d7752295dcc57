"""One node as the house knows it: what it is, how it is, and the retained message that says so.

Pure: times are seconds since 1970 UTC, and come in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drivers.rf12 import hearth
from hearthbus import Invalid
from services.instants import instant, iso
from services.jeenode import tuning
from services.jeenode.presence import Story

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.jeenode.settings import Node

RESETS: Final = ((1, "power on"), (2, "reset pin"), (4, "brown-out"), (8, "watchdog"))
"""Bits of MCUSR (data sheet of the ATmega328P, 11.9)."""
_TEXTS: Final = ("kind", "version", "reset", "gateway")
_NUMBERS: Final = ("battery_v", "rssi_dbm", "given_up", "sent_number")


@dataclass
class Known:
    """One node.

    Args:
        group: its net group.
        node: its id.
        name: that of its table; empty where it has none.
        settings: that table.
    """

    group: int
    node: int
    name: str = ""
    settings: Node | None = None
    story: Story = field(default_factory=Story)
    facts: dict[str, Any] = field(default_factory=dict)
    """What goes into its message as it stands."""
    since: float = 0.0
    """Since when it is there, or lost."""
    _given_up_at_node: int | None = None

    @property
    def device(self) -> str:
        """Its name as that of a device."""
        return f"rf12-{self.group}-{self.node}"

    def next_number(self) -> int:
        """Return the sequence number of the next thing said to it; restarts of the service go on counting."""
        number: int = (self.facts.get("sent_number", -1) + 1) & 0xFF
        self.facts["sent_number"] = number
        return number

    def learn(self, payload: hearth.AnyPayload) -> int:
        """Note what a payload of ours says of the node itself; return how many packets it has given up since."""
        gave_up = 0
        if isinstance(payload, hearth.Announce):
            known = {kind.value: kind.name.lower() for kind in hearth.NodeKind}
            self.facts["kind"] = known.get(payload.kind, f"kind-{payload.kind}")
            self.facts["version"] = f"{payload.firmware_major}.{payload.firmware_minor}"
            self.facts["settings_crc"] = payload.settings_crc
            self.facts["reset"] = ", ".join(text for bit, text in RESETS if payload.reset & bit)
        if isinstance(payload, hearth.Room | hearth.Motion):
            if self._given_up_at_node is not None:
                gave_up = (payload.given_up - self._given_up_at_node) & 0xFF
            self._given_up_at_node = payload.given_up
            self.facts["given_up"] = self.facts.get("given_up", 0) + gave_up
        battery = getattr(payload, "battery_mv", None)
        if battery is not None:
            self.facts["battery_v"] = battery / 1000
        return gave_up

    def restarted(self) -> None:
        """It has started anew: its counters begin at 0."""
        self._given_up_at_node = 0
        self.facts["restarts"] = self.facts.get("restarts", 0) + 1

    def body(self) -> dict[str, Any]:
        """Return its message."""
        story = self.story
        known = {
            "name": self.name or None,
            "since": iso(self.since) if self.since else None,
            "last_seen": None if story.last_seen is None else iso(story.last_seen),
            "interval_s": None if story.last_seen is None else round(story.interval_s, 1),
            "learned_s": None if story.learned_interval_s is None else round(story.learned_interval_s, 1),
            "loss_ratio": None if story.loss_ratio is None else round(story.loss_ratio, 3),
            **self.facts,
        }
        return {
            "status": "unknown" if story.last_seen is None else "lost" if story.lost else "online",
            "group": self.group,
            "node": self.node,
            **{key: value for key, value in known.items() if value is not None},
        }

    def restore(self, body: Mapping[str, Any]) -> None:
        """Take up what an earlier run has left; what makes no sense is left out."""
        self.facts.update({key: body[key] for key in _TEXTS if isinstance(body.get(key), str)})
        self.facts.update({key: body[key] for key in (*_NUMBERS, "restarts") if _is_number(body.get(key))})
        self.facts.update(tuning.restored(body))
        story = self.story
        story.lost = body.get("status") == "lost"
        story.last_seen, self.since = _moment(body.get("last_seen")), _moment(body.get("since")) or 0.0
        if _is_number(body.get("learned_s")):
            story.trust(float(body["learned_s"]))
        if _is_number(body.get("loss_ratio")):
            story.loss_ratio = float(body["loss_ratio"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: object) -> float | None:
    try:
        return float(instant(value)) if isinstance(value, str) else None
    except Invalid:
        return None
