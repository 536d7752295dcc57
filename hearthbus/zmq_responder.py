"""Answering requests on the ZeroMQ transport: one responder of one pattern, and the requests it is given."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, Self

from hearthbus.errors import HearthbusError, Unavailable
from hearthbus.message import encode_body

if TYPE_CHECKING:
    from types import TracebackType

    from hearthbus.message import Message

log = logging.getLogger("hearthbus")
QUEUE = 1_000
"""Requests that may wait for a busy handler; more are answered with an error at once."""


class Home(Protocol):
    """What a responder needs of its transport."""

    name: str

    async def register(self, responder: ZmqResponder) -> None:
        """Tell the broker that we serve its pattern; raises `Refused`, `Unavailable`."""

    def unregister(self, responder: ZmqResponder) -> None:
        """Tell it that we do not any more."""

    async def wait_up(self) -> None:
        """Return when the broker answers."""

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


class ZmqResponder:
    """A stream of requests. What nobody waits for any more is never given to its reader."""

    def __init__(self, home: Home, pattern: str) -> None:
        self.pattern = pattern
        self._home = home
        self._requests: deque[ZmqRequest] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._started = self._closed = False
        self._error: HearthbusError | None = None
        self._entered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._start()
        try:
            await self._entered.wait()
        except BaseException:
            self.close()
            raise
        if self._error is not None:
            self.close()
            raise self._error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ZmqRequest:
        self._start()
        loop = asyncio.get_running_loop()
        while True:
            while self._requests:
                request = self._requests.popleft()
                if request.deadline > loop.time():
                    return request
                log.warning("%s: a request was too old when its turn came; not carried out", request.message.topic)
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._waiter = loop.create_future()
            await self._waiter

    async def take(self, request: ZmqRequest) -> None:
        """Queue a request for the reader."""
        if len(self._requests) >= QUEUE:
            await request.fail("busy: too many requests wait")
            return
        self._requests.append(request)
        self._wake()

    def on_greeted(self) -> None:
        """The broker greeted: say again what we serve."""
        if self._started and not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._register(), name=f"{self._home.name}: serve {self.pattern}")

    def on_gone(self) -> None:
        """The broker is gone, and with it everybody who waits for an answer."""
        self._requests.clear()

    def close(self) -> None:
        """End the stream."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        if self._started:
            for request in self._requests:
                request.refuse(f"{self._home.name} does not serve {self.pattern} any more")
            self._requests.clear()
            self._home.unregister(self)
        self._wake()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.on_greeted()

    async def _register(self) -> None:
        try:
            while not self._closed:
                await self._home.wait_up()
                try:
                    await self._home.register(self)
                    break
                except Unavailable:
                    continue
        except HearthbusError as error:
            self._error = error
        self._entered.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
            self._waiter = None
