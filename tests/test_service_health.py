"""What a service tells of itself on service/<name>/health: the figures grow with the trouble, and go with it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from test_runner import house
from test_topics_page import faults

from hearthbus.running.runner import Runner
from hearthbus.service import Service, on, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

    from hearthbus.bus import Bus
    from hearthbus.message import Message

MANY = 200
STUCK_S = 2.5


class Slow(Service):
    """Works only when it is let."""

    go = asyncio.Event()

    @on("work")
    async def work(self, message: Message) -> None:  # noqa: ARG002 - a handler's shape
        """Wait for the test."""
        await self.go.wait()

    @serve("answer")
    async def answer(self, request: Message) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Wait for the test."""
        await self.go.wait()
        return {}


async def health(bus: Bus, runner: Runner, wanted: Callable[[dict[str, Any]], bool]) -> Message:
    """Return the first health that is as wanted."""
    async with asyncio.timeout(20), bus.subscribe("service/slow/health") as messages:
        runner._next_health = 0.0
        async for message in messages:
            if wanted(message.body):
                return message
            runner._next_health = 0.0
    raise AssertionError("the bus ended")


class Reader(Service):
    """Reads a stream of its own, when it is let."""

    go = asyncio.Event()

    async def main(self) -> None:
        """Say that it listens, take a message, and wait for the test."""
        async with self.subscribe("work", retained=False) as stream:
            await self.publish("listens", retain=True)
            async for _ in stream:
                await self.go.wait()


async def test_what_waits_in_a_stream_of_its_own_is_told(broker: Broker) -> None:
    """A service that reads for itself, and not by `@on`, has a queue all the same."""
    Reader.go = asyncio.Event()
    runner = Runner(replace(house(slow=Reader), url=broker.url), ["slow"])
    running = asyncio.create_task(runner.run())
    try:
        async with broker.bus("tester") as bus:
            async with asyncio.timeout(20), bus.subscribe("listens") as messages:
                await anext(messages)
            for number in range(MANY):
                await bus.publish("work", number=number)
            full = await health(bus, runner, lambda body: body["queue"] == MANY - 1)
            Reader.go.set()
            calm = await health(bus, runner, lambda body: body["queue"] == 0)
    finally:
        runner.stop()
        await running

    assert (0, 0) == (full["lost"], calm["lost"])


class Stuck(Service):
    """Its loop stands still, and then something is wrong with it."""

    @on("work")
    async def work(self, message: Message) -> None:  # noqa: ARG002 - as above
        """Do what a handler must not."""
        time.sleep(STUCK_S)  # noqa: ASYNC251 - it is what is tried
        self.trouble = "no stick"


async def test_what_is_told_out_of_turn_has_the_lag_too(broker: Broker) -> None:
    """Health that says at once what is wrong does not say beside it that the loop was never late."""
    runner = Runner(replace(house(slow=Stuck), url=broker.url), ["slow"])
    running = asyncio.create_task(runner.run())
    try:
        async with broker.bus("tester") as bus, asyncio.timeout(20), bus.subscribe("service/slow/health") as messages:
            await anext(messages)
            await bus.publish("work")
            told = await anext(message async for message in messages if message.get("trouble"))
    finally:
        runner.stop()
        await running

    assert "no stick" == told["trouble"]
    assert told["loop_lag_s"] > STUCK_S / 4


async def test_what_waits_for_a_service_is_told(broker: Broker) -> None:
    """Messages behind a handler that does not return are its queue, requests are being answered; then nothing is."""
    Slow.go = asyncio.Event()
    runner = Runner(replace(house(slow=Slow), url=broker.url), ["slow"])
    running = asyncio.create_task(runner.run())
    try:
        async with broker.bus("tester") as bus:
            await health(bus, runner, lambda body: body["queue"] == 0)
            asking = asyncio.create_task(bus.request("answer", timeout=30))
            for number in range(MANY):
                await bus.publish("work", number=number)
            behind = await health(bus, runner, lambda body: body["queue"] and body["answering"])
            full = await health(bus, runner, lambda body: body["queue"] == MANY - 1)
            Slow.go.set()
            await asking
            calm = await health(bus, runner, lambda body: body["handled"] == MANY + 1)
    finally:
        runner.stop()
        await running

    assert 1 == behind["answering"]
    assert MANY - 1 == full["queue"]
    assert (0, 0, 0) == (calm["queue"], calm["answering"], calm["lost"])
    assert [] == faults(full)
