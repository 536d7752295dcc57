"""docs/protocol.md against the code: its tables are the tables of the code, its bytes are read and made by the codec.

Each block of hex is drawn anew from its own bytes, comments too; so a block that is out of date shows in the
difference what it should be.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

import protocol_page as page
import pytest
import zmq

from broker.access import Open
from broker.config import BrokerConfig, Limits
from broker.core import Core
from hearthbus import message, protocol, topics
from hearthbus.client.link import Link

if TYPE_CHECKING:
    from pathlib import Path

    from hearthbus.errors import Refused


def test_every_verb_is_told_once() -> None:
    """The names used here, and the overview of the page, are all verbs of both directions and no others."""
    overview = {cells[0]: cells[1:] for cells in page.rows(page.TEXT, "Letter", "The client says", "The broker says")}
    spoken = {
        side: {page.letter(name).decode(): name.lower() for name in f"{page.NAMES[side]} {page.COUNTED[side]}".split()}
        for side in page.SIDES
    }

    assert {key.decode() for key in page.SIDES["client"]} == {
        page.letter(name).decode() for name in page.NAMES["client"].split()
    }
    assert {key.decode() for key in page.SIDES["broker"]} == {
        page.letter(name).decode() for name in page.NAMES["broker"].split()
    }
    assert sorted(overview) == list(overview)
    assert spoken["client"] == {key: told[0] for key, told in overview.items() if told[0]}
    assert spoken["broker"] == {key: told[1] for key, told in overview.items() if told[1]}


@pytest.mark.parametrize(("side", "name"), page.VERBS)
def test_fields(side: str, name: str) -> None:
    """The table of a verb has its fields, in the order of the code, with their types."""
    told = [
        (key, kind) for key, kind, _ in page.rows(page.SECTIONS[page.heading(side, name)], "Field", "Type", "Meaning")
    ]

    assert [(key, page.TYPES[kind]) for key, kind in page.SIDES[side][page.letter(name)].items()] == told


@pytest.mark.parametrize("label", page.DRAW)
def test_bytes(label: str) -> None:
    """Each frame has an example, and drawing its bytes gives what the page shows."""
    frame = page.bytes_of(page.BLOCKS[label])

    assert page.drawn(page.DRAW[label](frame)) == page.BLOCKS[label]


@pytest.mark.parametrize(("side", "name"), page.VERBS)
def test_bytes_are_the_codecs(side: str, name: str) -> None:
    """The example of a verb stands in its section; the codec accepts it, and makes the same bytes of its fields."""
    label = f"{side} {name.lower()}"
    frame = page.bytes_of(page.BLOCKS[label])
    verb, given = protocol.decode(frame, page.SIDES[side])

    assert f"```hex {label}\n" in page.SECTIONS[page.heading(side, name)]
    assert page.letter(name) == verb
    assert protocol.encode(verb, **given) == frame


@pytest.mark.parametrize("name", page.COUNTED["client"].split())
def test_bytes_of_batches(name: str) -> None:
    """The example of a batch stands in its section, and the codec makes the same bytes."""
    label = f"client {name.lower()}"
    frame = page.bytes_of(page.BLOCKS[label])

    assert f"```hex {label}\n" in page.SECTIONS[page.heading("client", name)]
    assert protocol.encode_batch(page.letter(name), *protocol.decode_batch(frame)) == frame


@pytest.mark.parametrize("name", page.COUNTED["broker"].split())
def test_bytes_of_numbers(name: str) -> None:
    """The example of an acknowledgement stands in its section, and the codec makes the same bytes."""
    label = f"broker {name.lower()}"
    frame = page.bytes_of(page.BLOCKS[label])

    assert f"```hex {label}\n" in page.SECTIONS[page.heading("broker", name)]
    assert protocol.encode_number(page.letter(name), protocol.decode_number(frame)) == frame


def test_bytes_of_messages() -> None:
    """What subscribers receive in the examples is what the broker makes of what was sent."""
    topic, time, flags, body = message.split_sent(page.bytes_of(page.BLOCKS["message, sent"]))
    received = page.bytes_of(page.BLOCKS["message, received"])
    seq, offset, previous = message.order_of(received, len(topic))
    stamped = message.stamp(
        topic, body, seq=seq, offset=offset, previous=previous, time=time, flags=flags, origin=b"phone"
    )

    assert message.encode_sent(topic, body, time=time, flags=flags) == page.bytes_of(page.BLOCKS["message, sent"])
    assert stamped == received


def test_the_broker_understands_the_examples() -> None:
    """Said one after the other to a broker, nothing the examples say is dropped, and the marker is answered so."""
    core = Core(BrokerConfig(), access=Open(), epoch=1)
    core.begin(0.0, 1)
    for label in ("hello", *(label for label in page.ORDER if label != "hello")):
        core.handle(b"\0phone", page.bytes_of(page.BLOCKS[f"client {label}"]))
    core.stream.offset = 3
    answered = page.bytes_of(page.BLOCKS["marker, answered"])

    assert {} == core.dropped
    assert core.subscribers.marker(answered[:-8]) == answered


def test_flags() -> None:
    """The flags are those of the code."""
    told = {name: int(bit) for bit, name, _ in page.rows(page.TEXT, "Bit", "Name", "Meaning")}

    assert {"retain": message.RETAIN, "request": message.REQUEST} == told


def test_errors() -> None:
    """The kinds of errors are those of the code."""
    assert list(protocol.ERRORS) == [
        kind for kind, _ in page.rows(page.SECTIONS[page.heading("broker", "ERROR")], "Kind", "Meaning")
    ]


def test_limits() -> None:
    """The limits are those of the broker's configuration, with its defaults."""
    told = {name: int(default) for name, default, _ in page.rows(page.TEXT, "Limit", "Default", "Of what")}

    assert {part.name: getattr(Limits(), part.name) for part in fields(Limits)} == told
    assert f"`beat_ms` is {BrokerConfig().beat_ms} and `silence_ms` {BrokerConfig().silence_ms}" in page.TEXT


def test_sizes() -> None:
    """The sizes told in passing are those of the code."""
    told = [
        f"at most {topics.MAX_TOPIC_BYTES} bytes, at most {topics.MAX_PARTS} segments",
        f"of a client: at most {message.MAX_NAME_BYTES} bytes",
        f"at most {message.MAX_DEPTH} maps and lists deep",
        f"at most {message.MAX_BODY_BYTES} bytes. Values",
        f"This is protocol version {protocol.VERSION}.",
    ]

    assert [] == [words for words in told if words not in page.TEXT]


def test_patterns() -> None:
    """The table of patterns is true."""
    told = page.rows(page.TEXT, "Pattern", "Matches", "Does not match")

    assert told
    assert [] == [row for row in told if not topics.matches(row[0], row[1])]
    assert [] == [row for row in told if row[2] and topics.matches(row[0], row[2])]


def test_prefixes() -> None:
    """The table of prefixes is what the client in Python subscribes."""
    told = {
        pattern: [prefix.replace("␀", "\0").encode() for prefix in re.findall(r"[^` ]+", cell)]
        for pattern, cell in page.rows(page.TEXT, "Pattern", "Prefixes to subscribe")
    }
    told["#"] = [b""]  # the page says it in words

    assert {pattern: list(topics.prefixes(pattern)) for pattern in told} == told


async def test_socket_options(tmp_path: Path) -> None:
    """The options are those the client in Python sets."""
    link = Link(f"ipc://{tmp_path}/nobody", _Nobody())
    link.open()
    link.listen(f"ipc://{tmp_path}/nobody.fanout")
    sockets = {"DEALER": (link._dealer,), "SUB": (link._sub,), "both": (link._dealer, link._sub)}
    told = page.rows(page.TEXT, "Option", "Socket", "Value", "Why")
    wrong = [
        (option, value)
        for option, where, value, _ in told
        for socket in sockets[where]
        if socket is None or socket.getsockopt(getattr(zmq, option)) != int(value)
    ]
    link.close()

    assert told
    assert [] == wrong


def test_links() -> None:
    """Every link within the page has its page.heading."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.TEXT, flags=re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}

    assert [] == sorted(set(re.findall(r"\]\(#([^)]+)\)", page.TEXT)) - anchors)


class _Nobody:
    """A link's owner that does not care."""

    def on_up(self) -> None: ...

    def on_down(self) -> None: ...

    def on_refused(self, error: Refused) -> None: ...

    def on_answer(self, frame: bytes) -> None: ...

    def on_messages(self, frames: list[bytes]) -> None: ...
