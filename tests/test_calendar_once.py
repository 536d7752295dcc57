"""Each start and end once: many at one second, a new id, what was left out, and what the broker has lost."""

from __future__ import annotations

import asyncio

import pytest
from calendar_scene import Scene, at_noon, when

from hearthbus.bus import Bus
from hearthbus.testing import MemoryTransport
from services.calendar.sources import SourceFault
from services.calendar.told import Diary, Reading, Told
from services.instants import iso

scene = pytest.fixture(at_noon)


async def test_many_at_one_second(scene: Scene) -> None:
    """They are told together, in their order: a slow disk is waited for a few times, not for each of them."""
    scene.disk_s = 0.5
    names = [f"e{number:03d}" for number in range(200)]
    for name in reversed(names):
        scene.calendar.put(name, "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T13:30")

    assert [f"start {name}" for name in names] == scene.told()
    assert max(scene.times()) <= when("2026-06-01T13:00") + 1


@pytest.mark.parametrize("loss", ["before", "after"])
@pytest.mark.parametrize("place", [0, 3, 9])
async def test_a_confirmation_among_many_that_got_lost(scene: Scene, loss: str, place: int) -> None:
    """Neither it nor those after it are told twice or never, or in another order."""
    scene.losses = iter([*[""] * place, loss])
    names = [f"e{number}" for number in range(10)]
    for name in names:
        scene.calendar.put(name, "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T13:01")

    assert [f"start {name}" for name in names] == scene.told()


async def test_an_event_that_gets_another_id_while_it_runs(scene: Scene) -> None:
    """It is another event: the old one has ended before the new one starts, so that what it switched stays on."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:45")
    scene.calendar.cancel("a")
    scene.calendar.put("b", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.until("2026-06-01T13:00")

    assert ["start a", "end a cancelled", "start b missed"] == scene.told()
    assert ["b"] == [event["id"] for event in scene.state("now")["events"]]


async def test_what_has_started_is_always_ended(scene: Scene) -> None:
    """`on_missed = "skip"` leaves out starts: heating that was switched on is switched off, late as it is."""
    scene.tables["family"]["on_missed"] = "skip"
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T13:00")
    await scene.start()
    await scene.until("2026-06-01T12:45")
    await scene.kill()
    await scene.until("2026-06-01T14:00")
    await scene.start()
    await scene.kill()
    await scene.start()

    assert ["start a", "end a missed"] == scene.told()


@pytest.mark.parametrize("killed", [True, False])
async def test_what_was_left_out_still_runs_when_the_journal_is_read_again(scene: Scene, killed: bool) -> None:  # noqa: FBT001 - a parameter
    """An event that was moved and whose new start was left out is on, and is not ended."""
    scene.tables["family"]["on_missed"] = "skip"
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:40")
    scene.calendar.put("a", "2026-06-01T15:00", "2026-06-01T17:00")
    await scene.until("2026-06-01T13:00")
    await scene.kill()
    await scene.until("2026-06-01T15:30")
    await scene.start()
    if killed:
        await scene.until("2026-06-01T15:31")
        await scene.kill()
        await scene.start()
    else:
        scene.clock.jump(6.0)  # noticed: the journal is read again
    await scene.until("2026-06-01T16:00")

    assert ["a"] == [event["id"] for event in scene.state("now")["events"]]
    await scene.until("2026-06-01T18:00")
    assert ["start a", "end a moved"] == scene.told()
    assert not scene.state("now")["active"]


def test_of_a_long_journal_only_what_runs_is_held() -> None:
    """Ten thousand starts that were ended leave nothing behind; what is known stays until the end is read."""
    diary = Diary({"old": Told(frozenset({5}), 5)})
    reading = Reading(diary)
    for number in range(10_000):
        body = {"id": f"e{number}", "scheduled": iso(number), "start": iso(number), "content": "x" * 1000}
        reading.read("start", body)
        reading.read("end", body)
    reading.read("start", {"id": "now", "scheduled": iso(7), "start": iso(7)})

    assert ["now"] == list(reading.starts)
    assert ["old"] == diary.running()
    assert ["old", "now"] == reading.end().running()


async def test_the_broker_has_lost_its_states(scene: Scene) -> None:
    """Its history has begun anew: it is told what is on within five minutes, and no start is repeated."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    scene.calendar.put("b", "2026-06-02T12:30", "2026-06-02T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:40")
    states = {name: scene.state(name) for name in ("now", "next")}
    scene.hub._retained.clear()
    scene.hub.journal.clear()
    await scene.until("2026-06-01T12:46")

    assert states == {name: scene.state(name) for name in ("now", "next")}
    assert "ok" == scene.state("source")["status"]
    assert [] == scene.told()


async def test_on_and_over_while_file_and_source_are_gone(scene: Scene) -> None:
    """The journal alone says what runs: it is ended, and `now` says so."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T13:00")
    await scene.kill()
    (scene.folder / "family.json").unlink()
    scene.calendar.fault = SourceFault("unreachable", "no")
    await scene.start()
    await scene.until("2026-06-01T13:30")
    assert scene.state("now")["active"]
    await scene.until("2026-06-01T14:30")

    assert ["start a", "end a"] == scene.told()
    assert not scene.state("now")["active"]


async def test_an_event_that_began_before_1970(scene: Scene) -> None:
    """It is stored and read again as any other; one that began before 1900 is none."""
    scene.calendar.put("long", "1960-06-01T12:30", "2026-06-01T14:00")
    scene.calendar.put("wrong", "1890-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.kill()
    service = await scene.start()
    await scene.until("2026-06-01T15:00")

    assert (["start long missed", "end long"], "") == (scene.told(), service.trouble)


async def test_two_calendars_with_the_same_event(scene: Scene) -> None:
    """Each tells it, over a restart too."""
    from calendar_scene import Scripted

    scene.others["work"] = Scripted()
    scene.tables["work"] = dict(scene.tables["family"])
    for calendar in (scene.calendar, scene.others["work"]):
        calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T13:00")
    await scene.kill()
    await scene.start()
    await scene.until("2026-06-01T15:00")

    assert ["start a", "end a"] == scene.told() == scene.told("work")


async def test_refresh_while_the_source_is_being_asked(scene: Scene) -> None:
    """What either answer has changed is counted."""
    await scene.start()
    scene.calendar.go.clear()
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    async with Bus(name="test", transport=MemoryTransport(scene.hub, name="test")) as bus:
        first = asyncio.ensure_future(bus.request("calendar/family/refresh"))
        while len(scene.calendar.fetches) < 2:
            await asyncio.sleep(0.001)
        scene.calendar.put("b", "2026-06-01T13:00", "2026-06-01T14:00")
        second = asyncio.ensure_future(bus.request("calendar/family/refresh"))
        await scene.settle()
        scene.calendar.go.set()

        assert [{"changed": 1, "events": 1}, {"changed": 2, "events": 2}] == [await first, await second]
