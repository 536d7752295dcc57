"""The bytes our packets have for calls of other RFXtrx libraries: fans, blinds, remotes, alarms, heating, raw signals.

What a method says is in `rfxtrx_other_families`; this knows how their devices are written, and no test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfxtrx_other_families import FAMILIES, Family, Fields

from drivers.bits import CodecError, Reason
from drivers.rfxtrx import fans, rawrf
from drivers.rfxtrx.codec import PACKETS, decode, from_plain
from drivers.rfxtrx.names import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfxtrx_calls import Call


def frame(call: Call) -> bytes:
    """Return the bytes of what the call asks for.

    Raises:
        CodecError: our packets refuse it.
    """
    if call.family == "Transmitter":
        kind, subtype, body = call.args
        return decode(bytes((len(body) + 3, kind, subtype, 0, *body))).encode()
    if call.family == "RawTx":
        pulses = call.args[1]["pulseTimes"]
        lengths = [int(each) for each in (pulses.split() if isinstance(pulses, str) else pulses)]
        return rawrf.split(lengths, repeats=call.args[1].get("repeats", 5))[0].encode()
    family = FAMILIES[call.family]
    says = family.methods[call.method]
    told = says(call) if callable(says) else says
    fields = told if isinstance(told, dict) else {family.field: _first_there(family, call.subtype, told)}
    plain = {"packet": family.packet, "subtype": call.subtype, **_device(family, call), **fields}
    return from_plain(plain).encode()


def _first_there(family: Family, subtype: int, told: str | tuple[str, ...]) -> str:
    candidates = (told,) if isinstance(told, str) else told
    return next((each for each in candidates if each in _names(family, subtype).values()), candidates[0])


def _names(family: Family, subtype: int) -> Mapping[int, str]:
    for packet in PACKETS:
        kind = dict(packet.shapes[subtype].columns).get(family.field) if subtype in packet.shapes else None
        if packet.name == family.packet and isinstance(kind, Choice):
            return kind.names
    return {}


def _device(family: Family, call: Call) -> Fields:
    if isinstance(call.args, dict):
        combined = call.args["id_combined"]
        return {
            "id": combined >> 16 << 8 | combined & 0xFF,
            "check_byte": combined >> 8 & 0xFF,
            "sequence": call.args["seqnbr"],
        }
    given = call.args[0] if call.args else "0x1/1"
    if call.family == "Fan" and call.subtype == 3:
        return {"id": _seav(given)}
    if call.family == "Curtain1" and isinstance(given, str):
        given = [given[0], given[1:]]
    parts = given.split("/") if isinstance(given, str) else given
    names = (*family.parts, *(f"part_{number}" for number in range(9)))
    fields = {name: _part(name, str(part)) for name, part in zip(names, parts, strict=False)}
    if call.family == "Blinds1" and call.subtype in {2, 4, 5, 10, 18}:
        fields.pop("unit", None)  # they take one and send none
    return {"id": 1, "unit": 1} if call.args[1:] == ["listRemotes"] else fields


def _part(name: str, part: str) -> Any:
    return (
        part.upper() if name in {"house", "group"} or name.startswith("part_") else int(part, 0 if "x" in part else 10)
    )


def _seav(given: str) -> int:
    parts = given.split("/")
    if len(parts) == 1:
        return int(given, 0)
    if len(parts) != 4:
        raise CodecError(Reason.VALUE, f"{given} is no SEAV id")
    jumper, second, first, remote = parts
    return fans.seav(jumper=int(jumper), switches_2=second, switches_1=first, remote=int(remote, 0))
