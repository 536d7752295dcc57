r"""Packets as class bodies: one line a wire field, in wire order; decoding and encoding come from the same lines.

    class Weather(Packet, prefix=b"\x21"):
        motion: Flag8                       # 1 byte, 0 or 1
        temperature: CentiI16OrNone         # 2 bytes, 0.01 degC; -32768 reads as None
        light: U10                          # fields need not end at a byte's edge
        spare: U6

A packet is one big number. In "little" order the first field takes its lowest bits, which is both little-endian bytes
and the bit fields of GCC on AVR and ARM; in "big" order the first field takes its highest bits, which is big-endian
bytes and nibbles as data sheets draw them. An alias such as `U16` is `int` to a type checker.

Decoding is total: any bytes give a value or `CodecError`, and `encode(decode(x)) == x`. Knows no radio and no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Self,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from drivers.bits import Bits, CodecError, Field, Float, Order, Reason, Sign, Switch, Text

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the bytes of a packet are: fixed ones, then fields by name, in wire order."""

    columns: tuple[tuple[str, Field], ...]
    order: Order = "little"
    prefix: bytes = b""
    name: str = "packet"

    def __post_init__(self) -> None:
        if (bits := sum(field.width for _, field in self.columns)) % 8:
            raise TypeError(f"{self.name}: {bits} bits do not fill whole bytes; name the spare ones")

    @cached_property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.prefix) + sum(field.width for _, field in self.columns) // 8

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the fields' values.

        Raises:
            CodecError: other fixed bytes, another length, or a field no value can have.
        """
        if not data.startswith(self.prefix):
            raise CodecError(Reason.KIND, f"{self.name} begins with {self.prefix.hex()}, not {data[:8].hex() or '-'}")
        if len(data) != self.size:
            raise CodecError(Reason.LENGTH, f"{self.name} has {self.size} bytes, not {len(data)}")
        number, values = int.from_bytes(data[len(self.prefix) :], self.order), {}
        for (name, field), shift in zip(self.columns, self._shifts, strict=True):
            values[name] = _named(self.name, name, field.read, (number >> shift) & ((1 << field.width) - 1))
        return values

    def encode(self, values: dict[str, Any]) -> bytes:
        """Return the bytes of the fields' values.

        Raises:
            CodecError: a value does not fit its field.
        """
        number = 0
        for (name, field), shift in zip(self.columns, self._shifts, strict=True):
            number |= _named(self.name, name, field.write, values[name]) << shift
        return self.prefix + number.to_bytes(self.size - len(self.prefix), self.order)

    @cached_property
    def _shifts(self) -> tuple[int, ...]:
        shifts, at, total = [], 0, sum(field.width for _, field in self.columns)
        for _, field in self.columns:
            shifts.append(at if self.order == "little" else total - at - field.width)
            at += field.width
        return tuple(shifts)


def _named(packet: str, name: str, convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except CodecError as error:
        raise CodecError(error.reason, f"{packet}.{name}: {error}") from None


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Packet:
    """Base of all packets: a subclass is a frozen dataclass of keyword-only fields, each annotated with a field.

    Its class keywords: `byte_order`, "little" unless said, and `prefix`, fixed bytes before the fields. Subclasses
    inherit both, and the fields, which stand first on the wire.
    """

    layout: ClassVar[Layout] = Layout(columns=())

    def __init_subclass__(cls, *, byte_order: Order | None = None, prefix: bytes | None = None) -> None:
        dataclass(frozen=True, kw_only=True)(cls)
        names = [column.name for column in fields(cls)]  # type: ignore[arg-type] # made a dataclass just above
        hints = get_type_hints(cls, include_extras=True)
        cls.layout = Layout(
            columns=tuple((name, _field(cls.__name__, name, hints[name])) for name in names),
            order=byte_order or cls.layout.order,
            prefix=cls.layout.prefix if prefix is None else prefix,
            name=cls.__name__.lower(),
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the packet of `data`.

        Raises:
            CodecError: `data` is none.
        """
        return cls(**cls.layout.decode(data))

    def encode(self) -> bytes:
        """Return the bytes of the packet.

        Raises:
            CodecError: a value does not fit its field.
        """
        return self.layout.encode(vars(self))


def _field(packet: str, name: str, hint: Any) -> Field:
    """Return the field of an annotation; a mistake in a class body ends the import, not a decode years later."""
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{packet}.{name}: annotate it with a field, such as U8")
    field: Field
    kind, field = get_args(hint)[:2]
    kinds = set(get_args(kind)) if isinstance(kind, UnionType) else {kind}
    if (NoneType in kinds) != (isinstance(field, Float) or (isinstance(field, Bits) and field.missing is not None)):
        raise TypeError(f"{packet}.{name}: None belongs to fields that can be missing, and only to them")
    fits = {Bits: int if isinstance(field, Bits) and field.scale == 1 else float, Switch: bool, Float: float, Text: str}
    if kinds - {NoneType} != {fits[type(field)]}:
        raise TypeError(f"{packet}.{name}: a {type(field).__name__} is a {fits[type(field)].__name__}")
    return field


CENTI, DECI = Fraction(1, 100), Fraction(1, 10)

Flag = Annotated[bool, Switch(width=1)]
Flag8 = Annotated[bool, Switch(width=8)]
U5 = Annotated[int, Bits(width=5)]
U7 = Annotated[int, Bits(width=7)]
U8 = Annotated[int, Bits(width=8)]
U16 = Annotated[int, Bits(width=16)]
U32 = Annotated[int, Bits(width=32)]
I16 = Annotated[int, Bits(width=16, sign=Sign.TWOS)]
I32 = Annotated[int, Bits(width=32, sign=Sign.TWOS)]
F32 = Annotated[float | None, Float(width=32)]
U16OrNone = Annotated[int | None, Bits(width=16, missing=0xFFFF)]
"""65535 is missing."""
U16OrZero = Annotated[int | None, Bits(width=16, missing=0)]
"""0 is missing."""
CentiI16OrNone = Annotated[float | None, Bits(width=16, sign=Sign.TWOS, scale=CENTI, missing=-0x8000)]
"""Hundredths; -32768 is missing."""
CentiU16OrNone = Annotated[float | None, Bits(width=16, scale=CENTI, missing=0xFFFF)]
"""Hundredths; 65535 is missing."""
CentiI16 = Annotated[float, Bits(width=16, sign=Sign.TWOS, scale=CENTI)]
DeciI16 = Annotated[float, Bits(width=16, sign=Sign.TWOS, scale=DECI)]
DeciI10 = Annotated[float, Bits(width=10, sign=Sign.TWOS, scale=DECI)]
