"""Any struct a node may send, described as emonHub's users do: one letter a field, little-endian, without padding.

    "b,h,h"    signed byte, two signed words           "4s"   ASCII, four bytes
    "B,l,f"    byte, signed long, float                "h*"   as many signed words as there are

    b B  8 bits      i I l L  32 bits      f  float      c  one character     small letters are signed
    h H  16 bits     q Q      64 bits      d  double     ?  true or false     (an AVR's int is h, its long is l)

Numbers come raw, or scaled: 0.1 makes 21.5 of 215. Knows no names and no units.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from drivers.bits import Bits, CodecError, Field, Float, Reason, Sign, Switch, Text, Value
from drivers.fields import Layout
from drivers.rf12.air import MOST_DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

CODES: Final[dict[str, Field]] = {
    "b": Bits(width=8, sign=Sign.TWOS),
    "B": Bits(width=8),
    "h": Bits(width=16, sign=Sign.TWOS),
    "H": Bits(width=16),
    "i": Bits(width=32, sign=Sign.TWOS),
    "I": Bits(width=32),
    "l": Bits(width=32, sign=Sign.TWOS),
    "L": Bits(width=32),
    "q": Bits(width=64, sign=Sign.TWOS),
    "Q": Bits(width=64),
    "f": Float(width=32),
    "d": Float(width=64),
    "c": Text(width=8),
    "s": Text(width=8),
    "?": Switch(width=8),
}
"""Every code, with what it reads. `s` takes a length before it."""
_SMALLEST: Final = Fraction(1, 10**12)


class Struct:
    """The fields of one kind of packet.

    Args:
        fields: the codes, such as "b,h,h".
        scales: what each number is multiplied by, 1 where none is named; a single one holds for all.

    Raises:
        ValueError: a code is unknown, a scale is none, or they make more bytes than a packet has.
    """

    def __init__(self, fields: str, scales: Sequence[float | str] = ()) -> None:
        *codes, last = [code.strip() for code in fields.split(",")]
        self._repeats = last.endswith("*")
        self._fields = [_field(code) for code in (*codes, last.removesuffix("*"))]
        self._scales = [_scale(scale) for scale in scales]
        self._layouts: dict[int, Layout] = {}
        if sum(field.width for field in self._fields) > MOST_DATA * 8:
            raise ValueError(f"fields {fields!r}: more than the {MOST_DATA} bytes of a packet")

    def decode(self, data: bytes) -> tuple[Value, ...]:
        """Return the values, in order; a float that is not a number is None.

        Raises:
            CodecError: `data` has another length, or a field no value can have.
        """
        return tuple(self._layout(len(data)).decode(data).values())

    def encode(self, values: Sequence[Value]) -> bytes:
        """Return the bytes of the values.

        Raises:
            CodecError: there are too many or too few, or one does not fit its code.
        """
        fields = self._fields[:-1] + self._fields[-1:] * max(1, len(values) - len(self._fields) + 1)
        if len(values) != len(fields if self._repeats else self._fields):
            raise CodecError(Reason.LENGTH, f"{len(self._fields)} fields cannot take {len(values)} values")
        layout = self._layout(sum(field.width for field in fields) // 8)
        return layout.encode(dict(zip((name for name, _ in layout.columns), values, strict=True)))

    def _layout(self, size: int) -> Layout:
        """Return the layout of a packet of `size` bytes, or the nearest, which will refuse it."""
        whole = sum(field.width for field in self._fields) // 8
        each = self._fields[-1].width // 8
        more = max(0, size - whole) // each if self._repeats and size <= MOST_DATA else 0
        if more not in self._layouts:
            fields = self._fields + self._fields[-1:] * more
            columns = ((f"field {at + 1}", self._scaled(at, field)) for at, field in enumerate(fields))
            self._layouts[more] = Layout(columns=tuple(columns), name="the struct")
        return self._layouts[more]

    def _scaled(self, at: int, field: Field) -> Field:
        scales = self._scales * (at + 1) if len(self._scales) == 1 else self._scales
        return field if isinstance(field, Switch | Text) or at >= len(scales) else replace(field, scale=scales[at])


def _field(code: str) -> Field:
    match = re.fullmatch(r"(\d{0,2})(\S)", code)
    if match is None or match[2] not in CODES or (match[1] and (match[2] != "s" or not int(match[1]))):
        known = " ".join(CODES)
        raise ValueError(f"fields: {code!r} is no code; known are {known}, separated by commas, such as b,h,h")
    return Text(width=int(match[1] or 1) * 8) if match[2] == "s" else CODES[match[2]]


def _scale(scale: float | str) -> Fraction:
    """Return a scale as people mean it: 0.1 is a tenth, not the float next to it."""
    try:
        exact = Fraction(str(scale).strip())
    except (ValueError, ZeroDivisionError):
        exact = Fraction(0)
    if not _SMALLEST <= abs(exact) <= 1 / _SMALLEST:
        raise ValueError(f"scale {scale!r}: write a number such as 0.1, and not 0")
    return exact
