"""What calls a service: one subscription for all its `@on`, a timer for each `@every`, a responder for each `@serve`.

Owns the tasks of one service from `on_start` to `on_stop`, and what a failing handler does: it is logged and counted,
and the service goes on. Knows no processes, signals or configuration files: `runner` does; the tests' bench
runs services with the same class.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from hearthbus.errors import HandlerError, HearthbusError
from hearthbus.running import faults
from hearthbus.service import On, Serve, bind
from hearthbus.topics import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hearthbus.message import Message
    from hearthbus.service import Binding, Service
    from hearthbus.transport import Request, Responder, Subscription

GRACE = 2.0
"""Seconds a handler that is at work when the service is stopped may go on."""
FAREWELL = 1.0
"""Seconds `on_stop` may take."""
_KNOWN_TOPICS = 1024


class Runtime:
    """One service at work on its open bus.

    Args:
        service: a new service; a stopped one is not run again.

    Raises:
        Invalid: the config makes a pattern that is none.
    """

    def __init__(self, service: Service) -> None:
        self.handling: set[asyncio.Task[Any]] = set()
        """The tasks inside a handler now."""
        self._service = service
        self._subscription: Subscription | None = None
        self._bindings = bind(type(service), service.config, service.name)
        self._turn = asyncio.Lock()
        self._answers: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._seen: set[tuple[str, int]] = set()
        self._handlers = [
            (matcher(pattern), binding)
            for binding in self._bindings
            if isinstance(binding.mark, On)
            for pattern in binding.patterns
        ]
        self._routes: dict[str, tuple[tuple[Binding, float | None], ...]] = {}

    @property
    def waiting(self) -> int:
        """Messages that wait for a handler, or in a stream of the service's own."""
        return self._service.unread + (0 if self._subscription is None else self._subscription.unread)

    @property
    def answering(self) -> int:
        """Requests that are being answered."""
        return len(self._answers)

    async def run(self, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Run the service until `stop` is set or its `main()` returns; call `started` when it takes messages.

        Raises:
            Exception: what `on_start`, `main` or the bus raised.
        """
        starting = _named(self._service.on_start(), "on_start")
        if not await unless(stop, starting):
            return
        try:
            async with AsyncExitStack() as stack:
                tasks = await self._begin(stack)
                started()
                await self._watch(stop, tasks)
        finally:
            await self._farewell()

    async def _begin(self, stack: AsyncExitStack) -> set[asyncio.Task[None]]:
        """Enter the subscription and the responders, then start every task."""
        work: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        for binding in self._bindings:
            if isinstance(binding.mark, Serve):
                for pattern in binding.patterns:
                    responder = await stack.enter_async_context(self._service.bus.serve(pattern))
                    work.append((f"serve {pattern}", partial(self._serve, responder, binding)))
            elif not isinstance(binding.mark, On):
                work.append((f"every {binding.seconds} s {binding.method}", partial(self._every, binding)))
        patterns = tuple(dict.fromkeys(pattern for binding in self._bindings for pattern in _on_patterns(binding)))
        if patterns:
            subscription = await stack.enter_async_context(self._service.bus.subscribe(*patterns))
            self._subscription = subscription
            work.append(("dispatch", partial(self._dispatch, subscription)))
        work.append(("main", self._service.main))
        return {_named(begin(), name) for name, begin in work}

    async def _watch(self, stop: asyncio.Event, tasks: set[asyncio.Task[None]]) -> None:
        stopper = _named(stop.wait(), "stop")
        try:
            done, _ = await asyncio.wait({stopper, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stopper.cancel()
            await self._drain(tasks)

    async def _drain(self, tasks: set[asyncio.Task[None]]) -> None:
        """Take no more work, let handlers finish what they do, then cut off."""
        self._stopping = True
        for task in tasks - self.handling:
            task.cancel()
        tasks |= self._answers
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for task in late:
                self._service.log.warning("%s did not finish within %s s: cut off", task.get_name(), GRACE)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _farewell(self) -> None:
        try:
            async with asyncio.timeout(FAREWELL):
                await self._service.on_stop()
        except Exception as error:  # noqa: BLE001 - a service's own code may raise anything
            self._report("on_stop", "the stop", error)

    async def _dispatch(self, subscription: Subscription) -> None:
        async for message in subscription:
            self._service.counts.lost += message.lost
            for binding, max_age in self._routes.get(message.topic) or self._route(message.topic):
                if max_age is not None and self._service.now() - message.time / 1e9 > max_age:
                    self._service.counts.skipped += 1
                else:
                    await self._handle(binding.method, message.topic, message)
            if self._stopping:
                return

    def _route(self, topic: str) -> tuple[tuple[Binding, float | None], ...]:
        """Return the handlers of `topic`, each once, in the order of the class body."""
        if len(self._routes) >= _KNOWN_TOPICS:
            self._routes.clear()
        found: dict[str, tuple[Binding, float | None]] = {}
        for covers, binding in self._handlers:
            if isinstance(binding.mark, On) and covers(topic):
                found.setdefault(binding.method, (binding, binding.mark.max_age))
        route = tuple(found.values())
        self._routes[topic] = route
        return route

    async def _every(self, binding: Binding) -> None:
        clock = self._service.clock
        due = clock.monotonic()
        while not self._stopping:
            await self._handle(binding.method, f"its turn, every {binding.seconds} s")
            late = clock.monotonic() - due
            due += (late // binding.seconds + 1) * binding.seconds
            await clock.sleep(due - clock.monotonic())

    async def _handle(self, method: str, occasion: str, *arguments: Message) -> None:
        async with self._turn:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in a task
            self.handling.add(task)
            try:
                await getattr(self._service, method)(*arguments)
                self._service.counts.handled += 1
            except Exception as error:  # noqa: BLE001 - as above
                self._report(method, occasion, error)
            finally:
                self.handling.discard(task)

    async def _serve(self, responder: Responder, binding: Binding) -> None:
        async for request in responder:
            task = _named(self._answer(request, binding.method), f"{binding.method} {request.message.topic}")
            self._answers.add(task)
            self.handling.add(task)
            task.add_done_callback(self._answers.discard)
            task.add_done_callback(self.handling.discard)

    async def _answer(self, request: Request, method: str) -> None:
        topic = request.message.topic
        try:
            answer = await getattr(self._service, method)(request.message)
            await request.reply(_mapping(method, answer))
            self._service.counts.handled += 1
        except (HearthbusError, KeyError, ValueError) as error:
            await self._fail(request, method, error, faults.text(error))
        except Exception as error:  # noqa: BLE001 - as above
            self._report(method, topic, error)
            await self._fail(request, method, None, type(error).__name__)

    async def _fail(self, request: Request, method: str, error: Exception | None, text: str) -> None:
        """Tell the caller; what was the caller's fault is a line in our log, no more."""
        if error is not None:
            self._service.counts.errors += 1
            self._service.log.info("%s: %s answered %s: %s", request.message.topic, method, type(error).__name__, text)
        try:
            await request.fail(text)
        except HearthbusError as gone:
            self._service.log.warning("%s: the answer did not get away: %s", request.message.topic, gone)

    def _report(self, method: str, occasion: str, error: Exception) -> None:
        """Log a failed handler: its trace the first time it fails at a place, a line from then on."""
        self._service.counts.errors += 1
        file, line = faults.place(error.__traceback__)
        new = (file, line) not in self._seen and not isinstance(error, HearthbusError)
        self._seen.add((file, line))
        self._service.log.error(
            "%s failed on %s (%s:%d): %s: %s",
            method, occasion, file, line, type(error).__name__, faults.text(error),
            exc_info=error if new else None,
        )  # fmt: skip


def _on_patterns(binding: Binding) -> tuple[str, ...]:
    return binding.patterns if isinstance(binding.mark, On) else ()


def _mapping(method: str, answer: object) -> dict[str, Any]:
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise HandlerError(f"{method} returned {type(answer).__name__}; a @serve method returns a mapping or None")
    return dict(answer)


def _named(coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(coroutine, name=name)


async def unless(stop: asyncio.Event, task: asyncio.Task[Any]) -> bool:
    """Wait for `task`, raising what it raises; if `stop` is set before, cancel it and return False."""
    stopper = _named(stop.wait(), "stop")
    try:
        await asyncio.wait({task, stopper}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopper.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return True
