"""The golden vectors of RFXtrx: every row decodes and encodes again, and every device of every packet has two.

The head of tests/vectors/rfxtrx.txt says how a row reads.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from drivers.bits import CodecError
from drivers.rfxtrx.codec import PACKETS, decode, subtype_name, to_plain

if TYPE_CHECKING:
    from drivers.rfxtrx.packet import Packet

FILE = Path(__file__).parent / "vectors" / "rfxtrx.txt"


class Row(NamedTuple):
    """One vector."""

    packet: str
    subtype: str
    frame: bytes
    fields: dict[str, str]


def rows() -> list[tuple[str, Row]]:
    """Return all vectors, with the line of each."""
    found = []
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            packet, subtype, data, *fields = line.split()
            row = Row(packet, subtype, bytes.fromhex(data), dict(field.split("=", 1) for field in fields))
            found.append((f"{packet}-{number}", row))
    return found


ROWS = rows()
EACH = [pytest.param(row, id=name) for name, row in ROWS]
COUNT = Counter((row.packet, row.subtype, row.frame[1], row.frame[2]) for _, row in ROWS)


def shown(packet: Packet, field: str) -> str:
    """Return a field's value as the vectors write it."""
    value: Any = to_plain(packet).get(field, getattr(packet, field, "no such field"))
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "_")


@pytest.mark.parametrize("row", EACH)
def test_a_frame_reads_as_its_row_says(row: Row) -> None:
    """Packet, device and every field that the row names."""
    packet = decode(row.frame)

    assert {
        "packet": row.packet,
        "subtype": row.subtype,
        **{name: value for name, value in row.fields.items() if name != "again"},
    } == {
        "packet": packet.name,
        "subtype": subtype_name(packet).replace(" ", "_"),
        **{name: shown(packet, name) for name in row.fields if name != "again"},
    }


@pytest.mark.parametrize("row", EACH)
def test_what_was_read_encodes_to_the_frame_it_was_read_from(row: Row) -> None:
    """Every bit of a frame is in a field, but noise where the row says so."""
    packet = decode(row.frame)
    again = row.fields.get("again", row.frame.hex())

    if again == "refused":
        with pytest.raises(CodecError):
            packet.encode()
    else:
        assert packet.encode().hex() == again


@pytest.mark.parametrize(
    "packet", [each for each in PACKETS if each.variants], ids=lambda each: f"{each.kind:02x}-{each.__name__}"
)
def test_every_device_has_two_rows(packet: type[Packet]) -> None:
    """No subtype is known to the codec and not to the vectors."""
    few = [
        each.name
        for each in packet.variants
        if COUNT[packet.name, each.name.replace(" ", "_"), packet.kind, each.subtype] < 2
    ]

    assert few == []
