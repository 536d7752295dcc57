"""The sun service: what it publishes and when, over polar nights, clocks that jump, and restarts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Invalid
from hearthbus.testing import Bench
from services.sun import Sun

if TYPE_CHECKING:
    from hearthbus.message import Message

LONDON: dict[str, Any] = {"latitude": 51.5074, "longitude": -0.1278, "timezone": "Europe/London"}
TROMSO: dict[str, Any] = {"latitude": 69.6492, "longitude": 18.9553, "timezone": "Europe/Oslo"}
HOUR = 3600
DAY = 24 * HOUR
YEAR = 365 * DAY


def edges(bench: Bench) -> list[Message]:
    """Return every event that was published."""
    return [message for message in bench.hub.journal if message.topic != "sun/state"]


def told(bench: Bench) -> list[tuple[str, str]]:
    """Return the name and the time of every event that was published."""
    return [(message.topic, message["time"]) for message in edges(bench)]


async def test_sunset_is_published_when_it_happens(bench: Bench) -> None:
    """The event comes within a second of its own time, with the place's local time and the sun's elevation."""
    await bench.run(Sun, **LONDON)
    await bench.advance(5 * HOUR)
    sunset = await bench.next_message("sun/sunset")

    assert "2026-01-01T16:02:12Z" == sunset["time"]
    assert "2026-01-01T16:02:12+00:00" == sunset["local"]
    assert -0.83 == sunset["elevation"]
    assert abs(datetime.fromisoformat(sunset["time"]).timestamp() - sunset.time / 1e9) <= 1
    assert not sunset.retained


async def test_state_is_retained_and_told_each_minute(bench: Bench) -> None:
    """Who comes late finds elevation, azimuth, phase and what comes next, a minute old at most."""
    await bench.run(Sun, **LONDON)
    await bench.advance(10 * 60)
    (state,) = await bench.bus.get("sun/state")

    assert state.age(round(bench.clock.now() * 1e9)) <= 60
    assert "day" == state["phase"]
    assert 15.0 < state["elevation"] < 16.0
    assert 179.0 < state["azimuth"] < 183.0
    assert "2026-01-01T16:02:12Z" == state["next"]["sunset"]
    assert {"noon": "2026-01-01T12:04:05Z"} == state["last"]


async def test_a_day_has_every_event_once(bench: Bench) -> None:
    """In a London winter all fourteen events happen within a day, each once."""
    await bench.run(Sun, **LONDON)
    await bench.advance(DAY)

    assert 14 == len(edges(bench))
    assert {1} == set(Counter(message.topic for message in edges(bench)).values())


async def test_polar_night_is_ordinary(bench: Bench) -> None:
    """In the polar night there is noon and twilight, no sunrise; its date, two weeks off, is known and kept."""
    await bench.run(Sun, **TROMSO)
    (state,) = await bench.bus.get("sun/state")
    sunrise = datetime.fromisoformat(state["next"]["sunrise"])
    await bench.advance((sunrise - datetime(2026, 1, 1, 12, tzinfo=UTC)).total_seconds() + 60)
    rises = [message["time"] for message in edges(bench) if message.topic == "sun/sunrise"]

    assert (2026, 1) == (sunrise.year, sunrise.month)
    assert [state["next"]["sunrise"]] == rises


async def test_event_that_never_comes_is_absent(bench: Bench) -> None:
    """An altitude the sun never reaches is legal; it is absent from what comes next."""
    await bench.run(Sun, **LONDON, events={"overhead": {"altitude": 80.0, "direction": "rising"}})
    (state,) = await bench.bus.get("sun/state")

    assert "overhead" not in state["next"]
    assert "sunset" in state["next"]


async def test_named_events(bench: Bench) -> None:
    """An offset moves a known event, an altitude makes a new one; both are events like any other."""
    events = {
        "lights-on": {"event": "sunset", "offset_minutes": -20},
        "over-the-wood": {"altitude": 10.0, "direction": "setting", "offset_minutes": 0.5},
    }
    await bench.run(Sun, **LONDON, events=events)
    await bench.advance(5 * HOUR)

    assert "2026-01-01T15:42:12Z" == (await bench.next("sun/lights-on"))["time"]
    assert 9.9 < (await bench.next("sun/over-the-wood"))["elevation"] < 10.1


async def test_nothing_of_the_past_at_the_start(bench: Bench) -> None:
    """A service that starts minutes after sunset does not publish it: it would be taken for now."""
    bench.jump(4 * HOUR + 5 * 60)
    await bench.run(Sun, **LONDON)

    await bench.nothing("sun/sunset")


async def test_a_year_forwards_and_back(bench: Bench) -> None:
    """A clock that leaps a year forwards and at once back brings no storm, repeats nothing and loses nothing."""
    await bench.run(Sun, **LONDON)
    await bench.advance(6 * HOUR)
    before = told(bench)
    bench.jump(YEAR)
    await bench.advance(120)
    ahead = told(bench)
    bench.jump(-YEAR)
    await bench.advance(DAY)
    everything = told(bench)

    assert before == ahead
    assert len(before) + 14 == len(everything) == len(set(everything))


@pytest.mark.parametrize("back", [HOUR, 5 * HOUR, 30 * HOUR])
async def test_set_back_repeats_nothing(bench: Bench, back: int) -> None:
    """However far the clock is set back into time that was lived, no event is published a second time."""
    bench.jump(-2 * DAY)
    await bench.run(Sun, **LONDON)
    await bench.advance(2 * DAY + 7 * HOUR)
    before = told(bench)
    bench.jump(-back)
    await bench.advance(back)
    repeated = told(bench)[len(before) :]
    await bench.advance(DAY)

    assert not repeated
    assert len(before) + 14 == len(told(bench)) == len(set(told(bench)))


async def test_a_restart_repeats_nothing(bench: Bench) -> None:
    """A new process that finds the clock set back knows from the retained state what has been published."""
    await bench.run(Sun, **LONDON)
    await bench.advance(5 * HOUR)
    (state,) = await bench.bus.get("sun/state")
    later = Bench()
    later.jump(4 * HOUR - 60)
    async with later.bus:
        await later.publish("sun/state", state.body, retain=True)
        await later.run(Sun, **LONDON)
        await later.advance(HOUR)
        repeated = [message.topic for message in later.hub.journal if message.topic != "sun/state"]
        (after,) = await later.bus.get("sun/state")
        await later.stop()

    assert not repeated
    assert state["last"] == after["last"]


async def test_a_strange_state_is_no_obstacle(bench: Bench) -> None:
    """Whatever somebody has retained on the service's own topic, it starts."""
    await bench.publish(
        "sun/state", {"last": {"noon": 7, "sunset": "yesterday", "x": []}, "lived": "ages"}, retain=True
    )
    await bench.run(Sun, **LONDON)
    await bench.advance(60)
    (state,) = await bench.bus.get("sun/state")

    assert "day" == state["phase"]
    assert not state["last"]


async def test_an_outage_of_the_broker_brings_no_stale_event(bench: Bench) -> None:
    """What happened while the broker was away for long is not published when it is back; the state is."""
    await bench.run(Sun, **LONDON)
    async with bench.outage():
        await bench.advance(5 * HOUR)
    (state,) = await bench.bus.get("sun/state")

    assert not edges(bench)
    assert "2026-01-01T16:02:12Z" == state["last"]["sunset"]


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"latitude": 91.0}, "latitude"),
        ({"longitude": -181.0}, "longitude"),
        ({"timezone": "Europe/Londen"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"events": {"state": {"event": "noon"}}}, "events"),
        ({"events": {"sunset": {"event": "noon"}}}, "events"),
        ({"events": {"Lights On": {"event": "noon"}}}, "Lights On"),
        ({"events": {"a/b": {"event": "noon"}}}, "events"),
        ({"events": {"x": {}}}, "events.x"),
        ({"events": {"x": {"event": "sunsett"}}}, "did you mean 'sunset'"),
        ({"events": {"x": {"event": "sunset", "altitude": 1.0}}}, "events.x"),
        ({"events": {"x": {"event": "sunset", "direction": "rising"}}}, "direction"),
        ({"events": {"x": {"altitude": 1.0}}}, "direction"),
        ({"events": {"x": {"altitude": 91.0, "direction": "rising"}}}, "altitude"),
        ({"events": {"x": {"altitude": 1.0, "direction": "up"}}}, "direction"),
        ({"events": {"x": {"event": "sunset", "offset_minutes": 1000}}}, "offset_minutes"),
    ],
)
async def test_bad_config_is_refused(bench: Bench, config: dict[str, Any], key: str) -> None:
    """A mistake is refused before anything starts, by the name of its key."""
    with pytest.raises(Invalid, match=key):
        await bench.run(Sun, **{**LONDON, **config})
