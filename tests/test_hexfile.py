"""Reading of Intel HEX: sound files give the image, everything else a reason."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import hex_text, record

from drivers.avr.hexfile import FLASH_BYTES, HexError, parse_hex

END = record(1, 0, b"")
ONE = record(0, 0, b"\x01\x02")


@given(st.binary(min_size=1, max_size=600))
def test_what_was_written_is_read(data: bytes) -> None:
    """An image survives the way through a file."""
    assert data == parse_hex(hex_text(data)).data


def test_a_gap_is_erased_flash() -> None:
    """Between records lies 0xFF, as in an erased chip."""
    assert b"\xff\xff\x07" == parse_hex(f"{record(0, 2, bytes([7]))}\r\n{END}\r\n").data


@given(st.binary(min_size=40, max_size=40), st.data())
def test_no_flipped_bit_passes(data: bytes, draw: st.DataObject) -> None:
    """One bit flipped in any record is found, wherever it is."""
    lines = hex_text(data).splitlines()
    number = draw.draw(st.integers(0, len(lines) - 1))
    raw = bytearray.fromhex(lines[number][1:])
    raw[draw.draw(st.integers(0, len(raw) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    lines[number] = f":{raw.hex()}"

    with pytest.raises(HexError, match=f"line {number + 1}: "):
        parse_hex("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "end record is missing"),
        (f"{ONE}\n", "end record is missing"),
        (f"{END}\n", "holds no data"),
        (f"{ONE}\n{END}\n{ONE}\n", "line 3: text after the end"),
        (f"{ONE}\n{ONE}\n{END}", "line 2: writes what an earlier line wrote"),
        (f"<html>\n{END}", "line 1: no record"),
        (f"{ONE}F\n{END}", "line 1: no record"),
        (f"{ONE}00\n{END}", "line 1: its length disagrees"),
        (f"{record(4, 0, bytes(2))}\n{END}", "line 1: record type 04"),
        (f"{record(0, FLASH_BYTES - 1, bytes(2))}\n{END}", f"line 1: address {FLASH_BYTES:#06x} is beyond"),
        (":\n", "line 1: no record"),
        ("\x00\xff\n", "line 1: no record"),
    ],
)
def test_what_is_no_image_says_why(text: str, reason: str) -> None:
    """Every unsound file is refused, with line and fault."""
    with pytest.raises(HexError, match=reason):
        parse_hex(text)


@given(st.text())
def test_any_text_gives_an_image_or_a_reason(text: str) -> None:
    """No text at all makes it fail in another way."""
    with suppress(HexError):
        assert parse_hex(text).data
