"""Making Intel HEX text, for tests: the other direction of drivers/avr/hexfile.py, written from the format itself."""

from __future__ import annotations


def record(kind: int, address: int, data: bytes) -> str:
    """Return one record."""
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{body.hex()}{-sum(body) & 0xFF:02x}".upper()


def hex_text(data: bytes, *, at: int = 0) -> str:
    """Return the file of `data` at an address, 16 bytes a record as avr-objcopy does."""
    lines = [record(0, at + start, data[start : start + 16]) for start in range(0, len(data), 16)]
    return "\n".join([*lines, record(1, 0, b""), ""])
