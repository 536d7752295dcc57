"""Test a service without a broker: a pytest fixture `bench`, with a bus in memory and a clock in the test's hand.

    async def test_cold_room_is_heated(bench):
        await bench.run(Thermostat, place="hall", target=21)
        await bench.publish("sensor/hall/temperature", value=18.0)

        assert {"on": True} == await bench.next("switch/hall-heater/set")

Installed with hearthbus as a pytest plugin; the tests are coroutines, so pytest-asyncio (or anyio) has to run them.
The very same service class runs in production; only the transport and the clock below it differ.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from hearthbus.bus import Bus
from hearthbus.config.schema import build
from hearthbus.running.runtime import Runtime
from hearthbus.testing.manual_clock import ManualClock
from hearthbus.testing.memory import MemoryHub, MemoryTransport
from hearthbus.topics import check_pattern, matcher

try:
    from pytest_asyncio import fixture
except ImportError:  # anyio's plugin runs plain async fixtures
    fixture = pytest.fixture  # type: ignore[assignment]  # called with a name only, which both take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    from hearthbus.message import Message
    from hearthbus.service import Service

__all__ = ["Bench", "ManualClock", "MemoryHub", "MemoryTransport"]

_Kind = TypeVar("_Kind", bound="Service")
_QUIET_ROUNDS = 10
"""Turns of the event loop without any event after which the bus in memory is at rest."""
_ELSEWHERE = 2.0
"""Real seconds a handler may spend in a thread or on a socket before the bench goes on without it."""


class Bench:
    """Services, a bus in memory and a clock, for one test.

    The clock begins at 2026-01-01 12:00 UTC and moves only by `advance` and `jump`.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.hub = MemoryHub(self.clock)
        self.bus = Bus(name="bench", transport=MemoryTransport(self.hub, name="bench"))
        self._stop = asyncio.Event()
        self._services: set[asyncio.Task[None]] = set()
        self._responders: set[asyncio.Task[None]] = set()
        self._runtimes: list[Runtime] = []
        self._names: set[str] = set()
        self._taken: set[int] = set()

    async def __aenter__(self) -> Self:
        await self.bus.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            await self.bus.__aexit__(kind, error, trace)
            await asyncio.gather(*self._responders)

    async def run(self, kind: type[_Kind], name: str | None = None, /, **config: Any) -> _Kind:
        """Start a service and return it when it takes messages and its first timers have run.

        Args:
            kind: the service's class.
            name: the name of the instance; default the class's, in lower case.
            config: the fields of its `Config`, checked as those of a configuration file are.

        Raises:
            Invalid: the config breaks a rule.
            Exception: what `on_start` raised.
        """
        name = name or kind.__name__.lower()
        bus = Bus(name=name, transport=MemoryTransport(self.hub, name=name))
        service = kind(bus=bus, config=build(kind.Config, config, within=kind), clock=self.clock)
        self._names.add(name)
        runtime = Runtime(service)
        self._runtimes.append(runtime)
        started = asyncio.Event()
        task = asyncio.create_task(self._host(bus, runtime, started.set), name=name)
        self._services.add(task)
        starting = asyncio.create_task(started.wait())
        await asyncio.wait({task, starting}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if task.done():
            self._services.discard(task)
            task.result()
        await self.settle()
        return service

    async def publish(
        self, topic: str, body: Mapping[str, Any] | None = None, /, *, retain: bool = False, **fields: Any
    ) -> None:
        """Publish a message and let the services handle it."""
        await self.bus.publish(topic, body, retain=retain, **fields)
        await self.settle()

    async def request(
        self, topic: str, body: Mapping[str, Any] | None = None, /, *, timeout: float = 5.0, **fields: Any
    ) -> dict[str, Any]:
        """Ask a service, and return or raise what a client would get."""
        answer = await self.bus.request(topic, body, timeout=timeout, **fields)
        await self.settle()
        return answer

    async def serve(self, pattern: str, answer: Mapping[str, Any] | Callable[[Message], Mapping[str, Any]]) -> None:
        """Be the responder of `pattern` from now on: for what the service under test asks of others.

        Args:
            pattern: which requests.
            answer: the answer, or what makes it of the request; what that raises is the service's `HandlerError`.
        """
        responder = await self.bus.serve(pattern).__aenter__()

        async def answering() -> None:
            async for request in responder:
                try:
                    await request.reply(dict(answer(request.message) if callable(answer) else answer))
                except Exception as error:  # noqa: BLE001 - the test's own function may raise anything
                    await request.fail(str(error))

        self._responders.add(asyncio.create_task(answering(), name=f"serve {pattern}"))

    async def next(self, pattern: str, *, timeout: float = 1.0) -> dict[str, Any]:
        """Return the body of the services' next message on `pattern`, be it published or a request.

        Each message is returned once, in the order of publishing.

        Args:
            pattern: topics, with `+` and `#`.
            timeout: real seconds to wait for it.

        Raises:
            AssertionError: there was none in time; the text says what there was.
        """
        return (await self.next_message(pattern, timeout=timeout)).body

    async def next_message(self, pattern: str, *, timeout: float = 1.0) -> Message:
        """Return the services' next message on `pattern` whole: `next` with topic, time and flags."""
        check_pattern(pattern)
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            await self.settle()
            for message in self._waiting(pattern):
                self._taken.add(message.offset)
                return message
            if asyncio.get_running_loop().time() >= deadline:
                raise AssertionError(f"no message on {pattern} within {timeout} s; {self._story()}")
            await asyncio.sleep(0.005)

    async def nothing(self, pattern: str) -> None:
        """Check that the services have published nothing on `pattern` that `next` has not returned.

        Raises:
            AssertionError: they have; the text says what.
        """
        await self.settle()
        found = self._waiting(check_pattern(pattern))
        if found:
            raise AssertionError(f"expected nothing on {pattern}: {_lines(found)}")

    async def advance(self, seconds: float) -> None:
        """Let time pass: timers and sleeps of the services fall due one after the other, in their order."""
        limit = self.clock.monotonic() + seconds
        await self.settle()
        while self.clock.advance_to_next(limit):
            await self.settle()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forwards or back, as a late time server does; no time passes."""
        self.clock.jump(seconds)

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Take the broker away for a block: requests fail, what is published waits."""
        self.hub.stop()
        try:
            yield
        finally:
            self.hub.start()
            await self.settle()

    async def settle(self) -> None:
        """Wait until the services have handled what there is."""
        deadline = asyncio.get_running_loop().time() + _ELSEWHERE
        while True:
            quiet = 0
            while quiet < _QUIET_ROUNDS:
                before = self.hub.moves
                await asyncio.sleep(0)
                quiet = quiet + 1 if self.hub.moves == before else 0
            parked = self.clock.asleep | self.hub.waiting
            elsewhere = {task for runtime in self._runtimes for task in runtime.handling} - parked
            if not elsewhere or asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Stop every service, as the end of the test does.

        Raises:
            Exception: what a `main()` raised.
        """
        self._stop.set()
        await self.settle()
        self.clock.stop()
        services, self._services = self._services, set()
        await asyncio.gather(*services)

    async def _host(self, bus: Bus, runtime: Runtime, started: Callable[[], None]) -> None:
        async with bus:
            await runtime.run(self._stop, started)

    def _waiting(self, pattern: str) -> list[Message]:
        covers = matcher(pattern)
        return [
            message
            for message in self.hub.journal
            if message.origin in self._names and message.offset not in self._taken and covers(message.topic)
        ]

    def _story(self) -> str:
        mine = [message for message in self.hub.journal if message.origin in self._names]
        return f"the services published: {_lines(mine)}" if mine else "the services published nothing at all"


@fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    """Give a test its bench, and stop its services at the end."""
    async with Bench() as bench:
        yield bench


def _lines(messages: list[Message]) -> str:
    return ", ".join(f"{message.topic} {message.body}" for message in messages[-20:])
