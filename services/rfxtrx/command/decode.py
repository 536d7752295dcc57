"""`hearthbus rfxtrx decode`: what frames in hex mean, without a stick, without a broker.

What a program prints of a frame comes in many forms: everything but hex digits between the bytes is passed over, and
so is what a log's line says before them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError, Reason
from drivers.rfxtrx.codec import LEAST, Unknown, decode, to_plain
from hearthbus.cli.arguments import add_json
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx decode 0B11000000ABCDEF05010F70
  hearthbus rfxtrx decode 0B 11 00 00 00 AB CD EF 05 01 0F 70 --json
  tail -f home-assistant.log | grep --line-buffered Recv: | hearthbus rfxtrx decode -

Every argument, and every line of standard input, is one frame or several without a gap; the hex may stand at the end
of a line that says other things first, such as the time.
Exit code 64: a frame was bad; the others are printed all the same."""
_BETWEEN: Final = re.compile(r"0[xX]|[\s:,.;_\[\](){}'\"\ufeff-]+")
"""What may stand between bytes, and around them."""
_LOGGED: Final = re.compile(r"[\[({'\"]*(?:(?:0[xX])?[0-9a-fA-F]{2}[:,.;_-]?)+[\])}'\"]*")
"""A word of bytes at the end of a log's line."""
_BYTE: Final = re.compile(r"(0[xX])?[0-9a-fA-F]{2},?")
_BEFORE: Final = (":", "]", ")", "=", ">", "|")
"""How the word before them ends; behind any other they could be what a slip of the finger has left of a frame."""
_LONGEST_NAME: Final = 256
_SAID_FIRST: Final = ("packet", "subtype_name", "packet_type", "subtype", "sequence")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument(
        "frames", metavar="HEX", nargs="+", help="a frame in hex, with or without spaces, 0x, colons; - reads them"
    )
    add_json(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Explain the frames.

    Raises:
        Invalid: one of them means nothing; the others are printed first.
    """
    wrong = ""
    for text in _texts(args.frames):
        for meaning in explain(text):
            wrong = wrong or str(meaning.get("error", ""))
            sys.stdout.write((json.dumps(meaning) if args.json else _line(meaning)) + "\n")
        sys.stdout.flush()  # a line at a time, when a log is piped in
    if wrong:
        raise Invalid(f"rfxtrx decode: {wrong}")
    return 0


def _texts(words: list[str]) -> Iterator[str]:
    """Yield what was typed, and the lines of standard input; bytes with spaces and without quotes are one text."""
    if len(words) > 1 and all(_BYTE.fullmatch(word) for word in words):
        words = [" ".join(words)]
    for word in words:
        if word == "-":
            for line in iter(lambda: sys.stdin.buffer.readline(65536), b""):
                if text := line.decode("utf-8", "replace").strip():
                    yield _without_prose(text)
        else:
            yield _without_prose(word)


def _without_prose(text: str) -> str:
    """Return the bytes at the end of a line; the whole line where there are none, or nothing else."""
    words = text.split()
    count = next((at for at, word in enumerate(reversed(words)) if not _LOGGED.fullmatch(word)), 0)
    return " ".join(words[-count:]) if count and words[-count - 1].endswith(_BEFORE) else text


def explain(text: str) -> Iterator[dict[str, Any]]:
    """Yield what each frame of a text in hex means: a plain object, or one with `hex` and `error`."""
    try:
        data = as_bytes(text)
    except Invalid as error:
        yield {"hex": text[:600], "error": str(error)}
        return
    while data:
        frame, data = _first(data)
        try:
            yield to_plain(decode(frame))
        except CodecError as error:
            if error.reason is Reason.LENGTH:  # nobody knows where the next frame begins
                frame, data = frame + data, b""
            yield {"hex": frame.hex(), "error": f"{_short(frame)}: {error}"}


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text in hex.

    Raises:
        Invalid: it is none.
    """
    digits = _BETWEEN.sub("", text)
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        found = re.search(r"[^0-9a-fA-F]", digits)
        why = f"{found[0]!r} is no hex digit" if found else f"{len(digits)} hex digits make no whole bytes"
        if found and len(text) < _LONGEST_NAME and Path(text).is_file():
            why = f"that is a file; write `hearthbus rfxtrx decode - < {text}`"
        raise Invalid(f"{text[:60]!r}: {why}") from None
    if not data:
        raise Invalid(f"{text[:60]!r}: there is no byte")
    return data


def _first(data: bytes) -> tuple[bytes, bytes]:
    """Return the first frame and what is behind it; zeros before a frame are a boot loader's noise."""
    data = data.lstrip(b"\0") or data
    size = data[0] + 1
    return (data[:size], data[size:]) if size >= LEAST else (data, b"")


def _short(frame: bytes) -> str:
    return frame.hex() if len(frame) <= 24 else f"{frame[:20].hex()}..."


def _line(meaning: dict[str, Any]) -> str:
    """Return one frame for a person: its name, then its fields; the bytes of its head are left out."""
    if "error" in meaning:
        return f"bad frame: {meaning['error']}"
    words = "  ".join(f"{name}={_word(value)}" for name, value in meaning.items() if name not in _SAID_FIRST)
    if meaning["packet"] == Unknown.name:
        return f"unknown, type 0x{meaning['packet_type']:02X} subtype 0x{meaning['subtype']:02X}: {words}"
    return f"{meaning['packet']} {meaning['subtype_name']}: {words}"


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
