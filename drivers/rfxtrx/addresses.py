"""Which device a packet is for: ids of one piece or two, units, channels, jumpers. Knows bits, and no packet.

Every kind reads any bits, and writes only what a device can have.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.bits import Bits, CodecError, Reason, Value, say


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
class Gap:
    """Bits in the gap of the `Split` one line above, `at` so many above its lowest: what is no part of the id.

    They are kept as they came, zero unless said, and not shown while they are.
    """

    bits: int
    at: int = 0
    width: int = field(default=0, init=False)
    """None of its own: it lies within the field above."""

    def read(self, raw: int) -> Value:
        """Return the bits of `raw`."""
        return raw

    def write(self, value: Value) -> int:
        """Return the bits of `value`.

        Raises:
            CodecError: they are more than fit into the gap.
        """
        if type(value) is not int or value < 0 or value >> self.bits:
            raise CodecError(Reason.VALUE, f"{say(value)} is not from 0 to {(1 << self.bits) - 1}")
        return value


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
            CodecError: it is no whole number, or the device has no such unit, or none for all.
        """
        if type(value) is not int:
            raise CodecError(Reason.VALUE, f"{say(value)} is no whole number")
        if value == 0 and self.group is not None:
            return self.group
        if not self.low <= value <= self.high:
            group = " or 0 for all" if self.group is not None else ""
            only = f"{self.low}" if self.low == self.high else f"from {self.low} to {self.high}"
            raise CodecError(Reason.VALUE, f"unit {say(value)} is not {only}{group}")
        return value - self.plus


@dataclass(frozen=True, kw_only=True)
class Mask(Identity):
    """An id of one bit for each of several receivers, its lowest byte first on the wire: Ikea Koppla's channels."""

    def read(self, raw: int) -> Value:
        """Return the id."""
        return super().read(self._turned(raw))

    def write(self, value: Value) -> int:
        """Return the bits of an id.

        Raises:
            CodecError: it does not fit.
        """
        return self._turned(super().write(value))

    def _turned(self, raw: int) -> int:
        return int.from_bytes(raw.to_bytes(self.width // 8, "big"), "little")


@dataclass(frozen=True, kw_only=True)
class Jumpers(Identity):
    """An id that is set with jumpers: its binary digits are at `places` of the wire's bits, and turned over there.

    `fill` are the other bits as they are sent; what is heard in them is noise.
    """

    places: tuple[int, ...]
    fill: int = 0

    def read(self, raw: int) -> Value:
        """Return the id: the first place is its highest digit."""
        return sum((not raw >> place & 1) << digit for digit, place in enumerate(reversed(self.places)))

    def write(self, value: Value) -> int:
        """Return the bits of an id.

        Raises:
            CodecError: there are not so many jumpers.
        """
        number = super().write(value)
        bits = (((number >> digit & 1) ^ 1) << place for digit, place in enumerate(reversed(self.places)))
        return self.fill | sum(bits)
