"""Series as RFC 5545 writes them, beside another reckoning: dateutil's rules on a clock without zones, or by hand.

The library that expands them uses dateutil too, with zones; what differs is all that can go wrong around it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped] # has no types
from ics_server import at, ics

from services.calendar.ics.parse import Calendar
from services.calendar.sources import Window

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
L = ";TZID=Europe/London:"
DAILY = f"UID:a\nDTSTART{L}20260327T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4"


def naive(text: str) -> datetime:
    """Return the time of iCalendar text."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a clock without zones is what is wanted


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z"),
        ("19970902T090000", "FREQ=DAILY;INTERVAL=2"),
        ("19980101T090000", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA"),
        ("19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR"),
        ("19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"),
        ("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3"),
        ("19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"),
        ("19970519T090000", "FREQ=YEARLY;BYDAY=20MO"),
        ("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
        ("19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"),
        ("19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"),
        ("19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4"),
        ("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"),
        ("19971031T090000", "FREQ=MONTHLY;BYMONTHDAY=31"),
        ("19960229T090000", "FREQ=YEARLY"),
    ],
)
def test_examples_of_rfc_5545(start: str, rule: str) -> None:
    """Section 3.8.5.3: over the first year, a month in it, and three months of the third."""
    begin = naive(start)
    until = rule.partition("UNTIL=")[2][:15]
    ends = naive(until).replace(tzinfo=UTC).astimezone(NEW_YORK) if until else None
    plain = rule.replace(f"{until}Z", f"{ends:%Y%m%dT%H%M%S}") if until else rule
    text = ics(f"UID:x\nDTSTART;TZID=America/New_York:{start}\nDURATION:PT1H\nRRULE:{rule}")
    calendar = Calendar(text, house=LONDON)
    for first, days in ((0, 366), (150, 30), (800, 90)):
        low = begin + timedelta(days=first, hours=-9)
        high = low + timedelta(days=days)
        times = [each.replace(tzinfo=NEW_YORK) for each in rrulestr(plain, dtstart=begin).between(low, high, inc=True)]
        window = Window(*(int(each.replace(tzinfo=NEW_YORK).timestamp()) for each in (low, high)))
        events = calendar.events(window)

        assert [int(each.timestamp()) for each in times] == [event.start for event in events]
        assert {3600} >= {event.end - event.start for event in events}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([f"{DAILY}\nEXDATE:20260329T080000Z"], ["27 09:00 1", "28 09:00 1", "30 09:00 1"]),
        ([f"{DAILY}\nEXDATE;TZID=Europe/Berlin:20260329T100000"], ["27 09:00 1", "28 09:00 1", "30 09:00 1"]),
        ([f"{DAILY}\nEXDATE;VALUE=DATE:20260328"], ["27 09:00 1", "29 09:00 1", "30 09:00 1"]),
        (
            [f"{DAILY}\nEXDATE{L}20260328T090000,20260330T090000\nEXDATE{L}20260327T090000"],
            ["29 09:00 1"],
        ),
        (
            [DAILY, f"UID:a\nRECURRENCE-ID:20260329T080000Z\nDTSTART{L}20260329T150000\nDURATION:PT30M"],
            ["27 09:00 1", "28 09:00 1", "29 15:00 0.5", "30 09:00 1"],
        ),
        (
            [DAILY, f"UID:a\nRECURRENCE-ID;RANGE=thisandfuture{L}20260328T090000\nDTSTART{L}20260328T110000"],
            ["27 09:00 1", "28 11:00 0", "29 11:00 0", "30 11:00 0"],
        ),
        (
            [
                DAILY,
                f"UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE{L}20260328T090000\nDTSTART{L}20260328T110000\nDURATION:PT2H",
                f"UID:a\nRECURRENCE-ID{L}20260329T090000\nDTSTART{L}20260329T180000\nDURATION:PT1H",
            ],
            ["27 09:00 1", "28 11:00 2", "29 18:00 1", "30 11:00 2"],
        ),
        (
            [
                DAILY,
                f"UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE{L}20260329T090000\nDTSTART{L}20260329T090000\nSTATUS:CANCELLED",
            ],
            ["27 09:00 1", "28 09:00 1"],
        ),
        ([f"UID:a\nRECURRENCE-ID{L}20260327T090000\nDTSTART{L}20260328T100000"], ["28 10:00 0"]),
        (
            [
                f"UID:a\nDTSTART{L}20260101T090000\nDURATION:PT1H\nRRULE:FREQ=YEARLY",
                f"UID:a\nRECURRENCE-ID{L}20280101T090000\nDTSTART{L}20260328T090000\nDURATION:PT1H",
            ],
            ["28 09:00 1"],
        ),
        (
            ["UID:a\nDTSTART;TZID=Eastern Standard Time:20260306T190000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY"],
            ["27 23:00 1"],
        ),
        (
            [
                f"UID:a\nDTSTART{L}20260327T090000\nRDATE;VALUE=PERIOD:20260328T090000Z/PT3H,20260330T090000Z/20260330T093000Z"
            ],
            ["27 09:00 0", "28 09:00 3", "30 10:00 0.5"],
        ),
        (
            ["UID:a\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330\nRRULE:FREQ=WEEKLY;COUNT=2"],
            ["28 00:00 47"],
        ),
        (
            [DAILY.replace("COUNT=4", "COUNT=1"), f"UID:a\nDTSTART{L}20260328T140000\nRRULE:FREQ=WEEKLY"],
            ["27 09:00 1", "28 14:00 0"],
        ),
    ],
    ids=[
        "EXDATE in UTC",
        "EXDATE of another zone",
        "EXDATE of a day",
        "several EXDATE",
        "RECURRENCE-ID in UTC",
        "range in lower case",
        "range and single",
        "range cancelled",
        "exception alone",
        "moved in",
        "Windows' zone over two clock changes",
        "periods",
        "days over the change",
        "two series of one UID",
    ],
)
def test_exceptions_by_hand(events: list[str], expected: list[str]) -> None:
    """Day, time in London, and hours, of 27 to 30 March 2026: the clock goes forward on the 29th."""
    calendar = Calendar(ics(*events), house=LONDON)
    found = calendar.events(Window(at("2026-03-27T00:00Z"), at("2026-03-30T22:00Z")))
    told = [
        f"{datetime.fromtimestamp(each.start, LONDON):%d %H:%M} {(each.end - each.start) / 3600:g}" for each in found
    ]

    assert expected == told
    assert 0 == calendar.unread


@pytest.mark.parametrize(
    ("first", "length", "day", "hours"),
    [
        ("20260327T223000", "DURATION:PT8H", "2026-03-28", 8),  # the night of spring, and that of autumn
        ("20260327T223000", "DURATION:PT8H", "2026-10-24", 8),
        ("20260327T223000", f"DTEND{L}20260328T063000", "2026-03-28", 7),  # it ends at half past six
        ("20260327T223000", f"DTEND{L}20260328T063000", "2026-10-24", 9),
        ("20260328T223000", "DURATION:PT8H", "2026-03-30", 8),  # the first is the one of the change
        ("20260327T013000", "DURATION:PT1H", "2026-03-29", 1),  # half past one does not exist
        ("20260327T013000", f"DTEND{L}20260327T023000", "2026-03-29", 1),
        ("20260327T013000", "DURATION:PT1H", "2026-10-25", 1),  # and there it is twice
        ("20260327T120000", "DURATION:P1D", "2026-03-28", 23),
        ("20260327T120000", "DURATION:P1DT1H", "2026-03-28", 24),
    ],
)
def test_how_long_one_of_a_series_lasts(first: str, length: str, day: str, hours: int) -> None:
    """A DURATION's hours are hours, its days days; a DTEND is what the clock shows; nothing shrinks to no time."""
    calendar = Calendar(ics(f"UID:a\nDTSTART{L}{first}\n{length}\nRRULE:FREQ=DAILY"), house=LONDON)
    begin = at(f"{day}T00:00Z")
    found = [event for event in calendar.events(Window(begin, begin + 86_400)) if event.start >= begin]

    assert [hours * 3600] == [event.end - event.start for event in found]


@pytest.mark.parametrize(
    "events",
    [
        [f"{DAILY}\nEXRULE:FREQ=DAILY;INTERVAL=2"],
        [
            DAILY,
            f"UID:a\nDTSTART{L}20260328T140000\nRRULE:FREQ=WEEKLY",
            f"UID:a\nRECURRENCE-ID{L}20260328T090000\nDTSTART{L}20260328T100000",
        ],
    ],
    ids=["EXRULE", "whose exception"],
)
def test_what_cannot_be_told_rightly_is_not_told(events: list[str]) -> None:
    """It is counted, and the event beside it is told."""
    calendar = Calendar(ics(*events, "UID:b\nDTSTART:20260328T100000Z"), house=LONDON)
    found = calendar.events(Window(at("2026-03-27T00:00Z"), at("2026-03-30T22:00Z")))

    assert ["b"] == [event.id for event in found]
    assert len(events) == calendar.unread
