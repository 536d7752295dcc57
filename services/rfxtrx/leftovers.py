"""What an earlier run has left about devices that have no name any more: it would stand for ever. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from services.instants import iso
from services.rfxtrx.known import Say
from services.rfxtrx.speech import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from services.rfxtrx.registry import Registry

PATTERNS: Final = (
    *(f"{kind}/+" for kind in sorted(STATES)), "alert/+", "sensor/+/motion", "sensor/+/contact", "sensor/+/smoke",
    "sensor/+/water",
)  # fmt: skip
"""Where it is, and what was on when it ended."""


def leftovers(left: Mapping[str, Mapping[str, Any]], registry: Registry, *, name: str, at: float) -> Iterator[Say]:
    """Yield what takes it back.

    Args:
        left: by topic, the retained bodies the service has told itself.
        registry: the devices now.
        name: the service's.
        at: now.
    """
    states = {f"{known.kind}/{known.name}" for known in registry.named()}
    alerts = {f"alert/battery-{known.name}" for known in registry.named()} | {f"alert/{name}-stick"}
    for topic, body in left.items():
        kind, _, rest = topic.partition("/")
        known = registry.find(topic.removeprefix(f"{registry.topic}/"))
        unheard = known is not None and not known.name and not known.heard
        if (kind in STATES and topic not in states) or unheard:
            yield Say(topic, {}, retain=True)
        elif kind == "alert" and topic not in alerts and body.get("active") is True:
            message = f"{rest.replace('-', ' ', 1)} has no name any more"
            yield Say(topic, {"active": False, "message": message, "since": iso(at)}, retain=True)
