"""`hearthbus rfxtrx encode`: frames in hex from plain objects, as `decode --json` prints them; no stick, no broker."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx.codec import PACKETS, from_plain
from hearthbus.cli.arguments import add_json
from hearthbus.cli.main import complain
from hearthbus.cli.spelling import nearest
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx encode '{"packet": "lighting2", "subtype_name": "AC", "id": "0xABCDEF", "unit": 5, "command": "on"}'
  hearthbus rfxtrx decode 0B11000000ABCDEF05010F70 --json | hearthbus rfxtrx encode -

What is left out is as remotes send it, or zero where that says nothing.
`hearthbus rfxtrx packets NAME` tells what can be written.
Exit code 64: an object was refused; the others are printed all the same."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument("objects", metavar="JSON", nargs="+", help="an object, in quotes; - reads one a line")
    add_json(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Write the frames.

    Raises:
        Invalid: an object that no device understands; the others are printed first.
    """
    wrong: list[str] = []
    for text in _texts(args.objects):
        try:
            told = {"hex": encoded(text).hex()}
        except Invalid as error:
            if wrong and not args.json:
                complain(wrong.pop())  # the last one ends the command, and is said then
            wrong.append(str(error))
            told = {"error": str(error)}
        if args.json:
            sys.stdout.write(json.dumps(told) + "\n")
        elif "hex" in told:
            sys.stdout.write(told["hex"] + "\n")
        sys.stdout.flush()
    if wrong:
        raise Invalid(wrong[-1])
    return 0


def _texts(words: list[str]) -> Iterator[str]:
    for word in words:
        if word == "-":
            for line in iter(lambda: sys.stdin.buffer.readline(65536), b""):
                if text := line.decode("utf-8", "replace").strip():
                    yield text
        else:
            yield word


def encoded(text: str) -> bytes:
    """Return the frame of one JSON object.

    Raises:
        Invalid: it is no object, or no device understands it; the text names the limit.
    """
    try:
        plain = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"rfxtrx encode: {text[:60]!r} is no JSON: {error}") from None
    if isinstance(plain, list):
        raise Invalid(f"rfxtrx encode: {text[:60]!r} is a list; write one object a line: jq -c '.[]'")
    if not isinstance(plain, dict):
        raise Invalid(f'rfxtrx encode: {text[:60]!r} is no JSON object, such as {{"packet": "lighting2", ...}}')
    if "error" in plain:
        raise Invalid(f"rfxtrx encode: a bad frame cannot be written again: {plain['error']}")
    if "packet" not in plain:
        raise Invalid("rfxtrx encode: packet is missing; `hearthbus rfxtrx packets` lists them")
    try:
        return from_plain(_with_subtype(plain)).encode()
    except CodecError as error:
        raise Invalid(f"rfxtrx encode: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; JSON lets a key stand in it twice, and then nobody knows which is meant."""
    plain = dict(pairs)
    if len(plain) < len(pairs):
        twice = next(key for key in plain if [each for each, _ in pairs].count(key) > 1)
        raise Invalid(f"rfxtrx encode: {twice[:40]!r} stands there twice")
    return plain


def _with_subtype(plain: dict[str, Any]) -> dict[str, Any]:
    """Return the object with its subtype as a number, where only its name is given."""
    name = plain.get("subtype_name")
    named = [each for each in PACKETS if each.name == plain.get("packet")]
    if name is None or not named:
        return plain
    if "subtype" in plain:
        called = {each.name for packet in named for each in packet.variants if each.subtype == plain["subtype"]}
        if called and str(name).upper() not in {each.upper() for each in called}:
            is_ = " or ".join(sorted(called))
            raise Invalid(
                f"rfxtrx encode: subtype {plain['subtype']} of {plain['packet']} is {is_}, not {str(name)[:40]}"
            )
        return plain
    known = {variant.name.upper(): variant.subtype for each in named for variant in each.variants}
    if not isinstance(name, str) or name.upper() not in known:
        near = nearest(str(name).upper(), known)
        hint = f"did you mean {near!r}?" if near else f"it has {', '.join(known)}"
        raise Invalid(f"rfxtrx encode: {plain['packet']} has no subtype {str(name)[:40]!r}; {hint}")
    return {**plain, "subtype": known[name.upper()]}
