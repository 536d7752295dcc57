"""Messages and greetings that break a rule: each is refused or dropped and counted, and nobody else notices."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from honest import honest_pair
from raw import Raw, record

from hearthbus import protocol
from hearthbus.errors import Invalid
from hearthbus.message import RETAIN, encode_body, encode_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker that speaks of itself often."""
    return make_broker(settings="stats_s = 0.5")


def _deep(depth: int) -> bytes:
    return b"\x81\xa1a" * depth + b"\x01"


RECORDS = {
    "empty": b"",
    "no topic": b"\0" + bytes(9) + b"\x80",
    "topic without end": b"sensor/hall",
    "truncated header": b"sensor/hall\0" + bytes(5),
    "no body": b"sensor/hall\0" + bytes(9),
    "body is a list": record(b"sensor/hall", b"\x91\x01"),
    "bad UTF-8 topic": record(b"sensor/\xff\xfe"),
    "upper case": record(b"sensor/Hall"),
    "empty segment": record(b"sensor//hall"),
    "wildcard": record(b"sensor/+"),
    "long topic": record(b"a" * 250),
    "deep topic": record(b"/".join([b"a"] * 60)),
    "the broker's topic": record(b"broker/stats"),
    "presence of another": record(b"service/lamp"),
    "dollar topic": record(b"$sub/x"),
    "request flag": record(b"sensor/hall", flags=2),
    "all flags": record(b"sensor/hall", flags=255),
    "state that is no map": record(b"sensor/hall", b"\x80\x80", flags=RETAIN),
    "state 100 deep": record(b"sensor/hall", _deep(100), flags=RETAIN),
    "state with NaN": record(b"sensor/hall", msgpack.packb({"a": float("nan")}), flags=RETAIN),
    "state with number keys": record(b"sensor/hall", b"\x81\x01\x01", flags=RETAIN),
    "state with a cut string": record(b"sensor/hall", b"\x81\xa1a\xd9\xffx", flags=RETAIN),
    "state with a huge list": record(b"sensor/hall", b"\x81\xa1a\xdd\xff\xff\xff\xff", flags=RETAIN),
    "body of 1 MB": record(b"sensor/hall", msgpack.packb({"a": "x" * 1_000_000})),
}


async def test_bad_messages_are_refused(broker: Broker) -> None:
    """Each malformed message is refused and counted, the sound ones of the same batch are taken in."""
    async with honest_pair(broker) as honest:

        def attack() -> list[dict[str, Any]]:
            with Raw(broker.url).greet() as raw:
                errors = []
                for number, bad in enumerate(RECORDS.values()):
                    sound = encode_body({"n": number})
                    raw.publish(record(b"sound/before", sound), bad, record(b"sound/after", sound))
                    errors.append(raw.hear(protocol.ERROR))
                raw.answered()
                return errors

        errors = await asyncio.to_thread(attack)
        stats = await honest.unharmed()
        journal = [(message.topic, message["n"]) async for message in honest.bus.replay("sound/#")]

    assert {"invalid", "refused"} == {error["kind"] for error in errors}
    assert [3 * number + 2 for number in range(len(RECORDS))] == [error["number"] for error in errors]
    assert len(RECORDS) == stats["refused"]
    assert [(topic, n) for n in range(len(RECORDS)) for topic in ("sound/before", "sound/after")] == journal


async def test_a_passing_message_that_is_not_sound_is_dropped_by_its_reader(broker: Broker) -> None:
    """What is not kept is checked by who reads it: dropped, counted, and the next message is read."""
    not_a_number = msgpack.packb({"a": float("nan")})
    bodies = (_deep(100), not_a_number, b"\x81\x01\x01", b"\x81\xa1a", b"\xde\xff\xff", b"\x80\x80")
    sound = record(b"sensor/hall", b"\x81\xa1a\x01")
    async with broker.bus("reader") as bus, bus.subscribe("sensor/#") as messages:

        def attack() -> None:
            with Raw(broker.url).greet() as raw:
                raw.publish(*(record(b"sensor/hall", body) for body in bodies), sound)
                raw.answered()

        await asyncio.to_thread(attack)
        async with asyncio.timeout(30):
            message = await anext(messages)
        replayed = [found.body async for found in bus.replay("sensor/#")]

    assert ({"a": 1}, len(bodies)) == (message.body, messages.malformed)
    assert [{"a": 1}] == replayed


async def test_frames_that_are_no_conversation_are_dropped(broker: Broker) -> None:
    """Unknown verbs, random bytes, empty and many-part frames, before and after the greeting: counted, no more."""
    chance = random.Random(1)
    junk = [chance.randbytes(chance.randrange(1, 200)) for _ in range(1_500)]
    known = [*protocol.CLIENT_SAYS, protocol.PUBLISH, protocol.STORE] * 50
    frames = junk + [verb + chance.randbytes(chance.randrange(60)) for verb in known]
    frames = [frame for frame in frames if frame[:1] not in (protocol.GOODBYE, protocol.HELLO)]
    async with honest_pair(broker) as honest:

        def attack() -> None:
            with Raw(broker.url) as raw:
                for frame in frames:
                    raw.send(frame)
                raw.greet()
                for frame in frames:
                    raw.send(frame)
                raw.send(b"")
                raw.send(b"a", b"b", b"c")
                raw.answered()

        await asyncio.to_thread(attack)
        stats = await honest.unharmed()

    assert len(frames) == stats["dropped"]["not greeted"]
    assert len(frames) + 2 == stats["dropped"]["malformed"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"versions": [99]}, "protocol version"),
        ({"versions": ["x" * 100_000] * 8}, "protocol version"),
        ({"name": "Not A Name"}, "bad"),
        ({"name": "a" * 10_000}, "bad name"),
        ({"name": "broker"}, "own"),
        ({"session": b"short"}, "16 bytes"),
        ({"will": {"topic": "a", "body": {"a": "x" * 70_000}}}, "limit"),
        ({"pid": "1"}, "pid"),
    ],
)
async def test_a_bad_greeting_is_refused(broker: Broker, fields: dict[str, Any], why: str) -> None:
    """A greeting that breaks a rule gets the rule as its answer, a short one, and is counted."""

    def attack() -> str:
        with Raw(broker.url) as raw:
            raw.say(protocol.HELLO, **raw.greeting(**fields))
            text: str = raw.hear(protocol.ERROR)["text"]
            return text

    async with honest_pair(broker) as honest:
        text = await asyncio.to_thread(attack)
        stats = await honest.unharmed()

    assert why in text
    assert len(text) <= 1_000
    assert {"refused greeting": 1} == stats["dropped"]


async def test_a_chosen_identity_is_refused(broker: Broker) -> None:
    """Who chooses its own routing id could pretend to be another connection: refused, whatever it says."""

    def attack() -> str:
        with Raw(broker.url, routing_id=b"honest") as raw:
            raw.say(protocol.HELLO, **raw.greeting())
            text: str = raw.hear(protocol.ERROR)["text"]
            return text

    async with honest_pair(broker) as honest:
        text = await asyncio.to_thread(attack)
        await honest.unharmed()

    assert "routing id" in text


async def test_a_guessed_session_takes_nothing(broker: Broker) -> None:
    """Under the honest client's name, with another session, a stranger moves no number and loses it no message."""

    def attack() -> None:
        for _ in range(20):
            with Raw(broker.url, name="honest-writer").greet() as raw:
                raw.number = 2**62
                raw.publish(record(b"a/b"))
                raw.answered()

    async with honest_pair(broker) as honest:
        await asyncio.to_thread(attack)
        await honest.unharmed()


async def test_a_wrong_clock_costs_no_history(broker: Broker) -> None:
    """Messages that say they are of 1970, or of 2500, stay in the journal: age is when the broker got them."""
    times = [1, 2**64 - 1] * 35

    def attack() -> None:
        with Raw(broker.url).greet() as raw:
            for number, time in enumerate(times):
                body = encode_body({"n": number})
                raw.publish(encode_sent(b"sensor/hall", body, time=time, flags=0), verb=protocol.STORE)
                raw.hear(protocol.STORED)

    await asyncio.to_thread(attack)
    async with broker.bus("reader") as bus:
        journal = [message["n"] async for message in bus.replay("sensor/#")]

    assert list(range(len(times))) == journal


async def test_a_body_of_a_megabyte_is_not_even_sent(broker: Broker) -> None:
    """The library refuses what no broker takes, names the limit, and goes on."""
    async with broker.bus("sender") as bus:
        with pytest.raises(Invalid, match="bytes; the limit is"):
            await bus.publish("sensor/hall", text="x" * 1_000_000)
        await bus.publish("sensor/hall", confirm=True, text="x" * 60_000)
        sizes = [len(message["text"]) async for message in bus.replay("sensor/hall")]

    assert [60_000] == sizes
