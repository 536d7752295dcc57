"""What the tests of Google's calendars share: a window, and a source that asks the fake."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fake_google import FAMILY, FakeGoogle

from hearthbus.config.secret import Secret
from services.calendar.google.source import GoogleSource
from services.calendar.sources import SourceFault, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

LONDON = ZoneInfo("Europe/London")


def at(text: str) -> int:
    """Return the second ISO 8601 `text` names."""
    return int(datetime.fromisoformat(text).timestamp())


WEEK = Window(at("2026-11-16T00:00Z"), at("2026-11-23T00:00Z"))


def source(google: FakeGoogle, credentials: str | None = None, **options: Any) -> GoogleSource:
    """Return a source of the calendar FAMILY; with the credentials of a robot that may read it, if none are given."""
    if credentials is None and "api_key" not in options:
        credentials = google.share(FAMILY, google.robot())
    secret = None if credentials is None else Secret(credentials)
    return GoogleSource(
        calendar=FAMILY, credentials=secret, endpoint=google.endpoint, zone=LONDON,
        **{"api_key": None, "timeout_s": 5.0, "deadline_s": 20.0, **options},
    )  # fmt: skip


def fault(asked: GoogleSource, window: Window = WEEK) -> SourceFault:
    """Ask, and return why there was nothing."""
    try:
        events = asked.fetch(window)
    except SourceFault as found:
        return found
    raise AssertionError(f"there was an answer: {events}")


def fakes() -> Iterator[FakeGoogle]:
    """Run a fake Google for a test; a fixture's body."""
    with FakeGoogle() as running:
        yield running
