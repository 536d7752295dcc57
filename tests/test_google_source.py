"""A calendar of Google, asked by Google's own client over HTTP: who may, what is asked, pages, instances, zones."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from fake_google import FAMILY, FakeGoogle
from fake_google_events import days, timed
from google_source import LONDON, WEEK, at, fakes, fault, source

from hearthbus import Invalid, Secret
from services.calendar.google.source import ENDPOINT, FIELDS
from services.calendar.settings import GOOGLE
from services.calendar.sources import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.calendar.events import Event

TEA = timed("tea", "2026-11-20T16:00:00+00:00", "2026-11-20T17:00:00+00:00")
google = pytest.fixture(fakes)


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


def test_service_account(google: FakeGoogle) -> None:
    """A robot's key is turned into a signed claim, the claim into a token, the token into events."""
    google.put(FAMILY, TEA)
    events = source(google).fetch(WEEK)

    assert ["tea"] == ids(events)
    assert [3600] == [claim["exp"] - claim["iat"] for claim in google.tokens.claims]


def test_login(google: FakeGoogle) -> None:
    """A person's login reads what that person sees."""
    google.put(FAMILY, TEA)

    assert ["tea"] == ids(source(google, google.share(FAMILY, google.login())).fetch(WEEK))


def test_api_key(google: FakeGoogle) -> None:
    """An API key reads a public calendar, and never stands in an address."""
    google.put(FAMILY, TEA)
    google.calendar(FAMILY).public = True
    key = google.tokens.api_key()
    events = source(google, api_key=Secret(key)).fetch(WEEK)

    assert ["tea"] == ids(events)
    assert [key] == [asked.headers["x-goog-api-key"] for asked in google.asked]
    assert not any("key" in asked.query for asked in google.asked)


def test_credentials_come_first(google: FakeGoogle) -> None:
    """Who has both is asked for the token only: Google refuses a key of another project beside it."""
    google.put(FAMILY, TEA)
    asked = source(google, google.share(FAMILY, google.robot()), api_key=Secret(google.tokens.api_key()))

    assert ["tea"] == ids(asked.fetch(WEEK))
    assert google.lists()[-1].headers["x-goog-api-key"] is None


def test_neither(google: FakeGoogle) -> None:
    """Without credentials and key nobody asks."""
    with pytest.raises(Invalid, match="needs credentials, or an api_key"):
        source(google, api_key=None)


def test_question(google: FakeGoogle) -> None:
    """What is asked is a window of single events in order, and no more of them than is told on the bus."""
    source(google).fetch(WEEK)
    query = google.lists()[0].query

    assert ("true", "startTime", "250", FIELDS) == tuple(
        query[key] for key in ("singleEvents", "orderBy", "maxResults", "fields")
    )
    assert (WEEK.start, WEEK.end) == (at(query["timeMin"]) + 26 * 3600, at(query["timeMax"]) - 26 * 3600)
    assert {"syncToken", "showDeleted"}.isdisjoint(query)


def test_one_token_for_many_questions(google: FakeGoogle) -> None:
    """A token is kept as long as it lasts."""
    asked = source(google)
    asked.fetch(WEEK)
    asked.fetch(WEEK)

    assert (1, 2) == (len(google.tokens.claims), len(google.lists()))


def test_refresh_on_401(google: FakeGoogle) -> None:
    """A token that ends before its time is replaced, and the question asked again, within the same fetch."""
    google.put(FAMILY, TEA)
    asked = source(google)
    asked.fetch(WEEK)
    google.tokens.expire()

    assert ["tea"] == ids(asked.fetch(WEEK))
    assert 2 == len(google.tokens.claims)


@pytest.mark.parametrize("empty", [0, 2])
def test_pages(google: FakeGoogle, empty: int) -> None:
    """Every page is read, also behind pages that are empty."""
    names = [f"e{number}" for number in range(7)]
    google.put(
        FAMILY, *(timed(name, f"2026-11-20T1{name[1]}:00:00Z", f"2026-11-20T1{name[1]}:30:00Z") for name in names)
    )
    google.calendar(FAMILY).page = 2
    google.calendar(FAMILY).empty_pages = empty

    assert names == ids(source(google).fetch(WEEK))
    assert 4 + empty == len(google.lists())


def test_too_many_pages(google: FakeGoogle) -> None:
    """Pages without end are given up, and nothing half is taken for the whole."""
    google.calendar(FAMILY).empty_pages = 1000
    found = fault(source(google))

    assert ("broken", 20) == (found.kind, len(google.lists()))
    assert "more than 20 pages of events in these days; set days_ahead lower" in str(found)


def test_recurring(google: FakeGoogle) -> None:
    """Each time of a recurring event is an event with an id of its own; one that was moved keeps it."""
    daily = ["RRULE:FREQ=DAILY;COUNT=3"]
    run = timed("run", "2026-11-18T07:00:00", "2026-11-18T08:00:00", timeZone="Europe/Berlin", recurrence=daily)
    was = {"dateTime": "2026-11-19T07:00:00+01:00"}
    moved = timed(
        "run_20261119T060000Z", "2026-11-19T18:00:00Z", "2026-11-19T19:00:00Z",
        recurringEventId="run", originalStartTime=was,
    )  # fmt: skip
    google.put(FAMILY, run, moved)
    events = source(google).fetch(WEEK)

    assert [("run_20261118T060000Z", at("2026-11-18T06:00Z")), ("run_20261119T060000Z", at("2026-11-19T18:00Z")),
            ("run_20261120T060000Z", at("2026-11-20T06:00Z"))] == [(e.id, e.start) for e in events]  # fmt: skip


@pytest.mark.parametrize("tells", [False, True])
def test_cancelled_instance(google: FakeGoogle, *, tells: bool) -> None:
    """A cancelled time of a recurring event is not there, whether Google leaves it out or tells its bare id."""
    run = timed("run", "2026-11-18T07:00:00Z", "2026-11-18T08:00:00Z", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    name = "run_20261118T070000Z"
    google.put(FAMILY, run, timed(name, "2026-11-18T07:00:00Z", "2026-11-18T08:00:00Z", recurringEventId="run",
                                  originalStartTime={"dateTime": "2026-11-18T07:00:00Z"}))  # fmt: skip
    google.calendar(FAMILY).remove(name)
    google.calendar(FAMILY).tells_cancelled = tells
    asked = source(google)

    assert (["run_20261119T070000Z"], 0) == (ids(asked.fetch(WEEK)), asked.unread)


def test_unread_are_counted(google: FakeGoogle) -> None:
    """An event that cannot be understood costs the others nothing, and is counted."""
    google.put(FAMILY, TEA, {"id": "odd", "status": "confirmed", "start": {"dateTime": "2026-11-20T16:00:00Z"},
                             "end": {"dateTime": "2026-11-20T16:00:00Z", "timeZone": "x"}})  # fmt: skip
    google.calendar(FAMILY).events["odd"]["id"] = ""
    asked = source(google)

    assert (["tea"], 1) == (ids(asked.fetch(WEEK)), asked.unread)


def test_zone_of_the_calendar(google: FakeGoogle) -> None:
    """A time without offset is in the calendar's zone, which comes with the answer."""
    google.calendar(FAMILY).zone = "America/New_York"
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00", "2026-11-20T17:00:00"))

    assert [at("2026-11-20T21:00Z")] == [event.start for event in source(google).fetch(WEEK)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    ("first", "seen"), [("2026-11-15", False), ("2026-11-16", True), ("2026-11-22", True), ("2026-11-23", False)]
)
def test_days_at_the_edges(google: FakeGoogle, zone: str, first: str, *, seen: bool) -> None:
    """The house's days count at the window's edges, however far away the calendar is at home."""
    google.calendar(FAMILY).zone = zone
    google.put(FAMILY, days("day", first, f"{first[:-2]}{int(first[-2:]) + 1}"))

    assert (["day"] if seen else []) == ids(source(google).fetch(WEEK))


def test_window_is_exact(google: FakeGoogle) -> None:
    """An event that ends as the window begins, or begins as it ends, is none of it; one that goes on is."""
    for name, start, end in (("a", 10, 12), ("b", 11, 13), ("c", 14, 15), ("d", 15, 16), ("e", 9, 17)):
        google.put(FAMILY, timed(name, f"2026-11-20T{start:02}:00:00Z", f"2026-11-20T{end}:00:00Z"))
    window = Window(at("2026-11-20T12:00Z"), at("2026-11-20T15:00Z"))

    assert ["e", "b", "c"] == ids(source(google).fetch(window))


def test_free_and_busy_only(google: FakeGoogle) -> None:
    """A calendar shared as free and busy only gives times without words."""
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z", description="#hb light=on"))
    events = source(google, google.share(FAMILY, google.robot(), level="freeBusyReader")).fetch(WEEK)

    assert [("tea", "", {})] == [(event.id, event.title, event.commands) for event in events]


def test_guests_stay_at_google(google: FakeGoogle) -> None:
    """Of the guests only the owner's own answer comes over the wire."""
    guests = [{"email": "bob@example.org"}, {"self": True, "email": "ann@example.org", "responseStatus": "declined"}]
    google.put(FAMILY, {**TEA, "attendees": guests})
    events = source(google).fetch(WEEK)

    assert ["declined"] == [event.response for event in events]
    assert "email" not in google.lists()[0].query["fields"]


def test_no_connection_is_kept(google: FakeGoogle) -> None:
    """Between two fetches there is no connection that could be stale at the next."""
    asked = source(google)
    asked.fetch(WEEK)

    assert asked._http is not None
    assert {} == asked._http.connections


def test_no_other_thread_asks(google: FakeGoogle) -> None:
    """google-auth does not ask Google's cloud, in a thread of its own, where the robot's key may be used."""
    started: list[str] = []
    before = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        started.append(thread.name)
        before(thread)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        source(google).fetch(WEEK)

    assert {"calendar-deadline"} == {name for name in started if "process_request" not in name}


def test_google_is_imported_by_its_first_fetch() -> None:
    """Making a source costs none of Google's packages: they come in the thread that asks."""
    made = (
        "import sys; from zoneinfo import ZoneInfo; from hearthbus import Secret\n"
        "import services.calendar.making, services.calendar.settings\n"
        "from services.calendar.google.source import GoogleSource\n"
        f"GoogleSource(calendar='x', credentials=None, api_key=Secret('k' * 39), zone=ZoneInfo('{LONDON.key}'))\n"
        "print([name for name in ('googleapiclient', 'google.auth', 'httplib2') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True, timeout=60)

    assert "[]" == out.stdout.strip()


def test_address_of_google() -> None:
    """The default address is Google's own, in the table as in the source."""
    assert ("https://www.googleapis.com/calendar/v3/", GOOGLE) == (ENDPOINT, ENDPOINT)
