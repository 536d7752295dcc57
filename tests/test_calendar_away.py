"""The calendar service while something is wrong: its source, the broker, the disk, the clock."""

from __future__ import annotations

import pytest
from calendar_scene import Scene, Scripted, at_noon, when

from services.calendar.sources import SourceFault

scene = pytest.fixture(at_noon)


async def test_the_broker_away(scene: Scene) -> None:
    """What falls due meanwhile is told when it is back, in its order."""
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:50")
    scene.hub.stop()
    await scene.until("2026-06-01T14:10")
    scene.hub.start()
    await scene.until("2026-06-01T14:11")

    assert ["start a missed", "end a missed"] == scene.told()


@pytest.mark.parametrize("loss", ["before", "after"])
async def test_a_confirmation_that_got_lost(scene: Scene, loss: str) -> None:
    """The journal says whether it was told: neither twice nor never."""
    scene.losses = iter([loss, "", loss])
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T15:00")

    assert ["start a", "end a"] == scene.told()


async def test_a_source_that_was_never_there(scene: Scene) -> None:
    """It is not said to be known no more what never was."""
    scene.calendar.fault = SourceFault("unreachable", "no route to calendar.example")
    service = await scene.start()
    await scene.until("2026-06-01T12:10")

    assert service.trouble.endswith("no route to calendar.example; it has never answered")


async def test_without_its_source(scene: Scene) -> None:
    """It goes on from what is stored, over a restart too, and says so; when that ends it says that it knows nothing."""
    scene.tables["family"]["days_ahead"] = 2
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    scene.calendar.put("b", "2026-06-02T13:00", "2026-06-02T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:30")
    scene.calendar.fault = SourceFault("unreachable", "no route to calendar.example")
    await scene.until("2026-06-01T13:30")
    await scene.kill()
    service = await scene.start()
    await scene.until("2026-06-02T15:00")

    assert ["start a", "end a", "start b", "end b"] == scene.told()
    assert ("offline", "unreachable") == (scene.state("source")["status"], scene.state("source")["kind"])
    assert "no route to calendar.example; goes by what is stored until 2026-06-03" in service.trouble
    assert 1 == service.health()["offline"]
    await scene.until("2026-06-03T13:00")
    assert "nothing is known any more" in service.trouble
    scene.calendar.fault = None
    await scene.until("2026-06-03T14:00")
    assert ("ok", "") == (scene.state("source")["status"], service.trouble)


@pytest.mark.parametrize(
    ("kind", "first", "most", "after_s"),
    [
        ("busy", 60, 3600, None),
        ("busy", 1800, 3600, 1800.0),
        ("busy", 60, 3600, float("nan")),
        ("unreachable", 30, 900, None),
        ("broken", 30, 900, None),
        ("refused", 900, 21600, None),
        ("gone", 900, 21600, None),
        ("bug", 30, 900, None),
    ],
)
async def test_each_fault_is_asked_again_ever_more_seldom(
    scene: Scene, kind: str, first: int, most: int, after_s: float | None
) -> None:
    """And the service lives on, and asks as before once it is well."""
    scene.calendar.fault = ZeroDivisionError("s3cret") if kind == "bug" else SourceFault(kind, "no", after_s=after_s)  # type: ignore[arg-type]  # a table
    service = await scene.start()
    await scene.until(scene.clock.now() + 5 * most)
    gaps = [b - a for a, b in zip(scene.calendar.fetches, scene.calendar.fetches[1:], strict=False)]

    assert first <= gaps[0] <= first * 1.21
    assert most <= gaps[-1] <= most * 1.21
    assert "s3cret" not in service.trouble
    scene.calendar.fault = None
    await scene.until(scene.clock.now() + 1.3 * most + 600)
    gaps = [b - a for a, b in zip(scene.calendar.fetches, scene.calendar.fetches[1:], strict=False)]
    assert 300 == gaps[-1]


async def test_a_source_that_hangs_delays_nobody(scene: Scene) -> None:
    """Its own stored events and the other calendar's are told; it counts as offline."""
    scene.others["work"] = Scripted()
    scene.others["work"].clock = scene.clock
    scene.tables["work"] = {"every_s": 300.0, "jitter_s": 0.0}
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    scene.others["work"].put("w", "2026-06-01T13:00", "2026-06-01T14:00")
    service = await scene.start()
    await scene.until("2026-06-01T12:30")
    fetched = len(scene.others["work"].fetches)
    scene.calendar.go.clear()
    await scene.until("2026-06-01T13:30")

    assert (["start a"], ["start w"]) == (scene.told(), scene.told("work"))
    assert fetched + 12 <= len(scene.others["work"].fetches)
    assert "no answer" in service.trouble
    scene.calendar.go.set()
    await scene.until("2026-06-01T13:31")
    assert "" == service.trouble


@pytest.mark.parametrize("year", ["1970-01-01T00:00", "2020-06-01T12:30"])
async def test_a_clock_that_is_set_after_the_start(scene: Scene, year: str) -> None:
    """Before it is set nothing is told or fetched; then what was missed is, and nothing is repeated."""
    scene.calendar.put("old", "2020-06-01T12:00", "2020-06-01T14:00")
    scene.calendar.put("dawn", "1970-01-01T00:00", "1970-01-01T14:00")
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T15:00")
    scene.calendar.put("b", "2026-06-01T13:00", "2026-06-01T14:00")
    await scene.start()
    await scene.until("2026-06-01T12:45")
    await scene.kill()
    await scene.until("2026-06-01T13:30")
    away = scene.clock.now() - when(year)
    scene.clock.jump(-away)
    fetched = len(scene.calendar.fetches)
    service = await scene.start()
    await scene.until(scene.clock.now() + 600)

    assert ["start a"] == scene.told()
    assert fetched == len(scene.calendar.fetches)
    assert "the clock says" in service.trouble
    await scene.jump(away)
    await scene.until("2026-06-01T16:00")
    assert ["start a", "start b missed", "end b", "end a"] == scene.told()


async def test_a_clock_that_is_behind_what_was_known(scene: Scene) -> None:
    """Days behind, it is given ten minutes to be set; then it is believed: the other one may have been wrong."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T15:00")
    await scene.start()
    await scene.kill()
    scene.clock.jump(-2 * 86400)
    scene.calendar.put("early", "2026-05-30T12:00", "2026-05-30T13:00")
    service = await scene.start()
    assert "waiting for it to be set" in service.trouble
    await scene.until(scene.clock.now() + 590)
    assert [] == scene.told()
    await scene.until("2026-06-01T16:00")

    assert ["start early missed", "end early", "start a", "end a"] == scene.told()


@pytest.mark.parametrize("hours", [-1, -26, -50, 1])
async def test_a_clock_that_jumps_repeats_nothing(scene: Scene, hours: int) -> None:
    """Set back it tells nothing twice; set forwards it tells what that has leapt over."""
    scene.calendar.put("a", "2026-06-01T12:30", "2026-06-01T14:00")
    scene.calendar.put("b", "2026-06-01T14:30", "2026-06-01T14:40")
    await scene.start()
    await scene.until("2026-06-01T14:10")
    await scene.jump(hours * 3600)
    await scene.until("2026-06-01T16:00")

    assert ["start a", "end a", "start b", "end b"] == [text.removesuffix(" missed") for text in scene.told()]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"form":"hearthbus calendar 1"}', b"\xff" * 100])
async def test_a_damaged_file_is_set_aside(scene: Scene, content: bytes) -> None:
    """The service begins anew, and says so."""
    (scene.folder / "family.json").write_bytes(content)
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    scene.calendar.fault = SourceFault("unreachable", "no")
    service = await scene.start()

    assert "damaged" in service.trouble
    assert content == (scene.folder / "family.json.damaged").read_bytes()
    scene.calendar.fault = None
    await scene.until("2026-06-01T13:30")
    assert (["start a"], "") == (scene.told(), service.trouble)


async def test_a_disk_that_takes_nothing(scene: Scene) -> None:
    """It is said, and the events are told all the same."""
    scene.folder = scene.folder / "file"
    scene.folder.write_text("")
    scene.calendar.put("a", "2026-06-01T13:00", "2026-06-01T14:00")
    service = await scene.start()
    await scene.until("2026-06-01T13:30")

    assert ["start a"] == scene.told()
    assert "cannot be made" in service.trouble
