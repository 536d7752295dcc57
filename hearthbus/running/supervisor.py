"""What `hearthbus up` does: the broker and one process for each service, kept running until Ctrl-C.

Starts, restarts with growing waits, prefixes what they log, and ends them in order: services first, then the broker.
Knows processes and exit codes; nothing of what runs in them.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from hearthbus.running.child import Child
from hearthbus.running.probe import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BROKER_PATIENCE = 30.0
"""Seconds a broker may take to answer; it may have a long journal to check."""
IN_USE = 69
"""Exit code where another program has the broker's address: EX_UNAVAILABLE of sysexits.h."""
_LOOK = 0.05
_LOOK_AGAIN = 0.5
_WONDER = 1.5
"""Seconds after which a person wonders what the house is waiting for."""


class Supervisor:
    """A broker and services as processes.

    Args:
        url: where the broker will answer.
        broker: the broker's command line; None where the broker at `url` is another's.
        url_from: the setting that gave `url`.
        services: each service's command line, by name.
        say: prints one line.
        paint: colours a prefix, given its number and text.
        greeting: what to say when the broker answers, a line each.
    """

    def __init__(
        self,
        *,
        url: str,
        broker: Sequence[str] | None,
        services: dict[str, Sequence[str]],
        say: Callable[[str], None],
        paint: Callable[[int, str], str],
        greeting: Sequence[str],
        url_from: str = "",
    ) -> None:
        self._url = url
        self._url_from = url_from
        self._say = say
        self._greeting = greeting
        width = max(map(len, ("broker", *services)))

        def child(number: int, name: str, command: Sequence[str]) -> Child:
            prefix = paint(number, f"{name:<{width}} |")
            return Child(name, command, say=lambda line: say(f"{prefix} {line}"))

        self._broker = None if broker is None else child(0, "broker", broker)
        self._services = [child(number, *service) for number, service in enumerate(services.items(), 1)]
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Run until SIGTERM, SIGINT or SIGHUP; return the exit code: 0, or the broker's where it does not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupted)
        if self._broker is None:
            waiting = loop.create_task(self._greet_late(), name="greeting") if not answers(self._url) else None
            await self._serve(greet=waiting is None)
            if waiting is not None:
                waiting.cancel()
            return 0
        if answers(self._url):
            self._say(f"{self._url} is in use: another broker runs there; stop it, or join it with `hearthbus run`")
            return IN_USE
        keeping = loop.create_task(self._broker.keep(), name="broker")
        try:
            code = await self._started(self._broker)
            if code is None:
                await self._serve()
        finally:
            await self._broker.end()
            await keeping
        return code or 0

    def stop(self) -> None:
        """End `run`, as SIGTERM does."""
        self._stop.set()

    def _interrupted(self) -> None:
        """Stop; at the second signal at once."""
        if self._stop.is_set():
            for child in (*self._services, self._broker):
                if child is not None:
                    child.kill()
        self._stop.set()

    async def _greet_late(self) -> None:
        """Greet when another's broker answers; the services wait for it themselves."""
        setting = f", set by {self._url_from}" if self._url_from else ""
        self._say(f"waiting for the broker at {self._url}{setting}; nothing answers there yet")
        while not await asyncio.to_thread(answers, self._url):  # noqa: ASYNC110 - nobody tells when a port opens
            await asyncio.sleep(_LOOK_AGAIN)
        self._greet()

    def _greet(self) -> None:
        for line in self._greeting:
            self._say(line)

    async def _serve(self, *, greet: bool = True) -> None:
        """Greet, and keep the services running until stopped."""
        loop = asyncio.get_running_loop()
        if greet:
            self._greet()
        keeping = [loop.create_task(child.keep(), name=child.name) for child in self._services]
        try:
            await self._stop.wait()
            self._say("stopping")
        finally:
            waiting = loop.create_task(self._tell_who_stays(), name="who stays")
            await asyncio.gather(*(child.end() for child in self._services))
            waiting.cancel()
            await asyncio.gather(*keeping)

    async def _tell_who_stays(self) -> None:
        """Say for whom the house waits, where ending takes long enough to wonder."""
        await asyncio.sleep(_WONDER)
        self._say(f"still waiting for {', '.join(child.name for child in self._services if child.running)}")

    async def _started(self, broker: Child) -> int | None:
        """Wait until the broker answers; return the exit code where it, or the wait, ended before."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BROKER_PATIENCE
        while not self._stop.is_set() and loop.time() < deadline:
            if broker.exit_code is not None:
                self._say(f"the broker did not start: exit code {broker.exit_code}; its last line says why")
                return broker.exit_code or 1
            if broker.running and answers(self._url):
                return None
            await asyncio.sleep(_LOOK)
        return 0 if self._stop.is_set() else None
