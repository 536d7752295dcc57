"""The broker's promises, each against a real broker process and the public client."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from hearthbus.errors import HandlerError, Invalid, NoResponder, Refused, Timeout, Unavailable

if TYPE_CHECKING:
    from conftest import Broker


async def test_late_subscriber_gets_state_then_stream(broker: Broker) -> None:
    """A subscriber that comes late gets the retained value, then what is published after, once each."""
    async with broker.bus("sender") as sender, broker.bus("reader") as reader:
        await sender.publish("sensor/hall/temperature", value=20, retain=True)
        await sender.publish("sensor/hall/temperature", value=21, retain=True, confirm=True)
        async with reader.subscribe("sensor/#") as messages:
            await sender.publish("sensor/hall/temperature", value=22, retain=True)
            got = [await anext(messages) for _ in range(2)]

    assert [(21, True), (22, False)] == [(message["value"], message.replayed) for message in got]
    assert [2, 3] == [message.seq for message in got]


async def test_hall_is_not_hallway(broker: Broker) -> None:
    """`hall` and `hallway` are never confused: not by the broker's prefix, not by the client."""
    async with broker.bus("sender") as sender, broker.bus("reader") as reader:
        exact = reader.subscribe("sensor/hall")
        tail = reader.subscribe("sensor/hall/#")
        everything = reader.subscribe("sensor/#")
        async with exact, tail, everything:
            for topic in ("sensor/hallway", "sensor/hallway/motion", "sensor/hall/motion", "sensor/hall"):
                await sender.publish(topic, value=True)
            seen = [(await anext(everything)).topic for _ in range(4)]

            assert ["sensor/hall"] == [(await anext(exact)).topic]
            assert ["sensor/hall/motion", "sensor/hall"] == [(await anext(tail)).topic for _ in range(2)]
            assert 4 == len(set(seen))


async def test_empty_retained_body_forgets(broker: Broker) -> None:
    """A retained message with an empty body forgets the topic's state."""
    async with broker.bus("sender") as sender:
        await sender.publish("sensor/hall/motion", value=True, retain=True)
        await sender.publish("sensor/hall/motion", retain=True, confirm=True)

        assert [] == await sender.get("sensor/#")


async def test_state_survives_a_kill(broker: Broker) -> None:
    """Retained state, the journal and sequence numbers survive kill -9, unconfirmed messages too."""
    async with broker.bus("sender") as sender:
        for value in range(5):
            await sender.publish("sensor/hall/temperature", value=value, retain=True)
        await sender.get("#")
        broker.kill()
        broker.start()
        async with asyncio.timeout(30):
            await sender.publish("sensor/hall/temperature", value=5, retain=True, confirm=True)
        log = [(message.seq, message["value"]) async for message in sender.replay("sensor/#")]

        assert [(n + 1, n) for n in range(6)] == log
        assert [5] == [message["value"] for message in await sender.get("sensor/#")]


async def test_state_survives_a_stop(broker: Broker) -> None:
    """Retained state and sequence numbers survive a clean stop, which leaves no tail."""
    async with broker.bus("sender") as sender:
        await sender.publish("sensor/hall/temperature", value=1, retain=True)
        await sender.get("#")
        code = broker.stop()
        left = sorted(path.name for path in broker.data.iterdir())
        broker.start()
        async with asyncio.timeout(30):
            await sender.publish("sensor/hall/temperature", value=2, retain=True, confirm=True)
        (state,) = await sender.get("sensor/#")

    assert 0 == code
    assert ["hearthbus.db", "lock"] == left
    assert (2, 2) == (state.seq, state["value"])


async def test_request_reaches_one_responder(broker: Broker) -> None:
    """Of two responders exactly one answers; observers see the request and no more."""
    async with broker.bus("lamp") as lamp, broker.bus("spare") as spare, broker.bus("caller") as caller:
        async with lamp.serve("light/+/set") as first, spare.serve("light/+/set") as second:
            async with caller.subscribe("light/#") as observed:
                asking = asyncio.create_task(caller.request("light/kitchen/set", on=True))
                request = await anext(first)
                await request.reply({"on": request.message["on"]})
                answer = await asking
                copy = await anext(observed)

            assert {"on": True} == answer
            assert ("light/kitchen/set", True, "caller") == (copy.topic, copy.is_request, copy.origin)
            assert not second._requests  # type: ignore[attr-defined]  # looking inside: it must be empty


async def test_request_errors(broker: Broker) -> None:
    """No responder, a silent one, a failing one and a bad request are four different errors."""
    async with broker.bus("lamp") as lamp, broker.bus("caller") as caller:
        with pytest.raises(NoResponder, match="light/kitchen/set"):
            await caller.request("light/kitchen/set", on=True)
        async with lamp.serve("light/+/set") as requests:
            with pytest.raises(Timeout, match="lamp did not answer light/kitchen/set"):
                await caller.request("light/kitchen/set", on=True, timeout=0.2)
            asking = asyncio.create_task(caller.request("light/kitchen/set", on=True))
            await (await anext(requests)).fail("no such lamp")
            with pytest.raises(HandlerError, match="no such lamp"):
                await asking
        with pytest.raises(Invalid, match="upper case"):
            await caller.request("light/Kitchen/set")


async def test_death_of_a_responder_ends_its_requests(broker: Broker) -> None:
    """A caller need not wait for its time-out when the responder goes away."""
    async with broker.bus("caller") as caller:
        async with broker.bus("lamp") as lamp, lamp.serve("light/kitchen/set") as requests:
            asking = asyncio.create_task(caller.request("light/kitchen/set", timeout=60))
            await anext(requests)
        with pytest.raises(NoResponder, match="lamp went away"):
            await asking


async def test_a_request_is_never_late(broker: Broker) -> None:
    """A request whose caller has given up is not carried out when the responder gets to it."""
    async with broker.bus("lamp") as lamp, broker.bus("caller") as caller:
        async with lamp.serve("light/kitchen/set") as requests:
            with pytest.raises(Timeout):
                await caller.request("light/kitchen/set", number=1, timeout=0.2)
            asking = asyncio.create_task(caller.request("light/kitchen/set", number=2))
            request = await anext(requests)
            await request.reply({})
            await asking

            assert 2 == request.message["number"]


async def test_requests_fail_at_once_without_a_broker(broker: Broker) -> None:
    """While the broker is away a request fails at once, and is not carried out when it is back."""
    async with broker.bus("caller") as caller, broker.bus("lamp") as lamp, lamp.serve("light/a/set") as requests:
        broker.kill()
        async with asyncio.timeout(30):
            while caller.connected:
                await asyncio.sleep(0.01)
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await caller.request("light/a/set", number=1, timeout=30)
        took = time.monotonic() - begun
        broker.start()
        async with asyncio.timeout(30):
            coming = asyncio.ensure_future(anext(requests))
            while not coming.done():
                asking = asyncio.create_task(caller.request("light/a/set", number=2, timeout=30))
                await asyncio.wait((asking, coming), return_when=asyncio.FIRST_COMPLETED)
                if asking.done():
                    with pytest.raises((Unavailable, NoResponder)):
                        await asking
            request = coming.result()
            await request.reply({})
            await asking

    assert took < 0.5
    assert 2 == request.message["number"]


async def test_durable_subscription_resumes(broker: Broker) -> None:
    """A durable subscription goes on after its last acknowledged message, across a broker killed meanwhile."""
    async with broker.bus("sender") as sender:
        async with broker.bus("telemetry") as first, first.subscribe("sensor/#", durable="telemetry") as messages:
            for value in range(4):
                await sender.publish("sensor/hall/power", value=value)
            seen = [await anext(messages) for _ in range(3)]
            await messages.ack(seen[1])
        broker.kill()
        broker.start()
        async with asyncio.timeout(30):
            await sender.publish("sensor/hall/power", value=4, confirm=True)
        async with broker.bus("telemetry") as again, again.subscribe("sensor/#", durable="telemetry") as messages:
            rest = [(await anext(messages))["value"] for _ in range(3)]

    assert [0, 1, 2] == [message["value"] for message in seen]
    assert [2, 3, 4] == rest


async def test_durable_subscription_has_one_reader(broker: Broker) -> None:
    """Two readers of one durable subscription would steal from each other: the second is refused by name."""
    async with broker.bus("one") as one, broker.bus("two") as two:
        async with one.subscribe("sensor/#", durable="telemetry"):
            with pytest.raises(Refused, match="in use by one"):
                await two.subscribe("sensor/#", durable="telemetry").__aenter__()


async def test_confirmed_publish_is_on_disk(broker: Broker) -> None:
    """When a confirmed publish returns, the message is in the store's file, not only in the tail."""
    async with broker.bus("sender") as sender:
        await sender.publish("sensor/hall/energy", value=7, confirm=True)
        broker.kill()
        for name in ("tail.0", "tail.1"):
            (broker.data / name).unlink(missing_ok=True)
        broker.start()
        async with asyncio.timeout(30), broker.bus("reader") as reader:
            log = [message["value"] async for message in reader.replay("sensor/#")]

    assert [7] == log
