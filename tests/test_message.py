"""A message's wire form: what is encoded decodes to itself, and any bytes give a message or `Invalid`."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hearthbus.errors import Invalid
from hearthbus.message import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    RETAIN,
    Message,
    decode,
    decode_body,
    encode_body,
    encode_sent,
    order_of,
    split_sent,
    stamp,
    topic_end,
)

NUMBERS = st.integers(0, 2**63)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
BODIES = st.dictionaries(st.text(max_size=10), VALUES, max_size=5)
TOPICS = st.lists(st.text("abc_.-09", min_size=1, max_size=5), min_size=1, max_size=4).map("/".join)


@given(topic=TOPICS, body=BODIES, order=st.tuples(NUMBERS, NUMBERS, NUMBERS), time=NUMBERS, flags=st.integers(0, 3))
def test_round_trip(topic: str, body: dict[str, object], order: tuple[int, int, int], time: int, flags: int) -> None:
    """Every part of a stamped message is read as it was written."""
    seq, offset, previous = order
    frame = stamp(
        topic.encode(),
        encode_body(body),
        seq=seq,
        offset=offset,
        previous=previous,
        time=time,
        flags=flags,
        origin=b"jeenode-1",
    )
    message = decode(frame)

    assert (topic, body) == (message.topic, message.body)
    assert (seq, offset, time, flags) == (message.seq, message.offset, message.time, message.flags)
    assert order == order_of(frame, topic_end(frame))
    assert "jeenode-1" == message.origin
    assert bool(flags & RETAIN) == message.retained


@given(topic=TOPICS, body=BODIES, time=NUMBERS, flags=st.integers(0, 255))
def test_sent_round_trip(topic: str, body: dict[str, object], time: int, flags: int) -> None:
    """A publisher's frame splits into what it was made of."""
    data = encode_body(body)

    assert (topic.encode(), time, flags, data) == split_sent(encode_sent(topic.encode(), data, time=time, flags=flags))


@given(st.binary(max_size=300))
@example(b"a/b\0" + bytes(33) + b"\xff")
@example(b"\xff\xfe\0" + bytes(34) + b"\x80")
def test_any_bytes_are_a_message_or_invalid(data: bytes) -> None:
    """Hostile bytes give a message or `Invalid`, never another exception."""
    for read in (decode, split_sent, decode_body):
        try:
            read(data)
        except Invalid:
            continue


@given(topic=TOPICS, body=BODIES, data=st.data())
def test_a_cut_message_is_invalid(topic: str, body: dict[str, object], data: st.DataObject) -> None:
    """A message cut anywhere before its last byte is refused, or it would not have needed that byte."""
    frame = stamp(topic.encode(), encode_body(body), seq=1, offset=1, previous=0, time=1, flags=0, origin=b"x")
    cut = data.draw(st.integers(0, len(frame) - 1))

    with pytest.raises(Invalid):
        decode(frame[:cut])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"value": float("nan")}, "'value' is nan"),
        ({"value": [1.0, float("inf")]}, "inf"),
        ({"value": {"deep": float("-inf")}}, "-inf"),
        ({1: "x"}, "the key 1; keys are strings"),
        ({"value": {b"x": 1}}, "keys are strings"),
        ({"value": b"raw"}, "is bytes; use"),
        ({"value": {1, 2}}, "is set; use"),
        ({"value": object()}, "is object; use"),
        ({"value": msgpack.Timestamp(1)}, "is Timestamp; use"),
        ({"value": msgpack.ExtType(1, b"")}, "is ExtType; use"),
        ({"value": 2**64}, "cannot be sent"),
        ({"value": "x" * MAX_BODY_BYTES}, "the limit is 65536"),
    ],
)
def test_what_cannot_be_sent(body: dict[str, object], words: str) -> None:
    """What a body may not hold is refused before it is sent, by its name."""
    with pytest.raises(Invalid) as refused:
        encode_body(body)

    assert words in str(refused.value)


def test_depth_has_a_limit() -> None:
    """Nesting of 16 passes, one more does not; nor does what would exhaust the stack."""
    for depth, passes in ((MAX_DEPTH - 1, True), (MAX_DEPTH, False), (100_000, False)):
        value: object = 1
        for _ in range(depth):
            value = [value]
        if passes:
            encode_body({"value": value})
        else:
            with pytest.raises(Invalid):
                encode_body({"value": value})


@pytest.mark.parametrize("data", [b"", b"\x90", b"\xc0", b"\x81\xa1a", b"\x80\x80", b"\x81\x01\x02", b"\x81" * 100_000])
def test_bad_bodies(data: bytes) -> None:
    """What is not exactly one msgpack map of string keys is no body."""
    with pytest.raises(Invalid):
        decode_body(data)


def test_a_message_reads_like_its_body() -> None:
    """Keys are read from the message itself; its age is the caller's now minus its time."""
    frame = stamp(b"a", encode_body({"v": 1}), seq=3, offset=4, previous=2, time=10**9, flags=0, origin=b"me")
    message = decode(frame, replayed=True, lost=2)

    assert (1, None, 7) == (message["v"], message.get("w"), message.get("w", 7))
    assert "v" in message
    assert 2.0 == message.age(3 * 10**9)
    assert (True, 2) == (message.replayed, message.lost)
    assert "Message('a', {'v': 1}, seq=3, origin='me')" == repr(message)
    assert {message} == {decode(frame)}
    assert isinstance(message, Message)
