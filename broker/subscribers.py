"""What begins and ends on the fan-out, and what it means: markers, presence, patterns. Pure, like the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.presence import name_of
from broker.zap import LOCAL, is_local

if TYPE_CHECKING:
    from broker.clients import Client
    from broker.core import Core

MARKER: Final = b"$sub/"
PRESENCE: Final = b"$up/"
LONGEST: Final = 201
"""A topic and the NUL behind it."""
LONGEST_MARKER: Final = 100
SHORTEST_MARKER: Final = 13
"""Shorter ones would see the markers of others."""


class Subscribers:
    """The subscriptions that mean something to the broker itself."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ending: set[Client] = set()

    def began(self, topic: bytes, who: str = LOCAL) -> bool:
        """A subscription of `who` arrived; return whether it is to hold."""
        core, access = self._core, self._core.access
        if topic.startswith(MARKER):
            return len(topic) < LONGEST_MARKER and (is_local(who) or len(topic) >= SHORTEST_MARKER)
        if topic.startswith(PRESENCE):
            name = name_of(topic)
            if not access.may_be(who, name) or (not is_local(who) and topic != b"%b%b\0" % (PRESENCE, name.encode())):
                # its end will be reported, too, and must not be taken for that of the service of this name
                core.presence.held(name)
                return self._refuse(who, topic)
            core.greeting.held(name)
        elif not access.may_hold(who, topic):
            return self._refuse(who, topic)
        return len(topic) <= LONGEST

    def _refuse(self, who: str, topic: bytes) -> bool:
        shown = topic[:80].rstrip(b"\0").decode(errors="replace")
        self._core.stream.refused += 1
        self._core.guard.note(who, f"it may not subscribe all that begins with {shown!r}")
        return False

    def marker(self, topic: bytes) -> bytes:
        """The frame that answers a marker: everything after its offset will arrive."""
        return topic + self._core.stream.offset.to_bytes(8, "big")

    def ended(self, topic: bytes) -> None:
        """A subscription ended, or its holder died: lost at the next tick, unless a goodbye is on its way."""
        if topic.startswith(PRESENCE):
            name = name_of(topic)
            client = self._core.clients.named(name)
            if self._core.presence.released(name) and client is not None and client.up:
                self._ending.add(client)

    def all_ended(self) -> None:
        """Every subscription ended at once: whose presence is not held again when patience ends is lost."""
        self._core.presence.released_all()
        self._ending |= {client for client in self._core.clients.by_ident.values() if client.up}

    def end(self) -> None:
        """Declare lost whose presence is not held any more."""
        core = self._core
        for client in self._ending & set(core.clients.by_ident.values()):
            if not core.presence.is_held(client.name):
                core.lose(client, "its connection ended")
        self._ending.clear()
