"""Reads docs/protocol.md: its tables, its blocks of hex; and draws such a block from bytes. Tests nothing itself."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from hearthbus import message, protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

PAGE = Path(__file__).parent.parent / "docs" / "protocol.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```hex ([^\n]+)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL))
"""What follows the word hex, and the lines."""
SECTIONS = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
TYPES = {int: "integer", str: "text", bytes: "binary", bool: "bool", list: "list", dict: "map"}
SIDES: dict[str, Mapping[bytes, Mapping[str, type]]] = {
    "client": protocol.CLIENT_SAYS,
    "broker": protocol.BROKER_SAYS,
}
NAMES = {
    "client": "HELLO REQUEST ANSWER SERVE UNSERVE WATCH SNAPSHOT REPLAY FETCH ACK LEAVE FORGET BEAT GOODBYE",
    "broker": "WELCOME REQUEST ANSWER ERROR PAGE DONE BEAT STRANGER",
}
COUNTED = {"client": "PUBLISH STORE", "broker": "TAKEN STORED"}
VERBS = [(side, name) for side, names in NAMES.items() for name in names.split()]
ORDER = [name.lower() for name in f"{NAMES['client']} {COUNTED['client']}".split() if name not in {"GOODBYE", "ANSWER"}]
"""What a client can say to a broker that has asked nothing, in an order that makes sense."""
WIDTH = 16


def rows(text: str, *head: str) -> list[list[str]]:
    """Return the rows of every table with that head, without backticks."""
    found: list[list[str]] = []
    reading = False
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")] if line.startswith("|") else []
        reading = bool(cells) and (reading or cells == list(head))
        if reading and cells != list(head) and not set(cells) <= {"---"}:
            found.append(cells)
    return found


def letter(name: str) -> bytes:
    """The byte of a verb."""
    verb: bytes = getattr(protocol, name)
    return verb


def heading(side: str, name: str) -> str:
    """The heading of a verb's section."""
    return f"The {side} says `{letter(name).decode()}`: {name.lower()}"


def bytes_of(block: str) -> bytes:
    """Read a block: hex left of the bar."""
    return bytes.fromhex("".join(line.partition("|")[0] for line in block.splitlines()))


def shown(value: Any) -> str:
    """A value as a comment shows it."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return json.dumps(value, ensure_ascii=False)


def drawn(parts: Iterable[tuple[bytes, str]]) -> str:
    """Draw a block: up to 16 bytes a line, and beside the first line of each part what it is."""
    lines = []
    for data, comment in parts:
        for at in range(0, len(data), WIDTH):
            line = data[at : at + WIDTH].hex(" ")
            lines.append(line if at else f"{line:<{3 * WIDTH - 1}} | {comment}")
    return "\n".join(lines)


def parts_of_map(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """A verb and its map."""
    given: dict[str, Any] = msgpack.unpackb(frame[1:])
    yield frame[:2], f"{chr(frame[0])}, a map of {len(given)}"
    for key, value in given.items():
        yield msgpack.packb(key) + msgpack.packb(value), f"{key}: {shown(value)}"


def parts_of_sent(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """A message as publishers send it."""
    topic, time, flags, body = message.split_sent(frame)
    yield topic + b"\0", f"topic: {topic.decode()}, NUL"
    yield struct.pack("!Q", time), f"time: {time}"
    yield bytes([flags]), f"flags: {flags}"
    yield body, f"body: {shown(message.decode_body(body))}"


def parts_of_stamped(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """A message as subscribers receive it."""
    given = message.decode(frame)
    at = message.topic_end(frame)
    seq, offset, previous = message.order_of(frame, at)
    yield frame[: at + 1], f"topic: {given.topic}, NUL"
    for name, number in (("sequence", seq), ("offset", offset), ("previous", previous), ("time", given.time)):
        yield struct.pack("!Q", number), f"{name}: {number}"
    yield bytes([given.flags]), f"flags: {given.flags}"
    yield bytes([len(given.origin)]) + given.origin.encode(), f"origin: {len(given.origin)} bytes, {given.origin}"
    yield message.encode_body(given.body), f"body: {shown(given.body)}"


def parts_of_batch(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """PUBLISH and STORE."""
    first, messages = protocol.decode_batch(frame)
    yield frame[:1], chr(frame[0])
    yield frame[1:9], f"number of the first message: {first}"
    yield frame[9:10], f"a list of {len(messages)}"
    for at, record in enumerate(messages):
        topic = record.partition(b"\0")[0].decode()
        yield msgpack.packb(record), f"message {first + at}: {len(record)} bytes, {topic}"


def parts_of_number(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """TAKEN and STORED."""
    yield frame[:1], chr(frame[0])
    yield frame[1:], f"up to number {protocol.decode_number(frame)}"


def parts_of_marker(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """The answer to a marker."""
    yield frame[:-8], f"the marker: {frame[:-8].decode()}"
    yield frame[-8:], f"offset: {int.from_bytes(frame[-8:], 'big')}"


DRAW: dict[str, Callable[[bytes], Iterator[tuple[bytes, str]]]] = {
    "message, sent": parts_of_sent,
    "message, received": parts_of_stamped,
    "message, request": parts_of_stamped,
    "marker, answered": parts_of_marker,
    **{f"client {name.lower()}": parts_of_batch for name in COUNTED["client"].split()},
    **{f"broker {name.lower()}": parts_of_number for name in COUNTED["broker"].split()},
    **{f"{side} {name.lower()}": parts_of_map for side, name in VERBS},
}
