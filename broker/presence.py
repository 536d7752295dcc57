"""Presence: which services are there, said as retained state on service/<name>, and the last will of those that die.

A service is online once it has greeted and `$up/<name>` is held, so that its death will show; offline when it says
goodbye; lost when that subscription ends without it, when it is silent for too long, or when it does not come back
after the broker did. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from broker.zap import is_local

if TYPE_CHECKING:
    from broker.clients import Client


class Presence:
    """Holders of `$up/<name>`, and the services a restarted broker waits for."""

    def __init__(self) -> None:
        self._holders: dict[str, int] = {}
        self._leaving: dict[str, int] = {}
        self._missing: dict[str, dict[str, Any]] = {}

    def held(self, name: str) -> None:
        """A subscription of `$up/<name>` began."""
        self._holders[name] = self._holders.get(name, 0) + 1

    def is_held(self, name: str) -> bool:
        """Whether a subscription of `$up/<name>` is there."""
        return name in self._holders

    def leaving(self, name: str) -> None:
        """Who said goodbye will end its subscription: it does not count, and its end is nobody's death."""
        if name in self._holders:
            self._leaving[name] = self._leaving.get(name, 0) + 1
            self._drop(name)

    def released(self, name: str) -> bool:
        """One ended; True when it was the last: two can overlap when a service is replaced."""
        if name in self._leaving:
            self._leaving[name] -= 1
            if not self._leaving[name]:
                del self._leaving[name]
            return False
        return self._drop(name)

    def _drop(self, name: str) -> bool:
        left = self._holders.get(name, 0) - 1
        if left > 0:
            self._holders[name] = left
            return False
        return self._holders.pop(name, None) is not None

    def released_all(self) -> None:
        """Every subscription ended at once, and no end of one will be told."""
        self._holders, self._leaving = {}, {}

    def expect(self, name: str, body: dict[str, Any]) -> None:
        """A service was online when the broker stopped: it is lost unless it greets again."""
        self._missing[name] = body

    def greeted(self, client: Client) -> bool:
        """A service greets; True where its presence is already said truly, by the broker before this one."""
        body = self._missing.get(client.name, {})
        same = (client.pid, client.host, _key(client)) == (body.get("pid"), body.get("host"), body.get("key"))
        if same:
            self.came(client.name)
        return same

    def came(self, name: str) -> None:
        """A service is online: it is not waited for any more."""
        self._missing.pop(name, None)

    def never_came(self) -> list[tuple[str, dict[str, Any]]]:
        """The services that did not come back, each with its last presence; asked once."""
        missing, self._missing = self._missing, {}
        return list(missing.items())


def name_of(topic: bytes) -> str:
    """Whose death the end of a subscription of `$up/<name>` shows."""
    return topic[4:].rstrip(b"\0").decode(errors="replace")


def online(client: Client, wall: int) -> dict[str, Any]:
    """The body of service/<name> while it is there; `wall` in nanoseconds since 1970 UTC."""
    body: dict[str, Any] = {
        "status": "online",
        "version": client.software,
        "pid": client.pid,
        "host": client.host,
        "since": stamp_of(wall),
    }
    if key := _key(client):
        body["key"] = key
    return {**body, "will": client.will} if client.will else body


def _key(client: Client) -> str | None:
    """The key it has come with, by which a broker that is started again knows what it may say; None for a local one."""
    return None if is_local(client.who) else client.who


def ended(body: dict[str, Any], status: str, wall: int, reason: str) -> dict[str, Any]:
    """The body of service/<name> after it: `offline` or `lost`."""
    kept = {key: value for key, value in body.items() if key != "will"}
    return {**kept, "status": status, "since": stamp_of(wall), "reason": reason}


def stamp_of(wall: int) -> str:
    """Nanoseconds since 1970 UTC as ISO 8601 to the second."""
    return datetime.fromtimestamp(wall // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
