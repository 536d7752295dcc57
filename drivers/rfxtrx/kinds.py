"""What a field of an RFXtrx packet can be beyond plain bits: names of numbers, letters, units, what a variant lacks.

Every kind reads any bits, and writes only what a device can have: what is received is shown as it is, what is sent is
refused when it cannot work. Knows no packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Final

from drivers.bits import Bits, CodecError, Field, Reason, Sign, Value, say
from drivers.fields import CENTI, DECI

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN: Final = "unknown_"
"""What the name of a number begins with that no table has: `unknown_35`. It is read, never written."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A number that has a name; `sends` are the names that may be written, where those are fewer."""

    width: int
    names: Mapping[int, str]
    sends: frozenset[str] | None = None
    strict: bool = False
    """Whether a number without a name is an error, not `unknown_35`: noise, where it is part of an address."""
    older: Mapping[str, int] = field(default_factory=dict)
    """Other names of the same numbers: what another firmware does with them. They are written, never read."""

    def read(self, raw: int) -> Value:
        """Return the name of `raw`."""
        name = self.names.get(raw)
        if name is None and self.strict:
            raise CodecError(Reason.VALUE, f"{raw} is none of {', '.join(self.names.values())}")
        return f"{UNKNOWN}{raw}" if name is None else name

    def write(self, value: Value) -> int:
        """Return the number of a name, the lowest where several have it.

        Raises:
            CodecError: no number has it, or a device does not take it.
        """
        if not isinstance(value, str) or value not in self._numbers:
            raise CodecError(Reason.VALUE, f"{say(value)} is not there; there is {self._listed() or 'none'}")
        return self._numbers[value]

    def _listed(self) -> str:
        names = list(self._numbers)
        return ", ".join(names if len(names) <= 40 else [*names[:12], "and so on to " + names[-1]])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        allowed = (name for name in self.names.values() if self.sends is None or name in self.sends)
        numbers = {name: number for number, name in sorted(self.names.items(), reverse=True)}
        return {name: numbers[name] for name in allowed} | dict(self.older)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A device's unit as people count it; 0 is all of them, where `group` is the number for that.

    The raw number is the unit less `plus`: with `plus=1` unit 1 is 0 on the wire.
    """

    width: int
    low: int = 1
    high: int = 16
    plus: int = 0
    group: int | None = None

    def read(self, raw: int) -> Value:
        """Return the unit of `raw`.

        Raises:
            CodecError: it is less than the first could be: noise.
        """
        if raw + self.plus < 0 and raw != self.group:
            raise CodecError(Reason.VALUE, f"{raw} is no unit")
        return 0 if raw == self.group else raw + self.plus

    def write(self, value: Value) -> int:
        """Return the raw number of a unit.

        Raises:
            CodecError: the device has no such unit, or none for all.
        """
        if value == 0 and self.group is not None:
            return self.group
        if type(value) is not int or not self.low <= value <= self.high:
            group = " or 0 for all" if self.group is not None else ""
            only = f"{self.low}" if self.low == self.high else f"from {self.low} to {self.high}"
            raise CodecError(Reason.VALUE, f"unit {say(value)} is not {only}{group}")
        return value - self.plus


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A whole number in steps: `step` times the raw number, plus `plus`."""

    width: int
    step: int
    plus: int = 0

    def read(self, raw: int) -> Value:
        """Return the value of `raw`."""
        return raw * self.step + self.plus

    def write(self, value: Value) -> int:
        """Return the raw number of the rung nearest below `value`.

        Raises:
            CodecError: it is no whole number, or beyond the first or last rung.
        """
        most = ((1 << self.width) - 1) * self.step + self.plus
        if type(value) is not int or not self.plus <= value <= most:
            raise CodecError(Reason.VALUE, f"{say(value)} is not from {self.plus} to {most}")
        return (value - self.plus) // self.step


@dataclass(frozen=True, kw_only=True)
class Absent:
    """What this variant lacks and others of the packet have: reads as None whatever is there, writes as `fill`."""

    width: int
    fill: int = 0

    def read(self, raw: int) -> Value:  # noqa: ARG002 - the bits mean nothing here
        """Return None."""
        return None

    def write(self, value: Value) -> int:
        """Return what fills the place.

        Raises:
            CodecError: there is a value to write.
        """
        if value is not None:
            raise CodecError(Reason.VALUE, f"{say(value)} has no place here: this device does not have it")
        return self.fill


def _in_hex(number: int) -> str:
    return str(number) if 0 <= number <= 9 else f"{number:#x}"


@dataclass(frozen=True, kw_only=True)
class Identity(Bits):
    """A device's id, shown in hex; one may write it if it is between `low` and `high`."""

    def write(self, value: Value) -> int:
        """Return the bits of an id.

        Raises:
            CodecError: it is none, or not between the limits.
        """
        low, high = self.low or 0, (1 << self.width) - 1 if self.high is None else self.high
        if type(value) is not int or not low <= value <= high:
            told = _in_hex(value) if type(value) is int and not abs(value) >> 128 else say(value)
            raise CodecError(Reason.VALUE, f"{told} is not from {_in_hex(low)} to {_in_hex(high)}")
        return value


@dataclass(frozen=True, kw_only=True)
class Level(Bits):
    """A device's steps of brightness, from `low` to `high`; `beside` them, what goes with commands of no level."""

    beside: frozenset[int] = frozenset()

    def write(self, value: Value) -> int:
        """Return the bits of a level.

        Raises:
            CodecError: the device has no such level.
        """
        return value if type(value) is int and value in self.beside else super().write(value)


@dataclass(frozen=True, kw_only=True)
class Split:
    """An id in two parts around `gap` bits that are no part of it: X10 security has a byte of check between.

    With nothing before the gap, or nothing behind it, the id is one part of a wider field and the rest is noise.
    """

    width: int
    gap: int
    low_width: int
    low: int = 1
    high: int | None = None

    def read(self, raw: int) -> Value:
        """Return the id."""
        return raw >> (self.gap + self.low_width) << self.low_width | raw & ((1 << self.low_width) - 1)

    def write(self, value: Value) -> int:
        """Return the bits of an id, with zeros between.

        Raises:
            CodecError: it does not fit.
        """
        most = (1 << (self.width - self.gap)) - 1 if self.high is None else self.high
        if type(value) is not int or not self.low <= value <= most:
            told = _in_hex(value) if type(value) is int and not abs(value) >> 128 else say(value)
            raise CodecError(Reason.VALUE, f"{told} is not from {_in_hex(self.low)} to {_in_hex(most)}")
        return value >> self.low_width << (self.gap + self.low_width) | value & ((1 << self.low_width) - 1)


@dataclass(frozen=True, kw_only=True)
class Halves:
    """A temperature in two bytes, whole degrees and then tenths, of which a device takes 0 and 5."""

    width: int = 16
    low: int
    high: int

    def read(self, raw: int) -> Value:
        """Return the temperature of `raw`."""
        return (raw // 256 * 10 + raw % 256) / 10

    def write(self, value: Value) -> int:
        """Return the two bytes of a temperature.

        Raises:
            CodecError: it is no number of half degrees, or not between `low` and `high`.
        """
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise CodecError(Reason.VALUE, f"{say(value)} is not from {self.low} to {self.high}")
        whole, half = divmod(value * 2, 2)
        if half not in {0, 1}:
            raise CodecError(Reason.VALUE, f"{value} is no half degree; {round(value * 2) / 2} is")
        return int(whole) * 256 + int(half) * 5


@dataclass(frozen=True, kw_only=True)
class Spare(Bits):
    """Bits nobody has given a meaning: kept as they are, zero unless said, and not shown while they are."""


@dataclass(frozen=True, kw_only=True)
class Signed(Bits):
    """A number whose highest bit is the sign and the rest the amount; minus zero, which thermometers send, is zero."""

    sign: Sign = Sign.MAGNITUDE

    def read(self, raw: int) -> Value:
        """Return the value of `raw`."""
        return super().read(0 if raw == 1 << (self.width - 1) else raw)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """All bytes from here to the end."""

    least: int = 0
    most: int = 252
    width: int = field(default=0, init=False)


class Head:
    """A field of the header that a packet shows; it has no bits behind the header."""


Kind = Field | Choice | Unit | Rung | Absent | Split | Halves


def letters(last: str) -> Choice:
    """Return a byte that is a letter from A to `last`; another is noise, not an address."""
    return Choice(width=8, names={code: chr(code) for code in range(ord("A"), ord(last) + 1)}, strict=True)


Command = Annotated[str, Choice(width=8, names={})]
"""What a device does or shall do; each variant of a packet has its own table."""
Rssi = Annotated[int, Rung(width=4, step=8, plus=-120)]
"""Signal strength in dBm, in steps of 8: the high nibble of a packet's last byte. A transmitted packet has -120."""
Battery = Annotated[int, Bits(width=4)]
"""0 is low, 9 is full; most devices know no other two numbers."""
Id16 = Annotated[int, Identity(width=16)]
Id24 = Annotated[int, Identity(width=24)]
Id32 = Annotated[int, Identity(width=32)]
U4 = Annotated[int, Bits(width=4)]
U8 = Annotated[int, Bits(width=8)]
U16 = Annotated[int, Bits(width=16)]
U24 = Annotated[int, Bits(width=24)]
U32 = Annotated[int, Bits(width=32)]
Spare4 = Annotated[int, Spare(width=4)]
Spare8 = Annotated[int, Spare(width=8)]
Spare16 = Annotated[int, Spare(width=16)]
Celsius = Annotated[float, Signed(width=16, scale=DECI)]
"""Tenths of a degree; bit 15 is the sign, the rest the amount."""
Deci16 = Annotated[float, Bits(width=16, scale=DECI)]
Centi16 = Annotated[float, Bits(width=16, scale=CENTI)]
Rest = Annotated[bytes, Tail()]
