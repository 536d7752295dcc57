"""One sink's lane: its subscription, its batches, its dead letters, and what is told of it.

A lane waits for no other: it has a task, a thread for its sink and, when something is set aside, one for the disk.
Knows no protocol.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from hearthbus.errors import HearthbusError, Unavailable
from services.redact import redact
from services.telemetry.again import Again
from services.telemetry.alarm import Alarm
from services.telemetry.batch import Batch
from services.telemetry.carrier import Carrier
from services.telemetry.intake import Intake
from services.telemetry.live import Live
from services.telemetry.pace import Backoff, Rate, Size
from services.telemetry.place import Place, read_place
from services.telemetry.shelf import Shelf
from services.telemetry.standing import Standing
from services.telemetry.waiting import happens
from services.telemetry.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hearthbus import Service
    from hearthbus.transport import Subscription
    from services.telemetry.settings import Common

QUIET_S: Final = 60.0
"""Seconds without a message after which a record that was refused last is set aside without another to compare."""
CLOSING_S: Final = 1.0
_REASON: Final = 300
"""Characters of a reason that are passed on."""


class Lane:
    """Carries messages to one sink.

    Args:
        service: whose bus, clock and log it uses.
        name: the sink's.
        settings: its table.
        folder: where its files are.
        tell: called when it goes worse or better.
    """

    def __init__(
        self,
        service: Service,
        *,
        name: str,
        settings: Common,
        folder: Path,
        tell: Callable[[Lane], Awaitable[None]],
    ) -> None:
        self.name = name
        self.shelf = Shelf(folder, name)
        self.standing = Standing(service.clock.monotonic())
        self._service = service
        self._tell = tell
        self._settings = settings
        self._place_file = folder / f"{name}.batch"
        self._sink = settings.sink(name)
        self._secrets = tuple(secret.reveal() for secret in settings.secrets())
        self._disk = Worker(f"{name} disk")
        self._nudge = asyncio.Event()
        self._again = self._asked = False
        self._intake: Intake | None = None
        self._live: Live | None = None
        self._batch: Batch[Any] | None = None
        self._lost = 0
        self._forgotten = 0
        self._broken = False
        """The subscription failed, not the sink."""
        self._backoff = Backoff()
        self._alarm = Alarm(service, name)
        self._disk_fault = ""
        self._carrier = Carrier(
            self._sink,
            size=Size(min(settings.batch, self._sink.most)),
            rate=Rate(settings.per_minute),
            standing=self.standing,
            clock=service.clock,
            nudge=self._nudge,
            clean=self._clean,
            tell=self._turned,
        )

    @property
    def trouble(self) -> str:
        """What is wrong, for people; empty: nothing."""
        if self._live is not None and self._live.fault:
            return f"{self.name}: {self._live.fault}"
        return f"{self.name} ({self.standing.fault}): {self.standing.error}" if self.standing.fault else ""

    def body(self) -> dict[str, Any]:
        """Return what is told on its topic now."""
        wall = self._service.now()
        intake, live = self._intake, self._live
        pending = (0 if self._batch is None else len(self._batch)) + (0 if intake is None else len(intake))
        aside = 0 if live is None else live.aside
        if intake is not None:
            self.standing.skipped = intake.skipped
        return self.standing.body(
            pending=pending,
            behind=pending + aside + (0 if intake is None else intake.unread),
            lag_s=max(0.0, wall - self._oldest() / 1e9) if pending or aside else 0.0,
            dead=self.shelf.letters,
            forgotten=self.shelf.gone,
            now=self._service.clock.monotonic(),
        )

    def retry(self) -> int:
        """Try now what waits, and send dead letters again before the next batch; return how many there are."""
        self._again = self._asked = True
        self._alarm.seen()
        self._nudge.set()
        return self.shelf.letters

    async def watch(self) -> None:
        """Raise the alert of a sink that has been tried in vain for long; called every few seconds."""
        await self._alarm.watch(self.standing)

    async def run(self) -> None:
        """Carry until cancelled."""
        try:
            while True:
                try:
                    await self._session()
                except* HearthbusError as group:
                    reason = "; ".join(dict.fromkeys(str(error) for error in _leaves(group)))
                    self._broken = True
                    self.standing.failed("retrying", self._clean(reason), wall=self._service.now())
                    await self._turned()
                self._intake = self._live = self._batch = None
                await self._service.sleep(self._backoff.failed(asked=None, chance=random.random()))  # noqa: S311
        finally:
            self._disk.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await self._sink.close()

    async def _session(self) -> None:
        """Read the subscription until it ends or is refused."""
        self.shelf.open()
        self._again = self._again or self.shelf.again.exists()
        place = Place() if self._sink.merges else read_place(self._place_file)
        consumer = f"{self._service.name}-{self.name}"
        async with self._service.subscribe(*self._settings.topics, durable=consumer) as stream:
            self._lost = 0
            await self._alarm.recall()
            self._intake = Intake(stream, settings=self._settings, place=place, clock=self._service.clock)
            self._live = Live(
                stream,
                shelf=self.shelf,
                disk=self._disk,
                place_file=None if self._sink.merges else self._place_file,
                place=place,
                clock=self._service.clock,
                insist=self._insist,
            )
            self._backoff.worked()
            if self._broken:
                self._broken, self.standing.fault = False, ""
                await self._turned()
            else:
                await self._tell(self)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._intake.read(), name=f"{self.name} intake")
                group.create_task(self._carry(stream, self._intake, self._live), name=f"{self.name} carrier")

    async def _carry(self, stream: Subscription, intake: Intake, live: Live) -> None:
        while True:
            while self._again:
                await self._send_again()
            whole = intake.resumes
            messages = await intake.batch(min(self._settings.batch, self._sink.most), within=QUIET_S, wake=self._nudge)
            if messages:
                self._batch = Batch(messages)
                await self._carrier.carry(self._batch, live, whole=whole)
                self._batch = None
            elif live.suspects:
                await live.convict()
            else:
                await live.settle()  # what a full disk did not take
            self._nudge.clear()
            await self._tell_lost(stream)
            await self._tell_disk(live)
            if not self.standing.fault:
                await self._alarm.end()
            if intake.passed is not None and not len(intake):
                passed, intake.passed = intake.passed, None
                await live.passed(passed)

    async def _send_again(self) -> None:
        """Send dead letters once more; what is refused is on the shelf again afterwards."""
        left = self._asked and self.shelf.again.exists()
        self._again = self._asked = False
        source = Again(self.shelf, disk=self._disk, clock=self._service.clock)
        try:
            if not await self._disk.run(self.shelf.take):
                return
            while sheets := await source.sheets(min(self._settings.batch, self._sink.most)):
                await self._carrier.carry(Batch(sheets), source)
        except Unavailable as error:
            self.standing.note(str(error), wall=self._service.now())
            self._service.log.warning("%s: dead letters: %s", self.name, error)
            return
        if source.unreadable:
            self._service.log.warning(
                "%s: %d lines are no dead letters; look at them in %s", self.name, source.unreadable, self.shelf.dead
            )
        self._again = self._again or left  # those a crash had left were first; what was asked for comes now

    async def _insist(self, call: Callable[[], Awaitable[None]]) -> None:
        """Call until it works: everything of this lane waits for the disk."""
        backoff = Backoff()
        while True:
            try:
                await call()
            except Unavailable as error:
                if self.standing.failed("retrying", str(error), wall=self._service.now()):
                    await self._turned()
                wait = backoff.failed(asked=None, chance=random.random())  # noqa: S311 - no secret
                if await happens(self._nudge, within=wait, clock=self._service.clock):
                    self._nudge.clear()
            else:
                if self.standing.fault:
                    self.standing.fault = ""
                    await self._turned()
                return

    async def _turned(self) -> None:
        """Tell that it goes worse or better."""
        standing, log = self.standing, self._service.log
        if standing.fault:
            log.warning("%s: %s: %s", self.name, standing.fault, standing.error)
        else:
            log.info("%s: works again, after %.0f s", self.name, self._service.now() - standing.since)
        if standing.fault == "held":
            await self._alarm.begin(f"{self.name} takes nothing until somebody acts: {standing.error}")
        await self._tell(self)

    async def _tell_disk(self, live: Live) -> None:
        """Say it when dead letters cannot be written, or can again, or are too many."""
        fault, gone = live.fault, self.shelf.gone
        if fault != self._disk_fault:
            self._disk_fault = fault
            if fault:
                self._service.log.error("%s: dead letters wait in memory: %s", self.name, fault)
            else:
                self._service.log.info("%s: dead letters can be written again", self.name)
            await self._tell(self)
        if gone != self._forgotten:
            self._service.log.error("%s: too many dead letters: the %d oldest are gone", self.name, gone)
            self._forgotten = gone

    async def _tell_lost(self, stream: Subscription) -> None:
        new = stream.lost - self._lost
        if new > 0:
            self._lost = stream.lost
            self.standing.lost += new
            text = f"{self.name} was behind for longer than the broker's journal reaches: messages are lost"
            self._service.log.error("%s", text)
            self.standing.note(text, wall=self._service.now())
            await self._alarm.begin(text, stays=True)

    def _oldest(self) -> int:
        """Time of the oldest record that is not delivered, or now."""
        found = []
        if self._live is not None and self._live.oldest is not None:
            found.append(self._live.oldest.time)
        if self._batch is not None and len(self._batch):
            found.append(self._live.record(self._batch.first).time_ns if self._live else 0)
        elif self._intake is not None and self._intake.oldest is not None:
            found.append(self._intake.oldest.time)
        return min(found, default=int(self._service.now() * 1e9))

    def _clean(self, text: str) -> str:
        return redact(text, self._secrets)[:_REASON]


def _leaves(group: BaseExceptionGroup[HearthbusError]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]
