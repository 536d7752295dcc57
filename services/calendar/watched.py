"""One calendar under watch: its book, its diary, and how its source is.

Asks the source when it is due and takes what it answers. Knows no bus: what is due to be told, the service tells.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hearthbus.errors import Invalid, Unavailable
from services.calendar import due
from services.calendar.bodies import event_of
from services.calendar.book import Book, Changes, Entry, is_wanted, take, window_at, without
from services.calendar.settings import DAY_S
from services.calendar.sources import SourceFault
from services.calendar.store import load, save
from services.calendar.told import Diary
from services.instants import instant, iso

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from services.calendar.due import Firing
    from services.calendar.fetching import Answer, Fetcher
    from services.calendar.polling import Polling
    from services.calendar.settings import CalendarSettings
    from services.calendar.told import Reading

FLOOR: Final = 1_767_225_600
"""2026-01-01: a clock that says less has not been set yet."""
HOLD_S: Final = 600.0
"""Seconds a clock that stands days behind what has been known is given to be set; then it is believed."""
READY_S: Final = 10.0
"""Seconds that what is due waits for the source's first answer after a start, which may say that it was cancelled."""
HANG_S: Final = 120.0
"""Seconds after which a source that does not answer counts as not there."""
_REMEMBERED_S: Final = 40 * DAY_S


class Watched:
    """A calendar.

    Args:
        name: the middle of its topics.
        settings: its table.
        path: where it is stored; None where nothing can be.
        fetcher: asks its source.
        polling: says when.
        ticks: seconds that only pass, now.
    """

    def __init__(
        self,
        name: str,
        settings: CalendarSettings,
        *,
        path: Path | None,
        fetcher: Fetcher,
        polling: Polling,
        ticks: float,
    ) -> None:
        self.name = name
        self.settings = settings
        self.known = False
        """The journal has been asked what was told, and nothing is uncertain since."""
        self.retry = ticks
        """Not to be told before, in ticks."""
        self.fault: SourceFault | None = None
        self.since: float | None = None
        """Since when the source is as it is, there or not; None before its first answer."""
        self.pending: asyncio.Future[Answer] | None = None
        self.changes = Changes()
        """What the last answer has changed."""
        self.unread = 0
        """Events of the last answer that could not be understood."""
        self.store_trouble = ""
        self._path = path
        self._fetcher = fetcher
        self._polling = polling
        self._ready_by = ticks + READY_S
        self._ready = False
        self._asked_ticks = ticks
        self._held_since: float | None = None
        self._unsaved = False
        self.book, self.diary, self.store_trouble = load(path) if path else (Book(), Diary(), "")
        self.book = without(self.book, settings.ignore, running=self.diary.running())

    def held(self, *, at: float, ticks: float) -> bool:
        """Whether the clock cannot be right: not set yet, or days behind what was known of this calendar."""
        looked = self.book.looked
        if at < FLOOR:
            return True
        if looked is None or at >= looked - self.settings.days_back * DAY_S:
            self._held_since = None
            return False
        self._held_since = ticks if self._held_since is None else self._held_since
        if ticks - self._held_since < HOLD_S:
            return True
        self.book = replace(self.book, looked=None)
        return False

    def clock_was_set(self, *, ticks: float) -> None:
        """Ask source and journal anew: what was read of them was read with another clock."""
        self.known = self._ready = False
        self._ready_by = ticks + READY_S
        self._polling.hurry()

    def is_to_be_asked(self, *, at: float, ticks: float) -> bool:
        """Whether it is time to ask the source."""
        held = self.held(at=at, ticks=ticks)
        return self.pending is None and not held and self.wait(at=at, ticks=ticks) <= 0

    def pause(self, *, ticks: float) -> float:
        """Return for how many seconds what is due has to wait, infinity where nothing holds it."""
        waits = [moment - ticks for moment in (self.retry, self._ready_by) if moment > ticks]
        return min(waits, default=math.inf)

    def wait(self, *, at: float, ticks: float) -> float:
        """Return in how many seconds the source is to be asked."""
        if self.pending is not None:
            return max(0.001, self._asked_ticks + HANG_S - ticks) if self.fault is None else HANG_S
        return self._polling.wait(self.next_instant(at), at=at, ticks=ticks)

    def ask(self, *, at: float, ticks: float) -> asyncio.Future[Answer]:
        """Ask the source; give what it answers to `take`."""
        self._polling.asked(ticks=ticks)
        self._asked_ticks = ticks
        self.pending = self._fetcher.ask(window_at(int(at), self.settings))
        return self.pending

    def notice(self, *, at: float, ticks: float) -> None:
        """Notice that the source hangs."""
        if self.pending is not None and self.fault is None and ticks - self._asked_ticks >= HANG_S:
            self._note(SourceFault("unreachable", f"no answer for {HANG_S:.0f} s"), at)

    def take(self, answer: Answer, *, at: float, ticks: float) -> None:
        """Take what the source has answered."""
        self.pending = None
        self._ready = True
        self._polling.answered(answer.fault, at=at, ticks=ticks)
        self._note(answer.fault, at)
        self.changes = Changes()
        if answer.fault is not None:
            return
        before = self.book
        window = answer.window
        self.book, self.changes = take(
            before,
            [event for event in answer.events if is_wanted(event, self.settings.ignore)],
            window=window,
            now=window.start + self.settings.days_back * DAY_S,
            running=self.diary.running(),
            unclear=answer.unclear,
        )
        self.unread = answer.unread
        self.diary.keep(self.book.entries, since=int(at) - _REMEMBERED_S)
        # the time of the answer alone is worth a write only once an hour: the retained state has it too
        aged = before.looked is None or abs((self.book.looked or 0) - before.looked) >= 3600
        self._unsaved |= self.book.entries != before.entries or aged

    def read(self, reading: Reading) -> None:
        """Take what the journal has of this calendar."""
        self.diary = reading.end()
        entries = dict(self.book.entries)
        for event_id in self.diary.running():
            if event_id in entries:
                continue
            try:
                entries[event_id] = Entry(event_of(reading.starts.get(event_id, {})))
            except Invalid:  # nothing is left that could be ended
                self.diary.drop(event_id)
        self.book = replace(self.book, entries=entries)
        self.known = True

    def due(self, *, at: float, ticks: float) -> list[Firing]:
        """Return what is to be told now, in its order."""
        ready = self._ready or ticks >= self._ready_by
        if not ready or not self.known or ticks < self.retry or self.held(at=at, ticks=ticks):
            return []
        return due.due(self.book, self.diary, now=at, oldest=at - self.settings.days_back * DAY_S)

    def next_instant(self, at: float) -> int | None:
        """Return the next second at which something is planned."""
        return due.next_instant(self.book, self.diary, now=at)

    def leaves_out(self, firing: Firing, *, missed: bool) -> bool:
        """Whether it is not to be told: a start that was missed, where the table says so, and then its end."""
        if firing.edge == "end":
            return self.diary.of(firing.event.id).quiet
        return missed and self.settings.on_missed == "skip"

    def note(self, firing: Firing, *, quiet: bool = False) -> None:
        """Note that something has been told, or `quiet`, that it will not be."""
        event = firing.event
        entries = dict(self.book.entries)
        if firing.edge == "start":
            self.diary.started(event.id, firing.at, quiet=quiet)
            entries.setdefault(event.id, Entry(event, gone=True))  # cancelled while its start was being told
        else:
            self.diary.ended(event.id, event.start, reason=firing.reason)
            if event.id in entries and entries[event.id].gone:
                del entries[event.id]
        self.book = replace(self.book, entries=entries)
        self._unsaved = True

    def heard(self, fetched: object) -> None:
        """Take the time of the last answer from the retained state: the file has it only as of its last change."""
        with suppress(Invalid, TypeError):
            looked = instant(fetched)  # type: ignore[arg-type]  # whatever was retained: judged by trying
            if self.book.looked is not None and looked > self.book.looked:
                self.book = replace(self.book, looked=looked)

    def store(self, *, always: bool = False) -> None:
        """Write down what has changed, if anything has; that the disk does not take it is in `store_trouble`."""
        if self._path is None or not (self._unsaved or (always and self.book.looked is not None)):
            return
        try:
            save(self._path, self.book, self.diary)
        except Unavailable as error:
            self.store_trouble = str(error)
        else:
            self.store_trouble = ""
            self._unsaved = False

    def source_body(self, *, at: float, ticks: float) -> dict[str, Any]:
        """Return the body of `calendar/<name>/source`."""
        times = {"since": self.since, "fetched": self.book.looked, "known_until": self.book.until}
        if self.pending is None:
            times["next_fetch"] = at + self.wait(at=at, ticks=ticks)
        return {
            "status": "ok" if self.fault is None else "offline",
            "events": sum(not entry.gone for entry in self.book.entries.values()),
            **{key: iso(time) for key, time in times.items() if time is not None},
            **({"unread": self.unread} if self.unread else {}),
            **({} if self.fault is None else {"fault": str(self.fault), "kind": self.fault.kind}),
        }

    def trouble(self, at: float) -> str:
        """Say what is wrong; "" when nothing is."""
        if self.store_trouble:
            return f"{self.name}: {self.store_trouble}"
        if self._held_since is not None:
            looked = iso(self.book.looked or 0)
            return f"{self.name}: the clock says {iso(at)}, and it was {looked} before: waiting for it to be set"
        if self.fault is None:
            return ""
        until = self.book.until
        rest = "it has never answered" if not until else "nothing is known any more"
        if until and until > at:
            rest = f"goes by what is stored until {iso(until)}"
        return f"{self.name}: offline since {iso(self.since or at)}: {self.fault}; {rest}"

    def close(self) -> None:
        """Let the source go."""
        self._fetcher.close()

    def _note(self, fault: SourceFault | None, at: float) -> None:
        if self.since is None or (fault is None) != (self.fault is None):
            self.since = at
        self.fault = fault
