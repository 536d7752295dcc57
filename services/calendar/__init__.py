"""Say when a calendar's events start and end, each exactly once.

What a calendar holds for the next days is stored, and goes on being told while its source is away. What has been told
is asked of the broker's journal, so that a service that dies at any moment neither repeats nor misses anything: a start
is published confirmed, and only what the journal does not hold is published.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from hearthbus import HearthbusError, Invalid, Service, Unavailable, serve
from services.calendar.bodies import firing_body, next_body, now_body
from services.calendar.due import running, upcoming
from services.calendar.fetching import Fetcher
from services.calendar.making import make_source
from services.calendar.polling import Plan, Polling
from services.calendar.settings import Config as CalendarConfig
from services.calendar.states import States
from services.calendar.told import Reading
from services.calendar.watched import FLOOR, Watched
from services.folder import state_folder
from services.instants import find_zone, iso, iso_local
from services.jumps import Jumps

if TYPE_CHECKING:
    from pathlib import Path

    from hearthbus import Message
    from services.calendar.due import Firing
    from services.calendar.fetching import Answer
    from services.calendar.settings import CalendarSettings
    from services.calendar.told import Edge

_CHECK_S: Final = 60.0
"""Seconds to sleep at most: so soon a clock that was set is noticed."""
_RETRY_S: Final = 5.0
"""Seconds after which the broker is tried again."""
_CONFIRM_S: Final = 10.0
_EDGES: Final[tuple[Edge, ...]] = ("start", "end")
_TOGETHER: Final = 100
"""Starts and ends that are told together at most: they come to the broker's disk at once, not one after the other."""
_SOONER_S: Final = 0.001


class Calendar(Service):
    """The calendars of a house."""

    Config = CalendarConfig
    config: CalendarConfig

    async def on_start(self) -> None:
        """Take up what is stored of each calendar."""
        self._zone = find_zone(self.config.timezone)
        self._draw = random.Random().random  # noqa: S311 - spreads load, keeps no secret
        self._wake = asyncio.Event()
        self._jumps = Jumps(at=self.now(), ticks=self.clock.monotonic())
        self._states = States(self)
        self._counts = dict.fromkeys(("started", "ended", "missed", "left_out"), 0)
        self._folder_trouble = ""
        folder = self._folder()
        self._calendars = {
            name: self._watch(name, settings, folder) for name, settings in self.config.calendars.items()
        }
        await self._look_at_states()
        self.log.info("calendars: %d", len(self._calendars))

    async def main(self) -> None:
        """Ask sources and tell what is due, and sleep until there is something to do."""
        while True:
            self._wake.clear()
            at, ticks = self.now(), self.clock.monotonic()
            if self._jumps.look(at=at, ticks=ticks):
                for calendar in self._calendars.values():
                    calendar.clock_was_set(ticks=ticks)
            for calendar in self._calendars.values():
                if calendar.is_to_be_asked(at=at, ticks=ticks):
                    self._ask(calendar)
                calendar.notice(at=at, ticks=ticks)
            await self._read_journal()
            await self._tell_due()
            for calendar in self._calendars.values():
                calendar.store()
            await self._look_at_states()
            await self._tell_states()
            self._say_trouble()
            await self._nap(self._idle())

    async def on_stop(self) -> None:
        """Let the sources go."""
        for calendar in getattr(self, "_calendars", {}).values():
            calendar.store(always=True)
            calendar.close()

    @serve("{name}/+/refresh")
    async def refresh(self, request: Message) -> dict[str, Any]:
        """Ask the calendar's source now, and answer what that has changed."""
        name = request.topic.split("/")[-2]
        calendar = self._calendars.get(name)
        if calendar is None:
            raise Invalid(f"there is no calendar {name!r}; there are: {', '.join(self._calendars) or 'none'}")
        if calendar.held(at=self.now(), ticks=self.clock.monotonic()):
            raise Unavailable(f"the clock says {iso(self.now())}, which cannot be; nothing is fetched until it is set")
        changed = 0
        if calendar.pending is not None:  # begun before it was asked: what has changed since may not be in it
            await asyncio.shield(calendar.pending)
            changed = calendar.changes.total
        await asyncio.shield(calendar.pending or self._ask(calendar))
        if calendar.fault is not None:
            raise Unavailable(str(calendar.fault))
        return {"changed": changed + calendar.changes.total, "events": len(calendar.book.entries)}

    def health(self) -> dict[str, Any]:
        """Add how many calendars there are and are offline, and what has been told."""
        calendars = getattr(self, "_calendars", {}).values()
        return {
            **super().health(),
            "calendars": len(calendars),
            "offline": sum(calendar.fault is not None for calendar in calendars),
            "events": sum(len(calendar.book.entries) for calendar in calendars),
            "unread": sum(calendar.unread for calendar in calendars),
            **getattr(self, "_counts", {}),
        }

    def _watch(self, name: str, settings: CalendarSettings, folder: Path | None) -> Watched:
        every, jitter = settings.rhythm
        calendar = Watched(
            name,
            settings,
            path=folder / f"{name}.json" if folder else None,
            fetcher=Fetcher(f"calendar {name}", partial(make_source, settings, self.config, self._zone)),
            polling=Polling(Plan(every, jitter, settings.cron_of(self._zone)), self._draw),
            ticks=self.clock.monotonic(),
        )
        if calendar.store_trouble:
            self.log.warning("%s: %s", name, calendar.store_trouble)
        return calendar

    def _folder(self) -> Path | None:
        try:
            return state_folder(self.name, configured=self.config.folder)
        except Unavailable as error:
            self._folder_trouble = str(error)
            self.log.warning("%s; a restart knows nothing without its sources", error)
            return None

    async def _look_at_states(self) -> None:
        for name, source in (await self._states.look(self._calendars)).items():
            self._calendars[name].heard(source.get("fetched"))

    def _ask(self, calendar: Watched) -> asyncio.Future[Answer]:
        answer = calendar.ask(at=self.now(), ticks=self.clock.monotonic())
        answer.add_done_callback(partial(self._take, calendar))
        return answer

    def _take(self, calendar: Watched, answer: asyncio.Future[Answer]) -> None:
        if answer.cancelled():
            calendar.pending = None
            return
        was_there, unread = calendar.fault is None, calendar.unread
        calendar.take(answer.result(), at=self.now(), ticks=self.clock.monotonic())
        if calendar.fault is not None and was_there:
            self.log.warning("%s: offline: %s", calendar.name, calendar.fault)
        elif calendar.fault is None and (calendar.changes.total or not was_there):
            count = len(calendar.book.entries)
            self.log.info("%s: %d events, %d of them changed", calendar.name, count, calendar.changes.total)
        if calendar.unread > unread:
            self.log.warning("%s: %d events cannot be understood", calendar.name, calendar.unread)
        self._wake.set()

    async def _read_journal(self) -> None:
        """Ask what has been told of calendars where that is not certain."""
        ticks = self.clock.monotonic()
        asked = [calendar for calendar in self._calendars.values() if not calendar.known and ticks >= calendar.retry]
        if not asked:
            return
        found = {calendar.name: Reading(calendar.diary) for calendar in asked}
        patterns = [f"{self.name}/{calendar.name}/{edge}" for calendar in asked for edge in _EDGES]
        try:
            async for message in self.replay(*patterns):
                *_, name, edge = message.topic.split("/")
                if not message.is_request:
                    found[name].read(cast("Edge", edge), message.body)
        except HearthbusError as error:
            self.log.debug("the journal cannot be read: %s", error)
            for calendar in asked:
                calendar.retry = ticks + _RETRY_S
            return
        for calendar in asked:
            calendar.read(found[calendar.name])

    async def _tell_due(self) -> None:
        """Tell what is due of all calendars, in its order."""
        while True:
            at, ticks = self.now(), self.clock.monotonic()
            calendars = self._calendars.values()
            due = [(firing, calendar) for calendar in calendars for firing in calendar.due(at=at, ticks=ticks)]
            if not due:
                return
            due.sort(key=lambda each: (each[0].place, each[1].name))
            told = [each for each in due[:_TOGETHER] if not self._leaves_out(*each)]
            # the last of them is given up first: the broker has all that come before what it has
            publishing = [self._publish(*each, ttl=_CONFIRM_S - number * _SOONER_S) for number, each in enumerate(told)]
            for each, error in zip(told, await asyncio.gather(*publishing), strict=True):
                self._note(*each, error)

    def _leaves_out(self, firing: Firing, calendar: Watched) -> bool:
        missed = firing.missed(self.now())
        self._counts["missed"] += missed
        if not calendar.leaves_out(firing, missed=missed):
            return False
        self._counts["left_out"] += 1
        calendar.note(firing, quiet=True)
        return True

    async def _publish(self, firing: Firing, calendar: Watched, *, ttl: float) -> HearthbusError | None:
        body = firing_body(firing, self._zone, missed=firing.missed(self.now()))
        try:
            await self.publish(f"{self.name}/{calendar.name}/{firing.edge}", body, confirm=True, ttl=ttl)
        except HearthbusError as error:
            return error
        return None

    def _note(self, firing: Firing, calendar: Watched, error: HearthbusError | None) -> None:
        topic = f"{self.name}/{calendar.name}/{firing.edge}"
        if error is None:
            calendar.note(firing)
            self._counts[f"{firing.edge}ed"] += 1
            self.log.info("%s: %s, due %s", topic, firing.event.id, iso_local(firing.at, self._zone))
            return
        if calendar.known:
            self.log.warning("%s: not told yet: %s", topic, error)
        calendar.known = False
        calendar.retry = self.clock.monotonic() + _RETRY_S

    async def _tell_states(self) -> None:
        """Tell each state that is another than was told."""
        at, ticks = self.now(), self.clock.monotonic()
        for calendar in self._calendars.values():
            before = f"{self.name}/{calendar.name}"
            if calendar.since is not None:
                await self._states.tell(f"{before}/source", calendar.source_body(at=at, ticks=ticks))
            if not calendar.known or calendar.held(at=at, ticks=ticks):
                continue
            book, diary = calendar.book, calendar.diary
            heard = book.looked is not None
            if heard or diary.told:  # the journal alone says what runs
                await self._states.tell(f"{before}/now", now_body(running(book, diary), self._zone))
            if heard:
                await self._states.tell(f"{before}/next", next_body(upcoming(book, diary, now=at), self._zone))

    def _say_trouble(self) -> None:
        at = self.now()
        clock = f"the clock says {iso(at)}, which cannot be: nothing is told until it is set" if at < FLOOR else ""
        each = [calendar.trouble(at) for calendar in self._calendars.values()]
        self.trouble = "; ".join(text for text in (clock, self._folder_trouble, *each) if text)

    def _idle(self) -> float:
        """Return for how many seconds there is nothing to do."""
        at, ticks = self.now(), self.clock.monotonic()
        waits = [_CHECK_S]
        for calendar in self._calendars.values():
            if calendar.held(at=at, ticks=ticks):
                continue
            waits.append(calendar.wait(at=at, ticks=ticks))
            instant = calendar.next_instant(at)
            if instant is not None:
                waits.append(instant - at)
            waits.append(calendar.pause(ticks=ticks))
        return max(0.001, min(waits))

    async def _nap(self, seconds: float) -> None:
        """Sleep, or until a source answers."""
        waiting = {asyncio.ensure_future(self.sleep(seconds)), asyncio.ensure_future(self._wake.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
