"""What a device is called everywhere: `lighting2.ac.123abcd.5`, made of what its packets say, and back.

    <packet>.<subtype>.<address>[.<address> ...]      lighting2.ac.123abcd.5     lighting1.x10.e.5
                                                      temperature.temp1.2f00      lighting6.blyss.1234.a.3

Ids are in hex, letters are letters, units are counted as people do; all of it can be part of a topic. Knows what fields
of a packet are an address, by their names; no device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx import codec
from drivers.rfxtrx.addresses import Identity, Split, Unit
from drivers.rfxtrx.kinds import Absent
from drivers.rfxtrx.names import UNKNOWN, Choice
from hearthbus import Invalid
from hearthbus.config.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.kinds import Kind
    from drivers.rfxtrx.packet import Packet

ADDRESSES: Final = frozenset({
    "id", "house", "group", "unit", "code", "system", "channels", "channel", "address", "destination",
})  # fmt: skip
"""Fields that say which device, in the order a packet has them; all others say what it does."""
NO_DEVICE: Final = frozenset({-1, 0x00, 0x01, 0x02, 0x03, 0x61, 0x62, 0x7F})
"""Types of the stick itself, or of nobody that could be told from another."""
CODE: Final = "lighting4"
"""PT2262: 24 bits, of which only their owner knows which are an address."""
_OTHER: Final = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True)
class Address:
    """One device as its packets name it."""

    packet: str
    subtype: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Names and values of the address fields, as the codec has them."""

    @property
    def key(self) -> str:
        """Return what it is called."""
        kinds = _address_kinds(self.packet, self.subtype)
        parts = [_part(kinds.get(name), value) for name, value in self.fields.items()]
        return ".".join((_slug(self.packet), _slug(subtype_name(self.packet, self.subtype)), *parts))


def of(packet: Packet) -> Address | None:
    """Return the device a packet comes from; None: it is no device's, or has a unit that none has."""
    if packet.kind in NO_DEVICE:
        return None
    values = vars(packet)
    columns = (packet.shapes.get(packet.subtype) or packet.shape).columns
    found = {name: values[name] for name, _ in columns if name in ADDRESSES and values.get(name) is not None}
    if not found or any(isinstance(value, int) and value < 0 for value in found.values()):
        return None
    return Address(packet.name, packet.subtype, found)


def key(packet: Packet) -> str:
    """Return what the device is called that a packet comes from; empty where it is no device's."""
    address = of(packet)
    return "" if address is None else address.key


def read(text: str) -> Address:
    """Return the device of a key; zeros before an id may be left out.

    Raises:
        Invalid: there can be no such device; the text says what was expected.
    """
    name, *rest = text.strip().lower().split(".")
    names = sorted({_slug(packet.name) for packet in codec.PACKETS if packet.kind not in NO_DEVICE})
    if name not in names:
        raise Invalid(f"device {text!r}: {name!r} is no packet{nearest(name, names)}; a device is {SHAPE}")
    subtypes = {_slug(found): number for number, found in _subtypes(name).items()}
    slug = rest[0] if rest else ""
    number = subtypes.get(slug)
    if number is None and slug.removeprefix(UNKNOWN).isdecimal() and any(each.open for each in _classes(name)):
        number = int(slug.removeprefix(UNKNOWN))
    if number is None:
        raise Invalid(f"device {text!r}: {name} has no {slug!r}{nearest(slug, subtypes)}")
    kinds = _address_kinds(name, number)
    if len(rest) - 1 != len(kinds):
        shape = ".".join((name, slug, *(f"<{part}>" for part in kinds)))
        raise Invalid(f"device {text!r}: write it as {shape}")
    parts = zip(kinds.items(), rest[1:], strict=True)
    return Address(name, number, {part: _value(text, part, kind, given) for (part, kind), given in parts})


SHAPE: Final = "<packet>.<subtype>.<id>[.<unit>], such as lighting2.ac.123abcd.5; `hearthbus devices` lists them"


@cache
def subtype_name(packet: str, subtype: int) -> str:
    """Return what RFXCOM calls a subtype."""
    return _subtypes(packet).get(subtype, f"{UNKNOWN}{subtype}")


@cache
def columns(packet: str, subtype: int, *, sends: bool = False) -> Mapping[str, Kind]:
    """Return all fields of a packet's subtype, of every class that has it; `sends`: of those a stick transmits.

    Where lengths differ the widest field counts: an id that has grown is still the same.
    """
    found: dict[str, Kind] = {}
    for each in _classes(packet):
        variant = each.variant(subtype)
        if (variant is None and not each.open) or (sends and (variant is None or not variant.sends)):
            continue
        for name, kind in (each.shapes.get(subtype) or each.shape).columns:
            if not isinstance(kind, Absent) and (name not in found or kind.width > found[name].width):
                found[name] = kind
    return found


def choices(packet: str, subtype: int, name: str) -> list[str]:
    """Return the names a field may be sent with; empty where it is no field of names, or is not sent."""
    kind = columns(packet, subtype, sends=True).get(name)
    if not isinstance(kind, Choice):
        return []
    return list(dict.fromkeys(each for each in kind.names.values() if kind.sends is None or each in kind.sends))


def make(address: Address, fields: Mapping[str, Any]) -> Packet:
    """Return the packet that says `fields` to a device.

    Raises:
        Invalid: it cannot; the text names the limit.
    """
    if not columns(address.packet, address.subtype, sends=True):
        raise Invalid(f"{address.key}: a stick only hears {subtype_name(address.packet, address.subtype)}")
    plain = {"packet": address.packet, "subtype": address.subtype, **address.fields, **fields}
    try:
        packet = codec.from_plain(plain)
        packet.encode()
    except CodecError as error:
        raise Invalid(f"{address.key}: {error}") from None
    return packet


def is_all(address: Address) -> bool:
    """Whether it stands for all units of an id: unit 0, where that is no unit of its own."""
    kind = _address_kinds(address.packet, address.subtype).get("unit")
    return address.fields.get("unit") == 0 and isinstance(kind, Unit) and kind.group is not None


def masked(address: Address, mask: int) -> Address:
    """Return a PT2262 without its data bits, and any other device as it is."""
    if address.packet != CODE or not mask:
        return address
    return Address(address.packet, address.subtype, {**address.fields, "code": address.fields["code"] & ~mask})


@cache
def _classes(packet: str) -> tuple[type[Packet], ...]:
    return tuple(each for each in codec.PACKETS if _slug(each.name) == _slug(packet))


def _subtypes(packet: str) -> dict[int, str]:
    return {variant.subtype: variant.name for each in _classes(packet) for variant in each.variants}


@cache
def _address_kinds(packet: str, subtype: int) -> dict[str, Kind]:
    return {name: kind for name, kind in columns(packet, subtype).items() if name in ADDRESSES}


def _slug(text: str) -> str:
    return _OTHER.sub("-", text.lower()).strip("-") or "-"


def _digits(kind: Identity | Split) -> int:
    width = kind.width - kind.gap if isinstance(kind, Split) else kind.width
    return -(-width // 4)


def _part(kind: Kind | None, value: object) -> str:
    if isinstance(kind, Identity | Split) and isinstance(value, int):
        return f"{value:0{_digits(kind)}x}"
    return _slug(str(value))


def _value(text: str, name: str, kind: Kind, given: str) -> Any:
    if isinstance(kind, Choice):
        names = {_slug(each): each for each in kind.names.values()}
        if given.startswith(UNKNOWN):
            return given
        if given not in names:
            raise Invalid(f"device {text!r}: {name} {given!r} is none of {', '.join(names)}")
        return names[given]
    in_hex = isinstance(kind, Identity | Split)
    try:
        value = int(given, 16 if in_hex else 10)
    except ValueError:
        raise Invalid(f"device {text!r}: {name} {given!r} is no {'hex ' if in_hex else ''}number") from None
    most = (1 << 4 * _digits(kind) if isinstance(kind, Identity | Split) else 1 << kind.width) - 1
    if not 0 <= value <= most + (getattr(kind, "plus", 0) or 0):
        raise Invalid(f"device {text!r}: {name} {given!r} is not from 0 to {f'{most:x}' if in_hex else most}")
    return value
