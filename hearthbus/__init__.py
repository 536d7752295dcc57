"""hearthbus: a home as a set of small processes on one bus.

Everything public is named here and loaded when first used: the broker and the command's `--help` never pay for asyncio.
"""

from __future__ import annotations

from hearthbus.version import VERSION as __version__  # noqa: N811 - the name Python expects

TYPE_CHECKING = False  # the name is all that type checkers look at, and importing typing takes longer than the rest
if TYPE_CHECKING:
    from hearthbus.bus import Bus
    from hearthbus.config.secret import Secret
    from hearthbus.errors import HandlerError, HearthbusError, Invalid, NoResponder, Refused, Timeout, Unavailable
    from hearthbus.message import Message
    from hearthbus.service import Service, every, on, serve
    from hearthbus.transport import Request, Responder, Subscription

__all__ = [
    "Bus",
    "HandlerError",
    "HearthbusError",
    "Invalid",
    "Message",
    "NoResponder",
    "Refused",
    "Request",
    "Responder",
    "Secret",
    "Service",
    "Subscription",
    "Timeout",
    "Unavailable",
    "__version__",
    "every",
    "on",
    "serve",
]


_HOMES = {
    "hearthbus.bus": ("Bus",),
    "hearthbus.config.secret": ("Secret",),
    "hearthbus.errors": (
        "HandlerError", "HearthbusError", "Invalid", "NoResponder", "Refused", "Timeout", "Unavailable",
    ),
    "hearthbus.message": ("Message",),
    "hearthbus.service": ("Service", "every", "on", "serve"),
    "hearthbus.transport": ("Request", "Responder", "Subscription"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'hearthbus' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
