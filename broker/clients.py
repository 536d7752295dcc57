"""Who is connected: the table that an identity frame is looked up in, filled at the greeting. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hearthbus.message import MAX_BODY_BYTES

if TYPE_CHECKING:
    from broker.guard import Budget
    from broker.topics import TopicState

SMALL: Final = 2048
"""Longer messages are limited in bytes, not only in number."""


class Out:
    """What the core wants done, in this order: `log` to the tail, `fanout` to subscribers, `replies` to clients."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.fanout: list[bytes] = []
        self.replies: list[tuple[bytes, bytes]] = []
        self.notes: list[str] = []
        """Lines for the log of the process."""

    def clear(self) -> None:
        """Begin the next turn."""
        self.log, self.fanout, self.replies, self.notes = [], [], [], []


@dataclass(kw_only=True, eq=False, slots=True)
class Client:
    """One greeted connection; a mutable record because every frame touches it."""

    ident: bytes
    who: str
    """What it may do is decided by this: its key's name, or `local`, as ZeroMQ found when it connected."""
    name: str
    session: bytes
    software: str
    pid: int
    host: str
    presence: bool
    will: dict[str, Any]
    number: int
    """The highest number of its session that was taken in."""
    heard: float
    """Monotonic time of its last frame."""
    up: bool = False
    """Its presence has been said."""
    origin: bytes = b""
    publishes: dict[bytes, TopicState] = field(default_factory=dict)
    """Topics it may publish: permission and state in one look-up."""
    patterns: tuple[str, ...] = ()
    requests: int = 0
    reads: int = 0
    """Questions that the disk has to answer."""
    lost: int = 0
    refilled: int = 0
    refused: int = 0
    budget: Budget | None = None
    """What its key may send, where that is limited."""
    body_bytes: int = MAX_BODY_BYTES
    small: int = SMALL
    """Messages up to this size are not looked at for it."""

    def __post_init__(self) -> None:
        self.small = min(SMALL, self.body_bytes)
        name = self.name.encode()
        self.origin = bytes([len(name)]) + name


class Clients:
    """All greeted connections."""

    def __init__(self) -> None:
        self.by_ident: dict[bytes, Client] = {}
        self.by_session: dict[bytes, Client] = {}
        self.changed_numbers: dict[bytes, int] = {}
        """Those that grew since the last commit was handed over."""
        self.numbers: dict[bytes, int] = {}
        """Highest number of each session, of those gone too: what tells a repeated message from a new one."""
        self._whose: dict[bytes, str] = {}
        """Who began each session that is known."""

    def add(self, client: Client) -> None:
        """Take in a client that was greeted."""
        self.by_ident[client.ident] = client
        self.by_session[client.session] = client
        self._whose[client.session] = client.who

    def may_take_up(self, session: bytes, who: str) -> bool:
        """Whether a session is new, or one of the same key."""
        return self._whose.get(session, who) == who

    def remove(self, client: Client) -> None:
        """Forget a client; its session's number stays known."""
        self.by_ident.pop(client.ident, None)
        if self.by_session.get(client.session) is client:
            del self.by_session[client.session]
            if client.session not in self.numbers:
                self._whose.pop(client.session, None)

    def detach(self) -> None:
        """No connection is left: who was there is known by its session alone, under ids that no connection can have."""
        for client in self.by_ident.values():
            client.ident = bytes([255]) * 256 + client.session
        self.by_ident = {client.ident: client for client in self.by_ident.values()}

    def remember(self, client: Client, number: int) -> None:
        """Note the highest number taken in, newest session last, so that the oldest can be forgotten."""
        client.number = number
        self.numbers.pop(client.session, None)
        self.numbers[client.session] = self.changed_numbers[client.session] = number

    def hand_over(self) -> dict[bytes, int]:
        """Return the numbers to commit."""
        changed, self.changed_numbers = self.changed_numbers, {}
        return changed

    def forget_sessions(self, keep: int) -> None:
        """Forget the numbers of the sessions heard longest ago."""
        for session in list(self.numbers)[: max(0, len(self.numbers) - keep)]:
            if session not in self.by_session:
                del self.numbers[session]
                self._whose.pop(session, None)

    def named(self, name: str) -> Client | None:
        """The client that announces itself as `service/<name>`, if there is one."""
        return next((client for client in self.by_ident.values() if client.presence and client.name == name), None)
