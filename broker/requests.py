"""Requests: who serves what, and which answers are outstanding. Exactly one responder gets a request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.topics import matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.clients import Client


LONGEST_MS: Final = 3_600_000


def time_left_ms(timeout_ms: int, *, deadline: int, clock: int) -> int:
    """How long anybody waits for the answer, all in milliseconds; 0 or less: no more.

    `deadline` is the reading of the broker's own clock that its caller gave it, 0 where there is none. It may have
    waited in a socket while the broker stood still: what is left then is less than what the caller asked for.
    """
    left = max(1, min(timeout_ms, LONGEST_MS))
    return min(left, deadline - clock) if deadline else left


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A request that waits for its answer."""

    ticket: int
    caller: Client
    id: int
    """The caller's own number for it."""
    responder: Client
    deadline: float
    topic: str


class Requests:
    """The table of responders and the table of pending requests."""

    def __init__(self) -> None:
        self.pending: dict[int, Pending] = {}
        self._served: dict[str, list[Client]] = {}
        self._matchers: dict[str, Callable[[str], bool]] = {}
        """Of the patterns served, compiled once: there can be more than a cache holds."""
        self._ticket = 0

    def serve(self, client: Client, pattern: str) -> None:
        """Make `client` a responder of `pattern`; the earliest of several answers."""
        holders = self._served.setdefault(pattern, [])
        self._matchers[pattern] = matcher(pattern)
        if client not in holders:
            holders.append(client)

    def unserve(self, client: Client, pattern: str) -> None:
        """End it."""
        holders = self._served.get(pattern, [])
        if client in holders:
            holders.remove(client)
        if not holders:
            self._served.pop(pattern, None)
            self._matchers.pop(pattern, None)

    def served_by(self, client: Client) -> list[str]:
        """Patterns `client` serves."""
        return [pattern for pattern, holders in self._served.items() if client in holders]

    def responder(self, topic: str) -> Client | None:
        """The one to answer `topic`: of the most exact pattern (fewest wildcards, longest), its earliest holder."""
        if topic in self._served:
            return self._served[topic][0]
        fitting = [pattern for pattern, matches in self._matchers.items() if matches(topic)]
        if not fitting:
            return None
        best = min(fitting, key=lambda pattern: ("#" in pattern, pattern.count("+"), -len(pattern)))
        return self._served[best][0]

    def open(self, *, caller: Client, number: int, responder: Client, deadline: float, topic: str) -> Pending:
        """Note a request that is on its way."""
        self._ticket += 1
        pending = Pending(
            ticket=self._ticket, caller=caller, id=number, responder=responder, deadline=deadline, topic=topic
        )
        self.pending[self._ticket] = pending
        caller.requests += 1
        return pending

    def close(self, ticket: int, responder: Client) -> Pending | None:
        """Take out the request that `responder` answers; None where it is not its to answer, or too late."""
        pending = self.pending.get(ticket)
        if pending is None or pending.responder is not responder:
            return None
        return self._take(pending)

    def overdue(self, now: float) -> list[Pending]:
        """Take out the requests whose time is over."""
        return [self._take(pending) for pending in list(self.pending.values()) if pending.deadline <= now]

    def gone(self, client: Client) -> list[Pending]:
        """Forget `client`: what it serves and asked; return the requests it will not answer any more."""
        for pattern in self.served_by(client):
            self.unserve(client, pattern)
        for pending in list(self.pending.values()):
            if pending.caller is client:
                self._take(pending)
        return [self._take(pending) for pending in list(self.pending.values()) if pending.responder is client]

    def _take(self, pending: Pending) -> Pending:
        del self.pending[pending.ticket]
        pending.caller.requests -= 1
        return pending
