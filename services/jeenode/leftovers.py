"""What an earlier run has left about things that have no table any more: it would stand for ever. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from services.instants import iso
from services.jeenode.roster import DRIVER, NODES, Say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from services.jeenode.settings import Settings

GATEWAYS: Final = f"radio/{DRIVER}/gateway"
PATTERNS: Final = (f"{NODES}/+", f"{GATEWAYS}/+", "light/+", "switch/+", "alert/+")
"""Where it is."""


def leftovers(left: Mapping[str, Mapping[str, Any]], settings: Settings, *, at: float) -> Iterator[Say]:
    """Yield what takes it back.

    Args:
        left: by topic, the retained bodies the service has told itself.
        settings: its tables now.
        at: now.
    """
    tables = {
        "light": settings.lights,
        "switch": settings.switches,
        GATEWAYS: settings.gateways,
        "alert": {f"light-{name}" for name in settings.lights} | {f"gateway-{name}" for name in settings.gateways},
        NODES: {f"{node.group}-{node.id}" for node in settings.nodes.values()},
    }
    for topic, body in left.items():
        kind, _, name = topic.rpartition("/")
        if name in tables.get(kind, {name}):
            continue
        if kind == "alert":
            if body.get("active") is True:
                message = f"{name.replace('-', ' ', 1)} has no table any more"
                yield Say(topic, {"active": False, "message": message, "since": iso(at)}, retain=True)
        elif kind != NODES or body.get("status") == "lost":  # a stranger that is heard stays in the list
            yield Say(topic, {}, retain=True)
