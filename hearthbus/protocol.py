"""What a client and the broker say to each other on the request socket: one byte for the verb, then its fields.

All verbs but the four counted ones carry one msgpack map, whose keys and types stand in `CLIENT_SAYS` and
`BROKER_SAYS`. The counted ones are binary, for speed:

    PUBLISH, STORE    verb NNNNNNNN list     N number of the first message (u64, big-endian), then a msgpack list of
                                             messages in the form publishers send; the next has number N + 1, and so on
    TAKEN, STORED     verb NNNNNNNN          every message up to number N was taken in / is on disk

Shared by both ends; knows bytes and values, no sockets, no clock. `docs/protocol.md` tells the conversation.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import msgpack

from hearthbus.errors import HandlerError, HearthbusError, Invalid, NoResponder, Refused, Timeout, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION: Final = 1
MAX_BATCH: Final = 4_096
"""Messages in one PUBLISH or STORE."""
MARKER: Final = "$sub/"
"""A client subscribes this and a token after its patterns; the broker answers on it when they all hold."""
PRESENCE: Final = "$up/"
"""A service subscribes this and its name for as long as it lives; the end of that subscription is its death."""

HELLO, PUBLISH, STORE, REQUEST, ANSWER = b"H", b"P", b"C", b"Q", b"A"
SERVE, UNSERVE, WATCH, SNAPSHOT, REPLAY = b"V", b"U", b"W", b"S", b"R"
FETCH, ACK, LEAVE, FORGET, BEAT, GOODBYE = b"F", b"K", b"L", b"X", b"B", b"G"
WELCOME, TAKEN, STORED, ERROR, PAGE, DONE, STRANGER = b"H", b"P", b"C", b"E", b"S", b"K", b"N"

CLIENT_SAYS: Final[Mapping[bytes, Mapping[str, type]]] = {
    HELLO: {
        "versions": list,  # of int, the protocol versions it speaks
        "name": str,
        "session": bytes,  # 16 random bytes, kept over reconnections: numbers count within it
        "software": str,
        "pid": int,
        "host": str,
        "presence": bool,  # announce service/<name>
        "will": dict,  # {} or {"topic": str, "body": map}: published retained when it dies
    },
    REQUEST: {
        "id": int,
        "timeout_ms": int,
        "deadline": int,  # reading of the broker's clock when its time is over; 0: it counts when the broker reads it
        "message": bytes,
    },
    ANSWER: {"ticket": int, "ok": bool, "body": dict, "text": str},
    SERVE: {"id": int, "pattern": str},
    UNSERVE: {"id": int, "pattern": str},
    WATCH: {"id": int, "patterns": list},  # what it subscribes now, for the checks in BEAT
    SNAPSHOT: {"id": int, "patterns": list, "after": str},
    REPLAY: {"id": int, "patterns": list, "after": int, "since": int, "until": int, "limit": int},
    FETCH: {"id": int, "consumer": str, "patterns": list, "after": int, "limit": int, "wait_ms": int},
    ACK: {"id": int, "consumer": str, "offset": int},
    LEAVE: {"consumer": str},
    FORGET: {"id": int, "consumer": str},
    BEAT: {"offset": int, "lost": int, "refilled": int},
    GOODBYE: {},
}
BROKER_SAYS: Final[Mapping[bytes, Mapping[str, type]]] = {
    WELCOME: {
        "version": int,
        "epoch": int,  # changes when history broke off (power cut): offsets of another epoch mean nothing
        "fanout": str,  # address of the fan-out socket; "*" as host: the host of the URL
        "offset": int,  # newest message
        "number": int,  # highest number of this session already taken in
        "beat_ms": int,  # send BEAT this often
        "silence_ms": int,  # either side takes the other for gone after this long
        "clock": int,  # the broker's own, in milliseconds that never jump
        "limits": dict,
    },
    REQUEST: {"ticket": int, "timeout_ms": int, "deadline": int, "message": bytes},
    ANSWER: {"id": int, "body": dict},
    ERROR: {
        "id": int,  # of the question, or 0
        "number": int,  # of the message refused, or 0
        "kind": str,
        "text": str,
        "more": list,  # numbers of further messages refused with it
    },
    PAGE: {
        "id": int,
        "frames": list,  # messages as subscribers receive them
        "next": str,  # where the following page begins: a topic, or an offset in digits
        "end": bool,  # there is no following page now
        "offset": int,  # newest message this answer knew of
        "after": int,  # a replay or fetch: the offset it began behind
        "oldest": int,  # the oldest offset of the journal, 0 where it was not looked up
    },
    DONE: {"id": int},
    BEAT: {"offset": int, "changed": list, "complete": bool, "clock": int},
    STRANGER: {},
}

ERRORS: Final[Mapping[str, type[HearthbusError]]] = {
    "invalid": Invalid,
    "unavailable": Unavailable,
    "no_responder": NoResponder,
    "timeout": Timeout,
    "refused": Refused,
    "handler": HandlerError,
}
"""The word on the wire for each error the broker can pass on."""

_NUMBER: Final = struct.Struct("!Q")


def encode(verb: bytes, /, **fields: Any) -> bytes:
    """Make the frame of a verb; fields as in the tables."""
    data: bytes = msgpack.packb(fields)
    return verb + data


def decode(frame: bytes, table: Mapping[bytes, Mapping[str, type]]) -> tuple[bytes, dict[str, Any]]:
    """Take a frame apart and check its fields against `table`.

    Raises:
        Invalid: an unknown verb, not a map, a field missing or of the wrong type.
    """
    verb = frame[:1]
    wanted = table.get(verb)
    if wanted is None:
        raise Invalid(f"unknown verb {verb!r}")
    try:
        fields = msgpack.unpackb(frame[1:])
    except Exception as error:  # noqa: BLE001 - msgpack raises a dozen kinds on hostile bytes; all mean the same here
        raise Invalid(f"verb {verb!r}: not msgpack ({type(error).__name__})") from None
    if type(fields) is not dict:
        raise Invalid(f"verb {verb!r}: its fields are not a map")
    for key, kind in wanted.items():
        if type(fields.get(key)) is not kind:
            raise Invalid(f"verb {verb!r}: the field {key!r} is missing or not {kind.__name__}")
    return verb, fields


def encode_batch(verb: bytes, first: int, messages: Sequence[bytes]) -> bytes:
    """Make PUBLISH or STORE of messages numbered from `first`."""
    data: bytes = msgpack.packb(messages)
    return b"%b%b%b" % (verb, _NUMBER.pack(first), data)


def decode_batch(frame: bytes) -> tuple[int, list[bytes]]:
    """Take PUBLISH or STORE apart: the first number and the messages.

    Raises:
        Invalid: truncated, more than `MAX_BATCH`, or not a list of bytes.
    """
    try:
        (first,) = _NUMBER.unpack_from(frame, 1)
        # the limit is in the first bytes: the work of reading so many is not done before they are refused
        messages = msgpack.unpackb(frame[9:], use_list=True, max_array_len=MAX_BATCH)
    except Exception as error:  # noqa: BLE001 - as in decode
        raise Invalid(f"a batch that cannot be read ({type(error).__name__})") from None
    if type(messages) is not list or any(type(message) is not bytes for message in messages):
        raise Invalid("a batch is not a list of messages")
    return first, messages


def encode_number(verb: bytes, number: int) -> bytes:
    """Make TAKEN or STORED."""
    return verb + _NUMBER.pack(number)


def decode_number(frame: bytes) -> int:
    """Read TAKEN or STORED.

    Raises:
        Invalid: truncated.
    """
    if len(frame) != 1 + _NUMBER.size:
        raise Invalid("a number that cannot be read")
    number: int = _NUMBER.unpack_from(frame, 1)[0]
    return number


def error_of(kind: str, text: str) -> HearthbusError:
    """Return the exception for an ERROR the broker sent."""
    return ERRORS.get(kind, Refused)(text)
