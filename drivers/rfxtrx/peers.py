"""Which RFXtrx packets other programs read and write: pyRFXtrx 0.34 and node-rfxcom 2.6.2, as both were run.

By packet type, the subtypes, in hex: those that have a name and fields of their own. Both take other subtypes of a type
they know for a general one; that is not counted, neither for them nor for us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PYRFXTRX_DECODES: Final = {
    0x01: "00", 0x03: "00-1A", 0x10: "00-0B", 0x11: "00-03", 0x12: "00", 0x13: "00", 0x14: "00-11", 0x15: "00",
    0x16: "00-04", 0x19: "00-07", 0x1A: "00-01 03", 0x1E: "00-01", 0x20: "00-0A", 0x31: "00", 0x4E: "01", 0x4F: "01",
    0x50: "01-0B", 0x51: "01-03", 0x52: "01-0E", 0x53: "01", 0x54: "01-02", 0x55: "01-09", 0x56: "01-07",
    0x57: "01-03", 0x59: "01", 0x5A: "01-02", 0x5B: "01", 0x5C: "01", 0x60: "01-03", 0x71: "00-04 0B-0F",
}  # fmt: skip
_PYRFXTRX_ENCODES: Final = {
    0x00: "00", 0x10: "00-0B", 0x11: "00-03", 0x12: "00", 0x13: "00", 0x14: "00-11", 0x15: "00", 0x16: "00-04",
    0x19: "00-07", 0x1A: "00-01 03", 0x1E: "00-01", 0x20: "00-0A", 0x31: "00",
}  # fmt: skip
_NODE_DECODES: Final = {
    0x01: "00-01 03-04 07 FF", 0x02: "01", 0x10: "00-0C", 0x11: "00-03", 0x13: "00", 0x14: "00-11", 0x15: "00-01",
    0x16: "00-07", 0x17: "00-0B", 0x19: "00-14", 0x1C: "00", 0x1D: "00-01", 0x1E: "00-01", 0x1F: "00", 0x20: "00-0B",
    0x28: "00", 0x30: "00-04", 0x31: "00", 0x40: "00-01", 0x42: "00-04", 0x4E: "01", 0x4F: "01", 0x50: "01-0C",
    0x51: "01-03", 0x52: "01-0E", 0x54: "01-02", 0x55: "01-0A", 0x56: "01-07", 0x57: "01-03", 0x58: "01", 0x59: "01",
    0x5A: "01-02", 0x5B: "01", 0x5C: "01", 0x5D: "01-02", 0x60: "01-03", 0x70: "00-03", 0x71: "00-04 0B-0F",
    0x73: "00", 0x74: "01", 0x76: "00-02", 0x77: "01",
}  # fmt: skip
_NODE_ENCODES: Final = {
    0x00: "00", 0x10: "00-0C", 0x11: "00-03", 0x12: "00", 0x13: "00", 0x14: "00-11", 0x15: "00-01", 0x16: "00-07",
    0x17: "00-0B", 0x18: "00", 0x19: "00-14", 0x1A: "00-01 03", 0x1B: "00", 0x1C: "00", 0x1D: "00-01", 0x1E: "00-01",
    0x1F: "00", 0x20: "00-0B", 0x28: "00", 0x30: "00-03", 0x31: "00", 0x40: "00-01", 0x41: "00-01", 0x42: "00-04",
    0x43: "00-02", 0x44: "00", 0x48: "00", 0x7F: "00-03",
}  # fmt: skip


def _pairs(table: Mapping[int, str]) -> frozenset[tuple[int, int]]:
    found = set()
    for kind, text in table.items():
        for word in text.split():
            first, _, last = word.partition("-")
            found |= {(kind, subtype) for subtype in range(int(first, 16), int(last or first, 16) + 1)}
    return frozenset(found)


PYRFXTRX_DECODES: Final = _pairs(_PYRFXTRX_DECODES)
PYRFXTRX_ENCODES: Final = _pairs(_PYRFXTRX_ENCODES)
NODE_DECODES: Final = _pairs(_NODE_DECODES)
NODE_ENCODES: Final = _pairs(_NODE_ENCODES)
"""Type and subtype of each."""
