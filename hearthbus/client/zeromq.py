"""The transport to hearthbus's own broker: subscriptions, responders and questions over one conversation.

Ties the parts together: which message is whose is `Routing`'s, what it means is each subscription's.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from hearthbus import protocol
from hearthbus.client.afterwards import Afterwards
from hearthbus.client.conversation import Conversation
from hearthbus.client.durable import ZmqDurable
from hearthbus.client.responder import ZmqRequest, ZmqResponder, most_exact
from hearthbus.client.routing import Routing
from hearthbus.client.subscription import PAGE, ZmqSubscription
from hearthbus.errors import Invalid, Timeout, Unavailable
from hearthbus.message import decode, encode_sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

    from hearthbus.keys import Key
    from hearthbus.message import Message

MARKER_S = 2.0
_LARGEST = 2**63 - 1


class ZmqTransport:
    """One connection to a broker."""

    def __init__(
        self, url: str, *, name: str, presence: bool, will: tuple[str, Mapping[str, Any]] | None, key: Key | None = None
    ) -> None:
        self.name, self._url, self._key = name, url, key
        self._presence, self._will = presence, will
        self._talk: Conversation | None = None
        self._routing = Routing(token=os.urandom(8).hex())
        self._responders: list[ZmqResponder] = []
        self._durables: WeakSet[ZmqDurable] = WeakSet()
        self._afterwards = Afterwards()

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self._talk is not None and self._talk.connected

    @property
    def answered_at(self) -> float:
        """When the broker last answered a heartbeat."""
        return 0.0 if self._talk is None else self._talk.answered_at

    @property
    def epoch(self) -> int:
        """Name of the broker's history."""
        return self._conversation.epoch

    @property
    def newest(self) -> int:
        """Offset of the newest message the broker has told of."""
        return self._conversation.newest

    @property
    def emptied(self) -> int:
        """How often the fan-out was read until nothing was left."""
        return self._conversation.link.emptied

    @property
    def _conversation(self) -> Conversation:
        if self._talk is None:
            raise Unavailable("the bus is not open: use `async with Bus() as bus`")
        return self._talk

    async def open(self, timeout: float | None) -> None:
        """Connect and wait for the greeting; raises `Unavailable` or `Refused`."""
        if self._talk is not None:
            raise Invalid("the bus is open already: one `async with` a Bus")
        self._talk = Conversation(
            self._url, self, name=self.name, presence=self._presence, will=self._will, key=self._key
        )
        # answered whenever the fan-out connects: what came before may have been missed
        self._talk.link.subscribe(self._routing.watch)
        try:
            await self._talk.open(timeout)
            async with asyncio.timeout(timeout):
                while self._presence and not await self._online():
                    await self.wait_up()
        except TimeoutError:
            why_not = self._talk.why_not
            await self.close()
            raise why_not or Unavailable(f"the broker at {self._url} greets, but its fan-out does not answer") from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Send what waits, end every stream, let go."""
        if self._talk is None:
            return
        streams: list[ZmqResponder | ZmqDurable | ZmqSubscription] = [*self._responders, *self._durables]
        for stream in [*streams, *self._routing.subscriptions]:
            stream.close()
        await self._talk.close()
        self._talk = None

    def publish(  # noqa: PLR0917 - as in Transport
        self,
        topic: str,
        body: bytes,
        time: int,
        retain: bool,  # noqa: FBT001
        confirm: bool,  # noqa: FBT001
        ttl: float,
        /,
    ) -> Awaitable[None] | None:
        """Hand over one message; return what is to be awaited, if anything is."""
        return self._conversation.publisher.publish(topic, body, time, retain, confirm, ttl)

    def subscribe(
        self, patterns: Sequence[str], *, retained: bool, durable: str | None
    ) -> ZmqSubscription | ZmqDurable:
        """Make a subscription."""
        if durable is not None:
            stream = ZmqDurable(self, patterns, consumer=durable)
            self._durables.add(stream)
            return stream
        return ZmqSubscription(self, patterns, retained=retained)

    async def snapshot(self, patterns: Sequence[str]) -> list[Message]:
        """Return the retained messages of `patterns`, sorted by topic."""
        found: list[Message] = []
        async for page in self.pages(protocol.SNAPSHOT, patterns):
            found += [decode(frame, replayed=True) for frame in page["frames"]]
        return found

    async def replay(self, patterns: Sequence[str], *, since: int, until: int) -> AsyncIterator[Message]:
        """Read the journal, oldest first; what is not sound is left out."""
        async for page in self.pages(protocol.REPLAY, patterns, after=0, since=since, until=until):
            for frame in page["frames"]:
                try:
                    message = decode(frame, replayed=True)
                except Invalid:
                    continue
                yield message

    async def request(self, topic: str, body: bytes, *, time: int, timeout: float) -> dict[str, Any]:
        """Ask the one responder of `topic`."""
        sent = encode_sent(topic.encode(), body, time=time)
        try:
            async with asyncio.timeout(timeout + 1):
                answer = await self.ask(
                    protocol.REQUEST,
                    timeout=timeout + 2,
                    timeout_ms=max(1, int(timeout * 1000)),
                    deadline=self._conversation.deadline(timeout),
                    message=sent,
                )
        except TimeoutError:
            raise Timeout(f"{topic}: no answer within {timeout:g} s") from None
        body_of_answer: dict[str, Any] = answer["body"]
        return body_of_answer

    def serve(self, pattern: str) -> ZmqResponder:
        """Become a responder."""
        return ZmqResponder(self, pattern)

    async def forget(self, consumer: str) -> None:
        """Delete the place a durable subscription has stored."""
        await self.ask(protocol.FORGET, timeout=10, consumer=consumer)

    def leave(self, consumer: str) -> None:
        """Let go of a durable subscription at the broker, so that others may read it."""
        if self.connected:
            self._conversation.tell(protocol.LEAVE, consumer=consumer)

    async def ask(self, verb: bytes, *, timeout: float, **fields: Any) -> dict[str, Any]:
        """Ask the broker; raises `Unavailable` or what it answers."""
        return await self._conversation.ask(verb, timeout=timeout, **fields)

    async def wait_up(self) -> None:
        """Return when the broker answers."""
        await self._conversation.wait_up()

    async def pages(self, verb: bytes, patterns: Sequence[str], **fields: Any) -> AsyncIterator[dict[str, Any]]:
        """Read the pages of a snapshot or a replay, each asked for when the one before has been used."""
        snapshot = verb == protocol.SNAPSHOT
        given = {} if snapshot else {"since": 0, "until": _LARGEST, "limit": PAGE, **fields}
        after: Any = "" if snapshot else fields["after"]
        while True:
            page = await self.ask(verb, timeout=30, patterns=list(patterns), **{**given, "after": after})
            yield page
            if page["end"]:
                return
            after = page["next"] if snapshot else int(page["next"])

    async def add(self, subscription: ZmqSubscription) -> None:
        """Subscribe a subscription's patterns at the broker; raises `Refused`."""
        if self._routing.add(subscription):
            for prefix in subscription.track.prefixes():
                self._conversation.link.subscribe(prefix)
        await self._say_patterns()

    def remove(self, subscription: ZmqSubscription) -> None:
        """Unsubscribe them."""
        if self._routing.remove(subscription) and self._talk is not None:
            for prefix in subscription.track.prefixes():
                self._talk.link.unsubscribe(prefix)

    async def marker(self) -> int:
        """Return an offset from which on everything that is subscribed now will arrive; raises `Unavailable`."""
        name, answer = self._routing.marker()
        link = self._conversation.link
        link.subscribe(name)
        try:
            async with asyncio.timeout(MARKER_S):
                return await answer
        except TimeoutError:
            raise Unavailable("the broker's fan-out does not answer") from None
        finally:
            self._routing.forget(name)
            link.unsubscribe(name)

    async def register(self, responder: ZmqResponder) -> None:
        """Tell the broker that we serve a pattern."""
        if responder not in self._responders:
            self._responders.append(responder)
        await self.ask(protocol.SERVE, timeout=10, pattern=responder.pattern)

    def unregister(self, responder: ZmqResponder) -> None:
        """Tell it that we do not any more."""
        if responder in self._responders:
            self._responders.remove(responder)
        shared = any(other.pattern == responder.pattern for other in self._responders)
        if self.connected and not shared:
            self._conversation.tell(protocol.UNSERVE, id=0, pattern=responder.pattern)

    def answer(self, ticket: int, *, ok: bool, body: dict[str, Any], text: str) -> None:
        """Send an answer to a request."""
        self._conversation.tell(protocol.ANSWER, ticket=ticket, ok=ok, body=body, text=text)

    def greeted(self) -> None:
        """The broker greeted: everything is said again, and what was missed is fetched."""
        for responder in self._responders:
            responder.disturbed()
        if self._routing.subscriptions:
            self._routing.reconnected()
            self._afterwards.do(self._say_patterns())

    def gone(self) -> None:
        """The broker is gone."""
        for responder in self._responders:
            responder.gone()
        self._routing.gone()

    def asked(self, ticket: int, timeout_s: float, frame: bytes) -> None:
        """Give a request to the responder of the most exact pattern."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            message = decode(frame)
        except Invalid as error:
            self.answer(ticket, ok=False, body={}, text=str(error))
            return
        best = most_exact(self._responders, message.topic)
        if best is None:
            self.answer(ticket, ok=False, body={}, text=f"{self.name} does not serve {message.topic} any more")
            return
        self._afterwards.do(best.take(ZmqRequest(self, message, ticket=ticket, deadline=deadline)))

    def messages(self, frames: list[bytes]) -> None:
        """Messages came through the fan-out."""
        self._routing.messages(frames)

    def checked(self, offset: int, changed: list[tuple[str, int]], *, complete: bool) -> None:
        """The broker answered a heartbeat."""
        self._routing.checked(offset, changed, complete=complete)

    def verified(self) -> tuple[int, int, int]:
        """What the heartbeat reports."""
        return self._routing.verified()

    async def _online(self) -> bool:
        """Whether the broker holds what is subscribed so far, `$up/` with it: then it has said that we are online."""
        try:
            return await self.marker() >= 0
        except Unavailable:
            return False

    async def _say_patterns(self) -> None:
        await self.ask(protocol.WATCH, timeout=10, patterns=self._routing.patterns())
