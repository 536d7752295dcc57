"""`hearthbus sun`: what the sun does at a place on a date, without a broker and without a configuration.

The dates are those of the place's own calendar. The same search as the service's; nothing here computes.
"""

from __future__ import annotations

import json
import math
import sys
import time
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, count, parse
from hearthbus.errors import Invalid
from services.instants import LOCAL, find_zone, iso, iso_local
from services.sun.astronomy import EVENTS, HORIZON, Course, Event, Happening, Place, happenings, position

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

_DESCRIPTION: Final = "print what the sun does at a place, day by day"
_FIRST_YEAR, _LAST_YEAR = 1901, 2099
"""What the formulas are good for (NOAA solar calculator)."""
_DAYS = 3660


def main(argv: list[str]) -> int:
    """Print the events of `argv`'s place and days.

    Raises:
        Invalid: a mistake in `argv`.
    """
    args = parse(argv, prog="hearthbus sun", description=_DESCRIPTION, add_arguments=_add_arguments)
    place, zone = Place(args.lat, args.lon), find_zone(args.tz)
    first = args.date or datetime.fromtimestamp(time.time(), zone).date()
    events = (*EVENTS, *_crossings(args.altitude))
    days = ((day, _on(day, place, events, zone)) for day in (first + timedelta(n) for n in range(args.days)))
    lines = _for_programs(days, zone) if args.json else _for_people(days, place, events, zone)
    for line in lines:
        sys.stdout.write(line + "\n")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lat", metavar="DEGREES", type=_latitude, required=True, help="latitude, south negative")
    parser.add_argument("--lon", metavar="DEGREES", type=_longitude, required=True, help="longitude, west negative")
    parser.add_argument("--tz", metavar="ZONE", default=LOCAL, help="time zone, such as Europe/London; default: here")
    parser.add_argument("--date", metavar="DATE", type=_date, help="first date, such as 2026-06-21; default: today")
    parser.add_argument("--days", metavar="N", type=_days, default=1, help="how many dates; default: 1")
    parser.add_argument(
        "--altitude", metavar="DEGREES", type=_altitude, action="append", default=[],
        help="also when the sun crosses this altitude (without refraction); may be repeated",
    )  # fmt: skip
    add_json(parser)


def _crossings(altitudes: list[float]) -> list[Event]:
    return [
        Event(f"altitude_{altitude:g}_{course}", course, altitude)
        for altitude in altitudes
        for course in (Course.RISING, Course.SETTING)
    ]


def _on(day: date, place: Place, events: Sequence[Event], zone: ZoneInfo) -> list[Happening]:
    """Return what happens on one date of the zone's calendar, be it 23, 24 or 25 hours long."""
    start, end = (datetime(at.year, at.month, at.day, tzinfo=zone).timestamp() for at in (day, day + timedelta(1)))
    return happenings(place, events, start=start, end=end)


def _for_programs(days: Iterator[tuple[date, list[Happening]]], zone: ZoneInfo) -> Iterator[str]:
    for _, found in days:
        for happening in found:
            yield json.dumps(
                {"event": happening.name, "time": iso(happening.at), "local": iso_local(happening.at, zone)}
            )


def _for_people(
    days: Iterator[tuple[date, list[Happening]]], place: Place, events: Sequence[Event], zone: ZoneInfo
) -> Iterator[str]:
    yield f"The sun at {_degrees(place.latitude, 'NS')} {_degrees(place.longitude, 'EW')}, local time in {zone.key}"
    for day, found in days:
        yield f"\n{day:%A %Y-%m-%d}"
        for happening in found:
            yield f"  {datetime.fromtimestamp(happening.at, zone):%H:%M:%S}  {_words(happening.name)}"
        if not {"sunrise", "sunset"} & {happening.name for happening in found}:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).timestamp()
            up = position(place, noon).elevation > HORIZON
            yield f"  the sun does not {'set' if up else 'rise'} on this day"
        absent = [event.name for event in events if event.name not in {happening.name for happening in found}]
        if absent:
            yield f"  not on this date: {', '.join(map(_words, absent))}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):g}°{letters[value < 0]}"


def _latitude(text: str) -> float:
    return _number(text, "--lat", 90.0)


def _longitude(text: str) -> float:
    return _number(text, "--lon", 180.0)


def _altitude(text: str) -> float:
    return _number(text, "--altitude", 90.0)


def _number(text: str, option: str, limit: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -limit <= value <= limit:
        raise Invalid(f"{option} {text[:40]!r}: write degrees between {-limit:g} and {limit:g}, such as 51.5074")
    return value


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--date {text[:40]!r}: write year, month and day, such as 2026-06-21") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Invalid(f"--date {text}: the years from {_FIRST_YEAR} to {_LAST_YEAR} can be computed")
    return day


def _days(text: str) -> int:
    number = count(text)
    if number > _DAYS:
        raise Invalid(f"--days {number}: at most {_DAYS}")
    return number
