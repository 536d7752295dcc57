"""Hostile iCalendar text: nothing raises but `SourceFault`, nothing takes for ever, one bad event costs itself only."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ics_server import ics, window

from services.calendar.ics.bounded import TooLong, run_bounded
from services.calendar.ics.parse import Calendar
from services.calendar.ics.rules import fault_of
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from services.calendar.events import Event

LONDON = ZoneInfo("Europe/London")
SPRING = window("2026-03-20", "2026-04-04")
GOOD = "UID:good\nSUMMARY:fine\nDTSTART:20260321T100000Z"


@pytest.mark.parametrize(
    "bad",
    [
        "UID:b",
        "UID:b\nDTSTART:bad",
        "UID:b\nDTSTART:20260230",
        "UID:b\nDTSTART:20260321T256000",
        "UID:b\nDTSTART:00010321T100000Z\nRRULE:FREQ=DAILY",
        "UID:b\nDTSTART:20260321T100000Z\nDTSTART:20260322T100000Z",
        "UID:b\nDTSTART:20260321T100000Z\nDTEND:never",
        "UID:b\nDTSTART:20260321T100000Z\nDURATION:-P1D",
        "UID:b\nDTSTART:20260321T100000Z\nRRULE:FREQ=NEVER",
        "UID:b\nDTSTART:20260321T100000Z\nRRULE:FREQ=DAILY;INTERVAL=0",
        "UID:b\nDTSTART:20260321T100000Z\nRRULE;X:FREQ=DAILY",
        "UID:b\nDTSTART:20260321T100000Z\nRRULE:FREQ=DAILY\nEXDATE:bad",
        "UID:b\nDTSTART:20260321T100000Z\nRECURRENCE-ID:bad",
        "UID:b\nDTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY",
        "UID:b\nDTSTART:20260321T000000Z\nRRULE:FREQ=MINUTELY",
        "UID:b\nDTSTART:20260321T000000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=" + ",".join(map(str, range(60))),
        "UID:b\nSUMMARY:" + "x" * 100_000 + "\nDTSTART:" + "1" * 100_000,
        "UID:b\nBEGIN:VALARM\nDTSTART:20260321T100000Z",
    ],
)
def test_one_bad_event_is_left_out_and_counted(bad: str) -> None:
    """The good ones around it are read."""
    calendar = Calendar(ics(GOOD, bad, GOOD.replace("good", "better")), house=LONDON)

    assert ["better", "good"] == [event.id for event in calendar.events(SPRING)]
    assert 1 == calendar.unread


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=86400;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=5",
        "FREQ=HOURLY;BYYEARDAY=366;BYSETPOS=366",
    ],
)
def test_a_rule_that_keeps_a_library_busy(rule: str) -> None:
    """It is interrupted in time, and left out; what comes after it is read."""
    data = ics(f"UID:b\nDTSTART:19700101T000000Z\nRRULE:{rule}", GOOD)
    begin = time.process_time()
    calendar = Calendar(data, house=LONDON, each_s=0.3)
    found = calendar.events(SPRING)

    assert ["good"] == [event.id for event in found]
    assert 1 == calendar.unread
    assert 3 > time.process_time() - begin


def test_all_together_have_a_limit_too() -> None:
    """Many slow events are a fault of the calendar, said as such."""
    slow = [f"UID:{at}\nDTSTART:19700101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" for at in range(20)]
    with pytest.raises(SourceFault, match=r"take longer than 0\.5 s") as raised:
        Calendar(ics(*slow), house=LONDON, each_s=0.2, all_s=0.5).events(SPRING)

    assert "broken" == raised.value.kind


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no calendar but nothing"),
        (b"<html><body>Sign in", "a web page"),
        (b"\x00\xff" * 100, "something else"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260321T100000Z\r\nEND:VEVENT\r\n", "END:VCALENDAR is missing"),
        (ics("DTSTART:bad", "DTSTART:worse"), "none of its 2 events can be read"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:" + b"1" * 10_000_000 + b"\nEND:VEVENT\nEND:VCALENDAR", "none of"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 500_000 + b"END:VCALENDAR\n", "none of its 500000"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + b"BEGIN:X\n" * 500_000 + b"END:VCALENDAR\n", "none of"),
        (ics(*["DTSTART:20260321T100000Z"] * 50_001), "more than 50000 events"),
    ],
    ids=["empty", "page", "noise", "half", "all bad", "one long line", "no end", "deep", "many"],
)
def test_what_is_no_calendar(data: bytes, said: str) -> None:
    """The fault says what it is, soon."""
    begin = time.process_time()
    with pytest.raises(SourceFault, match=said) as raised:
        Calendar(data, house=LONDON).events(SPRING)

    assert "broken" == raised.value.kind
    assert 10 > time.process_time() - begin


def test_a_bad_series_and_a_good_event_of_another_year() -> None:
    """A calendar of which one event can be read is a calendar, though it has none in these days."""
    exceptions = [f"UID:b\nRECURRENCE-ID:bad\nDTSTART:2026032{day}T100000Z" for day in range(3)]
    calendar = Calendar(ics(*exceptions, GOOD.replace("2026", "2016")), house=LONDON)

    assert [] == calendar.events(SPRING)
    assert 3 == calendar.unread


def test_an_event_without_an_end_costs_itself() -> None:
    """The next BEGIN begins the next event."""
    text = ics(GOOD).replace(b"BEGIN:VEVENT", b"BEGIN:VEVENT\r\nUID:lost\r\nBEGIN:VEVENT")
    calendar = Calendar(text, house=LONDON)

    assert ["good"] == [event.id for event in calendar.events(SPRING)]
    assert 1 == calendar.unread


@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ({"FREQ": ["DAILY"]}, False),
        ({"FREQ": ["HOURLY"]}, False),
        ({"FREQ": ["MINUTELY"], "INTERVAL": [5]}, False),
        ({"FREQ": ["MINUTELY"], "INTERVAL": [4]}, True),
        ({"FREQ": ["MINUTELY"], "BYHOUR": [7]}, False),
        ({"FREQ": ["MINUTELY"], "BYHOUR": [7, 8, 9, 10, 11]}, True),
        ({"FREQ": ["SECONDLY"]}, True),
        ({"FREQ": ["SECONDLY"], "INTERVAL": [86400]}, False),
        ({"FREQ": ["YEARLY"], "BYHOUR": list(range(24)), "BYMINUTE": list(range(13))}, True),
        ({"FREQ": ["DAILY"], "INTERVAL": [-1]}, True),
        ({}, True),
    ],
)
def test_how_often_a_rule_may_come(rule: dict[str, list[object]], *, refused: bool) -> None:
    """Every five minutes at most."""
    assert refused == bool(fault_of(rule))


def test_a_job_that_swallows_exceptions_is_interrupted() -> None:
    """`except Exception` in a library does not keep it; the jobs after it run."""

    def endless() -> str:
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001 - as libraries do
                continue

    first, second = run_bounded([endless, lambda: "done"], each_s=0.1, all_s=5)

    assert isinstance(first, TooLong)
    assert "done" == second


def test_a_job_that_swallows_everything_is_given_up() -> None:
    """Once; where it ends all the same, what it returns counts, and the jobs after it run."""

    def stubborn() -> str:
        begin = time.thread_time()
        while True:
            try:
                while time.thread_time() < begin + 0.3:
                    sum(range(1000))
            except BaseException:  # noqa: BLE001 - as a bad library would
                pass
            else:
                return "late"

    assert ["late", "done"] == run_bounded([stubborn, lambda: "done"], each_s=0.1, all_s=10)


def test_waiting_is_no_work() -> None:
    """A machine that sleeps, or is busy with something else, makes no event unreadable."""
    (result,) = run_bounded([lambda: threading.Event().wait(0.3)], each_s=0.1, all_s=10)

    assert result is False


def test_jobs_that_end_as_they_are_interrupted() -> None:
    """However near the end it comes: each job has its one result, and a quick one suffers for no other."""

    def work(seconds: float) -> float:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            sum(range(50))
        return seconds

    lengths = [length / 1000 for length in range(30, 75, 3) for _ in range(2)]
    jobs = [partial(work, each) for length in lengths for each in (length, 0.0)]
    results = run_bounded(jobs, each_s=0.05, all_s=60)

    assert len(jobs) == len(results)
    assert {0.0} == set(results[1::2])
    assert all(
        result == length or isinstance(result, TooLong) for length, result in zip(lengths, results[::2], strict=True)
    )


_WORDS = st.sampled_from(
    r"""BEGIN:VCALENDAR
END:VCALENDAR
BEGIN:VEVENT
END:VEVENT
BEGIN:VTIMEZONE
END:VTIMEZONE
BEGIN:VALARM
TZID:Our Zone
TZOFFSETTO:+9999
X-WR-TIMEZONE:Mars
UID:a
UID:b
DTSTART:20260321T100000Z
DTSTART;VALUE=DATE:20260321
DTSTART;TZID=Our Zone:20260321T100000
DTSTART:99991231T235959Z
DTEND:20260101
DTEND:20260321T110000
DURATION:PT1H
DURATION:-P1W
RRULE:FREQ=DAILY
RRULE:FREQ=WEEKLY;COUNT=0
RRULE:FREQ=YEARLY;UNTIL=20260401
RDATE;VALUE=PERIOD:20260322T100000Z/PT1H
RDATE:20260322
EXDATE:20260321
EXDATE;TZID=Europe/London:20260321T100000,20260322T100000
RECURRENCE-ID:20260321T100000Z
RECURRENCE-ID;RANGE=THISANDFUTURE:20260322T100000Z
SEQUENCE:x
SEQUENCE:9
STATUS:CANCELLED
TRANSP:
SUMMARY:x\
DESCRIPTION;X="a:b
 folded
LOCATION
:""".splitlines()
)
"""Lines that mean something, alone or together."""


def outcome(text: bytes) -> list[Event]:
    """Return the events; none where there is a fault, which says that the text is at fault."""
    try:
        return Calendar(text, house=LONDON).events(SPRING)
    except SourceFault as fault:
        if fault.kind != "broken":
            raise AssertionError(f"{fault.kind}: {fault}") from None
        return []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=st.lists(st.one_of(_WORDS, st.text(max_size=40)), max_size=25), framed=st.booleans())
def test_any_lines_are_events_or_a_fault(lines: list[str], *, framed: bool) -> None:
    """Whatever stands in it; what is told has a name, and does not end before it starts."""
    text = "\n".join(lines)
    whole = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}\nEND:VEVENT\nEND:VCALENDAR" if framed else text
    found = outcome(whole.encode(errors="replace"))

    assert all(event.id and event.start <= event.end for event in found)
    assert sorted(event.start for event in found) == [event.start for event in found]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_a_fault(data: bytes) -> None:
    """Even inside an event; no two events have one name."""
    for text in (data, b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR\n"):
        found = outcome(text)

        assert len(found) == len({event.id for event in found})
