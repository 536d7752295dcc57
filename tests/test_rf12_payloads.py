"""Payloads: any bytes give a value or one error, and every value comes back; structs described by datacodes too."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bits import CodecError, Reason
from drivers.rf12 import hearth, stock
from drivers.rf12.air import Frame, air_time, crc16
from drivers.rf12.datacodes import CODES, Struct

if TYPE_CHECKING:
    from drivers.fields import Packet

STOCK: tuple[type[Packet], ...] = (
    stock.StockRoom, stock.StockLed, stock.StockLedRamp, stock.Slave, *stock.EMONTX, *stock.EMONTH
)  # fmt: skip
PAYLOAD = st.binary(max_size=66)


@given(
    st.one_of(
        PAYLOAD,
        st.builds(
            lambda first, rest: first + rest,
            st.sampled_from([kind.layout.prefix for kind in hearth.PAYLOADS]),
            st.binary(max_size=13),
        ),
    )
)
def test_payloads_of_ours(data: bytes) -> None:
    """Any bytes are one of our payloads, which encodes to the same bytes, or CodecError."""
    try:
        payload = hearth.decode(data)
    except CodecError:
        return
    assert data == payload.encode()


@given(st.sampled_from(hearth.PAYLOADS), st.data())
def test_payloads_of_ours_of_the_right_length(kind: type[Packet], data: st.DataObject) -> None:
    """Bytes of a payload's length are that payload, unless a switch is neither on nor off; and they come back."""
    size = kind.layout.size - len(kind.layout.prefix)
    raw = kind.layout.prefix + data.draw(st.binary(min_size=size, max_size=size))
    try:
        payload = hearth.decode(raw)
    except CodecError as error:
        assert "neither 0 nor 1" in str(error)  # noqa: PT017 - most of the time there is no error
        return
    assert kind is type(payload)
    assert raw == payload.encode()


@given(st.sampled_from(STOCK), st.data())
def test_payloads_of_others(kind: type[Packet], data: st.DataObject) -> None:
    """The same holds for every sketch of other people; only a float may be no number."""
    raw = data.draw(st.binary(min_size=kind.layout.size, max_size=kind.layout.size))
    try:
        payload = kind.decode(raw)
    except CodecError as error:
        assert "no number" in str(error)  # noqa: PT017 - most of the time there is no error
        return
    assert raw == payload.encode()


@pytest.mark.parametrize(
    ("data", "reason", "text"),
    [
        ("", Reason.LENGTH, "the payload is empty"),
        ("22", Reason.KIND, "room of version 2; version 1 is known"),
        ("a1", Reason.KIND, "type 10 is none of ours"),
        ("2105", Reason.LENGTH, "room has 13 bytes, not 2"),
        ("31050102000000000000", Reason.LENGTH, "motion has 9 bytes, not 10"),
        ("310501020000000000", Reason.VALUE, "motion.motion: 2 is neither 0 nor 1"),
    ],
)
def test_what_is_refused(data: str, reason: Reason, text: str) -> None:
    """The error tells an unknown type from an unknown version, a wrong length and a wrong value."""
    with pytest.raises(CodecError, match=text) as caught:
        hearth.decode(bytes.fromhex(data))

    assert reason is caught.value.reason


def test_sizes_are_the_contract() -> None:
    """Each payload has the length the firmware static_asserts."""
    sizes = {kind.__name__: kind.layout.size for kind in hearth.PAYLOADS}

    assert {
        "Announce": 10, "Room": 13, "Motion": 9, "Temperature": 8, "Light": 10, "Set": 6, "Commit": 5, "Ack": 4,
    } == sizes  # fmt: skip


def test_the_settings_block() -> None:
    """Its bytes in EEPROM, and the check that `Commit` carries and that makes the block's CRC zero."""
    block = hearth.Settings(node=7, group=212, band=8, report_s=300, hold_s=60, offset=1600)

    assert "0107d4082c013c004006" == block.encode().hex()
    assert 0 == crc16(block.encode() + block.check.to_bytes(2, "little"))


@given(PAYLOAD, st.integers(0, 255), st.integers(0, 255), st.integers(0, 70), st.integers(1, 255))
def test_a_frame_survives_no_damage(payload: bytes, group: int, head: int, where: int, by: int) -> None:
    """A frame comes back, and with one byte changed it never does."""
    frame = Frame(group=group, header=head, payload=payload)
    data = frame.encode()
    at = where % len(data)

    assert frame == Frame.decode(data)
    with pytest.raises(CodecError):
        Frame.decode(data[:at] + bytes([data[at] ^ by]) + data[at + 1 :])


@pytest.mark.parametrize(("size", "ms"), [(0, 2.06), (4, 2.71), (6, 3.03), (66, 12.78)])
def test_air_time_is_what_was_measured(size: int, ms: float) -> None:
    """Within 0.05 ms of what the simulated radio took."""
    assert ms == pytest.approx(air_time(size) * 1000, abs=0.05)


PLAIN = "bBhHiIlLqQ"


@given(st.text(PLAIN, min_size=1, max_size=8), st.binary(min_size=64, max_size=64))
def test_datacodes_are_those_of_struct(codes: str, data: bytes) -> None:
    """Whole numbers read as Python's own struct reads them, little-endian and without padding."""
    data = data[: struct.calcsize("<" + codes)]
    described = Struct(",".join(codes))

    assert struct.unpack("<" + codes, data) == described.decode(data)
    assert data == described.encode(described.decode(data))


@given(st.lists(st.sampled_from([*CODES, "3s", "16s", "h*", "c*"]), min_size=1, max_size=6), PAYLOAD)
def test_any_struct_is_total(codes: list[str], data: bytes) -> None:
    """Any codes read any bytes or refuse them; what was read comes back."""
    try:
        described = Struct(",".join(codes))
    except ValueError:
        return
    try:
        values = described.decode(data)
    except CodecError:
        return
    assert data == described.encode(values)


@given(st.sampled_from("bBhHiIlL"), st.sampled_from(["0.1", "0.01", "0.001", "10", "-1", "0.3"]), st.data())
def test_scaled_numbers_come_back(code: str, scale: str, data: st.DataObject) -> None:
    """A scale of the usual kind loses nothing."""
    described = Struct(code, [scale])
    raw = data.draw(st.binary(min_size=struct.calcsize("<" + code), max_size=struct.calcsize("<" + code)))

    assert raw == described.encode(described.decode(raw))


def test_a_tenth_is_a_tenth() -> None:
    """Scales mean what is written: 215 tenths are 21.5, and not 21.500000000000004."""
    assert (21.5, 240.34, 300.0) == Struct("h,h,h", [0.1, 0.01, 0.1]).decode(struct.pack("<3h", 215, 24034, 3000))


@pytest.mark.parametrize(
    ("scales", "values"), [([], (10, 10, 10)), (["0.1"], (1.0, 1.0, 1.0)), (["1", "0.1"], (10, 1.0, 10))]
)
def test_which_field_a_scale_is_for(scales: list[str], values: tuple[float, ...]) -> None:
    """A single scale holds for all; of several each has its field, and fields without one stay raw."""
    assert values == Struct("h*", scales).decode(struct.pack("<3h", 10, 10, 10))


@pytest.mark.parametrize(
    ("fields", "scales", "text"),
    [
        ("", [], "'' is no code"),
        ("h,", [], "'' is no code"),
        ("J", [], "'J' is no code"),
        ("3h", [], "'3h' is no code"),
        ("0s", [], "'0s' is no code"),
        ("h*,h", [], "'h[*]' is no code"),
        ("67s", [], "more than the 66 bytes"),
        ("h", ["0"], "scale '0'"),
        ("h", ["nan"], "scale 'nan'"),
        ("h", ["1e400"], "scale '1e400'"),
    ],
)
def test_structs_that_cannot_be(fields: str, scales: list[str], text: str) -> None:
    """They are refused when they are written down, not when a packet comes."""
    with pytest.raises(ValueError, match=text):
        Struct(fields, scales)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "no JSON object"),
        ("{}", "no nodeid"),
        ('{"nodeid": 1.5}', "nodeid is no whole number"),
        ('{"nodeid": true}', "nodeid is no number"),
        ('{"nodeid": 1, "temperature": NaN}', "temperature is no number"),
        ('{"nodeid": 1, "temperature": "21"}', "temperature is no number"),
        ('{"nodeid": 1, "counter": 1e400}', "counter is no number"),
    ],
)
def test_json_that_is_refused(line: str, text: str) -> None:
    """A MasterNode's line is read or refused with the name of what is wrong."""
    with pytest.raises(CodecError, match=text):
        stock.Master.decode(line)


@given(st.text(max_size=60))
def test_any_text_is_no_crash(text: str) -> None:
    """Any line, and any JSON, ends in a reading or CodecError."""
    for line in (text, json.dumps({"nodeid": text}), json.dumps({"nodeid": 1, "light": [text]})):
        try:
            stock.Master.decode(line)
        except CodecError:
            continue
