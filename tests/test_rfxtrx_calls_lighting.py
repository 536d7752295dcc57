"""What other libraries were asked to send to switches, lamps and bells: the same bytes come out, or the same refusal.

A table says what each of their calls is in our words; whether a device can do it is for our encoder to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_calls import Call, refused, transmitted

from drivers.bits import CodecError
from drivers.rfxtrx.codec import from_plain

if TYPE_CHECKING:
    from collections.abc import Callable

Plain = dict[str, Any]

SIMPLE = {
    "switchOn": "on", "switchOff": "off", "increaseLevel": "bright", "decreaseLevel": "dim", "program": "program",
    "chime": "chime", "toggleOnOff": "toggle", "relayOpen": "open", "relayClose": "close", "relayStop": "stop",
    "increaseColour": "colour_plus", "decreaseColour": "colour_minus", "lock": "lock", "unlock": "unlock",
}  # fmt: skip
"""node-rfxcom's methods that say nothing but a command."""
BY_NUMBER = {"setMood": "mood_{}", "setColour": "colour_{}", "setScene": "scene_{}"}
"""Those that say a command and a number."""
OTHERWISE: dict[int, dict[str, str]] = {
    0x01: {"program": "learn"},
    0x03: {"switchOn": "light", "toggleOnOff": "power"},
    0x05: {"increaseLevel": "toggle_gang_2_bright", "decreaseLevel": "toggle_gang_3_dim"},
    0x0C: {"toggleOnOff": "power"},
    0x10: {"switchOn": "light", "toggleOnOff": "power"},
}
"""What a subtype of Lighting5 calls a method of the same meaning."""
PERCENT = {
    0x03: {1: "25_percent", 2: "50_percent", 3: "100_percent"},
    0x0C: {1: "10_percent", 2: "20_percent", 3: "40_percent", 4: "60_percent", 5: "80_percent", 6: "100_percent"},
    0x10: {1: "25_percent", 2: "50_percent", 3: "100_percent"},
}
GANGS = {1: "toggle_gang_1", 2: "toggle_gang_2_bright", 3: "toggle_gang_3_dim"}
DEVICE = {
    "Lighting1": ("house", "unit"),
    "Lighting2": ("id", "unit"),
    "Kambrook": ("house", "id", "unit"),
    "Lighting3": ("system", "channel"),
    "Lighting5": ("id", "unit"),
    "Lighting6": ("id", "group", "unit"),
    "Chime1": ("id",),
}
"""What the parts of node-rfxcom's device ids are."""


def device(family: str, given: str | list[str]) -> Plain:
    """Return the address of a device as node-rfxcom writes it: "0x1234/5", "C4" or a list."""
    parts = given if isinstance(given, list) else given.split("/")
    if family == "Lighting1" and not isinstance(given, list):
        parts = [given[:1], given[1:]]
    names = (*DEVICE[family], "too_much")
    address: Plain = dict(zip(names, parts, strict=False))
    numbers = address.keys() & {"unit", "system", "channel"}
    return address | {name: int(address[name], 0) for name in numbers if address[name].lstrip("-")[0].isdigit()}


def avantek(given: str) -> Plain:
    """Return the address of an Avantek: its unit is a letter, or 0 for all; what is no letter is no unit either."""
    name, _, letter = given.partition("/")
    unit = 0 if letter == "0" else ord(letter.upper()) - 64 or -1 if letter else None
    return {"id": name} if unit is None else {"id": name, "unit": unit}


def lighting1(call: Call) -> Plain:
    """A switch with a house letter: unit 0 is all of them."""
    plain = device("Lighting1", call.args[0])
    command = SIMPLE[call.method]
    if plain.get("unit") == 0 and command in {"on", "off"}:
        command = f"all_{command}"
    return {"packet": "lighting1", **plain, "command": command}


def lighting2(call: Call) -> Plain:
    """AC; unit 0 is a group command to unit 1."""
    plain = device("Kambrook" if call.subtype == 3 else "Lighting2", call.args[0])
    command = "set_level" if call.method == "setLevel" else SIMPLE[call.method]
    if plain.get("unit") == 0:
        plain["unit"], command = 1, f"group_{command}"
    level = {"level": call.args[1]} if call.method == "setLevel" else {}
    return {"packet": "lighting2", **plain, "command": command, **level}


def lighting3(call: Call) -> Plain:
    """Koppla: a channel is a bit; level 0 and 10 are off and on."""
    plain = device("Lighting3", call.args[0])
    command = "set_level" if call.method == "setLevel" else SIMPLE[call.method]
    if command == "set_level":
        command = {0: "off", 10: "on"}.get(call.args[1], f"level_{call.args[1]}")
    channel = plain.pop("channel", None)
    if channel is not None:
        plain["channels"] = 0x3FF if channel == 0 else 1 << channel - 1
    return {"packet": "lighting3", **plain, "command": command}


def lighting4(call: Call) -> Plain:
    """PT2262, with the usual pulse."""
    return {"packet": "lighting4", "code": call.args[0]}


def lighting5(call: Call) -> Plain:
    """All the rest; a missing argument of node-rfxcom's is one its own refusal does not depend on."""
    plain = avantek(call.args[0]) if call.subtype == 0x0E else device("Lighting5", call.args[0])
    unit = plain.get("unit")
    says = call.args[1] if len(call.args) > 1 else 1
    command = OTHERWISE.get(call.subtype, {}).get(call.method) or SIMPLE.get(call.method, call.method)
    level = {}
    if call.method == "setLevel":
        command, level = PERCENT.get(call.subtype, {}).get(says, "set_level"), {"level": says}
        if call.subtype in PERCENT and command == "set_level":
            command = f"level_{says}"
    elif call.method in BY_NUMBER:
        command = BY_NUMBER[call.method].format(says)
    elif call.subtype == 0x05 and call.method == "toggleOnOff":
        command, level = GANGS.get(unit or -1, f"toggle_gang_{unit}"), {"level": 31}
    if call.subtype == 0x0A:
        command = appliance(call, command, unit)
    if unit == 0 and command in {"on", "off", "lock"}:
        command = {"on": "group_on", "off": "group_off", "lock": "all_lock"}[command]
    return {"packet": "lighting5", **plain, "command": command, **level}


def appliance(call: Call, command: str, unit: int | None) -> str:
    """Return the command of a Livolo appliance: newer firmware has one for each unit, older for each room."""
    if call.firmware >= 1026:
        return f"{command}_{unit}" if command in {"toggle", "bright", "dim"} else command
    room = call.args[2] if len(call.args) > 2 else call.args[1] if len(call.args) > 1 else None
    if command in {"bright", "dim"} or command.startswith("scene_"):
        return f"{command}_room_{room}"
    return "toggle_0" if command == "toggle" and unit == 0 else command


def lighting6(call: Call) -> Plain:
    """Blyss and Cuveo; the test's tables begin to count commands anew for each call."""
    plain = device("Lighting6", call.args[0])
    command = SIMPLE[call.method]
    if plain.get("unit") == 0:
        command = f"group_{command}"
    return {"packet": "lighting6", **plain, "command": command, "command_sequence": call.frame[9] if call.frame else 0}


def chime(call: Call) -> Plain:
    """A bell; a Byron BY plays 5 where it is not told, an SX must be told."""
    plain = device("Chime1", call.args[0])
    if call.subtype == 1:
        plain["id"] = f"0b{plain['id']}" if len(plain["id"]) == 6 else plain["id"]
    if call.subtype in {0, 3}:
        plain["sound"] = call.args[1] if len(call.args) > 1 else 5
    return {"packet": "chime", **plain}


NODE: dict[str, Callable[[Call], Plain]] = {
    "Lighting1": lighting1,
    "Lighting2": lighting2,
    "Lighting3": lighting3,
    "Lighting4": lighting4,
    "Lighting5": lighting5,
    "Lighting6": lighting6,
    "Chime1": chime,
}
"""How node-rfxcom's calls are said in our words."""

LIGHTWAVE_LEVELS = {0: 0, 1: 0, 50: 15, 99: 31, 100: 31}
AC_LEVELS = {0: 0, 99: 15, 100: 15}


def set_transmit(call: Call) -> Plain:
    """Numbers into bytes, as pyRFXtrx's `set_transmit` takes them, in our words."""
    args = call.args
    common = {"sequence": args["seqnbr"], "subtype": args["subtype"]}
    match call.family:
        case "Lighting1":
            command = {1: "on"}[args["cmnd"]]
            fields: Plain = {"house": chr(args["housecode"]), "unit": args["unitcode"], "command": command}
        case "Lighting2":
            command = {2: "set_level"}[args["cmnd"]]
            fields = {"id": args["id_combined"], "unit": args["unitcode"], "command": command, "level": args["level"]}
        case "Lighting3":
            command = {0x15: "level_5"}[args["cmnd"]]
            fields = {"system": args["system"] + 1, "channels": args["channel"], "command": command}
        case "Lighting4":
            fields = {"code": args["cmd"], "pulse_us": args["pulse"]}
        case _:
            fields = {
                "id": args["id_combined"],
                "group": chr(args["groupcode"]),
                "unit": args["unitcode"],
                "command": {3: "group_off"}[args["cmnd"]],
                "command_sequence": args["cmndseqnbr"],
            }
    return {"packet": call.family.lower(), **common, **fields}


def lighting_device(call: Call) -> Plain:
    """A device of pyRFXtrx's: its id is "E5", "1234567:5" or "1234:A5"; a level is in percent."""
    kind, _, name = call.device
    command = {"send_on": "on", "send_off": "off", "send_open": "open", "send_dim": "set_level"}[call.method]
    plain: Plain = {"packet": f"lighting{kind - 15}"}
    left, _, right = name.partition(":")
    match kind:
        case 0x10:
            plain |= {"house": name[0], "unit": int(name[1:])}
        case 0x12:
            plain |= {"system": int(left, 16) + 1, "channels": int(right, 16)}
        case 0x15:
            plain |= {"id": f"0x{left}", "group": right[0], "unit": int(right[1:])}
            plain["command_sequence"] = call.frame[9]
        case _:
            plain |= {"id": f"0x{left}", "unit": int(right)}
    if command == "set_level":
        plain["level"] = (AC_LEVELS if kind == 0x11 else LIGHTWAVE_LEVELS)[call.args[0]]
        command = "off" if call.args[0] == 0 else command
    elif kind == 0x14:
        plain["level"] = 0  # not what the other library sends
    return plain | {"command": command}


def plain_of(call: Call) -> Plain:
    """Return a call in our words."""
    if call.method == "set_transmit":
        return set_transmit(call)
    if call.family == "LightingDevice":
        return {"subtype": call.subtype, **lighting_device(call)}
    return {"subtype": call.subtype, **NODE[call.family](call)}


@pytest.mark.parametrize("call", transmitted(*range(0x10, 0x17)))
def test_what_others_send_comes_out_byte_for_byte(call: Call) -> None:
    """Their tests' frames, from the same calls."""
    assert from_plain(plain_of(call)).encode().hex() == call.frame.hex()


@pytest.mark.parametrize("call", refused(*NODE))
def test_what_others_refuse_is_refused_here_with_a_reason(call: Call) -> None:
    """Ids, units, levels and commands that a device does not have; the text says what it has."""
    plain = plain_of(call)

    with pytest.raises(CodecError) as refusal:
        from_plain(plain).encode()

    assert str(refusal.value)
