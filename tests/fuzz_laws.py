"""What holds of any bytes, given to whatever reads bytes or texts from outside: shared by the fuzzer and the tests.

Each law takes bytes and raises AssertionError, or whatever its reader must never raise; none uses a clock or chance.
Which law belongs to which target, and what its corpus begins with, is said in `fuzz_targets`.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from offline import Desk, hello

from drivers.bits import CodecError
from drivers.fields import Packet
from drivers.rf12 import emonhub, hearth, stock
from drivers.rf12.air import Frame
from drivers.rf12.lines import LONGEST, Lines
from hearthbus import Invalid, protocol
from hearthbus import message as wire
from hearthbus.config import load
from hearthbus.config.schema import build
from hearthbus.topics import check_topic
from services.schedule.cron import parse_cron
from services.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTS: Final = (b"\0a", b"\0b", b"\0c", b"chosen")
DISKS: Final = ("", "disk full", None, "")
STOCK: Final[tuple[Callable[[bytes], Any], ...]] = (
    stock.StockRoom.decode, stock.stock_led, stock.Slave.decode, stock.emontx, stock.emonth, hearth.Settings.decode,
)  # fmt: skip
LONDON: Final = ZoneInfo("Europe/London")


def message(data: bytes) -> None:
    """A frame is a message that can be said again, or `Invalid`; so is what a publisher sends, and a body alone."""
    with suppress(Invalid):
        found = wire.decode(data)
        assert found.topic == check_topic(found.topic)
        assert found.body == wire.decode_body(_again(found.body)), "a body changed on its way"
        assert repr(found)
        assert data[wire.topic_end(data) + 1 :].startswith(b"".join(n.to_bytes(8, "big") for n in _order(data)))
    with suppress(Invalid):
        topic, time, flags, body = wire.split_sent(data)
        assert data == wire.encode_sent(topic, body, time=time, flags=flags)
    with suppress(Invalid):
        assert wire.decode_body(data) == wire.decode_body(_again(wire.decode_body(data)))


def _order(data: bytes) -> tuple[int, int, int]:
    return wire.order_of(data, wire.topic_end(data))


def _again(body: dict[str, Any]) -> bytes:
    """Encode a body that was decoded; a length is no law, for other encoders write numbers longer or shorter."""
    return wire.encode_body(body) if len(repr(body)) < wire.MAX_BODY_BYTES else wire._pack(body)


def protocol_frame(data: bytes) -> None:
    """A frame of either side is a verb with the fields of its table, or `Invalid`; said again it is the same."""
    for table in (protocol.CLIENT_SAYS, protocol.BROKER_SAYS):
        with suppress(Invalid):
            verb, fields = protocol.decode(data, table)
            assert {key: type(fields[key]) for key in table[verb]} == dict(table[verb])
    with suppress(Invalid):
        first, messages = protocol.decode_batch(data)
        assert (first, messages) == protocol.decode_batch(protocol.encode_batch(data[:1], first, messages))
        assert len(messages) <= protocol.MAX_BATCH
    with suppress(Invalid):
        assert data == protocol.encode_number(data[:1], protocol.decode_number(data))


def broker(data: bytes) -> None:
    """Whatever three clients say to the broker's core, in whatever order: it says its figures, and forgets them.

    Two bytes say who speaks and how long his frame is; the first one's high bits, what becomes of the disk meanwhile.
    """
    desk = Desk()
    desk.greet(b"\0a", "a")
    desk.greet(b"\0b", "b", presence=True)
    desk.turn((b"\0b", protocol.encode(protocol.SERVE, id=1, pattern="#")))
    at = 0
    while at + 2 < len(data):
        who, size = data[at], data[at + 1]
        frame = data[at + 2 : at + 2 + size]
        at += 2 + size
        if frame:
            desk.turn((IDENTS[who % 4], frame), disk=DISKS[who // 4 % 4], seconds=float(who // 16))
    desk.turn(seconds=4)
    desk.turn(seconds=4)
    assert desk.stats["clients"] == 0
    assert "defect" not in desk.core.dropped


def rf12(data: bytes) -> None:
    """A payload, ours or a stock sketch's, is a packet that encodes to the same bytes, or `CodecError`."""
    for decode in (hearth.decode, *STOCK):
        with suppress(CodecError):
            packet = decode(data)
            assert isinstance(packet, Packet)
            assert packet == type(packet).decode(packet.encode()), f"{packet} is another one the second time"
            assert repr(packet)
    with suppress(CodecError):
        frame = Frame.decode(data)
        assert frame == Frame.decode(frame.encode())
    text = data.decode("latin-1")
    with suppress(CodecError):
        reading = stock.Master.decode(text)
        assert reading == stock.Master.decode(reading.encode())
    section, notes = emonhub.read(text)
    assert all(note.line <= text.count("\n") + text.count("\r") + 20 + len(text) for note in notes)
    assert section.name == ""


def rf12_lines(data: bytes) -> None:
    """A gateway's output gives the same values however it is cut, keeps one line at most, and counts what it drops."""
    whole, cut = Lines(), Lines()
    values = whole.feed(data)
    cuts = [0, *range(1, len(data), 1 + len(data) % 5), len(data)]
    assert values == [value for at, end in pairwise(cuts) for value in cut.feed(data[at:end])], "its pieces matter"
    assert (whole.missing, whole.broken, whole.hearth) == (cut.missing, cut.broken, cut.hearth)
    assert len(whole._line) <= LONGEST + 1
    assert all(repr(value) for value in values)


def config(data: bytes) -> None:
    """A file is a house, or `Invalid` with at least one problem, each with its file and line."""
    if b"include" in data or b"service" in data:
        return  # the one reads other files of this machine, the other runs their code
    path = _FILE.with_name(f"house-{os.getpid()}.toml")
    path.write_bytes(data)
    problems = _problems(path)
    assert all(problem.startswith(f"{path}:") for problem in problems), problems


def _problems(path: Path) -> tuple[str, ...]:
    try:
        load(path, broker=True)
    except Invalid as error:
        return error.problems or (f"it is refused, and nothing is said: {error}",)
    return ()


_FILE: Final = Path(tempfile.gettempdir()) / "house.toml"


def rules(data: bytes) -> None:
    """A trigger's rules, and the message that may wake them behind a NUL: a request that can be sent, or `Invalid`."""
    text, _, said = data.partition(b"\0")
    try:
        values = tomllib.loads(text.decode())
        found = build(Trigger.Config, values)
        body = wire.decode_body(said)
    except (Invalid, ValueError, RecursionError):  # no TOML is the reader's affair, see `config`
        return
    for rule in found.rules.values():
        if rule.holds(body):
            assert all(body[key] == value for key, value in rule.when.items())
        with suppress(Invalid):
            assert rule.said(body).keys() == rule.body.keys()


def cron(data: bytes) -> None:
    """A cron expression fires, later each time, or is `Invalid`."""
    with suppress(Invalid):
        found = parse_cron(data.decode("latin-1"), LONDON)
        fires = found.fires(1_764_000_000.0)
        times = [next(fires) for _ in range(3)]
        assert times == sorted(set(times))
        assert found == parse_cron(found.text, LONDON)


def greeting(ident: bytes) -> bytes:
    """Return a greeting, for a corpus."""
    return hello(ident, "somebody")
