"""Answering requests on the ZeroMQ transport: one responder of one pattern, and the requests it is given."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from hearthbus.client import stream
from hearthbus.message import encode_body
from hearthbus.topics import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hearthbus.message import Message

log = logging.getLogger("hearthbus")
QUEUE = 1_000
"""Requests that may wait for a busy handler; more are answered with an error at once."""


class Home(stream.Home, Protocol):
    """What a responder needs of its transport."""

    async def register(self, responder: ZmqResponder) -> None:
        """Tell the broker that we serve its pattern; raises `Refused`, `Unavailable`."""

    def unregister(self, responder: ZmqResponder) -> None:
        """Tell it that we do not any more."""

    def answer(self, ticket: int, *, ok: bool, body: dict[str, Any], text: str) -> None:
        """Send an answer."""


class ZmqRequest:
    """A request, to be answered once and in time."""

    def __init__(self, home: Home, message: Message, *, ticket: int, deadline: float) -> None:
        self.message = message
        self.deadline = deadline
        """Event loop time after which nobody waits for the answer."""
        self._home = home
        self._ticket = ticket

    async def reply(self, body: dict[str, Any]) -> None:
        """Answer with `body`; raises `Invalid` where it cannot be sent."""
        encode_body(body)
        self._home.answer(self._ticket, ok=True, body=body, text="")

    async def fail(self, text: str) -> None:
        """Answer with an error."""
        self.refuse(text)

    def refuse(self, text: str) -> None:
        """Answer with an error, from where nothing can be awaited."""
        self._home.answer(self._ticket, ok=False, body={}, text=text)


class ZmqResponder(stream.Stream):
    """A stream of requests. What nobody waits for any more is never given to its reader."""

    def __init__(self, home: Home, pattern: str) -> None:
        super().__init__(home, f"serve {pattern}")
        self.pattern = pattern
        self._home = home
        self._requests: deque[ZmqRequest] = deque()

    async def __anext__(self) -> ZmqRequest:
        self._start()
        now = asyncio.get_running_loop().time
        while True:
            while self._requests:
                request = self._requests.popleft()
                if request.deadline > now():
                    return request
                log.warning("%s: a request was too old when its turn came; not carried out", request.message.topic)
            await self._wait()

    async def take(self, request: ZmqRequest) -> None:
        """Queue a request for the reader."""
        if len(self._requests) >= QUEUE:
            await request.fail("busy: too many requests wait")
            return
        self._requests.append(request)
        self._wake()

    def gone(self) -> None:
        """The broker is gone, and with it everybody who waits for an answer."""
        self._requests.clear()

    async def _set_up(self) -> None:
        await self._home.register(self)

    def _leave(self) -> None:
        for request in self._requests:
            request.refuse(f"{self._home.name} does not serve {self.pattern} any more")
        self._requests.clear()
        self._home.unregister(self)


def most_exact(responders: Iterable[ZmqResponder], topic: str) -> ZmqResponder | None:
    """The responder whose request this is: without `#` before with, then with the fewest `+`, then the longest."""
    fitting = [part for part in responders if matcher(part.pattern)(topic)]
    return min(
        fitting,
        key=lambda part: ("#" in part.pattern, part.pattern.count("+"), -len(part.pattern)),
        default=None,
    )
