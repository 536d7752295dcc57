"""The bus in memory keeps the broker's promises, as far as a test can tell."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from hearthbus import Bus, Message, NoResponder, Refused, Timeout, Unavailable
from hearthbus.testing import ManualClock, MemoryHub, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hearthbus import Subscription


@pytest.fixture
def hub() -> MemoryHub:
    """A bus whose clock stands."""
    return MemoryHub(ManualClock(1000.0))


@asynccontextmanager
async def client(hub: MemoryHub, name: str = "tester") -> AsyncIterator[Bus]:
    """Connect to a hub."""
    async with Bus(name=name, transport=MemoryTransport(hub, name=name)) as bus:
        yield bus


async def take(subscription: Subscription, count: int) -> list[Message]:
    """Return the next messages of a subscription."""
    async with asyncio.timeout(30):
        return [await anext(subscription) for _ in range(count)]


async def test_a_message_tells_where_it_comes_from(hub: MemoryHub) -> None:
    """Origin, time, the topic's sequence and the journal's offset are stamped by the hub."""
    async with client(hub) as bus, bus.subscribe("#") as messages:
        await bus.publish("a", n=1)
        await bus.publish("b", n=2)
        await bus.publish("a", n=3, retain=True)
        found = await take(messages, 3)

    assert [("a", 1, 1, False), ("b", 1, 2, False), ("a", 2, 3, True)] == [
        (one.topic, one.seq, one.offset, one.retained) for one in found
    ]
    assert {("tester", 1000 * 10**9, False)} == {(one.origin, one.time, one.replayed) for one in found}


async def test_state_then_live_without_a_gap_or_a_double(hub: MemoryHub) -> None:
    """A subscription begins with the retained state, marked as such, and goes on live."""
    async with client(hub) as bus:
        await bus.publish("a", n=1, retain=True)
        await bus.publish("a", n=2, retain=True)
        await bus.publish("b", n=3)
        async with bus.subscribe("#") as messages:
            await bus.publish("a", n=4, retain=True)
            found = await take(messages, 2)

    assert [(2, True), (4, False)] == [(one["n"], one.replayed) for one in found]


async def test_an_empty_body_forgets_the_state(hub: MemoryHub) -> None:
    """State is taken back by publishing nothing."""
    async with client(hub) as bus:
        await bus.publish("a", n=1, retain=True)
        await bus.publish("b", n=2, retain=True)
        await bus.publish("a", retain=True)

        assert ["b"] == [one.topic for one in await bus.get("#")]


async def test_readers_do_not_share_a_body(hub: MemoryHub) -> None:
    """What one reader does to a body, the next does not see."""
    async with client(hub) as bus, bus.subscribe("a") as one, bus.subscribe("a") as other:
        await bus.publish("a", list=[1])
        (await take(one, 1))[0]["list"].append(2)

        assert [1] == (await take(other, 1))[0]["list"]


async def test_the_journal_has_everything_in_its_time(hub: MemoryHub) -> None:
    """Replay takes a span of time and patterns, oldest first."""
    clock = hub.clock
    assert isinstance(clock, ManualClock)
    async with client(hub) as bus:
        for n in range(4):
            await bus.publish("a", n=n)
            await bus.publish("b", n=n)
            clock.jump(1)
        found = [one async for one in bus.replay("a", since=1001 * 10**9, until=1003 * 10**9)]

    assert [(1, True), (2, True)] == [(one["n"], one.replayed) for one in found]


async def test_a_durable_subscription_goes_on_where_it_was(hub: MemoryHub) -> None:
    """A named consumer gets what came after its last acknowledged message, however it ended."""
    async with client(hub) as bus:
        await bus.publish("a", n=0)
        async with bus.subscribe("a", durable="reader") as messages:
            for n in (1, 2, 3):
                await bus.publish("a", n=n)
            first = await take(messages, 2)
            await messages.ack(first[0])
        await bus.publish("a", n=4)
        async with bus.subscribe("a", durable="reader") as messages:
            second = await take(messages, 3)

    assert [1, 2] == [one["n"] for one in first]
    assert [2, 3, 4] == [one["n"] for one in second]


async def test_a_consumer_has_one_reader(hub: MemoryHub) -> None:
    """Two readers of one name would take each other's messages; the second is refused."""
    async with client(hub) as bus, bus.subscribe("a", durable="reader"):
        with pytest.raises(Refused, match="in use"):
            await bus.subscribe("a", durable="reader").__aenter__()
        with pytest.raises(Refused, match="in use"):
            await bus.forget("reader")


async def test_a_forgotten_consumer_begins_anew(hub: MemoryHub) -> None:
    """`forget` deletes the place; a consumer that never was cannot be forgotten."""
    async with client(hub) as bus:
        async with bus.subscribe("a", durable="reader"):
            pass
        await bus.publish("a", n=1)
        await bus.forget("reader")
        async with bus.subscribe("a", durable="reader") as messages:
            await bus.publish("a", n=2)
            found = await take(messages, 1)
        with pytest.raises(Refused, match="there is no durable subscription 'nobody'"):
            await bus.forget("nobody")

    assert [2] == [one["n"] for one in found]


async def test_a_request_is_answered_once_and_seen_by_observers(hub: MemoryHub) -> None:
    """One responder answers; who watches the topic sees the request, marked as one."""
    async with client(hub) as bus, bus.subscribe("lamp/#") as messages, bus.serve("lamp/+") as responder:
        asking = asyncio.create_task(bus.request("lamp/set", on=True))
        request = await anext(responder)
        await request.reply({"ok": request.message["on"]})
        await request.fail("too late")
        seen = await take(messages, 1)

        assert {"ok": True} == await asking
        assert [("lamp/set", True, {"on": True})] == [(one.topic, one.is_request, one.body) for one in seen]


async def test_requests_fail_as_they_should(hub: MemoryHub) -> None:
    """Nobody there, no answer in time, no broker: each is an error of its own."""
    async with client(hub) as bus:
        with pytest.raises(NoResponder):
            await bus.request("lamp/set")
        async with bus.serve("lamp/+"):
            with pytest.raises(Timeout, match=r"no answer from 'lamp/set' within 0.01 s"):
                await bus.request("lamp/set", timeout=0.01)
        hub.stop()
        with pytest.raises(Unavailable):
            await bus.request("lamp/set")
        with pytest.raises(Unavailable):
            await bus.get("#")
        with pytest.raises(Unavailable):
            await bus.publish("a", confirm=True)


async def test_a_client_waits_for_a_hub_that_is_down(hub: MemoryHub) -> None:
    """Connecting waits for the end of an outage, as long as it may."""
    hub.stop()
    bus = Bus(transport=MemoryTransport(hub, name="late"), connect_timeout=0.01)
    with pytest.raises(Unavailable):
        await bus.__aenter__()
    patient = Bus(transport=MemoryTransport(hub, name="late"), connect_timeout=None)
    connecting = asyncio.create_task(patient.__aenter__())
    await asyncio.sleep(0)
    waiting = not connecting.done()
    hub.start()
    await connecting

    assert (True, True) == (waiting, patient.connected)


async def test_streams_end_with_their_client(hub: MemoryHub) -> None:
    """Who reads a closed client's stream comes to its end."""
    async with client(hub) as bus:
        messages, responder = bus.subscribe("#"), bus.serve("a")
        reading = [asyncio.create_task(drain(messages)), asyncio.create_task(drain(responder))]
        await asyncio.sleep(0)

    assert [0, 0] == await asyncio.gather(*reading)
    assert ([], []) == (hub.streams, hub.responders)


async def drain(stream: AsyncIterator[object]) -> int:
    """Read a stream to its end; return how much there was."""
    return len([one async for one in stream])
