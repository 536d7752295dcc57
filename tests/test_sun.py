"""The sun's astronomy, held against a reference (NREL SPA) and against facts of places that are hard to get right."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.sun import command
from services.sun.astronomy import (
    EVENTS,
    HORIZON,
    Course,
    Event,
    Phase,
    Place,
    happenings,
    next_happenings,
    phase,
    position,
)

LONDON = (Place(51.5074, -0.1278), "Europe/London")
TROMSO = (Place(69.6492, 18.9553), "Europe/Oslo")
REYKJAVIK = (Place(64.1466, -21.9426), "Atlantic/Reykjavik")
LONGYEARBYEN = (Place(78.2232, 15.6267), "Arctic/Longyearbyen")
LOS_ANGELES = (Place(34.0522, -118.2437), "America/Los_Angeles")
KIRITIMATI = (Place(1.8721, -157.4278), "Pacific/Kiritimati")
KASHGAR = (Place(39.4704, 75.9898), "Asia/Shanghai")

REFERENCE = os.environ.get("HEARTHBUS_SUN_CSV", "")
DAY = 86400


def on(where: tuple[Place, str], day: str, *names: str) -> list[tuple[str, datetime]]:
    """Return what happens on a date of the place's own calendar."""
    place, zone = where
    first = date.fromisoformat(day)
    start, end = (
        datetime.combine(at, datetime.min.time(), ZoneInfo(zone)).timestamp() for at in (first, first + timedelta(1))
    )
    events = [event for event in EVENTS if event.name in names] if names else EVENTS
    return [
        (found.name, datetime.fromtimestamp(found.at, UTC)) for found in happenings(place, events, start=start, end=end)
    ]


def sunsets_by_date(where: tuple[Place, str]) -> Counter[date]:
    """Count the sunsets on each local date of 2026."""
    place, zone = where
    sunset = [event for event in EVENTS if event.name == "sunset"]
    start, end = (datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp() for year in (2026, 2027))
    counted = Counter(
        datetime.fromtimestamp(found.at, ZoneInfo(zone)).date()
        for found in happenings(place, sunset, start=start, end=end)
    )
    return Counter({day: counted[day] for day in (date(2026, 1, 1) + timedelta(n) for n in range(365))})


@pytest.mark.skipif(not REFERENCE, reason="HEARTHBUS_SUN_CSV names no reference file")
def test_reference_is_met() -> None:
    """Every event of the reference is found, no other is, and below 65 degrees none is a minute off."""
    wanted: dict[tuple[str, ...], list[datetime]] = defaultdict(list)
    with Path(REFERENCE).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            times = wanted[row["lat"], row["lon"], row["tz"], row["date"], row["event"]]
            times += [datetime.fromisoformat(row["utc_iso"])] if row["utc_iso"] else []
    off = []
    for (latitude, longitude, zone, day, event), times in wanted.items():
        found = [at for _, at in on((Place(float(latitude), float(longitude)), zone), day, event)]
        allowed = 60 if abs(float(latitude)) < 65 else 300
        if len(found) != len(times) or any(
            abs((one - other).total_seconds()) > allowed for one, other in zip(sorted(times), found, strict=False)
        ):
            off.append((zone, day, event, times, found))

    assert len(wanted) > 400
    assert not off


@pytest.mark.parametrize(
    ("where", "day", "event", "expected"),
    [
        (LONDON, "2026-06-21", "sunrise", "2026-06-21T03:43:06Z"),
        (LONDON, "2026-06-21", "sunset", "2026-06-21T20:21:33Z"),
        (LONDON, "2026-06-21", "civil_dusk", "2026-06-21T21:09:19Z"),
        (LONDON, "2026-01-01", "sunrise", "2026-01-01T08:06:11Z"),
        (LONDON, "2026-01-01", "sunset", "2026-01-01T16:02:10Z"),
        (LONDON, "2026-03-29", "civil_dusk", "2026-03-29T19:02:28Z"),
    ],
)
def test_ordinary_days(where: tuple[Place, str], day: str, event: str, expected: str) -> None:
    """An ordinary event of an ordinary city is within a few seconds of the reference."""
    ((_, found),) = on(where, day, event)

    assert abs((datetime.fromisoformat(expected) - found).total_seconds()) < 10


@pytest.mark.parametrize("where", [LOS_ANGELES, KIRITIMATI, KASHGAR, LONDON])
def test_every_date_has_its_own_sunset(where: tuple[Place, str]) -> None:
    """Far from Greenwich, and far from the middle of its zone, each local date has exactly one sunset."""
    assert {1} == set(sunsets_by_date(where).values())


@pytest.mark.parametrize(
    ("where", "without", "twice"),
    [
        (REYKJAVIK, 1, [date(2026, 6, 29)]),
        (TROMSO, 117, [date(2026, 7, 27)]),
        (LONGYEARBYEN, 240, [date(2026, 8, 25)]),
    ],
)
def test_polar_dates(where: tuple[Place, str], without: int, twice: list[date]) -> None:
    """Near the pole a date may have no sunset, or two: both are ordinary."""
    counted = sunsets_by_date(where)

    assert without == sum(1 for number in counted.values() if number == 0)
    assert twice == [day for day, number in counted.items() if number == 2]


def test_polar_night_ends() -> None:
    """In the polar night of Tromso the next sunrise is weeks off and is found; the sun stands at noon nevertheless."""
    place, _ = TROMSO
    begin = datetime(2026, 12, 1, 12, tzinfo=UTC)
    coming = next_happenings(place, EVENTS, after=begin.timestamp())

    assert datetime(2027, 1, 15, tzinfo=UTC).date() == datetime.fromtimestamp(coming["sunrise"], UTC).date()
    assert coming["noon"] - begin.timestamp() < DAY
    assert coming["civil_dusk"] - begin.timestamp() < DAY


def test_event_that_never_happens_is_absent() -> None:
    """The sun never stands 80 degrees high over London: no exception, no event."""
    never = Event("high", Course.RISING, 80.0)
    found = next_happenings(LONDON[0], [never], after=datetime(2026, 1, 1, tzinfo=UTC).timestamp())

    assert "high" not in found


def test_offset_moves_the_instant_across_midnight() -> None:
    """An offset is added to the instant found, so an event may fall on the day after."""
    place, _ = LONDON
    start = datetime(2026, 6, 21, tzinfo=UTC).timestamp()
    plain, moved = Event("sunset", Course.SETTING, HORIZON), Event("late", Course.SETTING, HORIZON, offset_s=5 * 3600)
    sunset = next_happenings(place, [plain], after=start)["sunset"]

    assert sunset + 5 * 3600 in [at.at for at in happenings(place, [moved], start=start + DAY, end=start + 2 * DAY)]


def test_noon_is_when_the_sun_is_due_south() -> None:
    """At noon in London the azimuth is 180 degrees, and nowhere that day does the sun stand higher."""
    place, _ = LONDON
    start = datetime(2026, 4, 10, tzinfo=UTC).timestamp()
    noon = next_happenings(place, EVENTS, after=start)["noon"]
    highest = max(position(place, start + minute * 60).elevation for minute in range(1440))

    assert position(place, noon).azimuth == pytest.approx(180.0, abs=0.02)
    assert position(place, noon).elevation == pytest.approx(highest, abs=0.01)


@pytest.mark.parametrize(
    ("elevation", "expected"),
    [
        (50.0, Phase.DAY),
        (HORIZON, Phase.DAY),
        (-1.0, Phase.CIVIL),
        (-6.0, Phase.CIVIL),
        (-6.1, Phase.NAUTICAL),
        (-13.0, Phase.ASTRONOMICAL),
        (-18.1, Phase.NIGHT),
    ],
)
def test_phase(elevation: float, expected: Phase) -> None:
    """The phase of day follows from the altitude alone."""
    assert expected == phase(elevation)


@settings(max_examples=40, deadline=None)
@given(
    latitude=st.one_of(st.floats(-90, 90), st.floats(60, 90), st.floats(-90, -88), st.floats(-24, 24)),
    longitude=st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0])),
    altitude=st.one_of(st.sampled_from([HORIZON, -6.0, -12.0, 6.0]), st.floats(-30, 40)),
    start=st.integers(0, 2_000_000_000),
)
@example(latitude=89.8, longitude=-48.0, altitude=2.1902, start=1_774_396_800)  # highest more than an hour off noon
@example(latitude=89.7, longitude=-162.0, altitude=-0.7449, start=1_773_705_600)
def test_every_crossing_is_found_anywhere(latitude: float, longitude: float, altitude: float, start: int) -> None:
    """At any place, the poles too, the events are those a look at the sun every two minutes sees, and no others."""
    place = Place(latitude, longitude)
    events = [Event("rising", Course.RISING, altitude), Event("setting", Course.SETTING, altitude)]
    above = [position(place, at).elevation >= altitude for at in range(start - 120, start + DAY + 1, 120)]
    seen = [
        ("rising" if now else "setting", number)
        for number, (before, now) in enumerate(pairwise(above))
        if now != before
    ]
    found = happenings(place, events, start=start - 119, end=start + DAY + 1)
    # two crossings within the same two minutes are not seen from outside: leave such pairs out
    numbers = Counter((event.at - start + 119) // 120 for event in found)

    assert seen == [
        (event.name, (event.at - start + 119) // 120)
        for event in found
        if numbers[(event.at - start + 119) // 120] == 1
    ]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2026-06-21", "  the sun does not set on this day"),
        ("2026-12-21", "  the sun does not rise on this day"),
        ("2026-03-21", None),
    ],
)
def test_the_command_tells_of_polar_days(date: str, told: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """A day without sunrise and sunset is called what it is; an ordinary one is not spoken of."""
    command.main(["--lat", "69.6", "--lon", "18.9", "--tz", "UTC", "--date", date])
    lines = [line for line in capsys.readouterr().out.splitlines() if "the sun does" in line]

    assert ([told] if told else []) == lines
