"""Packets as class bodies: what a field line means on the wire, in both byte orders, and what is refused."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bits import Bits, CodecError, Float, Reason, Sign, Switch, Text
from drivers.fields import (
    DECI,
    F32,
    I16,
    U5,
    U8,
    U16,
    CentiI16OrNone,
    DeciI10,
    Flag,
    Flag8,
    Layout,
    Packet,
    U16OrZero,
)

U4 = Annotated[int, Bits(width=4)]
DeciMagnitude = Annotated[float, Bits(width=16, sign=Sign.MAGNITUDE, scale=DECI)]


class Little(Packet, prefix=b"\x42"):
    """Bytes that are whole."""

    count: U16
    change: I16 = 0


class More(Little):
    """A packet that goes on where another ends."""

    flag: Flag8


class Mixed(Packet):
    """Fields across bytes' edges, as GCC lays out bit fields."""

    moved: Flag
    temperature: DeciI10
    spare: U5 = 0


class Big(Packet, byte_order="big", prefix=b"\x0a\x52"):
    """A packet as data sheets of RFXtrx draw them: big-endian, sign and magnitude, nibbles."""

    kind: U8
    sensor: U16
    temperature: DeciMagnitude
    rssi: U4
    battery: U4


class Words(Packet):
    """Text, a float, and what can be missing."""

    name: Annotated[str, Text(width=32)]
    level: F32
    voltage: U16OrZero
    temperature: CentiI16OrNone


ALL: tuple[type[Packet], ...] = (Little, More, Mixed, Big, Words)


@pytest.mark.parametrize(
    ("packet", "data"),
    [
        (Little(count=0x1234, change=-2), "42 34 12 fe ff"),
        (More(count=1, flag=True), "42 01 00 00 00 01"),
        (Mixed(moved=True, temperature=-0.1), "ff 07"),
        (Mixed(moved=False, temperature=0.1, spare=31), "02 f8"),
        (Big(kind=1, sensor=0xF001, temperature=16.7, rssi=8, battery=9), "0a 52 01 f0 01 00 a7 89"),
        (Big(kind=1, sensor=0xF001, temperature=-16.7, rssi=0, battery=15), "0a 52 01 f0 01 80 a7 0f"),
        (Words(name="ab", level=21.3, voltage=None, temperature=None), "61 62 00 00 66 66 aa 41 00 00 00 80"),
        (Words(name="abcd", level=None, voltage=1, temperature=-0.01), "61 62 63 64 00 00 c0 7f 01 00 ff ff"),
    ],
)
def test_on_the_wire(packet: Packet, data: str) -> None:
    """A packet has these bytes, and these bytes are that packet."""
    assert bytes.fromhex(data) == packet.encode()
    assert packet == type(packet).decode(bytes.fromhex(data))


@given(st.sampled_from(ALL), st.binary(max_size=16))
def test_any_bytes_decode_or_are_refused(kind: type[Packet], data: bytes) -> None:
    """Decoding ends in a packet, which encodes to the same bytes, or in CodecError; in nothing else."""
    for attempt in (data, kind.layout.prefix + data, (kind.layout.prefix + data).ljust(kind.layout.size, b"\x80")):
        try:
            packet = kind.decode(attempt)
        except CodecError:
            continue
        assert attempt == packet.encode()


@given(st.integers(1, 64), st.sampled_from(Sign), st.data())
def test_every_number_comes_back(width: int, sign: Sign, data: st.DataObject) -> None:
    """All bits of every width and sign read as a number and come back, but for minus zero."""
    raw = data.draw(st.integers(0, (1 << width) - 1))
    field = Bits(width=width, sign=sign)
    if sign is Sign.MAGNITUDE and raw == 1 << (width - 1):
        with pytest.raises(CodecError, match="minus zero"):
            field.read(raw)
        return

    assert raw == field.write(field.read(raw))


@given(st.integers(0, 0xFFFFFFFF))
def test_every_float_comes_back(raw: int) -> None:
    """A 32-bit float is shown short and comes back to the bit; infinities and odd NaNs are refused."""
    field = Float(width=32)
    try:
        value = field.read(raw)
    except CodecError:
        assert 0x7F800000 == raw & 0x7F800000
        return

    assert raw == field.write(value)


@pytest.mark.parametrize("value", [21.3, 0.1234567, 123.45679, 16777215.0, -0.0625, 1e-45, 3.4028235e38])
def test_floats_are_shown_short(value: float) -> None:
    """A 32-bit float reads as the shortest number that names it, not with the noise of its 17 digits."""
    field = Float(width=32)

    assert repr(value) == repr(field.read(field.write(value)))


@pytest.mark.parametrize(
    ("kind", "data", "reason", "text"),
    [
        (Little, "", Reason.KIND, "little begins with 42, not -"),
        (Little, "43 00 00 00 00", Reason.KIND, "little begins with 42, not 4300000000"),
        (Little, "42 00 00 00", Reason.LENGTH, "little has 5 bytes, not 4"),
        (Little, "42 00 00 00 00 00", Reason.LENGTH, "little has 5 bytes, not 6"),
        (More, "42 00 00 00 00 02", Reason.VALUE, "more.flag: 2 is neither 0 nor 1"),
        (Big, "0a 52 01 f0 01 80 00 89", Reason.VALUE, "big.temperature: is minus zero"),
        (Words, "c3 a9 00 00 00 00 00 00 00 00 00 00", Reason.VALUE, "words.name: .* is not ASCII"),
        (Words, "61 00 00 00 00 00 80 7f 00 00 00 00", Reason.VALUE, "words.level: inf is no number"),
    ],
)
def test_bytes_that_are_refused(kind: type[Packet], data: str, reason: Reason, text: str) -> None:
    """The error names the packet, the field, and what is wrong."""
    with pytest.raises(CodecError, match=text) as caught:
        kind.decode(bytes.fromhex(data))

    assert reason is caught.value.reason


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (Little(count=65536), "little.count: 65536 is not from 0 to 65535"),
        (Little(count=10**5000), "little.count: a number of very many digits is not from"),
        (Little(count=1, change=-32769), "little.change: -32769 is not from -32768 to 32767"),
        (Little(count=1.5), "little.count: 1.5 is no whole number"),  # type: ignore[arg-type] # what a careless caller does
        (Little(count=None), "little.count: None is no number"),  # type: ignore[arg-type] # the same
        (Little(count="1"), "little.count: '1' is no number"),  # type: ignore[arg-type] # the same
        (Mixed(moved=False, temperature=51.2), "mixed.temperature: 51.2 is not from -51.2 to 51.1"),
        (Mixed(moved=False, temperature=float("nan")), "mixed.temperature: nan is no number"),
        (Big(kind=1, sensor=1, temperature=-3276.8, rssi=0, battery=0), "is not from -3276.7 to 3276.7"),
        (Words(name="abcde", level=0.0, voltage=1, temperature=0.0), "words.name: 'abcde' is longer than 4 characters"),
        (Words(name="é", level=0.0, voltage=1, temperature=0.0), "words.name: 'é' is no ASCII text"),
        (Words(name="", level=1e39, voltage=1, temperature=0.0), "words.level: 1e[+]39 is too great for 32 bits"),
        (Words(name="", level=10**5000, voltage=1, temperature=0.0), "words.level: a number of very many"),
        (Words(name="", level=0.0, voltage=0, temperature=0.0), "words.voltage: 0 is not from 1 to 65535"),
        (Words(name="", level=0.0, voltage=1, temperature=-327.68), "is not from -327.67 to 327.67"),
    ],
)
def test_values_that_are_refused(packet: Packet, text: str) -> None:
    """A value that has no bytes, or whose bytes would read as missing, is named with what would do."""
    with pytest.raises(CodecError, match=text) as caught:
        packet.encode()

    assert Reason.VALUE is caught.value.reason


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "annotate it with a field"),
        (Annotated[int, Bits(width=5)], "5 bits do not fill whole bytes"),
        (Annotated[float, Bits(width=8)], "a Bits is a int"),
        (Annotated[int, Bits(width=8, scale=DECI)], "a Bits is a float"),
        (Annotated[int, Bits(width=8, missing=0)], "None belongs to fields that can be missing"),
        (Annotated[int | None, Bits(width=8)], "None belongs to fields that can be missing"),
        (Annotated[int, Switch(width=8)], "a Switch is a bool"),
    ],
)
def test_a_mistake_in_a_class_body(hint: Any, text: str) -> None:
    """It ends the import of the module, with the field's name, and not a decoding years later."""
    with pytest.raises(TypeError, match=text):
        type("Wrong", (Packet,), {"__annotations__": {"field": hint}})


def test_packets_are_frozen_and_keyword_only() -> None:
    """A packet is a value: it cannot be changed, and its fields are always named."""
    packet = Little(count=1)

    with pytest.raises(AttributeError):
        packet.count = 2  # type: ignore[misc] # that it cannot is the fact here
    with pytest.raises(TypeError):
        Little(1)  # type: ignore[call-arg] # as above
    assert {packet: 1}[Little(count=1)]


def test_layout_knows_its_size() -> None:
    """Prefix and fields make the length; nobody types it."""
    assert [5, 6, 2, 8, 12] == [kind.layout.size for kind in ALL]
    assert 0 == Layout(columns=()).size
