"""Durable subscriptions: named places in the journal, and the fetches that wait there for something new. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.clients import Client
    from broker.memory import Query


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """A consumer's request for what comes after a place."""

    client: Client
    id: int
    consumer: str
    query: Query
    deadline: float


class Consumers:
    """All durable subscriptions."""

    def __init__(self, *, limit: int) -> None:
        self.offsets: dict[str, int] = {}
        self.changed: dict[str, int | None] = {}
        """Places to commit; None for a consumer that was forgotten."""
        self.moved: dict[str, int | None] = {}
        """Those of them that changed in this turn, for the tail."""
        self.waiting: dict[str, Fetch] = {}
        self._owner: dict[str, Client] = {}
        self._limit = limit

    def place(self, consumer: str, *, newest: int) -> int | None:
        """Where `consumer` goes on; a new one begins after `newest`. None when there are too many."""
        if consumer not in self.offsets:
            if len(self.offsets) >= self._limit:
                return None
            self.move(consumer, newest)
        return self.offsets[consumer]

    def move(self, consumer: str, offset: int) -> None:
        """Store a place; never backwards."""
        if offset > self.offsets.get(consumer, -1):
            self.offsets[consumer] = self.changed[consumer] = self.moved[consumer] = offset

    def take(self, consumer: str, client: Client) -> str:
        """Make `client` the consumer's one reader; return the name of another one that is, empty if none."""
        owner = self._owner.setdefault(consumer, client)
        return "" if owner is client or owner.session == client.session else owner.name

    def forget(self, consumer: str) -> None:
        """Delete a consumer."""
        self.offsets.pop(consumer, None)
        self._owner.pop(consumer, None)
        self.waiting.pop(consumer, None)
        self.changed[consumer] = self.moved[consumer] = None

    def leave(self, consumer: str, client: Client) -> None:
        """`client` does not read it any more."""
        if self._owner.get(consumer) is client:
            del self._owner[consumer]
            self.waiting.pop(consumer, None)

    def in_use(self, consumer: str) -> bool:
        """Whether a client reads it now."""
        return consumer in self._owner

    def gone(self, client: Client) -> None:
        """Let go of what `client` read."""
        for consumer in [name for name, owner in self._owner.items() if owner is client]:
            del self._owner[consumer]
            self.waiting.pop(consumer, None)

    def oldest(self) -> int:
        """The smallest place of all: the journal is kept from there while its size allows."""
        return min(self.offsets.values(), default=2**63 - 1)

    def restore(self, places: dict[str, int | None]) -> None:
        """Take back the places from disk; None for one that was forgotten."""
        self.changed = dict(places)
        self.offsets = {name: offset for name, offset in places.items() if offset is not None}

    def hand_over(self) -> dict[str, int | None]:
        """Return the places to commit."""
        changed, self.changed = self.changed, {}
        return changed

    def failed(self, places: dict[str, int | None]) -> None:
        """Take back places the disk did not take."""
        self.changed = {**places, **self.changed}
