"""Events that a source has and cannot understand: what was known of them before goes on to hold, and it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from calendar_scene import LONDON, Scene, at_noon
from ics_server import ics, window

from services.calendar.ics.parse import Calendar

scene = pytest.fixture(at_noon)


def spoil(scene: Scene, name: str, unclear: str) -> None:
    """Have somebody write nonsense into an event."""
    scene.calendar.cancel(name)
    scene.calendar.unread, scene.calendar.unclear = 1, frozenset((unclear,))


@pytest.mark.parametrize("unclear", ["a", "a@x"])
@pytest.mark.parametrize("spoilt", ["12:15", "12:45"])
async def test_it_stays_as_it_was_known(scene: Scene, spoilt: str, unclear: str) -> None:
    """By its id or its uid; it starts, runs to its end, and is not cancelled; the state says that one is unread."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T13:00")
    await scene.start()
    await scene.until(f"2026-06-01T{spoilt}")
    spoil(scene, "a", unclear)
    await scene.until("2026-06-01T12:55")

    assert 1 == scene.state("source")["unread"]
    await scene.until("2026-06-01T13:30")
    assert ["start a", "end a"] == scene.told()


async def test_it_can_be_cancelled_and_read_again(scene: Scene) -> None:
    """What is not unclear any more is what it is; the state says nothing of it then."""
    event = scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00", where="hall")
    await scene.start()
    await scene.until("2026-06-01T12:40")
    spoil(scene, "a", "a")
    await scene.until("2026-06-01T12:50")
    scene.calendar.unread, scene.calendar.unclear = 0, frozenset()
    scene.calendar.events = {"a": replace(event, title="again")}
    await scene.until("2026-06-01T13:00")

    assert ["again"] == [event["title"] for event in scene.state("now")["events"]]
    assert "unread" not in scene.state("source")
    scene.calendar.cancel("a")
    await scene.until("2026-06-01T13:10")
    assert ["start a", "end a cancelled"] == scene.told()


def test_icalendar_says_which() -> None:
    """Every event of the UID: the others of a series cannot be told without the one."""
    series = "UID:s\nDTSTART:20260321T100000Z\nRRULE:FREQ=DAILY;COUNT=3"
    broken = "UID:s\nRECURRENCE-ID:20260322T100000Z\nDTSTART:never"
    calendar = Calendar(ics(series, broken, "UID:good\nDTSTART:20260321T100000Z"), house=LONDON)

    assert ["good"] == [event.id for event in calendar.events(window("2026-03-20", "2026-04-04"))]
    assert (2, frozenset(("s",))) == (calendar.unread, calendar.unclear)
