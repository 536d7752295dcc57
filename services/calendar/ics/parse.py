"""A whole iCalendar text turned into the events of a window of time: total, whatever stands in it, and in bounded time.

    from services.calendar.ics.parse import Calendar
    Calendar(data, house=ZoneInfo("Europe/London")).events(Window(start, end))

What one event does wrong costs that event, counted in `unread`. `icalendar` reads it, `recurring-ical-events` expands
it, over little more than the window asked for. Knows no files and no network.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from services.calendar.ics.bounded import TooLong, run_bounded
from services.calendar.ics.lines import RawCalendar, cut
from services.calendar.ics.relevant import relevant
from services.calendar.ics.zones import Zones
from services.calendar.sources import SourceFault, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from services.calendar.events import Event
    from services.calendar.ics.components import Component
    from services.calendar.ics.lines import RawEvent

EACH_S: Final = 2.0
"""Seconds for one event with all its times."""
ALL_S: Final = 20.0
MOST: Final = 20_000
"""Events of a window."""
_DAY: Final = 86_400
_LONGEST_UID: Final = 200


class Calendar:
    """A text, cut into its events; they are expanded when asked for, and again only when a day has gone by.

    Args:
        data: the text.
        house: the house's time zone.
        each_s: seconds one event may take.
        all_s: seconds all may.

    Raises:
        SourceFault: it is no calendar.
    """

    def __init__(self, data: bytes, *, house: ZoneInfo, each_s: float = EACH_S, all_s: float = ALL_S) -> None:
        self._limits = (each_s, all_s)
        self._raw = _cut(data, all_s)
        self._zones = Zones(house, self._raw.zone, self._raw.zones)
        self._groups: dict[str, list[RawEvent]] = {}
        for event in self._raw.events:
            self._groups.setdefault(_uid(event), []).append(event)
        self._wide: Window | None = None
        self._found: list[Event] = []
        self.unread = 0
        """Events left out because they could not be understood, or took too long."""
        self.unclear: frozenset[str] = frozenset()
        """The UIDs of those."""

    def events(self, window: Window) -> list[Event]:
        """Return every event that touches `window`, ordered by start, cancelled ones left out.

        Raises:
            SourceFault: there are far too many, or none can be read, or they take too long.
        """
        wide = self._wide
        if wide is None or window.start < wide.start or window.end > wide.end:
            self._wide = None
            self._expand(Window(window.start - _DAY, window.end + _DAY))
        return [event for event in self._found if _touches(event, window)]

    def _expand(self, wide: Window) -> None:
        _load()
        groups = {uid: group for uid, group in self._groups.items() if relevant(group, wide)}
        jobs = [partial(_expanded, uid, group, self._zones, self._raw.name, wide) for uid, group in groups.items()]
        each_s, all_s = self._limits
        try:
            results = run_bounded(jobs, each_s=each_s, all_s=all_s)
        except TooLong:
            raise SourceFault("broken", f"its events take longer than {all_s:g} s to read") from None
        found: dict[str, Event] = {}
        self.unread = self._raw.unread
        unclear: set[str] = set()
        for result, (uid, group) in zip(results, groups.items(), strict=True):
            if isinstance(result, Exception):
                self.unread += len(group)
                unclear.add(uid)
            else:
                found.update((event.id, event) for event in result if _touches(event, wide))
            if len(found) > MOST:
                raise SourceFault("broken", f"the calendar has more than {MOST} events in these days")
        self.unclear = frozenset(unclear)
        if self.unread and len(unclear) == len(self._groups):
            raise SourceFault("broken", f"none of its {self.unread} events can be read")
        self._found = sorted(found.values(), key=lambda event: (event.start, event.id))
        self._wide = wide


def _cut(data: bytes, seconds: float) -> RawCalendar:
    try:
        (result,) = run_bounded([partial(cut, data)], each_s=seconds, all_s=seconds)
    except TooLong as error:
        result = error
    if isinstance(result, SourceFault):
        raise result
    if isinstance(result, Exception):
        raise SourceFault("broken", "the calendar cannot be read") from None
    return result


def _load() -> None:
    """Import what is imported in functions, and may not be interrupted then."""
    import recurring_ical_events
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    from services.calendar.ics import components, told

    del recurring_ical_events, WINDOWS_TO_OLSON, components, told


def _uid(event: RawEvent) -> str:
    """Return the event's UID, or a name made of what it says where it has none; a very long one is made short."""
    given = "".join(char for char in event.value("UID").strip() if char.isprintable())
    if not given:
        return "no-uid-" + _digest(event.value("DTSTART"), event.value("SUMMARY"), event.value("RRULE"))
    return given if len(given) <= _LONGEST_UID else given[:_LONGEST_UID] + "-" + _digest(given)


def _expanded(uid: str, group: list[RawEvent], zones: Zones, owner: str, wide: Window) -> list[Event]:
    """Return every time of the events of one UID.

    Raises:
        Unreadable: one of them makes no sense: the others cannot be told without it.
    """
    from services.calendar.ics.components import Unreadable, read
    from services.calendar.ics.told import make

    parts = [read(raw, uid, zones) for raw in group]
    exceptions = [part for part in parts if "RECURRENCE-ID" in part]
    newest = max((part["SEQUENCE"] for part in parts if "RECURRENCE-ID" not in part), default=0)
    own = {part["DTSTART"].dt: part for part in parts if "RECURRENCE-ID" not in part and part["SEQUENCE"] == newest}
    recurring = exceptions or any(name in part for part in own.values() for name in ("RRULE", "RDATE"))
    found: Iterable[tuple[str, Component]]
    if not recurring:
        # one event keeps its name when it is moved; of several under one UID, each has its own
        found = ((uid if len(own) == 1 else f"{uid}_{_stamp(start)}", part) for start, part in own.items())
    elif not exceptions:
        found = chain.from_iterable(_recurring(uid, [part], wide) for part in own.values())
    elif len(own) <= 1:
        found = _recurring(uid, [*own.values(), *exceptions], wide)
    else:
        raise Unreadable("several events of one UID have exceptions: whose are they?")
    made = (make(part, name=name, uid=uid, zones=zones, owner=owner) for name, part in found)
    return [event for event in made if event is not None]


def _recurring(uid: str, parts: list[Component], wide: Window) -> Iterator[tuple[str, Component]]:
    import recurring_ical_events
    from icalendar import Calendar as Whole

    from services.calendar.ics.components import mend_end

    whole = Whole()
    for part in parts:
        whole.add_component(part)
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (wide.start - _DAY, wide.end + _DAY))
    moved = {part["RECURRENCE-ID"].dt: part for part in parts if "RECURRENCE-ID" in part}
    for time in recurring_ical_events.of(whole).between(begin, end):
        mend_end(time)
        yield f"{uid}_{_stamp(_original(time, moved))}", time


def _original(time: Any, moved: dict[date, Component]) -> date:
    """Return when this time of a series was to be before somebody moved it.

    What has `RANGE=THISANDFUTURE` stands for all times from its RECURRENCE-ID on, moved by the same.
    """
    original: date = time["RECURRENCE-ID"].dt
    part = moved.get(original)
    if part is None:
        return original
    start, was = time["DTSTART"].dt, part["DTSTART"].dt
    shift: timedelta = start - was
    return original + shift


def _stamp(at: date) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" if isinstance(at, datetime) else f"{at:%Y%m%d}"


def _touches(event: Event, window: Window) -> bool:
    return event.start < window.end and max(event.end, event.start + 1) > window.start


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode(errors="replace")).hexdigest()[:16]
