"""Google's events become ours: times, zones, days, answers, properties; and nothing that comes makes it stumble."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fake_google_events import days, timed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearthbus.message import decode_body, encode_body
from services.calendar.events import Event
from services.calendar.google.parse import Zones, parse_event, parse_events, touches
from services.calendar.sources import Window

LONDON = ZoneInfo("Europe/London")
ZONES = Zones(LONDON)
TEA = timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def read(item: object, zones: Zones = ZONES) -> Event:
    event = parse_event(item, zones)
    assert event is not None
    return event


def test_whole_event() -> None:
    """Everything Google says of an event arrives."""
    item = {
        **TEA,
        "etag": '"3535"',
        "iCalUID": "tea@google.com",
        "summary": "Tea",
        "location": "Kitchen",
        "description": "<p>With cake</p><p>#hb light=on</p>",
        "status": "tentative",
        "transparency": "transparent",
        "attendees": [{"responseStatus": "accepted"}, {"self": True, "responseStatus": "needsAction"}],
        "extendedProperties": {"private": {"heat": "21.5", "a": "mine"}, "shared": {"a": "ours", "b": "2"}},
    }
    expected = Event(
        id="tea", etag='"3535"', uid="tea@google.com", start=at("2026-11-20T16:00Z"), end=at("2026-11-20T17:00Z"),
        title="Tea", where="Kitchen", content="With cake\n\n#hb light=on", status="tentative", transparency="free",
        response="needs_action", extended={"heat": "21.5", "a": "mine", "b": "2"},
        commands={"light": "on", "heat": 21.5, "a": "mine"},
    )  # fmt: skip

    assert expected == read(item)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ({"dateTime": "2026-07-01T09:00:00+02:00", "timeZone": "America/New_York"}, "2026-07-01T07:00Z"),
        ({"dateTime": "2026-07-01T09:00:00", "timeZone": "America/New_York"}, "2026-07-01T13:00Z"),
        ({"dateTime": "2026-07-01T09:00:00", "timeZone": "Mars/Olympus"}, "2026-07-01T07:00Z"),
        ({"dateTime": "2026-07-01T09:00:00", "timeZone": ["no"]}, "2026-07-01T07:00Z"),
        ({"dateTime": "2026-07-01T09:00:00"}, "2026-07-01T07:00Z"),
    ],
)
def test_time_zone(start: dict[str, Any], expected: str) -> None:
    """A time's offset counts; then its own zone; then the calendar's, where the event's is not known."""
    event = read({**TEA, "start": start, "end": start}, Zones(LONDON, ZoneInfo("Europe/Berlin")))

    assert at(expected) == event.start


def test_time_zone_of_the_house() -> None:
    """Where neither event nor calendar has a zone that is known, the house's counts."""
    item = timed("tea", "2026-07-01T09:00:00", "2026-07-01T10:00:00")

    assert at("2026-07-01T08:00Z") == read(item).start


@pytest.mark.parametrize(("day", "after", "hours"), [
    ("2026-03-29", "2026-03-30", 23), ("2026-06-01", "2026-06-02", 24), ("2026-10-25", "2026-10-26", 25),
    ("2026-03-28", "2026-03-31", 71),
])  # fmt: skip
def test_all_day(day: str, after: str, hours: int) -> None:
    """An all-day event is the days of the house, be they 23, 24 or 25 hours long; its end is not part of it."""
    event = read(days("holiday", day, after), Zones(LONDON, ZoneInfo("Pacific/Auckland")))

    assert (True, hours * 3600) == (event.all_day, event.end - event.start)
    assert f"{day} 00:00" == f"{datetime.fromtimestamp(event.start, LONDON):%Y-%m-%d %H:%M}"


def test_day_without_midnight() -> None:
    """Where a day begins at one o'clock, an all-day event does."""
    event = read(days("holiday", "2026-04-24", "2026-04-25"), Zones(ZoneInfo("Africa/Cairo")))

    assert (at("2026-04-23T22:00Z"), 23 * 3600) == (event.start, event.end - event.start)


@pytest.mark.parametrize(
    ("item", "seconds"),
    [
        ({**TEA, "end": None}, 0),
        ({**TEA, "endTimeUnspecified": True}, 0),
        ({**TEA, "end": {"dateTime": "2026-11-20T15:00:00Z"}}, 0),
        (days("x", "2026-06-01", "2026-06-01"), 86400),
        (days("x", "2026-06-01", "2026-05-01"), 86400),
        ({"id": "x", "start": {"date": "2026-06-01"}}, 86400),
    ],
)
def test_odd_end(item: dict[str, Any], seconds: int) -> None:
    """An event without an end, or with one before its start, has no duration; an all-day one has its day."""
    event = read(item)

    assert seconds == event.end - event.start


@pytest.mark.parametrize(
    "item",
    [
        None, [], "tea", {}, {"id": "x"}, {**TEA, "id": ""}, {**TEA, "id": 4}, {**TEA, "start": {}},
        {**TEA, "start": {"dateTime": "soon"}}, {**TEA, "start": {"date": "2026-02-30"}}, {**TEA, "start": "2026"},
        {**TEA, "start": {"dateTime": "0001-01-01T00:00:00+14:00"}}, {**TEA, "end": {"dateTime": "never"}},
        {**TEA, "start": {"date": "9999-12-31"}},
    ],
)  # fmt: skip
def test_unreadable(item: object) -> None:
    """What has no id or no time that can be read is left out, counted, and costs the others nothing."""
    events, unread = parse_events([item, TEA], ZONES)

    assert (["tea"], 1) == ([event.id for event in events], len(unread))


def test_unreadable_is_named() -> None:
    """By its id, where it has one: what was known of it before holds."""
    _, unread = parse_events([{**TEA, "start": {}}, {**TEA, "id": None}, 7], ZONES)

    assert ["tea", "", ""] == unread


def test_cancelled_with_an_id_only() -> None:
    """A cancelled instance, of which Google tells the id alone, is left out and no fault."""
    gone = {"id": "run_20261120T070000Z", "status": "cancelled", "recurringEventId": "run"}
    events, unread = parse_events([gone, TEA, {**TEA, "status": "cancelled"}], ZONES)

    assert ([], []) == (events, unread)


def test_twice() -> None:
    """An event that stands on two pages is one, as it stood last."""
    events, _ = parse_events([TEA, {**TEA, "summary": "Later"}], ZONES)

    assert ["Later"] == [event.title for event in events]


def test_in_order() -> None:
    """Events come by their start, then by their id."""
    late = timed("a", "2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z")
    events, _ = parse_events([late, {**TEA, "id": "z"}, {**TEA, "id": "b"}], ZONES)

    assert ["b", "z", "a"] == [event.id for event in events]


def test_free_and_busy_only() -> None:
    """Somebody who may see only when a calendar's owner is busy gets the times, without words."""
    item = {key: TEA[key] for key in ("id", "status", "start", "end")}
    event = read({**item, "visibility": "private"})

    assert ("", "", {}, None) == (event.title, event.content, event.commands, event.response)


@pytest.mark.parametrize(("said", "expected"), [
    ("confirmed", "confirmed"), (None, "confirmed"), ("tentative", "tentative"), ("odd", "unknown"), (5, "unknown"),
])  # fmt: skip
def test_status(said: object, expected: str) -> None:
    """Google's status is ours; one that nobody knows is unknown."""
    assert expected == read({**TEA, "status": said}).status


def test_etag_left_out() -> None:
    """Without Google's etag, one that changes with the event stands in."""
    tags = {read({**TEA, "summary": title}).etag for title in ("a", "b", "a")}

    assert 2 == len(tags)


def test_text_for_any_terminal() -> None:
    """Half characters, line feeds and escapes of a title never reach the bus."""
    event = read({**TEA, "summary": "a\ud800\nb\x1b[2J", "description": "x\ud83dy"})

    assert ("a b [2J", "xy") == (event.title, event.content)


def test_too_many_properties() -> None:
    """More properties than Google allows do not make a message too long."""
    shared = {f"k{number}": "x" * 1000 for number in range(300)}
    event = read({**TEA, "extendedProperties": {"shared": shared}})

    assert 32 == len(event.extended)


@pytest.mark.parametrize(("start", "end", "expected"), [
    (0, 10, False), (0, 11, True), (15, 15, True), (10, 10, True), (19, 30, True), (20, 30, False), (0, 99, True),
])  # fmt: skip
def test_touches(*, start: int, end: int, expected: bool) -> None:
    """The seconds from the window's start to the one before its end count."""
    event = Event(id="x", etag="", uid="", start=start, end=end)

    assert expected == touches(event, Window(10, 20))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda at: {"dateTime": at.isoformat()})
DAYS = st.dates().map(lambda day: {"date": day.isoformat()})
KEYS = ("id", "etag", "status", "iCalUID", "summary", "description", "location", "start", "end", "attendees",
        "endTimeUnspecified", "transparency", "extendedProperties", "recurringEventId")  # fmt: skip
ITEMS = st.fixed_dictionaries(
    {"id": st.text(st.characters(), min_size=1), "start": TIMES | DAYS | JSON, "end": TIMES | DAYS | JSON},
    optional={key: JSON for key in KEYS if key not in {"id", "start", "end"}},
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws slowly
@given(JSON | ITEMS | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_total(item: object) -> None:
    """Whatever comes gives an event that a message can hold, or is left out; nothing is raised."""
    event = parse_event(item, ZONES)

    if event is not None:
        assert event.start <= event.end
        assert event.id
        body = event.body(LONDON)
        assert body == decode_body(encode_body(body))


@given(ITEMS)
def test_same_again(item: dict[str, Any]) -> None:
    """The same answer gives the same events, so that nothing looks changed that is not."""
    assert parse_events([item, item], ZONES)[0] == parse_events([item], ZONES)[0]
