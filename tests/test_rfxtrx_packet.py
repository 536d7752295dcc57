"""The laws of RFXtrx's codec: what is sent is read the same, any bytes are read, and a mistake says where it is."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx.addresses import Gap, Identity, Split, Unit
from drivers.rfxtrx.codec import PACKETS, Unknown, decode, from_plain, to_plain
from drivers.rfxtrx.kinds import U8, Absent, Halves, Kind, Rest
from drivers.rfxtrx.lighting import Lighting1, Lighting2
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import Packet, Shape, Variant

DEVICES = [
    pytest.param(packet, subtype, id=f"{packet.kind:02x}{subtype:02x}-{packet.__name__}")
    for packet in PACKETS
    for subtype in packet.shapes
]
BUTTON = Lighting2(subtype=0x00, id=0x123ABCD, unit=5, command="on", level=15)
BUTTON_FRAME = "0b1100000123abcd05010f00"
FIRST: dict[tuple[str, int], type[Packet]] = {}
"""The class a plain object becomes; others of the same device are what old firmware tells."""
for each in PACKETS:
    for number in each.shapes:
        FIRST.setdefault((each.name, number), each)
STRANGE = st.sampled_from([
    None, True, 0, 1, 3, 17, -1, 255, 256, 1 << 70, 1 << 200, 0.5, 1e308, float("inf"), float("nan"), "", "on", "0x10",
    "-1", "unknown_35", "A", "ff", "\0", "\xe9", [1], {"a": 1},
])  # fmt: skip


def whole(kind: Bits) -> st.SearchStrategy[int]:
    """Return the numbers between the limits of a field, or of its bits."""
    top = (1 << kind.width) - 1
    return st.integers(kind.low or 0, top if kind.high is None else kind.high)


def sendable(kind: Kind) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one return for each kind
    """Return what a device takes in a field."""
    match kind:
        case Absent():
            return st.none()
        case Choice(names=names, sends=sends):
            return st.sampled_from(sorted(names.values() if sends is None else sends))
        case Unit(low=low, high=high, group=group):
            units = st.integers(low, high)
            return units if group is None else units | st.just(0)
        case Split(width=width, gap=gap, low=low, high=high):
            return st.integers(low, (1 << width - gap) - 1 if high is None else high)
        case Gap(bits=bits):
            return st.integers(0, (1 << bits) - 1)
        case Halves(low=low, high=high):
            return st.integers(low * 2, high * 2).map(lambda halves: halves / 2)
        case Identity():
            return whole(kind)
        case Bits(low=low, high=high, scale=scale, plus=0) if scale == 1 and (low, high) != (None, None):
            return whole(kind)
        case _:
            raw = st.integers(0, (1 << kind.width) - 1)
            return raw.map(lambda number: written(kind, number)).filter(lambda value: value != "")


def written(kind: Kind, raw: int) -> Any:
    """Return the value of some bits; "" where none may be written."""
    try:
        value = kind.read(raw)
        kind.write(value)
    except CodecError:
        return ""
    return value


def packets(packet: type[Packet], subtype: int) -> st.SearchStrategy[Packet]:
    """Return the packets of a device that can be sent, but for what `check` says of fields together."""
    shape: Shape = packet.shapes[subtype]
    fields = {name: sendable(kind) for name, kind in shape.columns} | {"sequence": st.integers(0, 255)}
    if shape.tail is not None:
        name, tail = shape.tail
        fields[name] = st.binary(min_size=tail.least, max_size=tail.most)

    def made(values: dict[str, Any]) -> Packet:
        senseless = [name for name, (other, wanted) in packet.only_when.items() if values[other] != wanted]
        return packet.made({"subtype": subtype, **values, **dict.fromkeys(senseless)})

    return st.fixed_dictionaries(fields).map(made)


@pytest.mark.parametrize(("packet", "subtype"), DEVICES)
@settings(max_examples=8)
@given(data=st.data())
def test_what_is_sent_is_read_the_same(packet: type[Packet], subtype: int, data: st.DataObject) -> None:
    """Every device of every packet: decode(encode(x)) == x, and a plain object comes back as it was."""
    sent = data.draw(packets(packet, subtype))
    plain = to_plain(sent)
    try:
        sent.check()
    except CodecError:
        return  # fields that are right, and not together
    read = decode(sent.encode())
    back = to_plain(from_plain(json.loads(json.dumps(plain)))) if FIRST[packet.name, subtype] is packet else plain

    assert (read, back) == (sent, plain)


@given(st.binary(max_size=48))
def test_any_bytes_are_a_packet_or_an_error(data: bytes) -> None:
    """Nothing but CodecError is raised, neither by reading, showing, nor by sending again."""
    for frame in (data, bytes((len(data) % 256,)) + data):
        try:
            packet = decode(frame)
            plain = to_plain(packet)
            assert json.loads(json.dumps(plain)) == plain
            packet.encode()
        except CodecError:
            continue


@pytest.mark.parametrize("packet", PACKETS, ids=lambda each: f"{each.kind:02x}-{each.__name__}")
@settings(max_examples=25)
@given(data=st.data())
def test_any_value_of_any_field_is_sent_or_refused(packet: type[Packet], data: st.DataObject) -> None:
    """A plain object that people write raises nothing but CodecError."""
    names = sorted(packet.field_names() - {"subtype"})
    values = dict(zip(names, data.draw(st.lists(STRANGE, min_size=len(names), max_size=len(names))), strict=True))
    subtype = data.draw(st.sampled_from([each.subtype for each in packet.variants] or [0]) | STRANGE)
    try:
        frame = from_plain({"packet": packet.name, "subtype": subtype, **values}).encode()
    except CodecError as error:
        frame = str(error).encode()

    assert frame


def test_a_frame_is_the_bytes_of_its_layout() -> None:
    """One, written out."""
    assert (BUTTON.encode().hex(), decode(bytes.fromhex(BUTTON_FRAME))) == (BUTTON_FRAME, BUTTON)


def test_a_packet_cannot_be_changed() -> None:
    """It may be a key, and stand in many places."""
    with pytest.raises(AttributeError, match=r"Lighting2\.unit cannot be changed"):
        BUTTON.unit = 6  # type: ignore[misc]  # what must not be done


def test_packets_of_equal_fields_are_equal() -> None:
    """And of other fields, or of another class, not."""
    same = Lighting2(subtype=0x00, id=0x123ABCD, unit=5, command="on", level=15)
    other = Lighting2(subtype=0x00, id=0x123ABCD, unit=6, command="on", level=15)

    assert ({BUTTON, same}, BUTTON == other, BUTTON == 1) == ({BUTTON}, False, False)


def test_a_packet_shows_its_fields() -> None:
    """For logs and for the prompt."""
    assert "Lighting2(" in repr(BUTTON)
    assert "unit=5" in repr(BUTTON)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"unit": 5}, "Lighting2 needs command, id, subtype"),
        ({"subtype": 0, "id": 1, "unit": 1, "command": "on", "colour": 1}, "Lighting2 has no colour"),
    ],
)
def test_a_missing_or_surplus_field_is_told(fields: dict[str, Any], told: str) -> None:
    """When a packet is made, not when it is sent."""
    with pytest.raises(TypeError, match=told):
        Lighting2(**fields)


def no_type() -> None:
    """Forget the type and the name."""

    class Nameless(Packet):
        pass


def no_field() -> None:
    """Annotate with what is no field."""

    class Wrong(Packet, kind=0xEE, name="wrong"):
        unit: int


def open_end() -> None:
    """Put a field behind all the rest."""

    class Wrong(Packet, kind=0xEE, name="wrong"):
        rest: Rest
        unit: U8


def half_byte() -> None:
    """Leave bits over."""

    class Wrong(Packet, kind=0xEE, name="wrong"):
        unit: Annotated[int, Bits(width=7)]


def other_width() -> None:
    """Let a variant have a field of another width."""

    class Wrong(Packet, kind=0xEE, name="wrong"):
        unit: U8

        variants = (Variant(0, "TWO BYTES", fields={"unit": Bits(width=16)}),)


def other_field() -> None:
    """Let a variant change a field that is not there."""

    class Wrong(Packet, kind=0xEE, name="wrong"):
        unit: U8

        variants = (Variant(0, "OTHER", fields={"house": Bits(width=8)}),)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (no_type, "Nameless: write its type and name"),
        (no_field, r"Wrong\.unit: annotate it with a field"),
        (open_end, "Wrong: only the last field can be all the rest"),
        (half_byte, "7 bits do not fill whole bytes"),
        (other_width, "Wrong TWO BYTES: unit is no field of the same width"),
        (other_field, "Wrong OTHER: house is no field of the same width"),
    ],
)
def test_a_mistake_in_a_class_body_ends_the_import(mistake: Any, told: str) -> None:
    """Not the decoding of a frame years later."""
    with pytest.raises(TypeError, match=told):
        mistake()


def test_a_frame_of_an_unknown_type_is_kept() -> None:
    """Its bytes, for whoever does know."""
    frame = bytes.fromhex("05ee0102abcd")
    packet = decode(frame)

    assert (type(packet), packet.encode(), from_plain(to_plain(packet))) == (Unknown, frame, packet)


def test_bytes_that_a_newer_firmware_adds_are_kept() -> None:
    """They have no name, and are sent as they came."""
    frame = bytes.fromhex("0a100001450501700102ff")

    packet = decode(frame)

    assert (type(packet), packet.extra.hex(), packet.encode()) == (Lighting1, "0102ff", frame)


@pytest.mark.parametrize("frame", ["", "00", "0b1100", "0b11000001", "0710000045050170ff", "0610000045050170"])
def test_a_frame_of_a_wrong_length_is_told_so(frame: str) -> None:
    """Also one that is too short for what it is."""
    with pytest.raises(CodecError) as error:
        decode(bytes.fromhex(frame))

    assert error.value.reason is Reason.LENGTH
