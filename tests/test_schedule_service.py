"""The schedule service: what it fires and when, over clocks that jump, outages and restarts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Invalid
from hearthbus.testing import Bench
from services.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hearthbus.message import Message

HOUR = 3600
DAY = 24 * HOUR
YEAR = 365 * DAY
HOURLY = {"cron": "0 * * * *"}
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""Where the bench's clock begins."""


def fired(bench: Bench, topic: str = "schedule/job") -> list[Message]:
    """Return every message of an entry."""
    return [message for message in bench.hub.journal if message.topic == topic]


def times(bench: Bench) -> list[str]:
    """Return what `job` was scheduled for, each time it fired."""
    return [message["scheduled"] for message in fired(bench)]


def job(cron: str, **more: Any) -> dict[str, Any]:
    """Return the config of a schedule with one entry, `job`."""
    return {"timezone": "UTC", "entries": {"job": {"cron": cron, **more}}}


@asynccontextmanager
async def restarted(bench: Bench, down: float, config: dict[str, Any]) -> AsyncIterator[Bench]:
    """Give a bench on which the service runs again, `down` seconds later on the wall clock, with what was retained."""
    retained = await bench.bus.get("#")
    later = Bench()
    later.jump(bench.clock.now() - later.clock.now() + down)
    async with later.bus:
        for message in retained:
            await later.publish(message.topic, message.body, retain=True)
        await later.run(Schedule, **config)
        yield later
        await later.stop()


async def test_entry_fires_at_its_time(bench: Bench) -> None:
    """It publishes its topic and body at the minute it names, with the time that was meant; not retained."""
    await bench.run(Schedule, **job("30 13 * * *", topic="house/siesta", body={"on": True}))
    await bench.advance(1.5 * HOUR - 1)
    await bench.nothing("house/#")
    await bench.advance(1)
    message = await bench.next_message("house/siesta")

    assert {"on": True, "scheduled": "2026-01-01T13:30:00Z"} == message.body
    assert datetime(2026, 1, 1, 13, 30, tzinfo=UTC).timestamp() == pytest.approx(message.time / 1e9, abs=0.1)
    assert not message.retained


async def test_default_topic_and_retain(bench: Bench) -> None:
    """Without a topic it is schedule/<name>; with `retain` the message is kept."""
    await bench.run(Schedule, **job("0 * * * *", retain=True))
    await bench.advance(HOUR)

    assert ["2026-01-01T13:00:00Z"] == [message["scheduled"] for message in await bench.bus.get("schedule/job")]


async def test_request_asks_the_responder(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """With `request` the one who serves the topic is asked; that nobody does is said, and the service goes on."""
    asked: list[dict[str, Any]] = []

    def answer(request: Message) -> dict[str, Any]:
        asked.append(request.body)
        return {}

    entries = {
        "job": {**HOURLY, "topic": "light/hall/set", "request": True, "body": {"on": True}},
        "lost": {**HOURLY, "topic": "light/shed/set", "request": True},
    }
    await bench.serve("light/hall/set", answer)
    await bench.run(Schedule, timezone="UTC", entries=entries)
    await bench.advance(2 * HOUR)

    assert [{"on": True, "scheduled": f"2026-01-01T{hour}:00:00Z"} for hour in (13, 14)] == asked
    assert 2 == len([record for record in caplog.records if "light/shed/set" in record.getMessage()])


async def test_time_zone_of_service_and_entry(bench: Bench) -> None:
    """An entry's own time zone counts before that of the service."""
    entries = {"a": {"cron": "0 22 * * *"}, "b": {"cron": "0 22 * * *", "timezone": "America/New_York"}}
    await bench.run(Schedule, timezone="Asia/Tokyo", entries=entries)
    await bench.advance(DAY)

    assert "2026-01-01T13:00:00Z" == (await bench.next("schedule/a"))["scheduled"]
    assert "2026-01-02T03:00:00Z" == (await bench.next("schedule/b"))["scheduled"]


async def test_state_tells_what_comes(bench: Bench) -> None:
    """The retained state says when each entry fires next and fired last."""
    await bench.run(Schedule, **job("0 * * * *"))
    await bench.advance(HOUR)
    (state,) = await bench.bus.get("schedule/state")

    assert {
        "rule": "0 * * * * UTC",
        "since": "2026-01-01T12:00:00Z",
        "last": "2026-01-01T13:00:00Z",
        "next": "2026-01-01T14:00:00Z",
    } == state["entries"]["job"]


@pytest.mark.parametrize(
    ("zone", "cron", "start", "expected"),
    [
        ("Europe/London", "30 1 * * *", "2026-10-24T12:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        ("Europe/London", "30 1 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
        ("America/New_York", "30 2 * * *", "2026-03-07T12:00Z", ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]),
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00Z", ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T02:00Z", ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]),
    ],
)
async def test_a_fixed_time_fires_once_a_day_over_changes(
    bench: Bench, zone: str, cron: str, start: str, expected: list[str]
) -> None:
    """Over a change of the clock a daily job fires once that day and once the next."""
    bench.jump((datetime.fromisoformat(start) - BEGIN).total_seconds())
    await bench.run(Schedule, timezone=zone, entries={"job": {"cron": cron}})
    await bench.advance(2 * DAY)

    assert expected == times(bench)


@pytest.mark.parametrize("on_missed", ["skip", "once"])
async def test_a_year_forwards_and_back(bench: Bench, on_missed: str) -> None:
    """A clock that leaps a year forwards and back brings no storm, and no instant fires twice."""
    await bench.run(Schedule, **job("0 * * * *", on_missed=on_missed))
    await bench.advance(1.5 * HOUR)
    bench.jump(YEAR)
    await bench.advance(120)
    ahead = times(bench)
    bench.jump(-YEAR)
    await bench.advance(3 * HOUR)

    assert (1 if on_missed == "skip" else 2) == len(ahead)
    assert len(times(bench)) == len(set(times(bench)))
    assert "2026-01-01T16:00:00Z" in times(bench)


@pytest.mark.parametrize("on_missed", ["skip", "once"])
async def test_an_hour_back_fires_nothing_twice(bench: Bench, on_missed: str) -> None:
    """Set back by an hour, an entry waits until the hour is over."""
    await bench.run(Schedule, **job("*/10 * * * *", on_missed=on_missed))
    await bench.advance(2 * HOUR)
    before = times(bench)
    bench.jump(-HOUR)
    await bench.advance(HOUR)
    repeated = times(bench)[len(before) :]
    await bench.advance(HOUR)

    assert 12 == len(before)
    assert not repeated
    assert 18 == len(times(bench)) == len(set(times(bench)))


async def test_asleep_for_a_night(bench: Bench) -> None:
    """After a night asleep `once` makes up with one firing that says so, `skip` with none."""
    entries = {"job": {**HOURLY, "on_missed": "once"}, "other": HOURLY}
    await bench.run(Schedule, timezone="UTC", entries=entries)
    await bench.advance(60)
    bench.jump(8.5 * HOUR)
    await bench.advance(60)

    assert [{"scheduled": "2026-01-01T13:00:00Z", "missed": True}] == [message.body for message in fired(bench)]
    assert not fired(bench, "schedule/other")


@pytest.mark.parametrize(("on_missed", "expected"), [("once", 1), ("skip", 0)])
async def test_downtime(bench: Bench, on_missed: str, expected: int) -> None:
    """After two days of downtime, `once` makes up at the start with one firing, `skip` waits for the next."""
    config = job("0 7 * * *", on_missed=on_missed)
    await bench.run(Schedule, **config)
    await bench.advance(DAY)
    async with restarted(bench, 2 * DAY, config) as later:
        await later.advance(60)
        at_once = len(fired(later))
        await later.advance(DAY)

        assert expected == at_once
        assert expected + 1 == len(fired(later))


async def test_downtime_before_the_first_firing(bench: Bench) -> None:
    """An entry that has never fired yet knows since when it waits."""
    config = job("0 7 2 * *", on_missed="once")
    await bench.run(Schedule, **config)
    async with restarted(bench, 2 * DAY, config) as later:
        await later.advance(60)

        assert ["2026-01-02T07:00:00Z"] == times(later)


async def test_a_changed_entry_makes_up_for_nothing(bench: Bench) -> None:
    """An entry whose cron expression was changed while the service was down is new."""
    await bench.run(Schedule, **job("0 7 1 1 *", on_missed="once"))
    async with restarted(bench, DAY, job("0 * * * *", on_missed="once")) as later:
        await later.advance(60)

        assert not fired(later)


@pytest.mark.parametrize("on_missed", ["skip", "once"])
async def test_a_restart_with_the_clock_set_back(bench: Bench, on_missed: str) -> None:
    """A new process an hour earlier on the clock repeats nothing that the one before has fired."""
    config = job("*/10 * * * *", on_missed=on_missed)
    await bench.run(Schedule, **config)
    await bench.advance(2 * HOUR)
    async with restarted(bench, -HOUR, config) as later:
        await later.advance(2 * HOUR)

        assert not set(times(bench)) & set(times(later))
        assert 6 == len(times(later))


async def test_the_broker_away(bench: Bench) -> None:
    """What falls due while the broker is away is missed: `once` makes up for it when it is back, once."""
    entries = {"job": {**HOURLY, "on_missed": "once"}, "other": HOURLY}
    await bench.run(Schedule, timezone="UTC", entries=entries)
    async with bench.outage():
        await bench.advance(2.5 * HOUR)
    await bench.advance(60)

    assert [{"scheduled": "2026-01-01T14:00:00Z", "missed": True}] == [message.body for message in fired(bench)]
    assert not fired(bench, "schedule/other")


async def test_stored_before_it_is_fired(bench: Bench) -> None:
    """The state that names a firing is in the journal before the firing: a crash between the two repeats nothing."""
    await bench.run(Schedule, **job("0 * * * *"))
    await bench.advance(HOUR)
    story = [message for message in bench.hub.journal if message.time / 1e9 >= BEGIN.timestamp() + HOUR]

    assert ["schedule/state", "schedule/job"] == [message.topic for message in story]
    assert "2026-01-01T13:00:00Z" == story[0]["entries"]["job"]["last"]


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({}, "cron is missing"),
        ({"cron": "61 * * * *"}, r"job\.cron.*minute '61'"),
        ({"cron": "* * * * *", "topic": "a//b"}, r"job\.topic"),
        ({"cron": "* * * * *", "topic": "sensor/#"}, r"job\.topic"),
        ({"cron": "* * * * *", "timezone": "Europe/Londen"}, r"job\.timezone.*Europe/London"),
        ({"cron": "* * * * *", "on_missed": "twice"}, r"job\.on_missed"),
        ({"cron": "* * * * *", "body": {"at": datetime(2026, 1, 1, tzinfo=UTC)}}, r"job\.body"),
        ({"cron": "* * * * *", "body": {"scheduled": 1}}, "choose another key"),
        ({"cron": "* * * * *", "request": True}, r"job\.request"),
        ({"cron": "* * * * *", "retian": True}, "did you mean 'retain'"),
    ],
)
async def test_bad_entry_is_refused(bench: Bench, entry: dict[str, Any], key: str) -> None:
    """A mistake is refused before anything starts, by the name of its key."""
    with pytest.raises(Invalid, match=key):
        await bench.run(Schedule, entries={"job": entry})


async def test_every_mistake_of_an_entry_is_said_at_once(bench: Bench) -> None:
    """Three faults in one entry are three problems, not one after the other."""
    with pytest.raises(Invalid) as caught:
        await bench.run(Schedule, entries={"job": {"cron": "61 * * * *", "topic": "A", "body": {"missed": 1}}})

    assert 3 == len(caught.value.problems)


@pytest.mark.parametrize("name", ["state", "a/b", "Wake"])
async def test_bad_name_is_refused(bench: Bench, name: str) -> None:
    """A name that cannot be part of its topic is refused."""
    with pytest.raises(Invalid, match=name):
        await bench.run(Schedule, entries={name: HOURLY})
