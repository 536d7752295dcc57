"""What other libraries read in the frames of switches, lamps and bells is what is read here, under our names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_calls import Heard, heard

from drivers.rfxtrx.codec import Unknown, decode
from drivers.rfxtrx.names import UNKNOWN, Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.rfxtrx.packet import Packet


def signal(packet: Packet) -> int:
    """Return the steps of signal strength that dBm were made of."""
    dbm: int = vars(packet)["rssi_dbm"]
    return (dbm + 120) // 8


def command_number(packet: Packet) -> int:
    """Return the number on the wire of what was done or played."""
    fields = vars(packet)
    if "sound" in fields:
        return int(fields["sound"])
    kind = dict(packet.shapes[packet.subtype].columns)["command"]
    assert isinstance(kind, Choice)
    text = str(fields["command"])
    if text.startswith(UNKNOWN):
        return int(text.removeprefix(UNKNOWN))
    return next(number for number, name in kind.names.items() if name == text)


def command_text(packet: Packet) -> str:
    """Return what was done as others write it: "Set level"."""
    text = str(vars(packet).get("command", ""))
    return "unknown" if text.startswith(UNKNOWN) else text.replace("_", " ")


def node_id(packet: Packet) -> str:
    """Return node-rfxcom's id; of a Byron BY it has the lowest bit first."""
    fields = vars(packet)
    if packet.kind == 0x10:
        return f"0x{ord(fields['house']):02X}{fields['unit']:02X}"
    number = fields["id"]
    if packet.kind == 0x16 and packet.subtype == 0x03:
        return f"0x{(number & 1) << 16 | number >> 1:06X}"
    digits = {0x11: 8, 0x14: 6, 0x16: 2 if packet.subtype == 0 else 8 if packet.subtype in {6, 7} else 6}[packet.kind]
    return f"0x{number:0{digits}X}"


def python_id(packet: Packet) -> str | int:
    """Return pyRFXtrx's id."""
    fields = vars(packet)
    match packet.kind:
        case 0x10:
            return f"{fields['house']}{fields['unit']}"
        case 0x12:
            return f"{fields['system'] - 1:x}:{fields['channels']:x}"
        case 0x13:
            return int(f"{fields['code']:06x}")  # hex digits, noted down as a number
        case 0x15:
            return f"{fields['id']:x}:{fields['group']}{fields['unit']}"
        case _:
            return f"{fields['id']:x}:{fields['unit']}"


def field(name: str) -> Callable[[Packet], Any]:
    """Return what reads a field that is the same in both."""
    return lambda packet: vars(packet)[name]


NODE: dict[str, Callable[[Packet], Any]] = {
    "packetType": lambda packet: packet.kind,
    "subtype": field("subtype"),
    "seqnbr": field("sequence"),
    "id": node_id,
    "houseCode": field("house"),
    "unitCode": field("unit"),
    "command": command_text,
    "commandNumber": command_number,
    "level": field("level"),
    "rssi": signal,
}
PYTHON: dict[str, Callable[[Packet], Any]] = {
    "packettype": lambda packet: packet.kind,
    "subtype": field("subtype"),
    "seqnbr": field("sequence"),
    "id_string": python_id,
    "device.id_string": python_id,
    "values.Command": command_text,
    "cmnd_string": command_text,
    "cmnd": command_number,
    "rssi": signal,
    "values.Rssi numeric": signal,
    "housecode": lambda packet: ord(vars(packet)["house"]),
    "unitcode": field("unit"),
    "level": field("level"),
    "system": lambda packet: vars(packet)["system"] - 1,
    "channel": field("channels"),
    "battery": field("battery_level"),
    "cmd": field("code"),
    "pulse": field("pulse_us"),
    "id_combined": field("id"),
    "groupcode": lambda packet: ord(vars(packet)["group"]),
    "cmndseqnbr": field("command_sequence"),
    "rfu": field("spare_sequence"),
}
THEIRS = {
    "(type)", "device.(type)", "device.type_string", "type_string", "has_type_string", "data.(list)", "packetlength",
    "rssi_byte", "channel1", "channel2", "cmd1", "cmd2", "cmd3", "pulsehigh", "pulselow", "id1", "id2", "__str__",
    "this.packetNames[packetType]", "this.deviceNames[packetType][evt.subtype]",
}  # fmt: skip
"""Names of their classes and texts, and bytes of numbers that are compared whole."""


def like(value: Any, ours: Any) -> Any:
    """Return their value in our spelling."""
    if not isinstance(value, str) or not isinstance(ours, str) or value.startswith("0x"):
        return value
    return value if value.isupper() else value.lower()


@pytest.mark.parametrize("frame", heard(*range(0x10, 0x17)))
def test_what_others_hear_is_heard_here(frame: Heard) -> None:
    """Their tests' frames and every fact they state of them; what they state nothing of, or cannot read, is no fact."""
    packet = decode(frame.frame)
    if "(parse result)" in frame.expected:
        assert isinstance(packet, Unknown)
        return
    table = NODE if frame.library == "node-rfxcom" else PYTHON
    theirs = {name: value for name, value in frame.expected.items() if name not in THEIRS and value != "<undefined>"}
    if packet.kind == 0x16:
        theirs.pop("command", None)  # a bell's tune has a number here, and no name
    ours = {name: table[name](packet) for name in theirs}

    assert ours == {name: like(value, ours[name]) for name, value in theirs.items()}
