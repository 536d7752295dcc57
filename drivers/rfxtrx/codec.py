"""All packets: bytes to a value and back, values to plain objects and back. Knows every type, and no stick.

Reading is total: any bytes give a packet, `Unknown`, or `CodecError`; nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx import (
    asynchronous,
    blinds,
    chimes,
    climate,
    fans,
    heating,
    interface,
    keys,
    lighting,
    lighting5,
    meters,
    power,
    rain,
    rawrf,
    remotes,
    security,
    shutters,
    teleinfo,
    undecoded,
    weather,
)
from drivers.rfxtrx.addresses import Gap, Identity, Split
from drivers.rfxtrx.kinds import Absent, Head, Kind, Rest, Spare
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import Packet, Shape

PACKETS: Final[tuple[type[Packet], ...]] = (
    *interface.PACKETS,
    *undecoded.PACKETS,
    *climate.PACKETS,
    *rain.PACKETS,
    *weather.PACKETS,
    *power.PACKETS,
    *teleinfo.PACKETS,
    *meters.PACKETS,
    *asynchronous.PACKETS,
    *lighting.PACKETS,
    *lighting5.PACKETS,
    *chimes.PACKETS,
    *fans.PACKETS,
    *blinds.PACKETS,
    *shutters.PACKETS,
    *remotes.PACKETS,
    *keys.PACKETS,
    *security.PACKETS,
    *heating.PACKETS,
    *rawrf.PACKETS,
)
"""Every class; of one type and subtype the first that fits is taken."""
LEAST: Final = 4
"""Bytes of the shortest frame: its length, type, subtype and sequence number."""


class Unknown(Packet, kind=-1, name="unknown"):
    """A frame of a type or subtype that is not known: its bytes, for whoever does know."""

    packet_type: Annotated[int, Head()]
    payload: Rest

    def encode(self) -> bytes:
        """Return the frame.

        Raises:
            CodecError: a number of it is not within a byte.
        """
        try:
            return bytes((len(self.payload) + 3, self.packet_type, self.subtype, self.sequence)) + self.payload
        except ValueError:
            text = "unknown: packet_type, subtype, sequence or length is not within a byte"
            raise CodecError(Reason.VALUE, text) from None


def _table() -> dict[tuple[int, int], tuple[tuple[type[Packet], Shape], ...]]:
    table: dict[tuple[int, int], list[tuple[type[Packet], Shape]]] = {}
    for packet in PACKETS:
        for subtype, shape in packet.shapes.items():
            table.setdefault((packet.kind, subtype), []).append((packet, shape))
    return {key: tuple(sorted(found, key=lambda each: -each[1].size)) for key, found in table.items()}


_TABLE: Final = _table()
_OPEN: Final = {packet.kind: ((packet, packet.shape),) for packet in PACKETS if packet.open}
KINDS: Final = {packet.kind: packet.name for packet in PACKETS}
"""The name of every known type."""


def decode(frame: bytes) -> Packet:
    """Return the packet of a whole frame, with its length byte.

    Raises:
        CodecError: its length is wrong, or a field is what none can be.
    """
    if len(frame) < LEAST or frame[0] != len(frame) - 1:
        told = f"its first byte says {frame[0]} more" if frame else "it is empty"
        raise CodecError(Reason.LENGTH, f"a frame of {len(frame)} bytes, but {told}; the shortest has {LEAST}")
    found = _TABLE.get((frame[1], frame[2])) or _OPEN.get(frame[1])
    if found is None:
        return _unknown(frame)
    size = len(frame)
    for packet, shape in found:
        if shape.size == size or (shape.tail and shape.tail[1].least <= size - shape.size <= shape.tail[1].most):
            value = packet.read(frame, shape)
            if packet.takes(value):
                return value
    for packet, shape in found:
        if shape.size < size and shape.tail is None:
            value = packet.read(frame, shape)
            if packet.takes(value):
                return value
    sizes = " or ".join(sorted({str(shape.size) for _, shape in found}, key=int))
    raise CodecError(Reason.LENGTH, f"{found[0][1].name}: {size} bytes, not {sizes}")


def _unknown(frame: bytes) -> Packet:
    return Unknown(packet_type=frame[1], subtype=frame[2], sequence=frame[3], payload=frame[4:])


def subtype_name(packet: Packet) -> str:
    """Return what RFXCOM calls the packet's subtype."""
    variant = packet.variant(packet.subtype)
    return f"unknown_{packet.subtype}" if variant is None else variant.name


def to_plain(packet: Packet) -> dict[str, Any]:
    """Return a packet as a plain object: names and numbers, ids and bytes in hex, nothing that says nothing.

    {"packet": "temperature", "packet_type": 80, "subtype": 1, "subtype_name": "TEMP1", "sequence": 0, "id": "0x1234",
    "celsius": 21.5, ...}
    """
    kinds = dict((packet.shapes.get(packet.subtype) or packet.shape).columns)
    plain: dict[str, Any] = {
        "packet": packet.name,
        "packet_type": packet.packet_type if isinstance(packet, Unknown) else packet.kind,
        "subtype": packet.subtype,
        "subtype_name": subtype_name(packet),
        "sequence": packet.sequence,
    }
    for name, value in vars(packet).items():
        kind = kinds.get(name)
        says_nothing = not value and (name == "extra" or isinstance(kind, Spare | Gap))
        if name in plain or value is None or says_nothing:
            continue
        if isinstance(value, bytes):
            plain[name] = value.hex()
        elif isinstance(kind, Identity | Split):
            width = kind.width - kind.gap if isinstance(kind, Split) else kind.width
            plain[name] = f"0x{value:0{-(-width // 4)}X}"
        else:
            plain[name] = value
    return plain | packet.tells()


def from_plain(plain: Mapping[str, Any]) -> Packet:
    """Return the packet of a plain object, as `to_plain` makes it; what is left out is as usual, or zero.

    Raises:
        CodecError: there is no such packet, a field of it is missing, or it has no such field.
    """
    name, subtype = plain.get("packet"), _number("subtype", plain.get("subtype", 0))
    about = {"packet", "packet_type", "subtype_name"} if name != Unknown.name else {"packet", "subtype_name"}
    fields = {key: value for key, value in plain.items() if key not in about} | {"subtype": subtype}
    every: tuple[type[Packet], ...] = (*PACKETS, Unknown)
    named = [packet for packet in every if packet.name == name]
    if not named:
        raise CodecError(Reason.KIND, f"there is no packet {name!r}{_nearest(name, KINDS.values())}")
    known = [packet for packet in named if not packet.variants or subtype in packet.shapes]
    wrong = ""
    for packet in known or [packet for packet in named if packet.open] or named:
        names = packet.field_names()
        optional = packet.defaults.keys() | _left_out(packet, subtype)
        surplus, missing = fields.keys() - names - packet.told, names - fields.keys() - optional
        if not surplus and not missing:
            absent = dict.fromkeys(_without_value(packet, subtype) - fields.keys())
            kinds = dict((packet.shapes.get(subtype) or packet.shape).columns)
            values = {key: _value(kinds.get(key), key, fields[key]) for key in fields.keys() & names}
            return _agreed(packet.made({**absent, **packet.usual(fields), **values}), fields)
        if surplus:
            first = min(surplus)
            wrong = wrong or f"has no field {first!r}{_nearest(first, names)}; it has {', '.join(sorted(names))}"
        else:
            wrong = wrong or f"needs {', '.join(sorted(missing))}"
    raise CodecError(Reason.VALUE, f"{name} {wrong}")


def _agreed(packet: Packet, fields: Mapping[str, Any]) -> Packet:
    """Return the packet, unless what follows from its fields was said to be something else.

    Nor if bytes a newer firmware may have added make it a packet of another shape.
    """
    if packet.extra:
        again = decode(packet.encode())
        if (type(again), again.extra) != (type(packet), packet.extra):
            raise CodecError(
                Reason.LENGTH, f"{packet.name}: with extra {packet.extra.hex()} it reads as another packet"
            )
    if said := fields.keys() & packet.told:
        packet.encode()  # of fields that are no numbers nothing follows
        told = packet.tells()
        for name in said:
            if fields[name] != told.get(name):
                text = f"{packet.name}: {name} follows from the other fields: {told.get(name)!r}; leave it out"
                raise CodecError(Reason.VALUE, text)
    return packet


def _left_out(packet: type[Packet], subtype: int) -> set[str]:
    """Return the fields that may have no value in this subtype."""
    return _absent(packet, subtype) | packet.only_when.keys()


def _without_value(packet: type[Packet], subtype: int) -> set[str]:
    """Return the fields that have none unless it is said, whatever other subtypes have by default."""
    return _absent(packet, subtype) | (packet.only_when.keys() - packet.defaults.keys())


def _absent(packet: type[Packet], subtype: int) -> set[str]:
    columns = (packet.shapes.get(subtype) or packet.shape).columns
    lacking = {name for name, kind in columns if isinstance(kind, Absent)}
    missing = {name for name, kind in columns if isinstance(kind, Bits) and kind.missing is not None}
    return lacking | (missing - packet.defaults.keys())


def _number(name: str, value: object) -> int:
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            raise CodecError(Reason.VALUE, f"{name} is {value!r}; write a number, such as 3 or 0x03") from None
    if type(value) is not int:
        raise CodecError(Reason.VALUE, f"{name} is {value!r}; write a whole number")
    return value


def _value(kind: Kind | None, name: str, value: object) -> Any:
    if isinstance(kind, Choice):
        return kind.named(value)
    if name in {"subtype", "sequence", "packet_type"} or (isinstance(kind, Identity | Split) and value is not None):
        return _number(name, value)
    if kind is None:
        try:
            return bytes.fromhex(value if isinstance(value, str) else "-")
        except ValueError:
            raise CodecError(Reason.VALUE, f"{name} is {value!r}; write bytes in hex") from None
    return value


def _nearest(word: object, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f"; did you mean {close[0]!r}?" if close else ""
