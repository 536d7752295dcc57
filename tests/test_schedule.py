"""Cron expressions: over every change of the clock of 2026, against another implementation, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from hearthbus import Invalid
from services.schedule.cron import parse_cron

LONDON, NEW_YORK, LORD_HOWE = "Europe/London", "America/New_York", "Australia/Lord_Howe"


def fires(text: str, zone: str, start: datetime, number: int) -> list[datetime]:
    """Return the next firings in the zone's own time."""
    cron = parse_cron(text, ZoneInfo(zone))
    return [datetime.fromtimestamp(at, cron.zone) for at in islice(cron.fires(start.timestamp()), number)]


@pytest.mark.parametrize(
    ("text", "zone", "start", "expected"),
    [
        # London, 29 March: 01:00 +0 is followed by 02:00 +1
        ("30 1 * * *", LONDON, "2026-03-28T12:00Z", ["29 02:00+0100", "30 01:30+0100", "31 01:30+0100"]),
        ("0,30 1 * * *", LONDON, "2026-03-28T12:00Z", ["29 02:00+0100", "30 01:00+0100"]),
        ("15 * * * *", LONDON, "2026-03-29T00:00Z", ["29 00:15+0000", "29 02:15+0100", "29 03:15+0100"]),
        # London, 25 October: 01:59 +1 is followed by 01:00 +0
        ("30 1 * * *", LONDON, "2026-10-24T12:00Z", ["25 01:30+0100", "26 01:30+0000", "27 01:30+0000"]),
        ("30 1 * * *", LONDON, "2026-10-25T00:45Z", ["26 01:30+0000"]),
        ("15 * * * *", LONDON, "2026-10-24T23:30Z", ["25 01:15+0100", "25 01:15+0000", "25 02:15+0000"]),
        (
            "*/30 0-2 * * *",
            LONDON,
            "2026-10-24T23:45Z",
            ["25 01:00+0100", "25 01:30+0100", "25 01:00+0000", "25 01:30+0000", "25 02:00+0000"],
        ),
        # New York, 8 March: 02:00 is followed by 03:00
        ("30 2 * * *", NEW_YORK, "2026-03-07T12:00Z", ["08 03:00-0400", "09 02:30-0400"]),
        (
            "0 */2 * * *",
            NEW_YORK,
            "2026-03-08T04:30Z",
            ["08 00:00-0500", "08 03:00-0400", "08 04:00-0400", "08 06:00-0400"],
        ),
        ("0 0 * * *", NEW_YORK, "2026-03-07T12:00Z", ["08 00:00-0500", "09 00:00-0400"]),
        # New York, 1 November: 01:59 is followed by 01:00
        ("30 1 * * *", NEW_YORK, "2026-10-31T12:00Z", ["01 01:30-0400", "02 01:30-0500"]),
        ("15 * * * *", NEW_YORK, "2026-11-01T04:30Z", ["01 01:15-0400", "01 01:15-0500", "01 02:15-0500"]),
        # Lord Howe, 4 October: 02:00 is followed by 02:30
        ("0 * * * *", LORD_HOWE, "2026-10-03T14:00Z", ["04 01:00+1030", "04 03:00+1100", "04 04:00+1100"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-03T12:00Z", ["04 02:30+1100", "05 02:15+1100"]),
        # Lord Howe, 5 April: 01:59 is followed by 01:30
        ("0 * * * *", LORD_HOWE, "2026-04-04T13:30Z", ["05 01:00+1100", "05 02:00+1030", "05 03:00+1030"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-04T12:00Z", ["05 01:45+1100", "06 01:45+1030"]),
        ("45 * * * *", LORD_HOWE, "2026-04-04T14:00Z", ["05 01:45+1100", "05 01:45+1030", "05 02:45+1030"]),
    ],
)
def test_changes_of_the_clock(text: str, zone: str, start: str, expected: list[str]) -> None:
    """A fixed time that is leaped over runs right after, one that comes twice runs once, a rhythm follows real time."""
    found = fires(text, zone, datetime.fromisoformat(start), len(expected))

    assert expected == [f"{at:%d %H:%M%z}" for at in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 7 * * mon-fri", ["2026-06-22T07:30", "2026-06-23T07:30"]),
        ("0 22-4 * * *", ["2026-06-20T22:00", "2026-06-20T23:00", "2026-06-21T00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 12 L * *", ["2026-06-30T12:00", "2026-07-31T12:00"]),
        ("0 12 * * mon#1", ["2026-07-06T12:00", "2026-08-03T12:00"]),
        ("0 12 1 * mon", ["2026-06-22T12:00", "2026-06-29T12:00", "2026-07-01T12:00"]),
        ("59/15 * * * *", ["2026-06-20T12:59", "2026-06-20T13:59"]),
    ],
)
def test_what_the_fields_mean(text: str, expected: list[str]) -> None:
    """Names, ranges over the end, last days, first Mondays; day or weekday where both are given."""
    found = fires(text, "UTC", datetime(2026, 6, 20, 12, 0, tzinfo=UTC), len(expected))

    assert expected == [at.strftime("%Y-%m-%dT%H:%M") for at in found]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("60 * * * *", "minute '60'"),
        ("* 24 * * *", "hour '24'"),
        ("* * 0 * *", "day '0'"),
        ("* * * 13 *", "month '13'"),
        ("* * * * 8", "weekday '8'"),
        ("* * * * monday", "weekday 'monday'"),
        ("*/0 * * * *", "minute '\\*/0'"),
        ("*/61 * * * *", "minute '\\*/61'"),
        ("30-30 * * * *", "minute '30-30'"),
        ("0 7-07 * * *", "hour '7-07'"),
        ("0 0 * * mon-Mon", "weekday 'mon-Mon'"),
        ("1,,2 * * * *", "minute '1,,2'"),
        ("-5 * * * *", "minute '-5'"),
        ("1.5 * * * *", "minute '1.5'"),
        ("٣ * * * *", "minute '٣'"),
        ("R * * * *", "minute 'R'"),
        ("* r(1-5) * * *", "hour 'r"),
        ("* H * * *", "hour 'H'"),
        ("h/10 * * * *", "minute 'h/10'"),
        ("0 0 31 2 *", "day '31'"),
        ("0 0 31 4,6 *", "day '31'"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("", "0 fields"),
        ("0 " * 3000, "3000 fields"),
    ],
)
def test_what_is_refused(text: str, field: str) -> None:
    """What cannot be a schedule, never fires, or says no time is refused, by the name of its field and in one line."""
    with pytest.raises(Invalid, match=field) as caught:
        parse_cron(text, ZoneInfo("UTC"))

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def field(low: int, high: int, *, star: bool = True) -> st.SearchStrategy[str]:
    """Make one field of an expression."""
    number = st.integers(low, high)
    pair = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    if not star:
        pair = pair.filter([low, high].__ne__)  # the whole range is a star by another name
    forms = [
        number.map(str),
        st.lists(number, min_size=2, max_size=4, unique=True).map(lambda found: ",".join(map(str, sorted(found)))),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
    ]
    return st.one_of(*forms, *([st.just("*"), st.integers(2, high).map("*/{}".format)] if star else []))


DAYS = st.one_of(st.just("*"), field(1, 28, star=False))
MONTHS = st.one_of(st.just("*"), field(1, 12))
WEEKDAYS = st.one_of(st.just("*"), field(0, 6, star=False))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
ZONES = st.sampled_from(
    [LONDON, NEW_YORK, LORD_HOWE, "Europe/Dublin", "America/St_Johns", "America/Havana", "Pacific/Chatham", "UTC"]
)


@st.composite
def moments_near_a_change(draw: st.DrawFn, zone: str) -> datetime:
    """Make a moment, most often within a day of a change of the zone's clock."""
    at = draw(MOMENTS)
    days = (at + timedelta(days=number) for number in range(366))
    near = next((day for day in days if _offset(day, zone) != _offset(day + timedelta(days=1), zone)), at)
    return draw(st.sampled_from([near, near, at]))


def _offset(at: datetime, zone: str) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()


@settings(max_examples=250, deadline=None)
@given(
    fixed=st.tuples(field(0, 59, star=False), field(0, 23, star=False), DAYS, MONTHS, WEEKDAYS),
    zone=ZONES,
    data=st.data(),
)
def test_fixed_times_equal_another_implementation(fixed: tuple[str, ...], zone: str, data: st.DataObject) -> None:
    """Jobs at fixed times fire exactly when cronsim, which follows Debian's cron, says: over changes too."""
    start = data.draw(moments_near_a_change(zone))
    text = " ".join(fixed)
    other = [at.timestamp() for at in islice(CronSim(text, start.astimezone(ZoneInfo(zone))), 12)]

    assert other == [at.timestamp() for at in fires(text, zone, start, 12)]


@settings(max_examples=150, deadline=None)
@given(fields=st.tuples(field(0, 59), field(0, 23), DAYS, MONTHS, WEEKDAYS), start=MOMENTS)
def test_rhythms_equal_another_implementation(fields: tuple[str, ...], start: datetime) -> None:
    """Where the clock never changes, every expression fires exactly when cronsim says."""
    text = " ".join(fields)
    other = [at.timestamp() for at in islice(CronSim(text, start), 12)]

    assert other == [at.timestamp() for at in fires(text, "UTC", start, 12)]


@settings(max_examples=150, deadline=None)
@given(fields=st.tuples(field(0, 59), field(0, 23), DAYS, MONTHS, WEEKDAYS), zone=ZONES, data=st.data())
def test_the_next_firing_does_not_depend_on_the_way_there(
    fields: tuple[str, ...], zone: str, data: st.DataObject
) -> None:
    """Asked anew at any moment, also between two firings, the answer is the same: a restart changes nothing."""
    start = data.draw(moments_near_a_change(zone)).timestamp()
    cron = parse_cron(" ".join(fields), ZoneInfo(zone))
    found = list(islice(cron.fires(start), 12))
    between = [data.draw(st.integers(one, two - 1)) for one, two in zip([int(start), *found], found, strict=False)]

    assert sorted(set(found)) == found
    assert found == [cron.next(at) for at in between]
