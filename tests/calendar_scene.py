"""A calendar service on a bus in memory, with a source, a disk, a broker and a clock in a test's hand.

    scene.calendar.put("dinner", "2026-03-29T18:00", "2026-03-29T20:00")
    await scene.start()
    await scene.until("2026-03-29T21:00")

It can be killed and started again: bus, clock and disk stay. Knows no pytest.
"""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import services.calendar
from hearthbus import Bus, Unavailable
from hearthbus.config.schema import build
from hearthbus.running.runtime import Runtime
from hearthbus.testing import ManualClock, MemoryHub, MemoryTransport
from services.calendar import Calendar
from services.calendar.events import Event
from services.calendar.ics.source import IcsSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    import pytest

    from hearthbus.message import Message
    from services.calendar.sources import SourceFault, Window

LONDON = ZoneInfo("Europe/London")
NOON = "2026-06-01T12:00"


def when(text: str, zone: ZoneInfo = LONDON) -> int:
    """Return the second of a local time."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


class Scripted:
    """A source that has what the test puts there; it fails while it has a fault, and hangs until it is let go."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.fault: SourceFault | Exception | None = None
        self.fetches: list[float] = []
        self.go = threading.Event()
        self.go.set()
        self.clock: ManualClock | None = None
        self.latest: tuple[float, Sequence[Event]] = (0.0, ())
        self.unread = 0
        self.unclear: frozenset[str] = frozenset()

    def put(self, name: str, start: str | int, end: str | int, **more: Any) -> Event:
        """Write an event, or another version of one."""
        first = when(start) if isinstance(start, str) else start
        last = when(end) if isinstance(end, str) else end
        event = Event(
            id=name, etag=str(random.random()), uid=f"{name}@x", start=first, end=last, **{"title": name, **more}
        )
        self.events = {**self.events, name: event}
        return event

    def change(self, name: str, **more: Any) -> None:
        """Change an event."""
        self.events = {**self.events, name: replace(self.events[name], etag=str(random.random()), **more)}

    def cancel(self, name: str) -> None:
        """Take an event away."""
        self.events = {key: event for key, event in self.events.items() if key != name}

    def fetch(self, window: Window) -> Sequence[Event]:
        """Give what touches the window."""
        events, fault = self.events, self.fault
        self.fetches.append(self.clock.now() if self.clock else 0.0)
        self.go.wait(30)
        if fault is not None:
            raise fault
        found = [event for event in events.values() if event.end >= window.start and event.start < window.end]
        return sorted(found, key=lambda event: event.start)

    def close(self) -> None:
        """Have nothing to close."""


class FromFile(Scripted):
    """A source that is an iCalendar file, read by the service's own reader."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._source = IcsSource(address=str(path), zone=LONDON)

    def fetch(self, window: Window) -> Sequence[Event]:
        """Give what the file has."""
        return self._source.fetch(window)


class ShakyTransport(MemoryTransport):
    """A connection on which a confirmation may get lost, before the message was stored or after, or takes its time.

    What comes after a message that was lost before is lost too: a connection does not leave out what is in between.
    """

    losses: Iterator[str] | None = None
    disk_s = 0.0
    """Seconds the broker's disk takes for all it is given at once."""
    _lost_at: float | None = None

    async def publish(self, topic: str, body: bytes, time: int, retain: bool, confirm: bool, ttl: float, /) -> None:  # noqa: FBT001, PLR0917 - as in Transport
        """Publish, and lose what is to be lost."""
        loss = next(self.losses, "") if confirm and self.losses is not None else ""
        now = self._hub.clock.monotonic()
        if confirm and (loss == "before" or self._lost_at == now):
            self._lost_at = now
            raise Unavailable("the broker did not answer")
        await super().publish(topic, body, time, retain, confirm, ttl)
        if confirm and self.disk_s:
            await self._hub.clock.sleep(self.disk_s)
        if loss == "after":
            raise Unavailable("the broker did not answer")


class Scene:
    """One calendar, `family`, and its service."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, begin: str, **table: Any) -> None:
        self.clock = ManualClock(float(when(begin)))
        self.hub = MemoryHub(self.clock)
        self.calendar = Scripted()
        self.calendar.clock = self.clock
        self.others: dict[str, Scripted] = {}
        self.losses: Iterator[str] | None = None
        self.disk_s = 0.0
        self.service: Calendar | None = None
        self.tables: dict[str, dict[str, Any]] = {"family": {"jitter_s": 0.0, "every_s": 300.0, **table}}
        self.folder = folder
        self._task: asyncio.Task[None] | None = None
        patch.setattr(services.calendar, "make_source", self._make)

    def _make(self, settings: Any, *_: Any) -> Scripted:
        name = settings.address.rpartition("/")[2].removesuffix(".ics")
        return self.calendar if name == "family" else self.others[name]

    async def start(self) -> Calendar:
        """Start the service, and let it do what it does at once."""
        transport = ShakyTransport(self.hub, name="calendar")
        transport.losses = self.losses
        transport.disk_s = self.disk_s
        bus = Bus(name="calendar", transport=transport)
        calendars = {name: {"file": f"/nowhere/{name}.ics", **table} for name, table in self.tables.items()}
        config = build(
            Calendar.Config,
            {"calendars": calendars, "folder": self.folder, "timezone": "Europe/London"},
            within=Calendar,
        )
        self.service = Calendar(bus=bus, config=config, clock=self.clock)
        runtime = Runtime(self.service)

        async def host() -> None:
            async with bus:
                await runtime.run(asyncio.Event(), lambda: None)

        self._task = asyncio.create_task(host())
        await self.settle()
        return self.service

    async def kill(self) -> None:
        """End the service where it stands."""
        task, self._task = self._task, None
        if task is not None and self.service is not None:
            for calendar in self.service._calendars.values():
                calendar.close()
            self.service._calendars = {}  # it has no time to tidy up
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def settle(self) -> None:
        """Let the service do what there is to do now."""
        quiet = 0
        while quiet < 12:
            before = self.hub.moves
            await asyncio.sleep(0.0002 if self._fetching() else 0)
            quiet = quiet + 1 if self.hub.moves == before and not self._fetching() else 0
        if self._task is not None and self._task.done():
            self._task.result()

    def _fetching(self) -> bool:
        calendars = getattr(self.service, "_calendars", {})
        return any(each.pending is not None and source.go.is_set() for each, source in self._sources(calendars))

    def _sources(self, calendars: dict[str, Any]) -> Iterator[tuple[Any, Scripted]]:
        for name, each in calendars.items():
            yield each, self.calendar if name == "family" else self.others[name]

    async def until(self, moment: str | float) -> None:
        """Let time pass."""
        end = when(moment) if isinstance(moment, str) else moment
        limit = self.clock.monotonic() + end - self.clock.now()
        await self.settle()
        while self.clock.advance_to_next(limit):
            await self.settle()

    async def jump(self, seconds: float) -> None:
        """Set the clock, and let the service notice within a minute."""
        self.clock.jump(seconds)
        await self.until(self.clock.now() + 61)

    def fired(self, name: str = "family") -> list[Message]:
        """Return every start and end there was."""
        topics = {f"calendar/{name}/start", f"calendar/{name}/end"}
        return [message for message in self.hub.journal if message.topic in topics]

    def told(self, name: str = "family") -> list[str]:
        """Return every start and end as text: `start dinner`, `end dinner cancelled`."""
        return [
            " ".join(
                [message.topic.rpartition("/")[2], message["id"], *(["missed"] if message["missed"] else [])]
                + ([message["reason"]] if "reason" in message else [])
            )
            for message in self.fired(name)
        ]

    def times(self) -> list[int]:
        """Return when each start and end was published."""
        return [round(message.time / 1e9) for message in self.fired()]

    def state(self, name: str) -> dict[str, Any]:
        """Return the retained state of the calendar: now, next or source."""
        return {message.topic: message.body for message in self.hub.retained(["#"])}[f"calendar/family/{name}"]


async def at_noon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give a test its scene, on a Monday at noon; `scene = pytest.fixture(at_noon)`."""
    scene = Scene(monkeypatch, tmp_path, NOON)
    yield scene
    await scene.kill()
