"""The golden vectors of RF12, read here and by the firmware's own test: every row decodes, and encodes again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from drivers.rf12 import commands, hearth, stock
from drivers.rf12.air import Frame, crc8
from drivers.rf12.lines import Lines
from drivers.rf12.values import Broken

if TYPE_CHECKING:
    from drivers.fields import Packet

FILE = Path(__file__).parent / "vectors" / "rf12.txt"
OURS = {kind.__name__.lower(): kind for kind in hearth.PAYLOADS}
STOCK: dict[str, tuple[type[Packet], ...]] = {
    "stock_room": (stock.StockRoom,),
    "stock_led": (stock.StockLed, stock.StockLedRamp),
    "slave": (stock.Slave,),
    "emontx": (*stock.EMONTX, *stock.EMONTH),
}
OTHER = {"frame", "line", "command", "masternode"}


class Row(NamedTuple):
    """One vector."""

    number: int
    kind: str
    data: bytes
    fields: dict[str, str]


def rows(*kinds: str) -> list[Any]:
    """Return the vectors of some kinds as parameters, named by line."""
    found = []
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            kind, data, *fields = line.split()
            row = Row(number, kind, bytes.fromhex(data), dict(field.split("=", 1) for field in fields))
            if kind in kinds or not kinds:
                found.append(pytest.param(row, id=f"{kind}-{number}"))
    return found


def packet_class(row: Row) -> type[Packet]:
    """Return the class that a row is of."""
    if row.kind in OURS:
        return OURS[row.kind]
    return next(kind for kind in STOCK[row.kind] if [name for name, _ in kind.layout.columns] == list(row.fields))


def typed(text: str, like: object) -> object:
    """Return a field of a row as the type the decoder gives."""
    if text == "none":
        return None
    if isinstance(like, bool):
        return {"0": False, "1": True}[text]
    return float(text) if isinstance(like, float) else int(text)


@pytest.mark.parametrize("row", rows(*OURS, *STOCK))
def test_a_payload_decodes(row: Row) -> None:
    """The bytes have exactly the row's fields, in the row's order, with the row's values."""
    packet = packet_class(row).decode(row.data)
    found = vars(packet)

    assert list(row.fields) == list(found)
    assert {name: typed(text, found[name]) for name, text in row.fields.items()} == found


@pytest.mark.parametrize("row", rows(*OURS, *STOCK))
def test_a_payload_encodes(row: Row) -> None:
    """The row's fields have exactly the row's bytes."""
    kind = packet_class(row)
    values = {
        name: None if text == "none" else float(text) if "." in text else int(text) for name, text in row.fields.items()
    }

    assert row.data == kind(**values).encode()


@pytest.mark.parametrize("row", rows(*OURS))
def test_a_payload_of_ours_says_what_it_is(row: Row) -> None:
    """Its first byte is enough."""
    assert OURS[row.kind] is type(hearth.decode(row.data))


@pytest.mark.parametrize("row", rows("frame"))
def test_frames(row: Row) -> None:
    """Group, header, payload and their check, both ways."""
    payload = bytes.fromhex(row.fields["payload"].strip("-"))
    frame = Frame(group=int(row.fields["group"]), header=int(row.fields["header"]), payload=payload)

    assert frame == Frame.decode(row.data)
    assert row.data == frame.encode()


@pytest.mark.parametrize("row", rows("line"))
def test_lines(row: Row) -> None:
    """The check of a line in hearth mode; the reader takes the line with it, and no other."""
    check = int(row.fields["crc8"])
    taken, broken = (Lines().feed(row.data + b"*%02X\r\n" % number) for number in (check, check ^ 1))

    assert check == crc8(row.data)
    assert not any(isinstance(value, Broken) for value in taken)
    assert all(isinstance(value, Broken) for value in broken)


@pytest.mark.parametrize("row", rows("command"))
def test_commands(row: Row) -> None:
    """A packet to send, with its tag and its check."""
    data = bytes.fromhex(row.fields["data"].strip("-"))
    node, tag = int(row.fields["dest"]), int(row.fields["tag"])
    written = commands.send_hearth(data, node=node, tag=tag, ack=row.fields["ack"] == "1")

    assert row.data + b"\n" == written
    assert re.search(rb"\d+(?=[un]$)", row.data) is not None
    assert int(row.fields["check"]) == crc8(data + bytes([node, tag]))


@pytest.mark.parametrize("row", rows("masternode"))
def test_masternode(row: Row) -> None:
    """A JSON line of a MasterNode."""
    reading = stock.Master.decode(row.data.decode())
    found = {name: value for name, value in vars(reading).items() if value is not None}

    assert {name: typed(text, found[name]) for name, text in row.fields.items()} == found
    assert row.data.decode() == reading.encode()


def test_every_kind_has_rows() -> None:
    """Every payload, ours or not, has vectors, and no row is of a kind that nobody reads."""
    found = {parameter.values[0].kind for parameter in rows()}
    emon = {packet_class(parameter.values[0]) for parameter in rows("emontx")}

    assert found == {*OURS, *STOCK, *OTHER}
    assert emon == {*stock.EMONTX, *stock.EMONTH}


def test_every_payload_has_missing_and_extreme_rows() -> None:
    """Where a field can be missing, one row misses it."""
    for name, kind in OURS.items():
        mine = [parameter.values[0] for parameter in rows(name)]
        can_miss = {column for column, field in kind.layout.columns if getattr(field, "missing", None) is not None}

        assert can_miss == {column for row in mine for column, text in row.fields.items() if text == "none"}
