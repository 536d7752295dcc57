"""What a subscription and a responder have in common: set up at the broker, waited at by a reader, ended.

Set up again after every disturbance, as often as the broker goes away meanwhile; what there is to set up, and what
the reader gets, is each one's own. Knows no sockets and no frames.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, Self

from hearthbus.errors import HearthbusError, Unavailable

if TYPE_CHECKING:
    from types import TracebackType


class Home(Protocol):
    """What a stream needs of its transport."""

    name: str

    async def wait_up(self) -> None:
        """Return when the broker answers; raises `Refused` when the bus was closed."""


class Stream:
    """Begins when it is entered or first read, whichever is sooner."""

    def __init__(self, home: Home, purpose: str) -> None:
        self._title = f"{home.name}: {purpose}"
        self._wait_up = home.wait_up
        self._started = self._closed = False
        self._error: HearthbusError | None = None
        self._again = False
        self._entered = asyncio.Event()
        self._waiter: asyncio.Future[None] | None = None
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

    def disturbed(self) -> None:
        """What was set up may not hold any more: do it again."""
        if not self._started or self._closed:
            return
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_set_up(), name=self._title)

    def close(self) -> None:
        """End the stream."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        self._entered.set()  # who is entering it meanwhile finds that it has ended
        if self._started:
            self._leave()
        self._wake()

    async def _set_up(self) -> None:
        """Say at the broker what this stream is for; raises `Unavailable` to be called again, others to end it."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Take it back."""
        raise NotImplementedError

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.disturbed()

    async def _wait(self) -> None:
        """Wait until there may be something for the reader; raises what ended the stream."""
        if self._error is not None:
            raise self._error
        if self._closed:
            raise StopAsyncIteration
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
            self._waiter = None

    async def _keep_set_up(self) -> None:
        try:
            while self._again:
                await self._wait_up()
                self._again = False  # not before: the greeting that ends the wait disturbs, too
                try:
                    await self._set_up()
                except Unavailable:
                    self._again = True
        except HearthbusError as error:
            self._error = error
        self._entered.set()
        self._wake()
