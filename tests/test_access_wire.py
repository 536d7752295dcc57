"""Attacks over the wire on a broker with keys: by strangers, by clients without one, and by those who have one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq
from honest import honest_pair
from keyed import House, pair
from raw import LARGE, ZMTP_GREETING, Raw, closed_by_peer, ready, record, tcp

from broker.doors import HANDSHAKE_MS
from hearthbus import protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

    from hearthbus.keys import Key

SECRET = b"secret/place"
ACCESS = """
[broker.access.kitchen]
publish = ["sensor/#"]
subscribe = ["cmd/lamp/#"]
[broker.access.phone]
publish = ["#"]
subscribe = ["#"]
"""
QUIET_S = 0.3
"""How long nothing must come where nothing may; what is allowed comes within milliseconds."""
NAMES = tuple(f"kitchen{number}" for number in range(20))
_KITCHENS = iter(NAMES)


@pytest.fixture
def house(make_broker: Callable[..., Broker]) -> House:
    """A broker with a key for the kitchen, which may little, and one for the phone."""
    return House(make_broker, ACCESS, keys=("kitchen", "phone"))


@pytest.fixture(scope="module")
def shared(make_lasting_broker: Callable[..., Broker]) -> House:
    """Such a broker for all who leave it as it was, with a kitchen for each of them: who attacks stays out a while."""
    tables = "".join(ACCESS.partition("[broker.access.phone]")[0].replace("kitchen", name) for name in NAMES)
    return House(make_lasting_broker, ACCESS + tables, keys=("phone", *NAMES))


def heard(sub: zmq.Socket[bytes], *, within: float) -> list[bytes]:
    """What a raw subscriber gets before it is quiet; without the answers to markers."""
    found = []
    while sub.poll(int(within * 1000)):
        found.append(sub.recv())
    return [frame for frame in found if not frame.startswith(b"$sub/")]


def speak(house: House, *topics: bytes) -> None:
    """Publish from this machine, and return when it was taken."""
    with Raw(house.broker.url) as local:
        local.greet().publish(*(record(topic) for topic in topics))
        local.hear(protocol.TAKEN)


def held(raw: Raw, *frames: bytes) -> zmq.Socket[bytes]:
    """Connect to the fan-out as one who can send any frame, and wait until the broker has read all of `frames`."""
    sub = raw.subscriber()
    for frame in frames:
        sub.send(frame)
    came(sub)
    return sub


def came(sub: zmq.Socket[bytes]) -> list[bytes]:
    """What a raw subscriber that is let in was sent until now: what comes before the answer to a marker."""
    token = b"$sub/" + os.urandom(8).hex().encode()
    sub.send(b"\1" + token)
    found = []
    while sub.poll(10_000):
        found.append(sub.recv())
        if found[-1].startswith(token):
            return [frame for frame in found if not frame.startswith(b"$sub/")]
    raise AssertionError("the marker is not answered")


def cpu_s(pid: int) -> float:
    """Processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("how", ["unknown key", "no key", "key of another broker"])
def test_a_stranger_gets_nothing_in_or_out(shared: House, how: str) -> None:
    """Twenty strangers at each port say and hear nothing, and cost no processor time while they stay."""
    strangers: dict[str, Key | None] = {
        "unknown key": pair("kitchen", broker=shared.keys.broker.public),
        "no key": None,
        "key of another broker": pair("kitchen", broker=pair("broker").public),
    }
    with contextlib.ExitStack() as stack:
        raws = [stack.enter_context(shared.raw(strangers[how])) for _ in range(20)]
        subs = []
        for raw in raws:
            raw.fanout = shared.fanout
            hello = protocol.encode(protocol.HELLO, **raw.greeting(name="kitchen"))
            with contextlib.suppress(zmq.Again):  # refused already: its ZeroMQ has no connection to try
                raw.dealer.send(hello, zmq.NOBLOCK)
            subs.append(raw.subscriber(zmq.SUB))
            subs[-1].subscribe(b"")
        speak(shared, SECRET)  # they have had the time this takes to come in
        before, begun = cpu_s(shared.broker.pid), time.monotonic()
        quiet = [heard(subs[0], within=QUIET_S), *(heard(sub, within=0) for sub in subs[1:])]
        speak(shared, SECRET)
        used, took = cpu_s(shared.broker.pid) - before, time.monotonic() - begun
        answers = [raw.dealer.poll(0) for raw in raws]

    assert 20 * [[]] == quiet
    assert 20 * [0] == answers
    assert used < 0.2 * took + 0.1, f"{used:.2f} s of processor in {took:.2f} s"


def test_a_chosen_routing_id_is_refused(shared: House) -> None:
    """A client with a key cannot choose what its connection is called, and be taken for another's."""
    kitchen, phone = shared.key(next(_KITCHENS)), shared.key("phone")
    with shared.raw(phone).greet(), shared.raw(kitchen, routing_id=b"\1phone") as raw:
        raw.say(protocol.HELLO, **raw.greeting())
        text = raw.hear(protocol.ERROR)["text"]

    assert "may not choose its own routing id" in text


def test_a_key_is_itself_on_both_sockets(shared: House) -> None:
    """A granted message goes from key to key, with the origin that the key gives it; no other goes."""
    with shared.raw(shared.key(next(_KITCHENS))) as kitchen, shared.raw(shared.key("phone")) as phone:
        kitchen.greet()
        phone.greet()
        everything = held(phone, b"\1")
        lamp = held(kitchen, b"\1cmd/lamp/")
        kitchen.publish(record(b"sensor/a"), record(b"light/a"))
        phone.publish(record(b"cmd/lamp/set"), record(b"cmd/lamp2/set"))
        kitchen.hear(protocol.TAKEN)
        phone.hear(protocol.TAKEN)
        said = {frame[: frame.index(0)]: b"kitchen" in frame for frame in came(everything)}
        got = [frame[: frame.index(0)] for frame in came(lamp)]

    assert {b"sensor/a": True, b"cmd/lamp/set": False, b"cmd/lamp2/set": False} == {
        topic: whose for topic, whose in said.items() if not topic.startswith((b"service/", b"broker/"))
    }
    assert [b"cmd/lamp/set"] == got


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([b"\1" + SECRET + b"\0"], id="a topic"),
        pytest.param([b"\1"], id="everything"),
        pytest.param([b"\1cmd/lamp"], id="a segment not ended"),
        pytest.param([b"\1cmd/"], id="a prefix shorter than granted"),
        pytest.param([b"\1c", b"\1s", b"\1secret/"], id="prefixes of one segment"),
        pytest.param([b"\1cmd/lamp/", b"\0cmd/lamp/", b"\1"], id="after one that was granted"),
        pytest.param([b"\1$sub/123456789", b"\1s"], id="after a marker"),
    ],
)
def test_what_is_not_granted_is_not_heard(shared: House, frames: list[bytes]) -> None:
    """No subscription brings what is not wholly granted: outside, empty, over a segment's edge, too short."""
    with shared.raw(shared.key(next(_KITCHENS))) as kitchen:
        sub = held(kitchen.greet(), *frames)
        speak(shared, SECRET, b"cmd/lamp2/set", b"cmd/x", b"sensor/x")
        got = came(sub)

    assert [] == got


@pytest.mark.parametrize(
    "message",
    [
        pytest.param((b"\2" + SECRET,), id="neither beginning nor end"),
        pytest.param((b"",), id="empty"),
        pytest.param((b"hello",), id="text"),
        pytest.param((b"hello", b"\1" + SECRET), id="a subscription behind something else"),
        pytest.param((b"\1" + SECRET, b"\1"), id="two in one message"),
        pytest.param((b"\1" + b"x" * 100_000,), id="a topic of 100 KB"),
        pytest.param((b"\1$up/NAME\0",), id="the presence of another"),
    ],
)
def test_odd_frames_bring_nothing(shared: House, message: tuple[bytes, ...]) -> None:
    """What no client sends gives nothing to its sender, and takes nothing from others, who subscribe meanwhile."""
    with shared.raw(shared.key("phone")) as phone, shared.raw(shared.key(next(_KITCHENS))) as kitchen:
        name = f"phone.{kitchen.name}"
        phone.greet(name=name, presence=True)
        kitchen.greet()
        mine = held(phone, b"\1$up/%b\0" % name.encode())
        odd = [kitchen.subscriber() for _ in range(3)]
        for _ in range(20):
            for sub in odd:
                sub.send_multipart([frame.replace(b"NAME", name.encode()) for frame in message])
        mine.send(b"\1secret/")
        deadline = time.monotonic() + 10
        got: list[bytes] = []
        while not got and time.monotonic() < deadline:  # cut off by mistake it is back after a moment, by itself
            speak(shared, SECRET)
            got = [frame for frame in heard(mine, within=0.1) if frame.startswith(SECRET)]
        theirs = [frame for sub in odd for frame in heard(sub, within=0.1)]
        phone.say(protocol.SNAPSHOT, id=3, patterns=[f"service/{name}"], after="")
        state = b"".join(phone.hear(protocol.PAGE)["frames"])

    assert got
    assert [] == theirs
    assert b"online" in state


async def test_a_flood_of_subscriptions_ends_its_connection(house: House) -> None:
    """100,000 subscriptions by a key: it is cut off and kept out for a while; nobody else notices."""

    def attack() -> bool:
        with house.raw(house.key("kitchen")) as kitchen:
            sub = kitchen.greet().subscriber()
            ended = sub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            with contextlib.suppress(zmq.Again):
                for number in range(100_000):
                    sub.send(b"\1flood/%d" % number)
            return bool(ended.poll(20_000))

    async with honest_pair(house.broker) as honest:
        cut = await asyncio.to_thread(attack)
        stats = await honest.unharmed()

    assert cut
    assert stats["refused_by"]["kitchen"] >= 1_000
    assert any("kitchen was refused" in line for line in house.broker.lines)


@pytest.mark.parametrize("port", ["url", "fanout"])
async def test_idle_connections_at_the_network_take_nobodys_place(
    make_broker: Callable[..., Broker], port: str
) -> None:
    """Twice as many idle connections as file descriptors: those within work on, and a newcomer is served in time."""
    house = House(make_broker, ACCESS, keys=("phone",), prefix=("prlimit", "--nofile=100"))
    phone = house.key("phone")
    async with honest_pair(house.broker) as honest:

        def attack() -> tuple[float, float]:
            with contextlib.ExitStack() as stack:
                for _ in range(200):
                    with contextlib.suppress(ConnectionRefusedError):  # shut for a moment: that is the defence
                        stack.enter_context(tcp(getattr(house, port)))
                begun, before = time.monotonic(), cpu_s(house.broker.pid)
                with house.raw(phone) as newcomer:
                    newcomer.greet()
                return time.monotonic() - begun, cpu_s(house.broker.pid) - before

        took, used = await asyncio.to_thread(attack)
        stats = await honest.unharmed()

    assert stats["dropped"]["network shut"]
    assert took < 2 * HANDSHAKE_MS / 1000 + 1, f"served after {took:.1f} s"  # both halves wait for their end
    assert used < 0.5 + took / 2, f"{used:.1f} s of processor in {took:.1f} s"


def test_announced_frames_take_no_memory(shared: House) -> None:
    """Twenty connections to each port of the network that announce a frame of 1 GiB: no memory is set aside."""
    null = ZMTP_GREETING + ready(b"DEALER") + LARGE + (2**30).to_bytes(8, "big")
    curve = ZMTP_GREETING.replace(b"NULL\0", b"CURVE") + LARGE + (2**30).to_bytes(8, "big")
    before = _memory(shared.broker.pid)
    with contextlib.ExitStack() as stack:
        ends = [
            stack.enter_context(tcp(url, data))
            for url in (shared.url, shared.fanout)
            for data in (null, curve)
            for _ in range(20)
        ]
        closed = [closed_by_peer(end, within=30) for end in ends]
        speak(shared, SECRET)
        after = _memory(shared.broker.pid)

    assert 80 * [True] == closed
    assert after[0] - before[0] < 64_000_000, f"address space from {before[0]} to {after[0]}"
    assert after[1] - before[1] < 5_000_000, f"resident from {before[1]} to {after[1]}"


def _memory(pid: int) -> tuple[int, int]:
    size, resident, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    page = os.sysconf("SC_PAGE_SIZE")
    return int(size) * page, int(resident) * page
