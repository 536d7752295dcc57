"""Laws of every RFXtrx sensor packet: nothing breaks the reading, and what is read is written and read the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bits import CodecError
from drivers.rfxtrx import asynchronous, climate, meters, power, rain, teleinfo, undecoded, weather
from drivers.rfxtrx.codec import decode, from_plain, to_plain
from drivers.rfxtrx.kinds import Absent, Kind
from drivers.rfxtrx.names import Choice
from services.rfxtrx.quantities import implausible

if TYPE_CHECKING:
    from drivers.rfxtrx.packet import Packet, Shape

MODULES = (asynchronous, climate, meters, power, rain, teleinfo, undecoded, weather)
SHAPES: list[tuple[type[Packet], int, Shape]] = [
    (packet, subtype, shape)
    for module in MODULES
    for packet in module.PACKETS
    for subtype, shape in packet.shapes.items()
]
NAMES = [f"{packet.name}-{subtype}" for packet, subtype, _ in SHAPES]
TYPES = sorted({packet.kind for packet, _, _ in SHAPES})


def bits(kind: Kind) -> st.SearchStrategy[int]:
    """Return what the bits of a field can be, where a device says something that has a name."""
    if isinstance(kind, Choice):
        return st.sampled_from(sorted(kind.names))
    return st.just(0) if isinstance(kind, Absent) else st.integers(0, (1 << kind.width) - 1)


def frame(packet: type[Packet], subtype: int, shape: Shape, data: st.DataObject) -> bytes:
    """Return a frame of a shape."""
    number = 0
    for _, kind in shape.columns:
        number = number << kind.width | data.draw(bits(kind))
    body = number.to_bytes(shape.size - 4, "big")
    if shape.tail:
        body += data.draw(st.binary(min_size=shape.tail[1].least, max_size=shape.tail[1].most))
    return bytes((len(body) + 3, packet.kind, subtype, data.draw(st.integers(0, 255)))) + body


@pytest.mark.parametrize(("packet", "subtype", "shape"), SHAPES, ids=NAMES)
@settings(max_examples=30)  # each of more than a hundred shapes
@given(data=st.data())
def test_what_is_read_is_written_and_read_the_same(
    packet: type[Packet], subtype: int, shape: Shape, data: st.DataObject
) -> None:
    """A packet comes back from its bytes, and from its plain object, as it was."""
    read = decode(frame(packet, subtype, shape, data))

    assert (packet, read, read) == (type(read), decode(read.encode()), from_plain(to_plain(read)))


@given(kind=st.sampled_from(TYPES), body=st.binary(min_size=2, max_size=40))
def test_any_bytes_of_a_known_type_are_a_packet_or_an_error(kind: int, body: bytes) -> None:
    """Noise with the type of a sensor never raises anything but CodecError, neither here nor where it is judged."""
    told: Any = ""
    try:
        read = decode(bytes((len(body) + 1, kind)) + body)
        told = implausible(read.name, vars(read)) + repr(to_plain(read))
    except CodecError as error:
        told = str(error)

    assert told
