"""Corners of the calendar service: what happens between a look at the source and the next, and between two runs."""

from __future__ import annotations

import pytest
from calendar_scene import Scene, at_noon, when

from services.calendar.book import Book, Entry, take
from services.calendar.due import Firing
from services.calendar.events import Event
from services.calendar.sources import SourceFault, Window

scene = pytest.fixture(at_noon)


async def test_cancelled_while_the_service_was_down(scene: Scene) -> None:
    """What it has missed waits for the source's first answer: it was not to be told any more."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.kill()
    await scene.until("2026-06-01T12:40")
    scene.calendar.cancel("a")
    await scene.start()
    await scene.until("2026-06-01T15:00")

    assert [] == scene.told()


async def test_a_source_that_hangs_at_the_start(scene: Scene) -> None:
    """It is waited for ten seconds, then the stored events are told."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.kill()
    await scene.until("2026-06-01T12:40")
    scene.calendar.go.clear()
    await scene.start()
    await scene.until("2026-06-01T12:41")
    scene.calendar.go.set()

    assert ([when("2026-06-01T12:40:10")], ["start a missed"]) == (scene.times(), scene.told())


async def test_what_came_and_went_during_a_long_absence(scene: Scene) -> None:
    """An event nobody knew of, over at the first look after more than a day: it is not told."""
    await scene.start()
    await scene.kill()
    await scene.until("2026-06-04T12:00")
    scene.calendar.put("a", "2026-06-04T10:00", "2026-06-04T11:00")
    await scene.start()

    assert [] == scene.told()


async def test_what_was_missed_long_ago(scene: Scene) -> None:
    """More than `days_back` ago, the source away: it is not told any more; what has started is ended."""
    scene.calendar.put("a", "2026-06-01T12:00", "2026-06-01T13:00")
    scene.calendar.put("b", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.kill()
    await scene.until("2026-06-04T12:00")
    scene.calendar.fault = SourceFault("unreachable", "no")
    await scene.start()

    assert ["start a", "end a missed"] == scene.told()


async def test_written_down_afterwards_while_the_service_was_killed(scene: Scene) -> None:
    """When the source was last heard is known though nothing has been stored since."""
    await scene.start()
    await scene.until("2026-06-01T12:50")
    await scene.kill()
    scene.calendar.put("diary", "2026-06-01T12:20", "2026-06-01T12:30")
    await scene.start()

    assert [] == scene.told()


async def test_the_clock_is_set_back_while_an_event_runs(scene: Scene) -> None:
    """To before its start: it was not moved, and goes on."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:40")
    await scene.jump(-1800)
    await scene.until("2026-06-01T16:00")

    assert ["start a", "end a"] == scene.told()


async def test_cancelled_while_its_start_is_being_told(scene: Scene) -> None:
    """The answer comes between the publishing and its confirmation: it has started, so it ends."""
    service = await scene.start()
    event = Event(id="a", etag="", uid="a", start=when("2026-06-01T11:59"), end=when("2026-06-01T14:00"))
    service._calendars["family"].note(Firing("start", event.start, event))
    await scene.until("2026-06-01T12:02")

    assert ["end a cancelled"] == scene.told()


def test_what_lies_beyond_the_answer_stays() -> None:
    """A source that was asked for other days says nothing of an event: it has not vanished."""
    book = Book({name: Entry(Event(id=name, etag="", uid=name, start=at, end=at + 60)) for name, at in DAYS.items()}, 5)
    after, changes = take(book, [], window=Window(1000, 2000), now=1100, running=["open"])

    assert ({"open", "later"}, {"open"}) == (
        set(after.entries),
        {name for name, entry in after.entries.items() if entry.gone},
    )
    assert 2 == changes.gone


DAYS = {"before": 100, "within": 1500, "open": 1600, "later": 2000}
