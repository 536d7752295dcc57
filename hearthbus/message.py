r"""A message and its wire form: one ZeroMQ frame.

What a subscriber receives, integers big-endian:

    topic NUL SSSSSSSS OOOOOOOO PPPPPPPP TTTTTTTT F N name body

    S  sequence: grows by one with each message of the topic
    O  offset: grows with each message of the broker, across restarts; the place in the journal
    P  previous: the offset of the topic's message before this one, 0 for the first: a reader that has not
       seen it (and has been listening since) knows at once that something is missing
    T  the publisher's time, nanoseconds since 1970-01-01 UTC
    F  flags, below      N  length of the publisher's name, then the name      body  one msgpack map

What a publisher sends is the same without the parts only the broker may say:

    topic NUL TTTTTTTT F body

Knows bytes and values: no sockets, no clock. `docs/protocol.md` is the same contract in prose.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import msgpack

from hearthbus.errors import Invalid
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

RETAIN: Final = 1
"""The broker keeps the newest message of the topic and gives it to late subscribers; an empty body forgets it."""
REQUEST: Final = 2
"""An observer's copy of a request; its one responder got it by another way."""
FLAGS_A_CLIENT_MAY_SET: Final = RETAIN

MAX_BODY_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
MAX_NAME_BYTES: Final = 60
_pack: Final = msgpack.Packer(use_bin_type=True, buf_size=4096).pack
"""Its buffer grows where it must; the default takes 256 KiB of every process."""

_STAMPED: Final = struct.Struct("!QQQQBB")
_SENT: Final = struct.Struct("!QB")
ORDER: Final = struct.Struct("!QQQ")
"""Sequence, offset and previous, right behind the topic's end."""
_PLAIN: Final = frozenset((str, int, bool, type(None)))
_MAPS: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
_unpack: Final = msgpack.unpackb


class Message:
    """One message as a reader sees it: a topic, a body, and where and when it comes from.

    Reads like its body: `message["value"]`, `message.get("unit")`. Immutable by convention: it is a view of bytes,
    and its numbers are read from them only when asked for.
    """

    __slots__ = ("_at", "_frame", "body", "lost", "replayed", "topic")

    # positional, because one is made for every message a program reads: keywords cost half as much again
    def __init__(  # noqa: PLR0917
        self,
        topic: str,
        body: dict[str, Any],
        frame: bytes,
        at: int,
        replayed: bool = False,  # noqa: FBT001, FBT002
        lost: int = 0,
    ) -> None:
        self.topic = topic
        self.body = body
        self.replayed = replayed
        """It came from the retained store or the journal, not live: mind its age."""
        self.lost = lost
        """How many messages of this topic were lost for this reader between the one before and this."""
        self._frame = frame
        self._at = at

    def __getitem__(self, key: str) -> Any:
        return self.body[key]

    def __contains__(self, key: object) -> bool:
        return key in self.body

    def get(self, key: str, default: Any = None) -> Any:
        """Return `body[key]`, or `default`."""
        return self.body.get(key, default)

    @property
    def seq(self) -> int:
        """Number of this message on its topic."""
        return self._fields[0]

    @property
    def offset(self) -> int:
        """Place of this message in the broker's journal."""
        return self._fields[1]

    @property
    def time(self) -> int:
        """The publisher's time, nanoseconds since 1970 UTC."""
        return self._fields[3]

    @property
    def flags(self) -> int:
        """The wire's flags."""
        return self._fields[4]

    @property
    def origin(self) -> str:
        """Name of the publisher, as the broker knows it."""
        start = self._at + 1 + _STAMPED.size
        return self._frame[start : start + self._fields[5]].decode(errors="replace")

    @property
    def retained(self) -> bool:
        """Published as state: the broker gives it to late subscribers."""
        return bool(self._fields[4] & RETAIN)

    @property
    def is_request(self) -> bool:
        """An observer's copy of a request."""
        return bool(self._fields[4] & REQUEST)

    @property
    def frame(self) -> bytes:
        """The bytes it was read from."""
        return self._frame

    def age(self, now: int) -> float:
        """Seconds between its publishing and `now` (nanoseconds since 1970 UTC)."""
        return (now - self.time) / 1e9

    @property
    def _fields(self) -> tuple[int, int, int, int, int, int]:
        return _STAMPED.unpack_from(self._frame, self._at + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._frame == other._frame

    def __hash__(self) -> int:
        return hash(self._frame)

    def __repr__(self) -> str:
        return f"Message({self.topic!r}, {self.body!r}, seq={self.seq}, origin={self.origin!r})"


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Encode one msgpack map.

    Raises:
        Invalid: not a map of string keys to plain finite values, deeper than 16, or larger than 64 KiB.
    """
    try:
        _check_map(body, 1)
        data: bytes = _pack(body)
    except Invalid:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(f"the body cannot be sent: {error}; use strings, numbers, booleans, lists and maps") from None
    if len(data) > MAX_BODY_BYTES:
        raise Invalid(f"the body has {len(data)} bytes; the limit is {MAX_BODY_BYTES}")
    return data


def decode_body(data: bytes | memoryview) -> dict[str, Any]:
    """Decode and check one msgpack map.

    Raises:
        Invalid: anything else than what `encode_body` makes.
    """
    try:
        body = _unpack(data)
    except Exception as error:  # noqa: BLE001 - msgpack raises a dozen kinds on hostile bytes; all mean the same here
        raise Invalid(f"the body is not msgpack: {type(error).__name__}") from None
    if type(body) is not dict:
        raise Invalid("the body is not a msgpack map")
    _check_map(body, 1)
    return body


def _check_map(value: Mapping[str, Any], depth: int) -> None:
    for key, item in value.items():
        if type(key) is not str:
            raise Invalid(f"the body has the key {key!r}; keys are strings")
        kind = type(item)
        if kind is float:
            if item - item:  # NaN for NaN and both infinities, and NaN is true: the cheapest test
                raise Invalid(f"the body's {key!r} is {item}; leave out what is not a number")
        elif kind not in _PLAIN:
            _check_nested(key, item, depth)


def _check_nested(key: str, item: Any, depth: int) -> None:
    """Check what is not plain: lists, maps, and subclasses of what is plain."""
    if depth >= MAX_DEPTH:
        raise Invalid(f"the body is nested deeper than {MAX_DEPTH}")
    if isinstance(item, dict):
        _check_map(item, depth + 1)
    elif isinstance(item, list | tuple) and not hasattr(item, "code"):
        for part in item:
            if type(part) not in _PLAIN:
                _check_nested(key, part, depth + 1)
    elif isinstance(item, float):
        if item - item:
            raise Invalid(f"the body's {key!r} is {item}; leave out what is not a number")
    elif not isinstance(item, str | int):
        raise Invalid(f"the body's {key!r} is {type(item).__name__}; use strings, numbers, booleans, lists and maps")


def encode_sent(topic: bytes, body: bytes, *, time: int, flags: int = 0) -> bytes:
    """Make a publisher's frame from a checked topic and an encoded body."""
    return topic + b"\0" + _SENT.pack(time, flags) + body


def split_sent(frame: bytes) -> tuple[bytes, int, int, bytes]:
    """Take a publisher's frame apart: topic, time, flags, body; only the shape is checked.

    Raises:
        Invalid: truncated, without a topic's end, or with a body that cannot be a map.
    """
    at = frame.find(b"\0", 0, 256)
    if at <= 0 or len(frame) < at + 2 + _SENT.size:
        raise Invalid("truncated message")
    time, flags = _SENT.unpack_from(frame, at + 1)
    if frame[at + 10] not in _MAPS:
        raise Invalid("the body is not a msgpack map")
    return frame[:at], time, flags, frame[at + 10 :]


def stamp(
    topic: bytes, body: bytes, *, seq: int, offset: int, previous: int, time: int, flags: int, origin: bytes
) -> bytes:
    """Make the frame subscribers receive."""
    return b"%b\0%b%b%b" % (topic, _STAMPED.pack(seq, offset, previous, time, flags, len(origin)), origin, body)


def order_of(frame: bytes, at: int) -> tuple[int, int, int]:
    """Return (sequence, offset, previous) of a stamped frame whose topic ends at `at`."""
    return ORDER.unpack_from(frame, at + 1)


def topic_end(frame: bytes) -> int:
    """Return where a stamped frame's topic ends.

    Raises:
        Invalid: no topic, or too short for the header.
    """
    at = frame.find(b"\0", 0, 256)
    start = at + 1 + _STAMPED.size
    if at <= 0 or len(frame) <= start or len(frame) <= start + frame[start - 1]:
        raise Invalid("truncated message")
    return at


def decode(frame: bytes, *, replayed: bool = False, lost: int = 0) -> Message:
    """Decode a stamped frame.

    Raises:
        Invalid: truncated, a topic that breaks the grammar, a body that is not a sound map.
    """
    at = topic_end(frame)
    try:
        topic = frame[:at].decode()
    except UnicodeDecodeError:
        raise Invalid("the topic is not UTF-8") from None
    return decode_known(frame, at, check_topic(topic), replayed=replayed, lost=lost)


def decode_known(frame: bytes, at: int, topic: str, *, replayed: bool = False, lost: int = 0) -> Message:
    """Decode a stamped frame whose topic has been checked and ends at `at`.

    Raises:
        Invalid: a body that is not a sound map.
    """
    try:
        body = _unpack(frame[at + 35 + frame[at + 34] :])
    except Exception as error:  # noqa: BLE001 - as in decode_body
        raise Invalid(f"the body is not msgpack: {type(error).__name__}") from None
    if type(body) is not dict:
        raise Invalid("the body is not a msgpack map")
    # the first level of _check_map written out: this is done for every message a program reads
    for key, item in body.items():
        kind = type(item)
        if type(key) is not str or (kind not in _PLAIN and (kind is not float or item - item)):
            _check_map(body, 1)
            break
    return Message(topic, body, frame, at, replayed, lost)
