"""What a field of a packet can be: a number, a switch, a float, a text; its bits and its value. Knows no packet."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Literal

Value = bool | int | float | str | None
"""What a field can hold."""
Order = Literal["little", "big"]


class Reason(Enum):
    """Why bytes are no packet, or a value has no bytes."""

    LENGTH = "length"
    KIND = "kind"
    VALUE = "value"
    CHECK = "check"


class CodecError(Exception):
    """Bytes that mean nothing, or a value that does not fit; `reason` is for programs, the text for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Sign(Enum):
    """How a number below zero is written."""

    NONE = "unsigned"
    TWOS = "two's complement"
    MAGNITUDE = "highest bit is the sign, the rest the amount"


@dataclass(frozen=True, kw_only=True)
class Bits:
    """A whole number of `width` bits; its value is the raw number times `scale`, plus `plus`.

    `missing` is the raw "no value". `low` and `high` are what may be written, where it is less than the bits can hold:
    what is read is not held to them, since who sent it knew what he did.
    """

    width: int
    sign: Sign = Sign.NONE
    scale: Fraction = Fraction(1)
    missing: int | None = None
    plus: int = 0
    low: int | None = None
    high: int | None = None

    def read(self, raw: int) -> Value:
        """Return the value of `raw`, which has `width` bits."""
        number = self._signed(raw)
        if number == self.missing:
            return None
        if self.scale == 1:
            return number + self.plus
        value = number * self.scale.numerator / self.scale.denominator  # one division: 215 tenths are 21.5 exactly
        return value + self.plus if self.plus else value

    def write(self, value: Value) -> int:
        """Return the bits of `value`.

        Raises:
            CodecError: it is not a number, does not fit, or would read as missing.
        """
        if value is None and self.missing is not None:
            return self.missing & ((1 << self.width) - 1)
        number = round(exact := (_exact(value) - self.plus) / self.scale)
        if self.scale == 1 and number != exact:
            raise CodecError(Reason.VALUE, f"{say(value)} is no whole number")
        low, high = self._writable()
        if not low <= number <= high or number == self.missing:
            lowest, highest = (self.read(self._raw(limit)) for limit in self._writable())
            raise CodecError(Reason.VALUE, f"{say(value)} is not from {lowest} to {highest}")
        return self._raw(number)

    def _signed(self, raw: int) -> int:
        top = 1 << (self.width - 1)
        if self.sign is Sign.NONE or raw < top:
            return raw
        if self.sign is Sign.TWOS:
            return raw - 2 * top
        if raw == top:
            raise CodecError(Reason.VALUE, "is minus zero")  # would not come back as these bits
        return top - raw

    def _raw(self, number: int) -> int:
        if self.sign is Sign.MAGNITUDE and number < 0:
            return (1 << (self.width - 1)) - number
        return number & ((1 << self.width) - 1)

    def _writable(self) -> tuple[int, int]:
        """Return the least and the greatest raw number that may be written, apart from a `missing` between them."""
        low, high = self._limits()
        if self.low is not None:
            low = max(low, ceil((self.low - self.plus) / self.scale))
        if self.high is not None:
            high = min(high, floor((self.high - self.plus) / self.scale))
        return low + (low == self.missing), high - (high == self.missing)

    def _limits(self) -> tuple[int, int]:
        top = 1 << (self.width - 1)
        low = {Sign.NONE: 0, Sign.TWOS: -top, Sign.MAGNITUDE: 1 - top}[self.sign]
        return low, (2 * top if self.sign is Sign.NONE else top) - 1


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A bool of `width` bits; any other number than 0 and 1 is an error."""

    width: int

    def read(self, raw: int) -> Value:
        """Return the value of `raw`."""
        if raw > 1:
            raise CodecError(Reason.VALUE, f"{raw} is neither 0 nor 1")
        return raw == 1

    def write(self, value: Value) -> int:
        """Return the bits of `value`."""
        if not isinstance(value, int | float) or value not in {0, 1}:
            raise CodecError(Reason.VALUE, f"{say(value)} is neither true nor false")
        return int(bool(value))


_NAN = {32: 0x7FC00000, 64: 0x7FF8000000000000}


@dataclass(frozen=True, kw_only=True)
class Float:
    """An IEEE 754 number of 32 or 64 bits, shown with the fewest digits that name it; NaN reads as None."""

    width: int
    scale: Fraction = Fraction(1)

    def read(self, raw: int) -> Value:
        """Return the value of `raw`."""
        if raw == _NAN[self.width]:
            return None
        (number,) = struct.unpack(self._code, raw.to_bytes(self.width // 8, "little"))
        if not isfinite(number):
            raise CodecError(Reason.VALUE, f"{number} is no number")
        if self.width == 32:
            number = self._shortest(number, raw)
        if self.scale == 1:
            return float(number)
        try:
            return float(Fraction(repr(number)) * self.scale)
        except OverflowError:
            raise CodecError(Reason.VALUE, f"{number} times {float(self.scale)} is too great") from None

    def write(self, value: Value) -> int:
        """Return the bits of `value`."""
        if value is None:
            return _NAN[self.width]
        exact = _exact(value) / self.scale
        try:
            number = float(value) if self.scale == 1 else float(exact)  # a fraction has no minus zero
            return int.from_bytes(struct.pack(self._code, number), "little")
        except OverflowError:
            raise CodecError(Reason.VALUE, f"{say(value)} is too great for {self.width} bits") from None

    @property
    def _code(self) -> str:
        return "<f" if self.width == 32 else "<d"

    def _shortest(self, number: float, raw: int) -> float:
        for digits in range(1, 9):  # 9 always do
            short = float(f"{number:.{digits}g}")
            with suppress(OverflowError):
                if int.from_bytes(struct.pack("<f", short), "little") == raw:
                    return short
        return number


@dataclass(frozen=True, kw_only=True)
class Text:
    """ASCII of `width` bits, filled up with zero bytes at its end."""

    width: int
    order: Order = "little"

    def read(self, raw: int) -> Value:
        """Return the text of `raw`, its first character lowest in "little" order, highest in "big"."""
        data = raw.to_bytes(self.width // 8, self.order)
        if not data.isascii():
            raise CodecError(Reason.VALUE, f"{data!r} is not ASCII")
        return data.rstrip(b"\0").decode("ascii")

    def write(self, value: Value) -> int:
        """Return the bits of `value`."""
        if not isinstance(value, str) or not value.isascii() or value.endswith("\0"):
            raise CodecError(Reason.VALUE, f"{say(value)} is no ASCII text")
        if len(value) > self.width // 8:
            raise CodecError(Reason.VALUE, f"{say(value)} is longer than {self.width // 8} characters")
        return int.from_bytes(value.encode().ljust(self.width // 8, b"\0"), self.order)


def say(value: Value) -> str:
    """Return a value for an error's text, however great it is."""
    return "a number of very many digits" if isinstance(value, int) and abs(value) >> 128 else repr(value)[:60]


def _exact(value: Value) -> Fraction:
    if not isinstance(value, int | float) or (isinstance(value, float) and not isfinite(value)):
        raise CodecError(Reason.VALUE, f"{say(value)} is no number")
    return Fraction(value)


Field = Bits | Switch | Float | Text
