"""The broker's core under frames that no sound client sends: nothing makes it raise, and everything is counted."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offline import Desk, hello

from broker.access import Table
from broker.config import Grant, Limits
from hearthbus import protocol
from hearthbus.message import encode_body, encode_sent

LARGEST = 2**64 - 1
INTS = st.one_of(st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, 2**63, LARGEST, -(2**63)]), st.integers(0, 50))
TEXTS = st.one_of(
    st.sampled_from(["", "a", "a/b", "#", "+/#", "service/a", "broker/stats", "A", "a" * 300, "\0", "é", "a/" * 40]),
    st.text(max_size=20),
)


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


VALUES: dict[type, st.SearchStrategy[Any]] = {
    int: INTS,
    str: TEXTS,
    bytes: st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda topic, time, flags, body: encode_sent(topic.encode(), body, time=time, flags=flags),
            TEXTS,
            st.integers(0, LARGEST),
            st.integers(0, 255),
            st.sampled_from([b"\x80", b"\x81\xa1a\x01", msgpack.packb(_deep(100)), msgpack.packb({"a": float("nan")})]),
        ),
    ),
    bool: st.booleans(),
    list: st.lists(st.one_of(TEXTS, INTS, st.none(), st.just(1)), max_size=4),
    dict: st.one_of(
        st.just({}),
        st.sampled_from([5, 400, 600]).map(_deep),
        st.sampled_from([{b"k": 1}, {"a": float("nan")}]),
        st.builds(lambda topic, size: {"topic": topic, "body": {"a": "x" * size}}, TEXTS, st.sampled_from([1, 65_000])),
        st.just(600).map(lambda depth: {"topic": "a/b", "body": _deep(depth)}),
        st.just(70_000).map(lambda size: {"topic": "a/b", "body": {"a": 1}, "more": "x" * size}),
    ),
}


def _fields(verb: bytes) -> st.SearchStrategy[bytes]:
    table = protocol.CLIENT_SAYS[verb]
    sound = st.fixed_dictionaries({key: VALUES[kind] for key, kind in table.items()})
    return sound.map(lambda fields: _packed(verb, fields))


def _packed(verb: bytes, fields: dict[str, Any]) -> bytes:
    try:
        return protocol.encode(verb, **fields)
    except ValueError:  # deeper than msgpack packs: make the bytes by hand
        body = b"\x81\xa1a" * 600 + b"\x01"
        parts = [
            msgpack.packb(key) + (body if isinstance(value, dict) else msgpack.packb(value))
            for key, value in fields.items()
        ]
        return verb + bytes([0x80 + len(parts)]) + b"".join(parts)


BATCHES = st.builds(
    lambda verb, first, records: verb + first.to_bytes(8, "big") + msgpack.packb(records),
    st.sampled_from([protocol.PUBLISH, protocol.STORE]),
    st.one_of(st.integers(0, 20), st.sampled_from([2**63 - 2, 2**63, LARGEST])),
    st.one_of(st.lists(VALUES[bytes], max_size=4), st.lists(INTS, max_size=2)),
)
GREETING = st.fixed_dictionaries(
    {}, optional={key: VALUES[kind] for key, kind in protocol.CLIENT_SAYS[protocol.HELLO].items() if key != "versions"}
)
FRAMES = st.one_of(
    st.binary(min_size=1, max_size=60),
    BATCHES,
    GREETING.map(lambda fields: _packed(protocol.HELLO, {**msgpack.unpackb(hello(b"\0x", "x")[1:]), **fields})),
    *(_fields(verb) for verb in protocol.CLIENT_SAYS),
)
IDENTS = st.sampled_from([b"\0a", b"\0b", b"\0c", b"chosen"])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(IDENTS, FRAMES), max_size=4), st.sampled_from(["", "disk full", None]), st.floats(0, 5)
        ),
        max_size=12,
    )
)
def test_no_frame_makes_the_core_raise(turns: list[tuple[list[tuple[bytes, bytes]], str | None, float]]) -> None:
    """Whatever clients say, in whatever order, with whatever the disk does: no exception, and a sound broker/stats."""
    desk = Desk()
    desk.greet(b"\0a", "a")
    desk.greet(b"\0b", "b", presence=True)
    desk.turn((b"\0b", protocol.encode(protocol.SERVE, id=1, pattern="#")))
    for frames, disk, seconds in turns:
        desk.turn(*frames, disk=disk, seconds=seconds)
    desk.turn(seconds=4)
    desk.turn(seconds=4)

    assert 0 == desk.stats["clients"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(IDENTS, FRAMES), max_size=4), max_size=12))
def test_no_frame_of_a_key_gets_beyond_its_table(turns: list[list[tuple[bytes, bytes]]]) -> None:
    """Whatever a key that may publish one topic says, from however many connections: nothing else goes out."""
    desk = Desk(table=Table({"key": Grant(publish=("a/b",), messages_per_s=5)}, keys={"key"}))
    desk.who = dict.fromkeys((b"\0a", b"\0b", b"\0c", b"chosen"), "key")
    desk.greet(b"\0a", "key")
    desk.greet(b"\0b", "key.b", presence=True)
    for frames in turns:
        desk.turn(*frames)
    desk.turn(seconds=4)
    topics = {frame[: frame.index(0)] for frame in desk.fanout} - {b"broker/stats"}

    assert set() == {topic for topic in topics if topic != b"a/b" and not topic.startswith(b"service/key")}
    assert desk.core.stream.topics.by_name.get(b"a/b") is None or desk.core.stream.topics.by_name[b"a/b"].seq <= 30


COUNTED = (protocol.PUBLISH, protocol.STORE)


@pytest.mark.parametrize("verb", [b"?", *protocol.CLIENT_SAYS, *COUNTED])
@pytest.mark.parametrize("rest", [b"", b"\xc1", b"\x90", b"\x81\xa2id\xa1x"])
def test_what_cannot_be_understood_is_answered_unless_it_is_a_batch(verb: bytes, rest: bytes) -> None:
    """As docs/protocol.md has it: `error` of kind invalid with id 0, but silence for a batch; both are counted."""
    if (verb, rest[:1]) == (protocol.GOODBYE, b"\x81"):
        rest = b"\x91" + rest[1:]  # any map is a sound goodbye
    desk = Desk()
    desk.greet(b"\0one")
    desk.heard(b"\0one")
    desk.turn((b"\0one", verb + rest))
    told = [(said, fields["kind"], fields["id"], fields["number"]) for said, fields in desk.heard(b"\0one")]

    assert ([] if verb in COUNTED else [(protocol.ERROR, "invalid", 0, 0)]) == told
    assert {"malformed": 1} == desk.core.dropped


def test_a_greeting_that_cannot_be_understood_is_answered() -> None:
    """It has a count of its own, and whoever greets so hears why."""
    desk = Desk()
    desk.turn((b"\0one", b"H\x80"))
    ((said, fields),) = desk.heard(b"\0one")

    assert (protocol.ERROR, "invalid") == (said, fields["kind"])
    assert {"refused greeting": 1} == desk.core.dropped


def test_number_zero_is_malformed() -> None:
    """A batch that would confirm "message -1" is dropped and counted."""
    desk = Desk()
    desk.greet(b"\0a")
    for first in (0, 2**63, LARGEST):
        desk.turn((b"\0a", protocol.encode_batch(protocol.STORE, first, [])))

    assert {"malformed": 3} == desk.core.dropped


def test_an_answer_too_deep_is_the_responders_error() -> None:
    """A responder's answer that no message can hold becomes the handler's error at the caller."""
    desk = Desk()
    for ident in (b"\0a", b"\0b"):
        desk.greet(ident)
    desk.turn((b"\0b", protocol.encode(protocol.SERVE, id=1, pattern="a/b")))
    ask = protocol.encode(
        protocol.REQUEST, id=7, timeout_ms=1000, deadline=0, message=encode_sent(b"a/b", b"\x80", time=0)
    )
    desk.turn((b"\0a", ask))
    desk.heard(b"\0a")
    desk.turn((b"\0b", _packed(protocol.ANSWER, {"ticket": 1, "ok": True, "body": _deep(600), "text": ""})))
    ((verb, fields),) = desk.heard(b"\0a")

    assert (protocol.ERROR, 7, "handler") == (verb, fields["id"], fields["kind"])
    assert "nested deeper" in fields["text"]


def test_counters_of_clients_cannot_break_the_statistics() -> None:
    """What clients say they lost is added up; absurd figures of theirs do not end the broker."""
    desk = Desk()
    for ident in (b"\0a", b"\0b"):
        desk.greet(ident)
        desk.turn((ident, protocol.encode(protocol.BEAT, offset=0, lost=LARGEST, refilled=-5)))
    desk.turn(seconds=1)

    assert (2 * 2**40, 0) == (desk.stats["subscribers_lost"], desk.stats["subscribers_refilled"])


@pytest.mark.parametrize(
    ("will", "why"),
    [
        ({"topic": "a/b"}, "a topic and a body"),
        ({"topic": "a/b", "body": {}, "more": "x" * 70_000}, "a topic and a body"),
        ({"topic": "a/b", "body": {"a": "x" * 64_000}}, "too large"),
        ({"topic": "a/b", "body": _deep(16)}, "deeper"),
        ({"topic": "A", "body": {}}, "upper case"),
        ({"topic": "service/other", "body": {}}, "may not publish"),
    ],
)
def test_a_will_that_could_not_be_published_is_refused(will: dict[str, Any], why: str) -> None:
    """A will is checked at the greeting: at its client's death it is too late."""
    desk = Desk()
    desk.greet(b"\0a", presence=True, will=will)
    ((verb, fields),) = desk.heard(b"\0a")

    assert protocol.ERROR == verb
    assert why in fields["text"]
    assert {"refused greeting": 1} == desk.core.dropped


def test_a_will_needs_no_presence() -> None:
    """The last will of a client is published when it is lost, whether it announced itself or not."""
    desk = Desk()
    desk.greet(b"\0a", will={"topic": "alert/pump", "body": {"active": True}})
    desk.turn(seconds=4)

    assert encode_body({"active": True}) in desk.core.stream.topics.by_name[b"alert/pump"].retained


def test_names_count_towards_the_limit_on_topics() -> None:
    """Presence and wills make topics, too: a client that comes under ever new names reaches the limit."""
    desk = Desk(limits=Limits(topics=2, connections=3))
    for number in range(6):
        ident = bytes([0, number])
        desk.greet(ident, f"name-{number}", presence=True, will={"topic": f"alert/{number}", "body": {}})
        desk.turn((ident, protocol.encode(protocol.GOODBYE)))

    assert 5 == len(desk.core.stream.topics.by_name)
    assert 1 == desk.core.dropped["refused greeting"]


def test_durable_names_are_limited() -> None:
    """Durable subscriptions are named like topics and limited in number; what is refused leaves nothing behind."""
    desk = Desk(limits=Limits(consumers=4))
    desk.greet(b"\0a")
    for number in range(50):
        for name in (f"reader-{number}", "x" * 10_000):
            fetch = {"id": 1, "consumer": name, "patterns": ["#"], "after": -1, "limit": 1, "wait_ms": 0}
            desk.turn((b"\0a", protocol.encode(protocol.FETCH, **fetch)))
        desk.turn((b"\0a", protocol.encode(protocol.ACK, id=1, consumer=f"other-{number}", offset=1)))
    consumers = desk.core.consumers

    assert (4, 4, 4) == (len(consumers.offsets), len(consumers._owner), len(consumers.waiting))
    assert 1_000 >= max(len(fields["text"]) for verb, fields in desk.heard(b"\0a") if verb == protocol.ERROR)
