"""Ids that are no plain number on the wire: a bit for each of several channels, jumpers. Knows bits, and no packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.rfxtrx.kinds import Identity

if TYPE_CHECKING:
    from drivers.bits import Value


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
