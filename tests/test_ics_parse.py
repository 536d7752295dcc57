"""iCalendar text to events: zones, whole days, series and their exceptions, clock changes, and stable names."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from ics_server import at, ics, window

from services.calendar.ics.parse import Calendar

if TYPE_CHECKING:
    from services.calendar.events import Event
    from services.calendar.sources import Window

LONDON = ZoneInfo("Europe/London")
SPRING = window("2026-03-20", "2026-04-04")
AUTUMN = window("2026-10-18", "2026-11-02")
WEEKLY = "UID:w\nSUMMARY:choir\nDTSTART;TZID=Europe/London:20260101T190000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY"
CUSTOM = """BEGIN:VTIMEZONE
TZID:Our Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def read(*events: str, head: str = "", within: Window = SPRING) -> list[Event]:
    """Return the events of a calendar in a window; none may be left out."""
    calendar = Calendar(ics(*events, head=head), house=LONDON)
    found = calendar.events(within)

    assert 0 == calendar.unread
    return found


def local(second: int) -> str:
    """Return the time in London."""
    return datetime.fromtimestamp(second, LONDON).isoformat(timespec="minutes")


def starts(events: list[Event]) -> list[str]:
    """Return when each starts, in London."""
    return [local(event.start) for event in events]


def test_one_event() -> None:
    """Everything that is told of it."""
    (event,) = read(
        "UID:42@x\nSUMMARY:Heat\\, the hall\nLOCATION:Hall\nDESCRIPTION:Bring tea<br>#hb heat=21.5 light=on\n"
        "DTSTART:20260321T100000Z\nDTEND:20260321T113000Z\nSTATUS:TENTATIVE\nTRANSP:TRANSPARENT\nSEQUENCE:3"
    )

    assert ("42@x", "42@x", "Heat, the hall", "Hall") == (event.id, event.uid, event.title, event.where)
    assert (at("2026-03-21T10:00Z"), at("2026-03-21T11:30Z")) == (event.start, event.end)
    assert ("tentative", "free", False, None) == (event.status, event.transparency, event.all_day, event.response)
    assert {"heat": 21.5, "light": "on"} == dict(event.commands)
    assert "Bring tea\n#hb heat=21.5 light=on" == event.content


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (SPRING, ["2026-03-26T19:00+00:00", "2026-04-02T19:00+01:00"]),
        (AUTUMN, ["2026-10-22T19:00+01:00", "2026-10-29T19:00+00:00"]),
    ],
)
def test_a_series_keeps_its_hour_over_both_clock_changes(within: Window, expected: list[str]) -> None:
    """At seven in the evening, by summer time and without."""
    assert expected == starts(read(WEEKLY, within=within))


@pytest.mark.parametrize(
    ("within", "day", "hours"), [(SPRING, "20260329", 23), (AUTUMN, "20261025", 25), (SPRING, "20260330", 24)]
)
def test_a_whole_day_is_the_house_s(within: Window, day: str, hours: int) -> None:
    """Midnight to midnight: 23 hours in spring, 25 in autumn; without an end it is one day."""
    (event,) = read(f"UID:d\nDTSTART;VALUE=DATE:{day}", within=within)

    assert event.all_day
    assert hours * 3600 == event.end - event.start
    assert local(event.start).startswith(f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00")


def test_a_time_that_the_clock_leaves_out() -> None:
    """Half past one on 29 March does not exist in London: it is the second that would have been."""
    (event,) = read("UID:n\nDTSTART;TZID=Europe/London:20260329T013000\nDURATION:PT1H")

    assert (at("2026-03-29T01:30Z"), 3600) == (event.start, event.end - event.start)


def test_a_duration_is_exact_over_the_change() -> None:
    """Two hours from half past midnight are two hours, whatever the clock says then."""
    (event,) = read("UID:n\nDTSTART;TZID=Europe/London:20260329T003000\nDURATION:PT2H")

    assert 7200 == event.end - event.start


@pytest.mark.parametrize(
    ("line", "head", "utc"),
    [
        ("DTSTART:20260401T100000", "", "09:00"),  # floating: the house's, BST
        ("DTSTART:20260401T100000", "X-WR-TIMEZONE:Europe/Berlin\n", "08:00"),
        ("DTSTART:20260401T100000Z", "X-WR-TIMEZONE:Europe/Berlin\n", "10:00"),
        ("DTSTART;TZID=America/New_York:20260401T100000", "", "14:00"),
        ("DTSTART;TZID=W. Europe Standard Time:20260401T100000", "", "08:00"),
        ("DTSTART;TZID=/freeassociation.sourceforge.net/Tzfile/Europe/Berlin:20260401T100000", "", "08:00"),
        ('DTSTART;TZID="Our Zone":20260401T100000', CUSTOM, "08:00"),
        ("DTSTART;TZID=Our Zone:20260401T100000", CUSTOM, "08:00"),
        ("DTSTART;TZID=Nobody Knows:20260401T100000", "", "09:00"),
        ("DTSTART;TZID=Europe/London:20260401T100000Z", "", "10:00"),
    ],
)
def test_time_zones(line: str, head: str, utc: str) -> None:
    """IANA's names, Windows', Evolution's, the calendar's own definition; what nobody knows is the house's."""
    (event,) = read(f"UID:z\n{line}", head=head)

    assert at(f"2026-04-01T{utc}Z") == event.start


def test_zones_of_one_name_in_two_calendars() -> None:
    """Each calendar's own definition counts for itself."""
    other = CUSTOM.replace("+0200", "+0600").replace("+0100", "+0500")
    event = "UID:z\nDTSTART;TZID=Our Zone:20260401T100000"
    first, second = (read(event, head=head)[0].start for head in (CUSTOM, other))

    assert (at("2026-04-01T08:00Z"), at("2026-04-01T04:00Z")) == (first, second)


def test_exceptions_of_a_series() -> None:
    """Left out by EXDATE, added by RDATE, moved and cancelled by RECURRENCE-ID."""
    daily = (
        "UID:s\nDTSTART;TZID=Europe/London:20260320T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\n"
        "EXDATE;TZID=Europe/London:20260321T100000\nRDATE;TZID=Europe/London:20260328T120000"
    )
    moved = "UID:s\nRECURRENCE-ID;TZID=Europe/London:20260322T100000\nDTSTART:20260325T180000Z\nSUMMARY:moved"
    cancelled = "UID:s\nRECURRENCE-ID;TZID=Europe/London:20260323T100000\nDTSTART:20260323T100000Z\nSTATUS:CANCELLED"
    events = read(daily, moved, cancelled)

    assert ["2026-03-20T10:00+00:00", "2026-03-25T18:00+00:00", "2026-03-28T12:00+00:00"] == starts(events)
    assert ["s_20260320T100000Z", "s_20260322T100000Z", "s_20260328T120000Z"] == [event.id for event in events]
    assert "moved" == events[1].title


def test_this_and_all_that_follow() -> None:
    """RANGE=THISANDFUTURE moves the rest of the series; each time keeps the name of when it was to be."""
    series = "UID:s\nDTSTART:20260320T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4"
    later = "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260322T100000Z\nDTSTART:20260322T120000Z\nDURATION:PT1H"
    events = read(series, later)

    assert [10, 10, 12, 12] == [int(local(event.start)[11:13]) for event in events]
    assert [f"s_202603{day}T100000Z" for day in (20, 21, 22, 23)] == [event.id for event in events]


@pytest.mark.parametrize("until", ["20260322", "20260322T100000Z", "20260322T100000"])
def test_the_last_day_of_a_series(until: str) -> None:
    """UNTIL is inclusive, however it is written."""
    rule = f"UID:u\nDTSTART;TZID=Europe/London:20260320T100000\nRRULE:FREQ=DAILY;UNTIL={until}"

    assert 3 == len(read(rule))


def test_a_series_of_days() -> None:
    """The bins, every fortnight: a day each, named by its date."""
    events = read("UID:bins\nDTSTART;VALUE=DATE:20250103\nRRULE:FREQ=WEEKLY;INTERVAL=2")

    assert ["bins_20260327"] == [event.id for event in events]
    assert events[0].all_day


def test_a_moved_event_keeps_its_name_and_changes_its_etag() -> None:
    """An event that does not recur is called by its UID alone."""
    (before,), (after,) = read("UID:m\nDTSTART:20260321T100000Z"), read("UID:m\nDTSTART:20260321T110000Z")

    assert before.id == after.id
    assert before.etag != after.etag


def test_what_a_server_renews_with_each_answer_changes_nothing() -> None:
    """DTSTAMP, LAST-MODIFIED and SEQUENCE are no change; a title is."""
    (one,) = read("UID:e\nDTSTART:20260321T100000Z\nDTSTAMP:20260101T000000Z\nSUMMARY:a")
    (two,) = read("UID:e\nDTSTART:20260321T100000Z\nDTSTAMP:20260202T000000Z\nSEQUENCE:9\nSUMMARY:a")
    (three,) = read("UID:e\nDTSTART:20260321T100000Z\nSUMMARY:b")

    assert one.etag == two.etag != three.etag


def test_no_duration_at_all() -> None:
    """A time without an end is a moment."""
    (event,) = read("UID:e\nDTSTART:20260321T100000Z")

    assert event.start == event.end


def test_several_events_under_one_uid() -> None:
    """Some programs give all events the same: each is told, under a name of its own; a newer version wins."""
    events = read(*(f"UID:same\nDTSTART:2026032{day}T100000Z" for day in (1, 2, 3)))
    versions = read("UID:v\nSEQUENCE:1\nDTSTART:20260321T100000Z", "UID:v\nSEQUENCE:2\nDTSTART:20260322T100000Z")

    assert 3 == len({event.id for event in events})
    assert [at("2026-03-22T10:00Z")] == [event.start for event in versions]


def test_an_event_without_a_name() -> None:
    """It gets one of what it says, the same each time."""
    (one,), (two,) = (read("DTSTART:20260321T100000Z\nSUMMARY:a") for _ in range(2))

    assert one.id == two.id != ""


@pytest.mark.parametrize(
    ("owner", "expected"), [("ann@example.org", "declined"), ("Family", None), ("bob@example.org", None)]
)
def test_the_owner_s_answer(owner: str, expected: str | None) -> None:
    """It is known where X-WR-CALNAME is the owner's address, as Google writes it, and nobody is guessed."""
    guest = "ATTENDEE;CN=Ann;PARTSTAT=DECLINED:mailto:Ann@example.org"
    (event,) = read(f"UID:e\nDTSTART:20260321T100000Z\n{guest}", head=f"X-WR-CALNAME:{owner}\n")

    assert expected == event.response


def test_only_what_touches_the_window() -> None:
    """What ends as it begins is out, what has begun before is in; what is long past is not even read."""
    inside = "UID:in\nDTSTART:20260319T100000Z\nDTEND:20260320T000001Z"
    before = "UID:out\nDTSTART:20260319T100000Z\nDTEND:20260320T000000Z"
    past = "UID:past\nDTSTART:20160319T100000Z\nDTEND:20160319T110000Z\nRRULE:nonsense;UNTIL=20170101"

    assert ["in"] == [event.id for event in read(inside, before, past)]


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:20260301T100000Z\nDTEND:20260321T100000Z",
        "DTSTART;VALUE=DATE:20260301\nDURATION:P3W",
        "DTSTART:20260201T100000Z\nDTEND:20260211T100000Z\nRRULE:FREQ=DAILY;INTERVAL=20;UNTIL=20260315T000000Z",
        "DTSTART:20260201T100000Z\nRRULE:FREQ=DAILY;UNTIL=20260320T110000Z",
        "DTSTART:20250101T100000Z\nRDATE:20260321T100000Z",
    ],
)
def test_what_has_begun_long_before(lines: str) -> None:
    """A long event, the last of a series, a date added to an old one: looking at digits alone loses none."""
    assert read(f"UID:l\n{lines}")


def test_a_window_that_moves_on() -> None:
    """The same text gives each window its own events."""
    calendar = Calendar(ics(WEEKLY), house=LONDON)
    weeks = [calendar.events(window(f"2026-03-{day}", f"2026-03-{day + 7}")) for day in (10, 11, 18, 10)]

    assert [1, 1, 1, 1] == [len(week) for week in weeks]
    assert weeks[0] == weeks[3] != weeks[2]
