"""The calendar service: what it tells and when, as events change, and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from calendar_scene import LONDON, NOON, Scene, at_noon, when

from hearthbus import HandlerError
from hearthbus.bus import Bus
from hearthbus.testing import MemoryTransport
from services.calendar.sources import SourceFault
from services.instants import iso, iso_local

scene = pytest.fixture(at_noon)


async def test_an_event_starts_and_ends_at_its_seconds(scene: Scene) -> None:
    """With all that is known of it."""
    event = scene.calendar.put("dinner", "2026-06-01T18:00", "2026-06-01T20:00", where="hall", commands={"heat": 21})
    await scene.start()
    await scene.until("2026-06-01T21:00")
    start, end = scene.fired()

    assert [when("2026-06-01T18:00"), when("2026-06-01T20:00")] == scene.times()
    assert {**event.body(LONDON), "scheduled": "2026-06-01T17:00:00Z", "missed": False} == start.body
    assert {**event.body(LONDON), "scheduled": "2026-06-01T19:00:00Z", "missed": False} == end.body
    assert not start.retained


async def test_now_and_next(scene: Scene) -> None:
    """What is on and what comes are retained: those that start together come together."""
    for name in ("b", "a"):
        scene.calendar.put(name, "2026-06-01T18:00", "2026-06-01T20:00")
    scene.calendar.put("later", "2026-06-02T18:00", "2026-06-02T20:00")
    await scene.start()

    assert {"active": False, "events": []} == scene.state("now")
    assert ["a", "b"] == [event["id"] for event in scene.state("next")["events"]]
    await scene.until("2026-06-01T18:00")
    assert (True, ["a", "b"]) == (scene.state("now")["active"], [event["id"] for event in scene.state("now")["events"]])
    assert ["later"] == [event["id"] for event in scene.state("next")["events"]]
    await scene.until("2026-06-01T20:00")
    assert {"active": False, "events": []} == scene.state("now")


async def test_the_order_of_one_instant(scene: Scene) -> None:
    """Ends come before starts, and what lasts no time starts and then ends; by id."""
    scene.calendar.put("z", "2026-06-01T17:00", "2026-06-01T18:00")
    for name in ("d", "c"):
        scene.calendar.put(name, "2026-06-01T18:00", "2026-06-01T19:00")
    scene.calendar.put("a", "2026-06-01T18:00", "2026-06-01T18:00")
    await scene.start()
    await scene.until("2026-06-01T18:30")

    assert ["start z", "end z", "start a", "start c", "start d", "end a"] == scene.told()


async def test_the_first_run(scene: Scene) -> None:
    """What is over is not told; what runs is, late or not."""
    scene.calendar.put("over", "2026-06-01T10:00", "2026-06-01T11:00")
    scene.calendar.put("long", "2026-06-01T11:00", "2026-06-01T13:00")
    scene.calendar.put("just", "2026-06-01T11:59", "2026-06-01T13:00")
    await scene.start()

    assert ["start long missed", "start just"] == scene.told()


async def test_a_restart_repeats_nothing_and_tells_what_was_missed(scene: Scene) -> None:
    """In its order, marked; what was told is known from the journal though the stored file is lost."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T13:30")
    scene.calendar.put("b", "2026-06-01T13:00", "2026-06-01T13:45")
    await scene.start()
    await scene.until("2026-06-01T12:45")
    await scene.kill()
    await scene.until("2026-06-01T14:00")
    await scene.start()

    assert ["start a", "start b missed", "end a missed", "end b missed"] == scene.told()
    await scene.kill()
    for file in scene.folder.iterdir():
        file.unlink()
    await scene.start()
    assert 4 == len(scene.told())


async def test_what_was_missed_may_be_left_out(scene: Scene) -> None:
    """`on_missed = "skip"`: an event whose start is left out is not ended either, and it is counted."""
    scene.tables["family"]["on_missed"] = "skip"
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T15:00")
    scene.calendar.put("b", "2026-06-01T14:00", "2026-06-01T14:30")
    await scene.start()
    await scene.kill()
    await scene.until("2026-06-01T13:00")
    service = await scene.start()
    assert ["a"] == [event["id"] for event in scene.state("now")["events"]]
    await scene.until("2026-06-01T16:00")

    assert ["start b", "end b"] == scene.told()
    assert 2 == service.health()["left_out"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("later", ["12:30 start a", "12:39 end a moved", "16:00 start a", "17:00 end a"]),
        ("a little", ["12:30 start a", "14:30 end a"]),
        ("longer", ["12:30 start a", "15:00 end a"]),
        ("shorter", ["12:30 start a", "12:45 end a"]),
        ("over", ["12:30 start a", "12:39 end a missed"]),
        ("cancelled", ["12:30 start a", "12:39 end a cancelled"]),
        ("declined", ["12:30 start a", "12:39 end a cancelled"]),
        ("renamed", ["12:30 start a", "14:00 end a"]),
    ],
)
async def test_an_event_that_runs_is_changed(scene: Scene, how: str, expected: list[str]) -> None:
    """It ends when it does now; it starts again when it was moved; what was cancelled ends at once, and says so."""
    changes: dict[str, dict[str, Any]] = {
        "later": {"start": when("2026-06-01T16:00"), "end": when("2026-06-01T17:00")},
        "a little": {"start": when("2026-06-01T12:35"), "end": when("2026-06-01T14:30")},
        "longer": {"end": when("2026-06-01T15:00")},
        "shorter": {"end": when("2026-06-01T12:45")},
        "over": {"end": when("2026-06-01T12:35")},
        "declined": {"response": "declined"},
        "renamed": {"title": "supper"},
    }
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:38")
    if how in changes:
        scene.calendar.change("a", **changes[how])
    else:
        scene.calendar.cancel("a")
    await scene.until("2026-06-01T12:41")
    if how == "renamed":
        assert "supper" == scene.state("now")["events"][0]["title"]
    await scene.until("2026-06-01T18:00")
    found = [f"{iso_local(at, LONDON)[11:16]} {text}" for at, text in zip(scene.times(), scene.told(), strict=True)]

    assert expected == found


@pytest.mark.parametrize("every_s", [30.0, 60.0, 300.0, 3600.0])
@pytest.mark.parametrize("how", ["cancelled", "moved", "new"])
async def test_a_change_just_before_a_start(scene: Scene, how: str, every_s: float) -> None:
    """The source is asked once more seconds before it: what has changed until 25 s before counts."""
    scene.tables["family"]["every_s"] = every_s
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    start = when("2026-06-01T13:00")
    await scene.until(start - 26)
    before = len(scene.calendar.fetches)
    if how == "cancelled":
        scene.calendar.cancel("a")
    elif how == "moved":
        scene.calendar.put("a", "2026-06-01T14:00", "2026-06-01T15:00")
    else:
        scene.calendar.put("b", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.until(start)
    asked = [start - at for at in scene.calendar.fetches[before:] if at < start]

    assert (["start a", "start b"] if how == "new" else []) == scene.told()
    assert 1 <= len(asked) <= 2
    assert all(3 <= seconds <= 26 for seconds in asked)


async def test_moved_before_it_starts(scene: Scene) -> None:
    """Only its new time counts."""
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:30")
    scene.calendar.put("a", "2026-06-01T15:00", "2026-06-01T16:00")
    await scene.until("2026-06-01T17:00")

    assert [when("2026-06-01T15:00"), when("2026-06-01T16:00")] == scene.times()


async def test_written_down_afterwards(scene: Scene) -> None:
    """What was over before it was written is not told; what has begun starts at once."""
    await scene.start()
    await scene.until("2026-06-01T13:00:30")
    scene.calendar.put("diary", "2026-06-01T12:10", "2026-06-01T12:20")
    scene.calendar.put("now", "2026-06-01T13:00", "2026-06-01T14:00")
    scene.calendar.put("short", "2026-06-01T13:01", "2026-06-01T13:02")
    await scene.until("2026-06-01T13:10")

    assert ["start now missed", "start short missed", "end short missed"] == scene.told()


async def test_refresh(scene: Scene) -> None:
    """Whoever asks has the source asked now, and learns what that has changed, or why it failed."""
    await scene.start()
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    async with Bus(name="test", transport=MemoryTransport(scene.hub, name="test")) as bus:
        assert {"changed": 1, "events": 1} == await bus.request("calendar/family/refresh")
        scene.calendar.fault = SourceFault("refused", "the grant was revoked; type: hearthbus calendar login")
        with pytest.raises(HandlerError, match="the grant was revoked"):
            await bus.request("calendar/family/refresh")
        with pytest.raises(HandlerError, match="there is no calendar 'x'; there are: family"):
            await bus.request("calendar/x/refresh")


async def test_what_was_told_of_calendars_that_are_no_more_is_taken_back(scene: Scene) -> None:
    """A calendar that was taken out of the table is not on for ever."""
    from hearthbus.message import RETAIN, encode_body

    body = encode_body({"active": True, "events": []})
    scene.hub.publish("calendar/gone/now", body, flags=RETAIN, origin="calendar")
    await scene.start()

    assert [] == scene.hub.retained(["calendar/gone/#"])


async def test_the_source_s_state(scene: Scene) -> None:
    """Since when, when fetched last, when next, until when all is known, and how many events."""
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    noon = when(NOON)

    assert {
        "status": "ok",
        "since": iso(noon),
        "fetched": iso(noon),
        "next_fetch": iso(noon + 300),
        "known_until": iso(noon + 14 * 86400),
        "events": 1,
    } == scene.state("source")
