"""The seam between the `Bus` a person uses and what carries its messages.

The ZeroMQ broker is one transport (`hearthbus.client.zeromq`), memory another (`hearthbus.testing`), a NATS cluster may
be a third. Above the seam: checking of topics and bodies, defaults. Below: delivery, reconnection, gaps, order.
Knows only the shapes; every topic, pattern and body that passes here has been checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence
    from types import TracebackType

    from hearthbus.message import Message


class Subscription(Protocol):
    """A stream of messages: `async for message in subscription`.

    It starts with its first message asked for, or earlier with `async with`: then everything published after the
    `async with` line is seen. Lost messages are never silent: `Message.lost` tells where, `lost` counts them.
    """

    @property
    def lost(self) -> int:
        """Messages the bus could neither deliver nor find again."""

    @property
    def malformed(self) -> int:
        """Messages dropped because their body was no sound map."""

    @property
    def epoch(self) -> int:
        """Name of the history the offsets of its messages belong to; another one after a power cut."""

    @property
    def unread(self) -> int:
        """Messages its reader has not asked for yet; of a durable one those of the whole bus not looked at, at most."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Message: ...

    async def ack(self, message: Message) -> None:
        """Durable subscriptions: never deliver `message`, or any before it, to this consumer again."""


class Request(Protocol):
    """One request given to its responder, to be answered once."""

    @property
    def message(self) -> Message:
        """Topic, body and origin of the request."""

    @property
    def deadline(self) -> float:
        """Event loop time after which nobody waits for the answer."""

    async def reply(self, body: dict[str, Any]) -> None:
        """Answer with `body`."""

    async def fail(self, text: str) -> None:
        """Answer with an error; the caller gets it as `HandlerError`."""


class Responder(Protocol):
    """A stream of requests: `async for request in responder`; begins like a `Subscription`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Request: ...


class Transport(Protocol):
    """What carries messages. One connection, opened once, reconnecting by itself until closed."""

    @property
    def answered_at(self) -> float:
        """Event loop time at which the broker last answered a heartbeat; 0.0 before it has."""

    @property
    def connected(self) -> bool:
        """Whether the other side answers now."""

    async def open(self, timeout: float | None) -> None:
        """Connect; with None wait for ever. Raises `Unavailable` or `Refused`."""

    async def close(self) -> None:
        """Send what waits (within a second), say goodbye, let go."""

    # positional, because it is called for every message
    def publish(  # noqa: PLR0917
        self,
        topic: str,
        body: bytes,
        time: int,
        retain: bool,  # noqa: FBT001
        confirm: bool,  # noqa: FBT001
        ttl: float,
        /,
    ) -> Awaitable[None] | None:
        """Hand over one message.

        Returns what the caller has to await: with `confirm` until it is on disk, otherwise while too many messages
        are on their way; None where it need not wait at all. A plain function, because most calls need not.
        """

    def subscribe(self, patterns: Sequence[str], *, retained: bool, durable: str | None) -> Subscription:
        """Make a subscription; nothing happens before it is entered or iterated."""

    async def snapshot(self, patterns: Sequence[str]) -> list[Message]:
        """Return the retained messages of `patterns`, sorted by topic."""

    def replay(self, patterns: Sequence[str], *, since: int, until: int) -> AsyncIterator[Message]:
        """Read the journal: messages with `since` <= time < `until` (nanoseconds since 1970 UTC), oldest first."""

    async def request(self, topic: str, body: bytes, *, time: int, timeout: float) -> dict[str, Any]:
        """Ask the one responder of `topic`."""

    def serve(self, pattern: str) -> Responder:
        """Become a responder of `pattern`."""

    async def forget(self, consumer: str) -> None:
        """Delete the place a durable subscription has stored."""
