"""What `hearthbus run` does: keep services running in one process, from READY to the last drained handler.

Each service has its own connection and is started anew, alone, when it fails or when a reload has changed its
configuration. Knows signals and systemd; what happens inside a service is `runtime`'s, what it may be told
`hearthbus.config`'s.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from typing import TYPE_CHECKING

from hearthbus.bus import Bus
from hearthbus.config import load
from hearthbus.errors import Invalid
from hearthbus.running.keeper import Keeper
from hearthbus.running.notify import notify, watchdog_seconds
from hearthbus.running.runtime import unless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hearthbus.config import House

HEALTH_PERIOD = 30.0
"""Seconds between two messages on `service/<name>/health`."""
PATIENCE = 1.0
"""Seconds after which a broker that does not answer is worth a line."""
SHUTDOWN = 4.5
"""Seconds from SIGTERM to the end, whatever a service does."""
_TICK = 1.0
_SOON = 0.1
"""Seconds between two looks whether the broker is there, in the first moments: systemd waits."""

log = logging.getLogger("hearthbus")


class Runner:
    """Services of one house in this process.

    Args:
        house: the checked configuration.
        names: which of its services.
        connect: makes the connection of a service, given the broker's address and the service's name.
    """

    def __init__(self, house: House, names: Sequence[str], *, connect: Callable[[str, str], Bus] | None = None) -> None:
        self._house = house
        self._keepers = [Keeper(house.services[name], house.url, connect or self._connect) for name in names]
        self._stop = asyncio.Event()
        self._told = False
        self._ready = False
        self._lag = 0.0
        self._next_health = 0.0
        self._fed = 0.0
        self._status = ""

    async def run(self) -> None:
        """Run until SIGTERM, SIGINT, or until every service is done."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        watch = loop.create_task(self._watch(), name="watch")
        keeping = {loop.create_task(keeper.keep(), name=keeper.name) for keeper in self._keepers}
        try:
            await unless(self._stop, loop.create_task(asyncio.wait(keeping), name="work"))
        finally:
            notify("STOPPING=1", "STATUS=stopping")
            for keeper in self._keepers:
                keeper.end()
            _, late = await asyncio.wait(keeping, timeout=SHUTDOWN)
            for task in late:
                log.warning("%s did not stop within %s s: cut off", task.get_name(), SHUTDOWN)
                task.cancel()
            watch.cancel()

    def stop(self) -> None:
        """End `run`, as SIGTERM does."""
        self._stop.set()

    def reload(self) -> None:
        """Read the configuration again and restart the services whose part of it changed; a bad one is not taken."""
        notify("RELOADING=1", f"MONOTONIC_USEC={_monotonic_us()}")
        try:
            house = load(self._house.path, only=[keeper.name for keeper in self._keepers])
        except Invalid as error:
            log.warning("reload: %s; the old one stays", error)
            for problem in error.problems:
                log.warning("%s", problem)
        else:
            other_key = house.key != self._house.key
            self._house = house
            changed = [
                keeper
                for keeper in self._keepers
                if keeper.take(house.services[keeper.name], house.url, anew=other_key)
            ]
            log.info("reload: %s", ", ".join(keeper.name for keeper in changed) or "nothing has changed")
        if self._ready:
            notify("READY=1")

    def _say_status(self) -> None:
        """Tell `systemctl status` whether the broker is there, or what failed and why, when that has changed."""
        if not self._ready:
            return
        away = not all(keeper.connected for keeper in self._keepers)
        names = ", ".join(keeper.name for keeper in self._keepers)
        status = f"{names}: the broker at {self._house.url} is away" if away else f"running {names}"
        if faults := [f"{keeper.name} failed: {keeper.fault}" for keeper in self._keepers if keeper.fault]:
            status = f"{'; '.join(faults)}; it is tried again"
        if status != self._status:
            self._status = status
            notify(f"STATUS={status}")

    def _connect(self, url: str, name: str) -> Bus:
        return Bus(url, key=self._house.key, name=name, presence=True, connect_timeout=None)

    async def _watch(self) -> None:
        """Look after the process once a second: readiness, watchdog, loop lag, health."""
        loop = asyncio.get_running_loop()
        watchdog = watchdog_seconds()
        tick = min(_TICK, watchdog / 3) if watchdog else _TICK
        start = due = loop.time()
        self._next_health = due + tick
        while True:
            hurried = not self._ready and due - start < PATIENCE
            due = max(due + (min(_SOON, tick) if hurried else tick), loop.time())
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            self._lag = max(self._lag, now - due)
            await self._say_ready(now - start)
            for keeper in self._keepers:
                await keeper.notice(self._lag)
            self._say_status()
            if watchdog and all(keeper.answered_since(self._fed) for keeper in self._keepers):
                self._fed = now  # a loop that turns is not enough: its connection may be dead, and look alive
                notify("WATCHDOG=1")
            if now >= self._next_health:
                self._next_health = now + HEALTH_PERIOD
                for keeper in self._keepers:
                    await keeper.publish_health(self._lag)
                self._lag = 0.0

    async def _say_ready(self, waited: float) -> None:
        """Tell systemd when messages are taken; until then, and after a moment the log, that the broker is away."""
        if self._ready:
            return
        if all(keeper.settled for keeper in self._keepers):
            self._ready = True
            self._status = f"running {', '.join(keeper.name for keeper in self._keepers)}"
            notify("READY=1", f"STATUS={self._status}")
            return
        away = not all(keeper.connected for keeper in self._keepers)
        status = f"waiting for the broker at {self._house.url}" if away else "starting"
        notify("EXTEND_TIMEOUT_USEC=30000000", f"STATUS={status}")
        if away and waited >= PATIENCE and not self._told:
            self._told = True
            from hearthbus.running.probe import answers

            if not await asyncio.to_thread(answers, self._house.url):  # one that is there says itself what is wrong
                log.warning("waiting for the broker at %s", self._house.url)


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000
