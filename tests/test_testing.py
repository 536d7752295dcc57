"""The bench: what a service's own tests stand on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import HandlerError, Invalid, Message, NoResponder, Service, Unavailable, every, on, serve
from hearthbus.testing import Bench

if TYPE_CHECKING:
    from collections.abc import Mapping


class Thermostat(Service):
    """Keep one room at its target temperature by switching a heater."""

    @dataclass(frozen=True)
    class Config:
        room: str
        target: float = 20.0
        band: float = 0.5

    @on("temperature/{room}")
    async def regulate(self, reading: Message) -> None:
        error = self.config.target - reading["celsius"]
        if abs(error) > self.config.band:
            await self.publish(f"heater/{self.config.room}/set", on=error > 0)


async def test_cold_room_is_heated(bench: Bench) -> None:
    """A reading below the band switches the heater on."""
    await bench.run(Thermostat, room="hall", target=21)
    await bench.publish("temperature/hall", celsius=18.0)

    assert {"on": True} == await bench.next("heater/hall/set")


async def test_the_same_service_runs_twice(bench: Bench) -> None:
    """Two instances have names and configurations of their own."""
    await bench.run(Thermostat, "hall-thermostat", room="hall")
    await bench.run(Thermostat, "attic-thermostat", room="attic")
    await bench.publish("temperature/attic", celsius=25.0)
    message = await bench.next_message("heater/#")

    assert ("heater/attic/set", "attic-thermostat", {"on": False}) == (message.topic, message.origin, message.body)


async def test_a_config_is_checked_as_a_file_s_is(bench: Bench) -> None:
    """A test cannot run a service with what no configuration could say."""
    with pytest.raises(Invalid) as caught:
        await bench.run(Thermostat, rooom="hall", target="warm")

    assert (
        "rooom: unknown key; did you mean 'room'?",
        "room is missing; set it to text in quotes",
        'target: "warm" is wrong; write a number',
    ) == caught.value.problems


async def test_each_message_is_returned_once_in_order(bench: Bench) -> None:
    """`next` goes through what the services have published; what the test publishes is not among it."""
    await bench.run(Thermostat, room="hall")
    for celsius in (10.0, 30.0):
        await bench.publish("temperature/hall", celsius=celsius)

    assert [True, False] == [(await bench.next("#"))["on"] for _ in range(2)]

    await bench.nothing("#")


async def test_a_message_that_does_not_come_fails_with_the_story(bench: Bench) -> None:
    """The failure says what was published instead."""
    await bench.run(Thermostat, room="hall")
    with pytest.raises(
        AssertionError, match="no message on heater/attic/set within 0 s; the services published nothin"
    ):
        await bench.next("heater/attic/set", timeout=0)
    await bench.publish("temperature/hall", celsius=10.0)

    with pytest.raises(AssertionError, match=r"the services published: heater/hall/set \{'on': True\}"):
        await bench.next("heater/attic/set", timeout=0)


async def test_a_message_too_many_fails_with_what_it_is(bench: Bench) -> None:
    """`nothing` names what there is."""
    await bench.run(Thermostat, room="hall")
    await bench.publish("temperature/hall", celsius=10.0)

    with pytest.raises(AssertionError, match=r"expected nothing on heater/#: heater/hall/set \{'on': True\}"):
        await bench.nothing("heater/#")


class Lamp(Service):
    """Asks a switch, and tells how it went; works in a thread too."""

    @serve("lamp/set")
    async def set(self, request: Message) -> Mapping[str, Any]:
        return await self.request("switch/lamp/set", on=request["on"])

    @on("lamp/threaded")
    async def threaded(self, _message: Message) -> None:
        await asyncio.to_thread(time.sleep, 0.05)
        await self.publish("lamp/done")

    @on("lamp/report")
    async def report(self, _message: Message) -> None:
        await self.publish("lamp/state", on=True, retain=True)


async def test_the_bench_answers_for_others(bench: Bench) -> None:
    """What the service under test asks of another is answered by the test, and seen by it."""
    await bench.run(Lamp)
    await bench.serve("switch/+/set", lambda request: {"confirmed": request["on"]})
    answer = await bench.request("lamp/set", on=True)

    assert {"confirmed": True} == answer
    assert {"on": True} == await bench.next("switch/lamp/set")


async def test_the_bench_may_answer_with_an_error(bench: Bench) -> None:
    """What the test's answer raises reaches the service as an answer's error does."""

    def refuse(_request: Message) -> Mapping[str, Any]:
        raise Invalid("the fuse is blown")

    await bench.run(Lamp)
    await bench.serve("switch/lamp/set", refuse)

    with pytest.raises(HandlerError, match="the fuse is blown"):
        await bench.request("lamp/set", on=True)


async def test_publish_waits_for_work_in_threads(bench: Bench) -> None:
    """A handler that is in a thread is waited for, a little while."""
    await bench.run(Lamp)
    await bench.publish("lamp/threaded")

    assert {} == await bench.next("lamp/done", timeout=0)


async def test_an_outage_is_what_a_service_lives_through(bench: Bench) -> None:
    """While the broker is away requests fail at once, state waits in its newest form, the rest for its time."""
    lamp = await bench.run(Lamp)
    async with bench.outage():
        with pytest.raises(Unavailable):
            await lamp.request("anything")
        await lamp.publish("lamp/state", on=True, retain=True)
        await lamp.publish("lamp/state", on=False, retain=True)
        await lamp.publish("lamp/old", ttl=5)
        await lamp.publish("lamp/new", ttl=60)
        await bench.advance(10)
    messages = [await bench.next_message("lamp/#") for _ in range(2)]
    await bench.nothing("#")

    assert [("lamp/state", {"on": False}), ("lamp/new", {})] == [(one.topic, one.body) for one in messages]


class Alarm(Service):
    """Rings each hour, and once after a nap."""

    @every(3600)
    async def ring(self) -> None:
        await self.publish("alarm/ring", at=self.now())

    async def main(self) -> None:
        await self.sleep(90)
        await self.publish("alarm/nap", at=self.now())
        await super().main()


async def test_time_passes_only_when_told(bench: Bench) -> None:
    """A day is over at once, every timer at its moment, and messages carry that time."""
    await bench.run(Alarm)
    noon = bench.clock.now()
    await bench.advance(24 * 3600)
    rings = [await bench.next_message("alarm/ring") for _ in range(25)]
    nap = await bench.next("alarm/nap")

    assert [noon + 3600 * hour for hour in range(25)] == [ring["at"] for ring in rings]
    assert [ring["at"] for ring in rings] == [ring.time / 1e9 for ring in rings]
    assert {"at": noon + 90} == nap


async def test_the_clock_begins_at_noon_of_the_first_of_january(bench: Bench) -> None:
    """Tests do not depend on the day they run."""
    assert "2026-01-01 12:00:00" == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(bench.clock.now()))


async def test_a_jump_moves_the_wall_clock_alone(bench: Bench) -> None:
    """Setting the clock lets no time pass."""
    before = (bench.clock.now(), bench.clock.monotonic())
    bench.jump(-3600)

    assert (before[0] - 3600, before[1]) == (bench.clock.now(), bench.clock.monotonic())


async def test_the_end_of_a_test_stops_its_services() -> None:
    """A bench is a block: after it nothing runs and nobody serves."""
    async with Bench() as bench:
        await bench.run(Lamp)
        before = len(bench.hub.responders)

    assert (1, 0, 0) == (before, len(bench.hub.responders), len(bench.hub.streams))
    assert 1 == len(asyncio.all_tasks())


async def test_nobody_answers_who_is_not_there(bench: Bench) -> None:
    """A request without a responder fails at once."""
    with pytest.raises(NoResponder, match="nobody serves 'lamp/set'"):
        await bench.request("lamp/set")
