"""What a client of the bus in memory holds: subscriptions, responders, requests.

They register with their `MemoryHub` when entered and leave it when left. Know no broker's rules: `memory` does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from hearthbus.errors import HandlerError, Refused
from hearthbus.message import Message, decode, decode_body, encode_body
from hearthbus.topics import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from hearthbus.testing.memory import MemoryHub

_Item = TypeVar("_Item")


class MemoryRequest:
    """One request given to its responder."""

    def __init__(self, hub: MemoryHub, message: Message, *, deadline: float) -> None:
        self.message = message
        self.deadline = deadline
        self.answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._hub = hub

    async def reply(self, body: dict[str, Any]) -> None:
        """Answer."""
        answer = decode_body(encode_body(body))
        self._hub.moves += 1
        if not self.answer.done():
            self.answer.set_result(answer)

    async def fail(self, text: str) -> None:
        """Answer with an error."""
        self._hub.moves += 1
        if not self.answer.done():
            self.answer.set_exception(HandlerError(text))


class _Queue(Generic[_Item]):
    """An unbounded queue for one reader that can be ended."""

    def __init__(self) -> None:
        self._items: deque[_Item] = deque()
        self._ended = False
        self._news = asyncio.Event()

    def put(self, item: _Item) -> None:
        self._items.append(item)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def get(self) -> _Item:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()


class _Stream(_Queue[_Item]):
    """A queue that begins when it is entered or first read, and ends when it is left."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False

    def begin(self) -> None:
        """Register with the hub."""
        raise NotImplementedError

    def leave(self) -> None:
        """Take the registration back."""
        raise NotImplementedError

    def close(self) -> None:
        if self._begun:
            self.leave()
        self._begun = True
        self.end()

    async def __aenter__(self) -> Self:
        if not self._begun:
            self._begun = True
            self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Item:
        await self.__aenter__()
        return await self.get()


class MemorySubscription(_Stream[Message]):
    """Messages of some patterns: retained state or a durable consumer's backlog, then what comes."""

    lost = 0
    malformed = 0
    epoch = 1

    def __init__(self, hub: MemoryHub, patterns: Sequence[str], *, retained: bool, durable: str | None) -> None:
        super().__init__()
        self.durable = durable
        self.covers = any_of(patterns)
        self._hub = hub
        self._patterns = patterns
        self._retained = retained and durable is None

    @property
    def unread(self) -> int:
        """Messages that wait for the reader."""
        return len(self._items)

    def begin(self) -> None:
        """Take the first messages and listen from here on."""
        hub = self._hub
        if self.durable is not None:
            if any(stream.durable == self.durable for stream in hub.streams):
                raise Refused(f"the durable subscription {self.durable!r} is in use")
            place = hub.consumers.setdefault(self.durable, len(hub.journal))
            for message in hub.journal[place:]:
                if self.covers(message.topic):
                    self.put(decode(message.frame, replayed=True))
        if self._retained:
            for message in hub.retained(self._patterns):
                self.put(message)
        hub.streams.append(self)

    def leave(self) -> None:
        """Listen no more."""
        if self in self._hub.streams:
            self._hub.streams.remove(self)

    async def ack(self, message: Message) -> None:
        """Store the consumer's place."""
        if self.durable is not None:
            self._hub.consumers[self.durable] = max(self._hub.consumers[self.durable], message.offset)


class MemoryResponder(_Stream[MemoryRequest]):
    """Requests of one pattern."""

    def __init__(self, hub: MemoryHub, pattern: str) -> None:
        super().__init__()
        self.covers = matcher(pattern)
        self._hub = hub

    def begin(self) -> None:
        """Become a responder."""
        self._hub.responders.append(self)

    def leave(self) -> None:
        """Be one no more."""
        if self in self._hub.responders:
            self._hub.responders.remove(self)


def any_of(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a predicate: one of `patterns` covers the topic."""
    each = [matcher(pattern) for pattern in patterns]
    return lambda topic: any(covers(topic) for covers in each)
