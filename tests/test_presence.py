"""Presence: who is there is known, who says goodbye is offline, who dies or freezes is lost in time, once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from crowd import Crowd, Numbers, Writer
from figures import figure
from neighbour import Neighbour
from offline import Desk

from hearthbus.errors import Refused
from hearthbus.message import decode
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Broker

    from hearthbus.bus import Bus
    from hearthbus.message import Message
    from hearthbus.transport import Subscription

KILLED_S = 1.0
FROZEN_S = 4.0
QUICK = "beat_ms = 300\nsilence_ms = 2000"
EXITS = 100


async def _until(messages: Subscription, status: str) -> Message:
    """Wait for the next word of presence of that status."""
    async with asyncio.timeout(30):
        async for message in messages:
            if message["status"] == status:
                return message
    raise AssertionError("the subscription ended")


async def _statuses(bus: Bus, name: str) -> list[str]:
    """All that was ever said of a service."""
    return [message["status"] async for message in bus.replay(f"service/{name}")]


async def _bodies(messages: AsyncIterator[Message]) -> list[dict[str, Any]]:
    return [message.body async for message in messages]


async def test_a_service_that_is_there_is_online(broker: Broker) -> None:
    """service/<name> is retained and says online, with version, process id, machine, and since when."""
    before = int(time.time())
    async with broker.bus("lamp", presence=True) as lamp:
        (state,) = await lamp.get("service/lamp")
    since = time.strptime(state["since"], "%Y-%m-%dT%H:%M:%SZ")

    assert ("online", VERSION, os.getpid(), os.uname().nodename) == tuple(
        state[key] for key in ("status", "version", "pid", "host")
    )
    assert before <= int(time.mktime(since)) - time.timezone <= time.time()


async def test_a_hundred_quick_exits_under_load(broker: Broker) -> None:
    """A hundred processes that end at once after they came, while messages flow: each is offline, none ever lost."""
    async with broker.bus("watcher") as watcher, Crowd() as crowd:
        writer = Writer(watcher, "load/hall", Numbers(), per_s=1000)
        crowd.start(writer.run())
        with Neighbour("visit", broker.url, "guest", str(EXITS)) as guests:
            codes = (await guests.says())["codes"]
        said = {f"guest-{number}": await _statuses(watcher, f"guest-{number}") for number in range(EXITS)}

    assert [0] * EXITS == codes
    assert {name: ["online", "offline"] for name in said} == said


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
async def test_a_killed_service_is_lost_within_a_second(make_broker: Callable[..., Broker], *, tcp: bool) -> None:
    """Kill -9 shows within a second, with the default beats; what its death means is published, once."""
    broker = make_broker(tcp=tcp)
    async with broker.bus("watcher") as watcher, watcher.subscribe("service/pump") as messages:
        with Neighbour("stay", broker.url, "pump", "will") as pump:
            await pump.says()
            begun = time.monotonic()
            pump.kill()
            await _until(messages, "lost")
            took = time.monotonic() - begun
        will = await _bodies(watcher.replay("alert/pump"))
        (state,) = await watcher.get("alert/pump")

        assert took < KILLED_S
        assert [{"active": True}] == will
        assert {"active": True} == state.body
        assert ["online", "lost"] == await _statuses(watcher, "pump")


async def test_a_frozen_service_is_lost_and_comes_back(broker: Broker) -> None:
    """SIGSTOP shows within 4 s, with the default beats; after SIGCONT it is online again; each is said once."""
    async with broker.bus("watcher") as watcher, watcher.subscribe("service/pump") as messages:
        with Neighbour("stay", broker.url, "pump", "will") as pump:
            await _until(messages, "online")
            begun = time.monotonic()
            pump.freeze()
            await _until(messages, "lost")
            took = time.monotonic() - begun
            pump.thaw()
            again = await _until(messages, "online")
            code = await pump.leave()
            await _until(messages, "offline")
        will = await _bodies(watcher.replay("alert/pump"))

        assert took < FROZEN_S
        assert (pump.pid, 0) == (again["pid"], code)
        assert [{"active": True}] == will
        assert ["online", "lost", "online", "offline"] == await _statuses(watcher, "pump")
        figure(7, f"frozen: lost after {took:.1f} s")


async def test_no_will_after_a_goodbye(make_broker: Callable[..., Broker]) -> None:
    """Who says goodbye has no last will, neither then nor when its silence would have been noticed."""
    broker = make_broker(settings="beat_ms = 150\nsilence_ms = 1000")
    async with broker.bus("watcher") as watcher, watcher.subscribe("service/#") as messages:
        with Neighbour("stay", broker.url, "pump", "will") as pump:
            await _until(messages, "online")
            await pump.leave()
            await _until(messages, "offline")
        with Neighbour("stay", broker.url, "other", "will") as other:
            await _until(messages, "online")
            other.kill()
            await _until(messages, "lost")
        await watcher.get("#")
        said = sorted([message.topic async for message in watcher.replay("alert/#")])

    assert ["alert/other"] == said


async def test_a_name_belongs_to_one(broker: Broker) -> None:
    """The second service of one name is refused by an error that names the process; the first goes on, undisturbed."""
    async with broker.bus("watcher") as watcher, broker.bus("lamp", presence=True) as lamp:
        with pytest.raises(Refused, match=f"'lamp' is in use by process {os.getpid()} on {os.uname().nodename}"):
            await broker.bus("lamp", presence=True, connect_timeout=1.0).__aenter__()
        await lamp.publish("light/lamp", on=True, confirm=True)

        assert ["online"] == await _statuses(watcher, "lamp")


async def test_a_name_is_free_after_a_death(broker: Broker) -> None:
    """A service that was killed can be started again at once under its name."""
    async with broker.bus("watcher") as watcher:
        with Neighbour("stay", broker.url, "lamp") as lamp:
            await lamp.says()
            lamp.kill()
            async with broker.bus("lamp", presence=True):
                state = (await watcher.get("service/lamp"))[0]

    assert ("online", os.getpid()) == (state["status"], state["pid"])


async def test_who_does_not_come_back_with_the_broker_is_lost(make_broker: Callable[..., Broker]) -> None:
    """Online when the broker was killed: who died meanwhile is lost, with its will; who comes back was never away."""
    broker = make_broker(settings=QUICK)
    with Neighbour("stay", broker.url, "pump", "will") as pump, Neighbour("stay", broker.url, "lamp", "will") as lamp:
        await pump.says()
        await lamp.says()
        async with broker.bus("watcher") as watcher, watcher.subscribe("service/+") as messages:
            await watcher.publish("load/hall", confirm=True)
            broker.kill()
            pump.kill()
            await asyncio.to_thread(broker.start)
            await _until(messages, "lost")
            will = [message.topic async for message in watcher.replay("alert/#")]

            assert ["online", "lost"] == await _statuses(watcher, "pump")
            assert ["online"] == await _statuses(watcher, "lamp")
            assert ["alert/pump"] == will


async def test_a_frozen_broker_blames_nobody(make_broker: Callable[..., Broker]) -> None:
    """A broker that stood still while its clients went on, or the machine slept: no service is lost for it."""
    broker = make_broker(settings="beat_ms = 500")
    async with broker.bus("lamp", presence=True) as lamp, Crowd() as crowd:
        await lamp.publish("load/hall", confirm=True)
        broker.signal(signal.SIGSTOP)
        await crowd.until("the client notices", lambda: not lamp.connected)
        broker.signal(signal.SIGCONT)
        await crowd.until("the client is back", lambda: lamp.connected)
        await lamp.publish("load/hall", confirm=True)

        assert ["online"] == await _statuses(lamp, "lamp")


def test_a_session_that_goes_on_by_another_name_leaves_the_first() -> None:
    """Nobody stays online who is not there, though the session that greeted so is, under another name."""
    desk = Desk()
    said = []
    for ident, name in ((b"\0one", "sun"), (b"\0two", "moon")):
        desk.greet(ident, name, presence=True, session=bytes(16))
        desk.subscribed(b"$up/%b\0" % name.encode())
        said.append(
            {topic: decode(state.retained)["status"] for topic, state in desk.core.stream.topics.by_name.items()}
        )

    assert [{b"service/sun": "online"}, {b"service/sun": "offline", b"service/moon": "online"}] == said
