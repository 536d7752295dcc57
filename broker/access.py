"""Who may do what: the one place where that is decided.

Every publish, subscription, request, answer and look into the past asks `Access.allows` once per client and topic;
the answer is cached with the client, so a message costs no check. Today every client on the loopback may do everything.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

Verb = Literal["publish", "subscribe", "request", "serve", "read"]

RESERVED: Final = ("broker/stats",)
"""Topics only the broker publishes; with service/<name>, the presence of each service."""


class Access(Protocol):
    """The decision on (who, verb, topic or pattern)."""

    def allows(self, who: str, verb: Verb, topic: str) -> bool:
        """Whether the client of key or name `who` may do `verb` on `topic`."""


class Open:
    """Everything is allowed but to speak in the broker's name."""

    def allows(self, who: str, verb: Verb, topic: str) -> bool:
        """Whether the client may; `who` does not matter here."""
        del who
        if verb != "publish":
            return True
        parts = topic.split("/")
        return topic not in RESERVED and not (parts[0] == "service" and len(parts) == 2)
