"""What a field of an RFXtrx packet can be: levels, halves, spare bits, what a variant lacks; the usual ones by name.

Names of numbers are in `drivers.rfxtrx.names`, ids and units in `drivers.rfxtrx.addresses`.

Every kind reads any bits, and writes only what a device can have: what is received is shown as it is, what is sent is
refused when it cannot work. Knows no packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from drivers.bits import Bits, CodecError, Field, Reason, Sign, Value, say
from drivers.fields import CENTI, DECI
from drivers.rfxtrx.addresses import Gap, Identity, Split, Unit
from drivers.rfxtrx.names import Choice


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
        if type(value) is not int:
            raise CodecError(Reason.VALUE, f"{say(value)} is no whole number")
        if not self.plus <= value <= most:
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


Kind = Field | Choice | Unit | Rung | Absent | Split | Gap | Halves


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
