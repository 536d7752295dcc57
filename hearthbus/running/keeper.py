"""Keep one service running: connect it, run it, start it anew when it fails, replace it when its configuration changed.

Also counts what its health message tells. Knows one service; the process around it is `hearthbus.running.runner`'s.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from hearthbus.errors import HearthbusError
from hearthbus.running import faults
from hearthbus.running.backoff import Backoff
from hearthbus.running.runtime import Runtime, unless

if TYPE_CHECKING:
    from collections.abc import Callable

    from hearthbus.bus import Bus
    from hearthbus.config import Instance
    from hearthbus.service import Service

_LONGEST_ERROR = 500
"""Characters of an error's text that are told on the bus."""


class Keeper:
    """Keeps one service running: connects it, starts it anew when it fails or when its configuration is new."""

    def __init__(self, instance: Instance, url: str, connect: Callable[[str, str], Bus]) -> None:
        self.name = instance.name
        self.settled = False
        """It takes messages, or has failed once and will be tried again: systemd need not wait any more."""
        self.fault = ""
        """Why it failed, while it waits to be started again."""
        self._log = logging.getLogger(instance.name)
        self._instance = instance
        self._url = url
        self._connect = connect
        self._bus: Bus | None = None
        self._service: Service | None = None
        self._runtime: Runtime | None = None
        self._started = 0.0
        self._connected = False
        self._reconnects = -1
        self._restarts = 0
        self._ending = False
        self._failing = False
        self._trouble = ""
        self._traced: set[tuple[str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._interrupt = asyncio.Event()

    async def keep(self) -> None:
        """Run the service until `end()`, or until it says itself that it is done."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while not self._ending:
            self._interrupt = asyncio.Event()
            self._started = loop.time()
            try:
                await self._once()
            except Exception as error:  # noqa: BLE001 - a service's own code may raise anything
                fault = self._said(error)
            else:
                if self._interrupt.is_set():
                    continue
                self._log.info("done")
                return
            self._restarts += 1
            wait = backoff.failed(after=loop.time() - self._started, chance=os.urandom(1)[0] / 255)
            self._log.error("%s; starting again in %.1f s", fault, wait)
            self.fault = fault
            await unless(self._interrupt, loop.create_task(asyncio.sleep(wait)))
            self.fault = ""

    def _said(self, error: Exception) -> str:
        """Return a failure as one line; the first time it is a defect of the service, log its trace."""
        where = faults.place(error.__traceback__)
        everyday = isinstance(error, HearthbusError | OSError)  # a device or host that is away is no defect
        if not everyday and where not in self._traced:
            self._traced.add(where)
            self._log.error("failed", exc_info=error)
        return faults.line(error)

    def end(self) -> None:
        """Stop for good: drain, say goodbye."""
        self._ending = True
        self._interrupt.set()

    def take(self, instance: Instance, url: str, *, anew: bool = False) -> bool:
        """Go on with a new configuration; return whether that is another than before, or `anew` is said."""
        same = (instance.service, instance.config, url) == (self._instance.service, self._instance.config, self._url)
        if same and not anew:
            return False
        self._instance, self._url = instance, url
        self._interrupt.set()
        return True

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self._bus is not None and self._bus.connected

    def answered_since(self, moment: float) -> bool:
        """Return whether the broker has answered a heartbeat after `moment`, in loop time, or is known to be away."""
        return self._bus is None or not self._bus.connected or self._bus.answered_at > moment

    async def notice(self, lag: float) -> None:
        """Look whether the broker is there, and count its returns; tell at once what is wrong with the service.

        Args:
            lag: how late the loop was, seconds, at most, since its health was told.
        """
        connected = self.connected
        if connected and not self._connected:
            self._reconnects += 1
        self._connected = connected
        if self._service is not None and self._service.trouble != self._trouble:
            await self.publish_health(lag)

    async def publish_health(self, lag: float, *, error: Exception | None = None) -> None:
        """Publish how the service is on `service/<name>/health`; with `error`, that it failed and will start again."""
        if self._bus is None or self._service is None or self._runtime is None:
            return
        self._trouble = self._service.trouble
        try:
            body = {
                **self._service.health(),
                **({"trouble": self._service.trouble[:_LONGEST_ERROR]} if self._service.trouble else {}),
                **({} if error is None else {"failing": True, "error": faults.line(error)[:_LONGEST_ERROR]}),
                "queue": self._runtime.waiting,
                "answering": self._runtime.answering,
                "reconnects": max(0, self._reconnects),
                "restarts": self._restarts,
                "uptime_s": round(asyncio.get_running_loop().time() - self._started, 1),
                "loop_lag_s": round(lag, 3),
                "rss_bytes": _rss_bytes(),
            }
            await self._bus.publish(f"service/{self.name}/health", body, retain=True)
        except Exception:  # noqa: BLE001 - a service may add figures of its own
            self._log.exception("its health cannot be told")

    async def _once(self) -> None:
        bus = self._connect(self._url, self.name)
        if not await unless(self._interrupt, asyncio.create_task(bus.__aenter__(), name=f"{self.name} connect")):
            return
        self._bus = bus
        try:
            self._service = self._instance.kind(bus=bus, config=self._instance.config)
            self._runtime = Runtime(self._service)
            await self._runtime.run(self._interrupt, self._say_started)
        except Exception as error:
            self._failing = self.settled = True
            await self.publish_health(0.0, error=error)
            raise
        finally:
            self._service = self._runtime = self._bus = None
            await bus.__aexit__(None, None, None)

    def _say_started(self) -> None:
        self._log.info("running on %s", self._url)
        self.settled = True
        if self._failing:
            self._failing = False
            task = asyncio.get_running_loop().create_task(self.publish_health(0.0), name=f"{self.name} health")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _rss_bytes() -> int:
    """Return the memory of this process: the second figure of /proc/self/statm, in pages (man 5 proc)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read twice a minute for ever
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
