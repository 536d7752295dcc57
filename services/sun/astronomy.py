"""Where the sun stands, and when it crosses an altitude: pure functions of place and instant.

An instant is a whole second since 1970 UTC: no dates and no zones here, so an event can neither fall on the wrong
date nor be missing because it comes after midnight. Between its lowest and its highest point the sun only climbs,
and then only sinks; so every event is found by halving one such half-day, grazing ones near the polar circle too.

Of astral only the position is used. Its own `sunrise()` and kin are computed per date, and for whole regions of
the world that is another day's event, or an exception (astral issues 83 and 102).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from astral import Observer
from astral.julian import julianday, julianday_to_juliancentury
from astral.sun import azimuth, elevation, eq_of_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HORIZON = -0.8333
"""The sun's upper edge touches the horizon: half its width, and 34' of refraction, below (NREL SPA)."""

FAR_DAYS = 370
"""How far ahead an event is looked for: past a polar night, and past a solstice to the next."""

_HALF_DAY = 43200
_NEAR = 7200
"""At 89.8 degrees, where astral stops, the highest point lies 75 minutes off noon; nowhere farther."""
_GOLDEN = 0.6180339887498949


class Course(enum.StrEnum):
    """What the sun does at an event."""

    RISING = "rising"
    SETTING = "setting"
    NOON = "noon"
    """Crosses the meridian above the pole."""
    MIDNIGHT = "midnight"
    """Crosses the meridian below the pole."""


class Phase(enum.StrEnum):
    """How light it is, by the sun's altitude."""

    DAY = "day"
    CIVIL = "civil"
    NAUTICAL = "nautical"
    ASTRONOMICAL = "astronomical"
    NIGHT = "night"


@dataclass(frozen=True)
class Place:
    """Where one stands: degrees, north and east positive."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Event:
    """Something the sun does: crosses `altitude` (true, without refraction; degrees) or the meridian.

    `offset_s` moves the instant after it has been found: -1200 for twenty minutes before.
    """

    name: str
    course: Course
    altitude: float = 0.0
    offset_s: int = 0


@dataclass(frozen=True)
class Happening:
    """An event, and the second it happens."""

    name: str
    at: int


@dataclass(frozen=True)
class Position:
    """Degrees: `elevation` above the horizon without refraction, `azimuth` clockwise from north."""

    elevation: float
    azimuth: float


EVENTS: tuple[Event, ...] = (
    Event("midnight", Course.MIDNIGHT),
    Event("astronomical_dawn", Course.RISING, -18.0),
    Event("nautical_dawn", Course.RISING, -12.0),
    Event("civil_dawn", Course.RISING, -6.0),
    Event("golden_hour_morning_start", Course.RISING, -4.0),
    Event("sunrise", Course.RISING, HORIZON),
    Event("golden_hour_morning_end", Course.RISING, 6.0),
    Event("noon", Course.NOON),
    Event("golden_hour_evening_start", Course.SETTING, 6.0),
    Event("sunset", Course.SETTING, HORIZON),
    Event("golden_hour_evening_end", Course.SETTING, -4.0),
    Event("civil_dusk", Course.SETTING, -6.0),
    Event("nautical_dusk", Course.SETTING, -12.0),
    Event("astronomical_dusk", Course.SETTING, -18.0),
)
"""What every house gets, in the order of an ordinary day."""

_PHASES = (
    (HORIZON, Phase.DAY),
    (-6.0, Phase.CIVIL),
    (-12.0, Phase.NAUTICAL),
    (-18.0, Phase.ASTRONOMICAL),
)


def position(place: Place, at: float) -> Position:
    """Return where the sun stands, seen from `place` at the instant `at`."""
    moment = datetime.fromtimestamp(at, UTC)
    return Position(elevation=_elevation(place, at), azimuth=azimuth(_observer(place), moment))


def phase(altitude: float) -> Phase:
    """Return the phase of day that `altitude` (degrees, without refraction) means."""
    return next((name for lowest, name in _PHASES if altitude >= lowest), Phase.NIGHT)


def happenings(place: Place, events: Sequence[Event], *, start: float, end: float) -> list[Happening]:
    """Return all of `events` with `start` <= instant < `end`, in order.

    Within a day an event may happen once, not at all (polar day and night), or twice.
    """
    found: list[Happening] = []
    latest = end - min((event.offset_s for event in events), default=0)
    for half_day in _half_days(place, start=start - max((event.offset_s for event in events), default=0)):
        if half_day.start >= latest:
            break
        found += (
            Happening(event.name, at)
            for event in events
            for at in _instants(place, event, half_day)
            if start <= at < end
        )
    return sorted(found, key=lambda happening: happening.at)


def next_happenings(place: Place, events: Sequence[Event], *, after: float, days: int = FAR_DAYS) -> dict[str, int]:
    """Return the first instant later than `after` of each of `events`, by name.

    An event that does not happen within `days` is absent.
    """
    wanted = list(events)
    found: dict[str, int] = {}
    for half_day in _half_days(place, start=after - max((event.offset_s for event in events), default=0)):
        if not wanted or half_day.start >= after + days * 2 * _HALF_DAY:
            break
        for event in tuple(wanted):
            for at in _instants(place, event, half_day):
                if at > after:
                    found[event.name] = at
                    wanted.remove(event)
    return found


@dataclass(frozen=True)
class _HalfDay:
    """From one turning point of the sun's altitude to the next; `meridian` is crossed near `start`."""

    start: int
    end: int
    climbs: bool
    meridian: int


def _half_days(place: Place, *, start: float) -> Iterator[_HalfDay]:
    """Yield half-days without end; all that matters from `start` on is in them."""
    number = int((start + 240.0 * place.longitude) // _HALF_DAY) - 1
    meridian = _meridian(place, number)
    turn = _turning_point(place, meridian, highest=number % 2 == 1)
    while True:
        next_meridian = _meridian(place, number + 1)
        next_turn = _turning_point(place, next_meridian, highest=number % 2 == 0)
        yield _HalfDay(start=turn, end=next_turn, climbs=number % 2 == 0, meridian=meridian)
        number, meridian, turn = number + 1, next_meridian, next_turn


def _instants(place: Place, event: Event, half_day: _HalfDay) -> Iterator[int]:
    """Yield the instant `event` happens in `half_day`, if it does."""
    if event.course in {Course.NOON, Course.MIDNIGHT}:
        if half_day.climbs == (event.course is Course.MIDNIGHT):
            yield half_day.meridian + event.offset_s
        return
    if half_day.climbs != (event.course is Course.RISING):
        return

    def over(at: int) -> bool:
        return (_elevation(place, at) >= event.altitude) == half_day.climbs

    if not over(half_day.start) and over(half_day.end):
        yield _first(over, half_day.start, half_day.end) + event.offset_s


def _first(holds: Callable[[int], bool], before: int, after: int) -> int:
    """Return the first second at which `holds`, which it does not at `before` and does at `after`."""
    while after - before > 1:
        middle = (before + after) // 2
        if holds(middle):
            after = middle
        else:
            before = middle
    return after


def _meridian(place: Place, number: int) -> int:
    """Return the instant of the sun's `number`th crossing of the meridian since 1970: noons are odd."""
    mean = number * _HALF_DAY - 240.0 * place.longitude
    at = mean
    for _ in range(2):  # the equation of time moves 30 s a day: the second round changes nothing by a second
        at = mean - 60.0 * eq_of_time(julianday_to_juliancentury(julianday(datetime.fromtimestamp(at, UTC))))
    return round(at)


@lru_cache(maxsize=1024)  # a year and more of them: the search for one event finds the turns of the one before
def _turning_point(place: Place, meridian: int, *, highest: bool) -> int:
    """Return when the sun is highest, or lowest, near its crossing of the meridian: golden section search."""

    def height(at: float) -> float:
        return _elevation(place, at) if highest else -_elevation(place, at)

    low, high = float(meridian - _NEAR), float(meridian + _NEAR)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = height(left), height(right)
    while high - low > 1.0:
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = height(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = height(right)
    return round((low + high) / 2)


def _elevation(place: Place, at: float) -> float:
    degrees: float = elevation(_observer(place), datetime.fromtimestamp(at, UTC), with_refraction=False)
    return degrees


@lru_cache(maxsize=8)
def _observer(place: Place) -> Observer:
    return Observer(place.latitude, place.longitude, 0.0)
