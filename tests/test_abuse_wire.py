"""What comes over the wire without any client library: cut off or dropped and counted, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING

import pytest
from honest import honest_pair
from raw import LARGE, ZMTP_GREETING, Raw, closed_by_peer, fanout_of, ready, tcp, zmtp

from hearthbus import protocol
from hearthbus.client.zeromq import ZmqTransport
from hearthbus.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

    from hearthbus.bus import Bus


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker that speaks of itself often."""
    return make_broker(settings="stats_s = 0.5")


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([b"\0"], id="end without beginning"),
        pytest.param([b"\1", b"\0", b"\0"], id="two ends"),
        pytest.param([b"\1", b"\1", b"\1"], id="three beginnings"),
        pytest.param([b"\1"], id="die with it"),
    ],
)
async def test_nobody_ends_the_presence_of_another(make_broker: Callable[..., Broker], frames: list[bytes]) -> None:
    """To subscribe another's `$up/` topic, to end it, or to die with it declares nobody lost, and hides no death."""
    broker = make_broker(tcp=True, settings="stats_s = 0.5")

    def attack() -> None:
        with Raw(broker.url) as raw:
            fanout = raw.greet().fanout
        zmtp(fanout, b"SUB", *(first + b"$up/lamp\0" for first in frames), b"\2done").close()

    async with honest_pair(broker) as honest:
        async with broker.bus("lamp", presence=True) as lamp:
            await asyncio.to_thread(attack)
            await honest.drops("malformed", 1)
            await honest.unharmed()
            said = [message["status"] async for message in honest.bus.replay("service/lamp")]
            _die(lamp)
            died = time.monotonic()
            async with honest.bus.subscribe("service/lamp") as presence, asyncio.timeout(30):
                while (await anext(presence))["status"] != "lost":
                    pass
            took = time.monotonic() - died

    assert ["online"] == said
    assert took < 1.0


async def test_a_name_in_use_is_refused(broker: Broker) -> None:
    """The name of a service that is there cannot be taken by another."""

    def attack() -> str:
        with Raw(broker.url) as raw:
            raw.say(protocol.HELLO, **raw.greeting(name="lamp", presence=True))
            text: str = raw.hear(protocol.ERROR)["text"]
            return text

    async with honest_pair(broker) as honest, broker.bus("lamp", presence=True):
        text = await asyncio.to_thread(attack)
        await honest.unharmed()
        said = [message["status"] async for message in honest.bus.replay("service/lamp")]

    assert "in use by process" in text
    assert ["online"] == said


async def test_a_subscription_flood_is_limited(make_broker: Callable[..., Broker]) -> None:
    """100,000 subscriptions of one connection: those over the limit are counted, and it is cut off."""
    broker = make_broker(tcp=True, settings="stats_s = 0.5")
    flood = [b"\1flood/%d" % number for number in range(100_000)]
    async with honest_pair(broker) as honest:
        fanout = await asyncio.to_thread(fanout_of, broker.url)
        with await asyncio.to_thread(zmtp, fanout, b"SUB", *flood) as connection:
            cut = await asyncio.to_thread(closed_by_peer, connection, within=20)
            await honest.drops("too many subscriptions", 1_000)
            await honest.unharmed()

    assert cut
    assert any("local was refused" in line for line in broker.lines)


async def test_frames_that_are_no_subscription_are_dropped(make_broker: Callable[..., Broker]) -> None:
    """Random bytes on the fan-out, and ends of subscriptions that never began: counted or without effect."""
    broker = make_broker(tcp=True, settings="stats_s = 0.5")
    chance = random.Random(3)
    ends = [b"\0" + chance.randbytes(chance.randrange(200)) for _ in range(500)]
    ends += [b"\0honest/", b"\0", b"\0$up/honest-reader"]
    junk = [bytes([chance.randrange(2, 256)]) + chance.randbytes(chance.randrange(200)) for _ in range(500)]
    async with honest_pair(broker) as honest:
        fanout = await asyncio.to_thread(fanout_of, broker.url)
        with await asyncio.to_thread(zmtp, fanout, b"SUB", *ends, *junk):
            await honest.drops("malformed", len(junk))
            await honest.unharmed()


async def test_patterns_up_to_the_limit_all_hold(broker: Broker) -> None:
    """1,000 places on the fan-out are 500 patterns with a tail, and all of them hold; one more is refused."""
    async with honest_pair(broker) as honest, broker.bus("reader") as bus:
        patterns = [f"room/{number}/#" for number in range(500)]
        async with asyncio.timeout(20), bus.subscribe(*patterns) as messages:
            for number in (0, 250, 499):
                await honest.bus.publish(f"room/{number}/light", n=number)
            got = [(await anext(messages))["n"] for _ in range(3)]
        with pytest.raises(Refused, match="too many patterns"):
            await bus.subscribe(*patterns, "one/more").__aenter__()
        await honest.unharmed()

    assert [0, 250, 499] == got


async def test_a_refused_subscription_disturbs_no_other(broker: Broker) -> None:
    """A subscription over the limit is refused by name; the client's others go on, and new ones can be made."""
    async with broker.bus("reader") as bus, bus.subscribe("room/a") as before:
        with pytest.raises(Refused, match="too many patterns"):
            await bus.subscribe(*(f"x/{number}" for number in range(1_001))).__aenter__()
        async with asyncio.timeout(30), bus.subscribe("room/b") as after:
            for topic in ("room/a", "room/b"):
                await bus.publish(topic, value=1)
            got = [(await anext(before)).topic, (await anext(after)).topic]

    assert ["room/a", "room/b"] == got


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(random.Random(2).randbytes(100_000), id="random"),
        pytest.param(ZMTP_GREETING + LARGE + (2**30).to_bytes(8, "big"), id="1 GiB frame announced"),
        pytest.param(ZMTP_GREETING + ready(b"DEALER") + LARGE + (2**30).to_bytes(8, "big"), id="1 GiB frame to come"),
        pytest.param(ZMTP_GREETING + ready(b"DEALER") + LARGE + (2**21).to_bytes(8, "big"), id="2 MiB frame to come"),
        pytest.param(ZMTP_GREETING + b"\x06" + (2**63 - 1).to_bytes(8, "big"), id="2^63 command announced"),
        pytest.param(ZMTP_GREETING + ready(b"DEALER")[:20], id="half a handshake"),
        pytest.param(ZMTP_GREETING + ready(b"SUB"), id="silence after the handshake"),
        pytest.param(ZMTP_GREETING + ready(b"NOSUCH"), id="unknown socket type"),
        pytest.param(b"\xff" * 64, id="greeting of ones"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_tcp_garbage_is_cut_off(make_broker: Callable[..., Broker], data: bytes) -> None:
    """Twenty connections to each socket that speak no ZMTP, or stop in its middle, are closed within seconds."""
    broker = make_broker(tcp=True, settings="stats_s = 0.5")
    async with honest_pair(broker) as honest:
        fanout = await asyncio.to_thread(lambda: fanout_of(broker.url))

        def attack() -> list[bool]:
            with contextlib.ExitStack() as stack:
                ends = [stack.enter_context(tcp(url, data)) for url in (broker.url, fanout) for _ in range(20)]
                return [closed_by_peer(end, within=30) for end in ends]

        closed = await asyncio.to_thread(attack)
        await honest.unharmed()

    assert 40 * [True] == closed


async def test_idle_connections_take_nobodys_place(make_broker: Callable[..., Broker]) -> None:
    """As many idle connections as there are file descriptors: clients work on, and later new ones come."""
    broker = make_broker(tcp=True, settings="stats_s = 0.5", prefix=("prlimit", "--nofile=100"))
    async with honest_pair(broker) as honest:

        def attack() -> list[bool]:
            with contextlib.ExitStack() as stack:
                ends = [stack.enter_context(tcp(broker.url)) for _ in range(100)]
                return [closed_by_peer(end, within=30) for end in ends]

        attacking = asyncio.create_task(asyncio.to_thread(attack))
        await honest.bus.publish("state/a", retain=True, confirm=True, value=1)
        closed = await attacking
        async with broker.bus("newcomer", connect_timeout=30) as newcomer:
            state = await newcomer.get("state/#")
        await honest.unharmed()

    assert [1] == [message["value"] for message in state]
    assert 100 * [True] == closed


def _die(bus: Bus) -> None:
    """Close the sockets as the death of the process would."""
    assert isinstance(bus._transport, ZmqTransport)
    bus._transport._conversation.link.close()
