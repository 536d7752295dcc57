"""Clients that ask for too much: each reaches a limit, memory stays bounded, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq
from honest import honest_pair
from raw import GREETING, Raw, record

from hearthbus import protocol
from hearthbus.errors import Refused
from hearthbus.message import encode_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

    from hearthbus.bus import Bus


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker that speaks of itself often."""
    return make_broker(settings="stats_s = 0.5")


async def test_a_client_reaches_the_limit_on_topics(make_broker: Callable[..., Broker]) -> None:
    """100,000 retained topics of one client: the limit is kept, the rest refused and counted; services still come."""
    broker = make_broker(settings="stats_s = 0.5\n[broker.limits]\ntopics = 20_000")
    async with honest_pair(broker) as honest, broker.bus("flood") as flood:
        for number in range(100_000):
            await flood.publish(f"flood/{number}", retain=True, value=1)
        with pytest.raises(Refused, match="limit on topics"):
            await flood.publish("flood/last", retain=True, value=1, confirm=True)
        async with broker.bus("latecomer", presence=True):
            stats = await honest.unharmed()

    assert 20_000 <= stats["topics"] <= 20_010
    assert 80_000 <= stats["refused"] <= 80_100
    assert {} == stats["dropped"]


async def test_topics_without_state_make_room(make_broker: Callable[..., Broker]) -> None:
    """100,000 topics that are not retained: the oldest are forgotten, so that the limit holds."""
    broker = make_broker(settings="stats_s = 0.5\n[broker.limits]\ntopics = 20_000")
    async with honest_pair(broker) as honest, broker.bus("flood") as flood:
        for number in range(100_000):
            await flood.publish(f"flood/{number}", value=1)
        async with asyncio.timeout(30):
            while not await _accepted(flood, "flood/last"):  # what is not on disk yet cannot be forgotten
                pass
        stats = await honest.unharmed()

    assert stats["topics"] <= 20_000
    assert {} == stats["dropped"]


async def test_a_flood_of_large_frames_is_bounded(broker: Broker) -> None:
    """Frames as large as they may be, as fast as they can be sent: they wait at the sender, not in the broker."""
    async with honest_pair(broker) as honest:

        def attack() -> None:
            with Raw(broker.url).greet() as raw:
                frame = b"?" + bytes(1_000_000)
                for _ in range(1_500):
                    raw.send(frame)
                raw.answered()

        await asyncio.to_thread(attack)
        await honest.unharmed()


@pytest.mark.parametrize("verb", ["snapshot", "replay", "hello", "junk"])
async def test_answers_that_nobody_reads_are_bounded(broker: Broker, verb: str) -> None:
    """A client that asks and never reads is cut off; what it did not read does not fill the broker's memory."""
    questions = {
        "snapshot": protocol.encode(protocol.SNAPSHOT, id=1, patterns=["#"], after=""),
        "replay": protocol.encode(protocol.REPLAY, id=1, patterns=["#"], after=0, since=0, until=2**63, limit=1000),
        "hello": protocol.encode(protocol.HELLO, **{**GREETING, "versions": ["x" * 90_000]}),
        "junk": b"?",
    }
    async with honest_pair(broker) as honest:
        for number in range(300):
            await honest.bus.publish(f"state/{number}", retain=True, text="x" * 1000)
        await honest.bus.publish("state/last", retain=True, confirm=True, text="x")

        def attack() -> None:
            with Raw(broker.url, queue=1) as raw:
                if verb != "hello":
                    raw.say(protocol.HELLO, **raw.greeting())
                raw.dealer.setsockopt(zmq.SNDTIMEO, 200)
                with contextlib.suppress(zmq.Again):
                    for _ in range(3_000):
                        raw.send(questions[verb])

        await asyncio.to_thread(attack)
        await honest.unharmed()


async def test_a_flood_of_requests_is_limited(broker: Broker) -> None:
    """A caller that does not wait for answers reaches its limit; the responder and other callers work on."""
    async with honest_pair(broker) as honest, broker.bus("lamp") as lamp, lamp.serve("light/+/set") as requests:
        silent: list[object] = []

        async def hold() -> None:
            async for request in requests:
                if request.message["n"] < 0:
                    await request.reply({})
                else:
                    silent.append(request)

        def attack() -> int:
            with Raw(broker.url).greet() as raw:
                body = encode_body({"n": 1})
                for number in range(2_000):
                    message = record(b"light/a/set", body)
                    raw.say(protocol.REQUEST, id=number, timeout_ms=60_000, deadline=0, message=message)
                refused = 0
                for _ in range(2_000 - 256):
                    refused += raw.hear(protocol.ERROR)["kind"] == "refused"
                return refused

        holding = asyncio.create_task(hold())
        refused = await asyncio.to_thread(attack)
        await honest.bus.request("light/a/set", n=-1, timeout=30)
        await honest.unharmed()
        holding.cancel()

    assert 2_000 - 256 == refused
    assert 256 == len(silent)


@pytest.mark.parametrize("verb", ["beat", "snapshot", "request"])
async def test_a_flood_of_costly_questions_delays_nobody(broker: Broker, verb: str) -> None:
    """Questions that make the broker look at all its topics take turns with what others say."""
    patterns = [f"nothing/+/{number}/#" for number in range(500)]
    questions = {
        "beat": protocol.encode(protocol.BEAT, offset=0, lost=0, refilled=0),
        "snapshot": protocol.encode(protocol.SNAPSHOT, id=1, patterns=patterns, after=""),
        "request": protocol.encode(protocol.REQUEST, id=1, timeout_ms=1, deadline=0, message=record(b"nothing/a/0")),
    }
    # a question costs milliseconds, and each of the two gets every second turn: on a machine busy with other things the
    # broker may answer no more than 80 questions a second, and must not be asked to take more messages than that
    async with honest_pair(broker, per_s=20) as honest:
        for number in range(15_000):
            await honest.bus.publish(f"state/{number}", retain=True, n=number)
        await honest.bus.publish("state/last", retain=True, confirm=True)

        def attack() -> None:
            with Raw(broker.url).greet() as raw:
                raw.say(protocol.WATCH, id=1, patterns=patterns)
                for pattern in patterns:
                    raw.say(protocol.SERVE, id=2, pattern=pattern)
                for _ in range(1_500):
                    raw.send(questions[verb])
                raw.hear(protocol.DONE)

        await asyncio.to_thread(attack)
        await honest.unharmed()


BUSY_BROKER = """
import sys
import threading
from pathlib import Path

import zmq
from raw import zmtp

from broker.access import Open
from broker.config import BrokerConfig
from broker.core import Core
from broker.disk import Disk
from broker.loop import Loop
from broker.tail import Tail

folder = Path(sys.argv[1])
config = BrokerConfig(address="tcp://127.0.0.1:0", fanout="tcp://127.0.0.1:0")
core = Core(config, access=Open(), epoch=1)
disk, tail = Disk(folder, config), Tail(folder, epoch=1, limit=1_000_000)
loop = Loop(core, disk=disk, tail=tail, version="test", log=print)
address, fanout = loop.bind()
letting_in = threading.Thread(target=lambda: [loop.doors.zap.poll() and loop.doors.answer() for _ in "12"])
letting_in.start()
zmtp(address, b"DEALER", *[b"?"] * 20_000).close()
zmtp(fanout, b"SUB", *[b"\\1%d" % number for number in range(20_000)]).close()
letting_in.join()
loop.doors.router.poll(1)
zmq.Context.instance().socket(zmq.PAIR).poll(2_500)  # longer than a heartbeat's interval, and nobody reads
"""


def test_to_leave_in_a_flood_is_no_way_to_end_the_broker(tmp_path: Path) -> None:
    """ZeroMQ aborts where a heartbeat is due on a connection that ended while its queue was full: there is no such."""
    command = (sys.executable, "-c", BUSY_BROKER, str(tmp_path))
    ended = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=30, check=False)

    assert (0, "") == (ended.returncode, ended.stderr)


async def test_floods_of_small_messages_are_bounded(broker: Broker) -> None:
    """Batches of tens of thousands of tiny messages are no way around the limits on frames."""
    async with honest_pair(broker) as honest:

        def attack() -> None:
            with Raw(broker.url).greet() as raw:
                batch = protocol.encode_batch(protocol.PUBLISH, 1, [record(b"a")] * 60_000)
                for _ in range(40):
                    raw.send(batch)
                raw.answered()

        await asyncio.to_thread(attack)
        stats = await honest.unharmed()

    assert 40 == stats["dropped"]["malformed"]


async def _accepted(bus: Bus, topic: str) -> bool:
    try:
        await bus.publish(topic, value=1, confirm=True)
    except Refused:
        return False
    return True
