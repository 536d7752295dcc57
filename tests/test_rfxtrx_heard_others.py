"""Frames others recorded of fans, blinds, remotes, alarms, heating: each decodes to what their tests assert of it.

They are not part of this repository; see `rfxtrx_calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_calls import Heard, heard

from drivers.rfxtrx.codec import Unknown, decode, subtype_name
from drivers.rfxtrx.names import Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.rfxtrx.packet import Packet

KINDS = (
    0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x28, 0x30, 0x31, 0x40, 0x41, 0x42, 0x43, 0x44,
    0x48, 0x72, 0x7F,
)  # fmt: skip
NO_FACT = {"(type)", "__str__", "this.packetNames[packetType]", "this.deviceNames[packetType][evt.subtype]"}
"""What they call a class and what is sold."""
UNDEFINED = "<undefined>"
WORDS = {"+": "plus", "-": "minus", "F/R": "f_r", "CHAN-": "channel_down", "Med": "med"}
TYPES = {"Rfy": "RFY", "Rfy Extended": "RFYEXT", "X10 Security": "X10 DOOR"}
"""pyRFXtrx's names of subtypes."""


def value_of(packet: Packet, name: str) -> Any:
    """Return a field that the packet must have."""
    return vars(packet)[name]


def number(packet: Packet, *names: str) -> int | None:
    """Return the number on the wire of the first of these fields that the packet has."""
    columns = dict(packet.shapes[packet.subtype].columns)
    for name in names:
        kind, value = columns.get(name), getattr(packet, name, None)
        if isinstance(kind, Choice):
            known = {each: raw for raw, each in kind.names.items()}
            return known.get(value) if value in known else int(str(value).removeprefix("unknown_"))
        if isinstance(value, int):
            return value
    return None


def of(name: str, other: Any = None) -> Callable[[Packet, Any], Any]:
    """Return what gets a field; `other` where the packet has none."""

    def get(packet: Packet, _: Any) -> Any:
        value = getattr(packet, name, None)
        return other if value is None else value

    return get


def numbered(*names: str) -> Callable[[Packet, Any], Any]:
    """Return what gets the number of a field."""
    return lambda packet, _: number(packet, *names)


def named(name: str) -> Callable[[Packet, Any], Any]:
    """Return what gets their text where our name is that text."""

    def get(packet: Packet, expected: Any) -> Any:
        value = value_of(packet, name)
        if expected == f"Unknown command (0x{number(packet, name):02x})":
            return expected  # they know fewer than we do
        if value.startswith("unknown_"):
            return "Unknown"
        return expected if WORDS.get(expected, expected.lower().replace(" ", "_")) == value else value

    return get


def identity(packet: Packet, expected: Any) -> Any:
    """Return the id as they write it; of a SEAV the switches, since node-rfxcom misreads the remote's."""
    if packet.name == "fan" and packet.subtype == 3:
        switches = f"{value_of(packet, 'id') >> 5:013b}"
        return f"{switches[0]}/{switches[1:3]}/{switches[3:]}/{expected.rsplit('/')[-1]}"
    value = value_of(packet, "id")
    return expected if int(expected, 16) == value else hex(value)


def short_id(packet: Packet, expected: str) -> str:
    """Return pyRFXtrx's id: with the unit, or the security type and the check byte between an X10's two."""
    found, beside = expected.split(":")
    value = value_of(packet, "id")
    if packet.name == "security1":
        return f"{value >> 8:02x}{found[2:4]}{value & 255:02x}:{beside}"
    return f"{value:06x}:{value_of(packet, 'unit')}"


def scene(packet: Packet, _: Any) -> Any:
    """Return Funkbus's scene, or that it has none."""
    return value_of(packet, "unit") if value_of(packet, "command") == "scene" else UNDEFINED


def channel(packet: Packet, _: Any) -> Any:
    """Return Funkbus's channel, or that it has none."""
    return UNDEFINED if value_of(packet, "command") == "scene" else value_of(packet, "unit")


def kind_of(packet: Packet, expected: str) -> str:
    """Return pyRFXtrx's text of a subtype."""
    if isinstance(packet, Unknown):
        return f"Unknown type (0x{packet.packet_type:02x}/0x{packet.subtype:02x})"
    return expected if TYPES[expected] == subtype_name(packet) else subtype_name(packet)


GETTERS: dict[str, Callable[[Packet, Any], Any]] = {
    "packetType": lambda packet, _: packet.kind, "packettype": lambda packet, _: packet.kind, "subtype": of("subtype"),
    "seqnbr": of("sequence"), "id": identity, "id_string": short_id, "type_string": kind_of, "unitCode": of("unit", 1),
    "houseCode": of("house"), "command": named("command"), "cmnd_string": named("command"),
    "commandNumber": numbered("command"), "cmnd": numbered("command"), "level": of("level"),
    "colour": lambda packet, _: {name[0].upper(): getattr(packet, name) for name in ("red", "green", "blue")},
    "maxRepeat": of("max_repeats"), "repeatCount": of("repeat"), "batteryVoltage": of("battery_volts"),
    "rssi": lambda packet, _: (value_of(packet, "rssi_dbm") + 120) // 8,
    "batteryLevel": of("battery_level"), "battery": of("battery_level"), "alert": numbered("alert"),
    "deviceStatus": numbered("status"), "security1_status": numbered("status"),
    "security1_status_string": named("status"),
    "tampered": lambda packet, expected: True if value_of(packet, "tamper") else expected,
    "groupCode": of("group"), "sceneNumber": scene, "channelNumber": channel, "commandTime": of("press"),
    "deviceTypeNumber": of("device_type"), "percent": of("percent"), "angle": of("angle"), "temperature": of("celsius"),
    "setpoint": of("setpoint_celsius"), "mode": named("mode"), "modeNumber": numbered("mode"),
    "status": named("status"),
    "statusNumber": numbered("status"),
}  # fmt: skip
UNKNOWN_SHAPE = {"cmnd_string"}
"""What they say of a frame whose subtype nobody knows."""


@pytest.mark.parametrize("frame", heard(*KINDS))
def test_a_frame_reads_as_it_does_elsewhere(frame: Heard) -> None:
    """Every fact that a test of pyRFXtrx or node-rfxcom asserts."""
    packet = decode(frame.frame)
    left_out = NO_FACT | (UNKNOWN_SHAPE if isinstance(packet, Unknown) else set())
    expected = {name: value for name, value in frame.expected.items() if name not in left_out}
    expected.pop("packetlength", None)

    assert expected == {name: GETTERS[name](packet, value) for name, value in expected.items()}
