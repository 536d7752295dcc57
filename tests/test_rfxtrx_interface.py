"""What a stick says of itself, old and new, in both bands; and the recorded frames of other programs' tests.

Those are not part of the repository: HEARTHBUS_RFXTRX_FACTS names the folder that has them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfxtrx_calls import FACTS, needs_facts

from drivers.bits import CodecError
from drivers.rfxtrx import modes
from drivers.rfxtrx.codec import decode
from drivers.rfxtrx.interface import (
    FIRMWARE_TYPES,
    RECEIVERS,
    STATUSES,
    Control,
    RemoteEntry,
    Response,
    Status,
    Status868,
    StatusShort,
)

NAMES: Final = {"Type 1": "type1", "Type 2": "type2", "Ext": "ext", "Pro 1": "pro1", "Pro 2": "pro2"}


def rows() -> list[dict[str, Any]]:
    """Return the recorded frames of types 0x00 to 0x02."""
    if not FACTS:
        return []
    every = json.loads(Path(FACTS, "dev.json").read_text())
    return [row for row in every if row["packet_type"] in {0, 1, 2}]


EACH: Final = [pytest.param(row, id=f"{row['id']}-{row['hex'][:20]}") for row in rows()]
CALLS: Final = [pytest.param(row, id=row["hex"]) for row in rows() if "call" in row]


@needs_facts
@pytest.mark.parametrize("row", EACH)
def test_a_recorded_frame(row: dict[str, Any]) -> None:
    """It decodes, encodes to itself, and says what the other programs read in it."""
    frame = bytes.fromhex(row["hex"])
    packet = decode(frame)

    assert frame == packet.encode()
    if isinstance(packet, STATUSES):
        expected = row["expected"]
        if "firmwareVersion" in expected:
            assert expected["firmwareVersion"] == packet.firmware
            assert NAMES.get(expected["firmwareType"], "unknown_255") == packet.firmware_kind
            assert expected["receiverTypeCode"] == frame[5]
            if packet.receiver in RECEIVERS.values():
                named = {name.replace("_", "") for name in modes.names(packet.mask, packet.receiver)}

                assert {name.lower() for name in expected["enabledProtocols"]} == named
        if "devices=[" in expected.get("__str__", ""):
            listed = expected["__str__"].partition("devices=")[2].partition("]")[0] + "]"

            assert {
                modes.canonical(name, packet.receiver) for name in json.loads(listed.replace("'", '"'))
            } == modes.names(packet.mask, packet.receiver)


@needs_facts
@pytest.mark.parametrize("row", CALLS)
def test_a_recorded_call(row: dict[str, Any]) -> None:
    """The same call makes the same bytes: modes from their bits, receiver by its frequency, power in dBm."""
    frame, call = bytes.fromhex(row["hex"]), row["call"]
    if call["api"].endswith("getRFXStatus"):
        made = Control(command="status", subtype=0)
    elif call["api"].endswith("saveRFXProtocols"):
        made = Control(command="save_modes", subtype=0)
    else:
        receiver = RECEIVERS[frame[5]]
        listed = call["args"][-1]
        bits = {(each["msg"], each["bit"]) for each in (listed if isinstance(listed, list) else [listed])}
        named = {modes.table(receiver)[msg - 3][bit.bit_length() - 1] for msg, bit in bits}
        mask = modes.mask(named, receiver)
        power = {"[-5]": -5, "[13]": 13}.get(str(call["args"][1:2]), 10) if frame[5] != 0x51 else 10
        made = Control(
            command="set_mode", receiver=receiver, power_dbm=power, subtype=0, msg3=mask[0], msg4=mask[1],
            msg5=mask[2], msg6=mask[3], msg7=mask[4],
        )  # fmt: skip

    assert frame.hex() == made.encode().hex()


@given(st.binary(min_size=17, max_size=17), st.sampled_from(sorted(RECEIVERS)))
def test_any_long_status(body: bytes, code: int) -> None:
    """It decodes by the layout of its band and encodes to itself, whatever numbers are in it."""
    frame = bytes((0x14, 1, 0, body[0], body[1], code)) + body[2:]
    packet = decode(frame)

    assert isinstance(packet, Status868 if RECEIVERS[code].startswith("868") else Status)
    assert frame == packet.encode()


@given(st.binary(min_size=11, max_size=16))
def test_a_status_of_a_length_in_between(body: bytes) -> None:
    """It is read as the short one; what is more is kept."""
    frame = bytes((len(body) + 2, 1, 0)) + body
    packet = decode(frame)

    assert isinstance(packet, StatusShort)
    assert frame == packet.encode()


@pytest.mark.parametrize(
    ("code", "byte", "kind"),
    [
        (0x52, 161, "type1_receive_only"), (0x53, 161, "type1"), (0x53, 162, "type2"), (0x53, 224, "type2"),
        (0x53, 225, "ext"),
    ],
)  # fmt: skip
def test_the_type_of_old_firmware(code: int, byte: int, kind: str) -> None:
    """It follows from receiver and version."""
    packet = decode(bytes((0x0D, 1, 0, 0, 2, code, byte)) + bytes(7))

    assert isinstance(packet, StatusShort)
    assert (byte, kind) == (packet.firmware, packet.firmware_kind)


@pytest.mark.parametrize(("kind", "version"), [(3, 1043), (0x42, 1043), (0x14, 2043), (0x15, 2043), (0x18, 2043)])
def test_the_version_of_new_firmware(kind: int, version: int) -> None:
    """A byte more than a thousand; than two thousand with some types; a type nobody knows is shown."""
    packet = decode(bytes((0x14, 1, 0, 0, 2, 0x53, 43, 0, 0, 0, 0, 1, 2, 0x1C, kind)) + bytes(6))

    assert isinstance(packet, Status)
    assert (version, FIRMWARE_TYPES.get(kind, "unknown_66")) == (packet.firmware, packet.firmware_kind)


def test_the_layout_of_the_other_band_is_refused() -> None:
    """A status is not made with a receiver that has another layout."""
    packet = decode(bytes((0x14, 1, 0, 0, 2, 0x55)) + bytes(15))
    fields = {**vars(packet), "receiver": "433.92"}

    with pytest.raises(CodecError, match="msg7"):
        Status868.made(fields).encode()


def test_a_remote_of_the_list() -> None:
    """One of those the stick knows: number, id, unit and its rolling code."""
    entry = decode(bytes.fromhex("1401030700020abcde01a70102") + bytes(8))

    assert isinstance(entry, RemoteEntry)
    assert (2, 0x0ABCDE, 1, 167, 258) == (entry.index, entry.id, entry.unit, entry.random, entry.rolling_code)


def test_unknown_numbers_of_a_name_are_not_of_any_length() -> None:
    """`unknown_` and a number of many digits is refused, as every name that is not there."""
    for name in ("unknown_256", "unknown_" + "9" * 5000, "unknown_-1", "unknown_", "unknown_٣"):
        with pytest.raises(CodecError):
            Response(response=name, subtype=1).encode()
