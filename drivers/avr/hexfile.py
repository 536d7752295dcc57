"""Intel HEX: what a compiler leaves of a firmware, checked before it goes near a board.

    :LLAAAATTDD...DDCC     LL data bytes, AAAA address, TT type (00 data, 01 end), DD data, CC sum of all bytes to 0

Pure: text in, image out. Reads what avr-objcopy writes for parts below 64 KiB: types 00 and 01, and 03 (a start
address, which an AVR does not have and nobody needs).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FLASH_BYTES: Final = 30_720
"""What a sketch may have of an ATmega328P's 32 KiB: 2 KiB are the boot loader's (Duemilanove, JeeNode)."""
_DATA, _END, _START = 0, 1, 3
_RECORD: Final = re.compile(r":(?:[0-9A-Fa-f]{2})+")
_FEWEST: Final = 5
"""Bytes of a record without data."""


class HexError(ValueError):
    """The file is no sound image; the text names the line and the fault."""


@dataclass(frozen=True)
class Image:
    """Firmware as it will lie in flash from address 0; gaps are 0xFF, as in an erased chip."""

    data: bytes


def parse_hex(text: str, *, limit: int = FLASH_BYTES) -> Image:
    """Read a .hex file of at most `limit` bytes of flash.

    Raises:
        HexError: a record is damaged, records overlap, the end is missing, or it is too large or empty.
    """
    flash = bytearray()
    written = bytearray()
    ended = False
    for number, line in enumerate(text.split("\n"), 1):
        record = line.strip()
        if not record:
            continue
        if ended:
            raise HexError(f"line {number}: text after the end record")
        kind, address, data = _record(record, number)
        if kind == _END:
            ended = True
        elif kind == _DATA:
            _place(flash, written, address, data, number=number, limit=limit)
        elif kind != _START:
            raise HexError(f"line {number}: record type {kind:02X}, which no image for this part has")
    if not ended:
        raise HexError("the end record is missing: the file is cut short")
    if not flash:
        raise HexError("it holds no data")
    return Image(bytes(flash))


def _record(record: str, number: int) -> tuple[int, int, bytes]:
    if not _RECORD.fullmatch(record):
        raise HexError(f"line {number}: no record of Intel HEX")
    raw = bytes.fromhex(record[1:])
    if len(raw) < _FEWEST or raw[0] != len(raw) - _FEWEST:
        raise HexError(f"line {number}: its length disagrees with its length byte")
    if sum(raw) & 0xFF:
        raise HexError(f"line {number}: wrong checksum")
    return raw[3], int.from_bytes(raw[1:3], "big"), raw[4:-1]


def _place(flash: bytearray, written: bytearray, address: int, data: bytes, *, number: int, limit: int) -> None:
    end = address + len(data)
    if end > limit:
        raise HexError(f"line {number}: address {end - 1:#06x} is beyond the {limit} bytes this part has for a sketch")
    if len(flash) < end:
        flash += b"\xff" * (end - len(flash))
        written += bytes(end - len(written))
    if any(written[address:end]):
        raise HexError(f"line {number}: writes what an earlier line wrote")
    flash[address:end] = data
    written[address:end] = b"\1" * len(data)
