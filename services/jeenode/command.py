"""`hearthbus jeenode decode`: what a gateway's line means, without hardware, without a broker.

Without a profile a payload is taken for one of ours where its first byte is that of one, and the output says so.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rf12 import hearth, stock
from drivers.rf12.datacodes import Struct
from drivers.rf12.lines import Lines
from drivers.rf12.values import Broken, Heard, Line, Text
from hearthbus.cli.arguments import add_json, parse
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    Decoder = Callable[[bytes], object]

_DESCRIPTION: Final = "explain what a radio gateway says, line by line"
PROFILES: Final[dict[str, Decoder]] = {
    "hearth": hearth.decode,
    "room": stock.StockRoom.decode,
    "led": stock.stock_led,
    "slave": stock.Slave.decode,
    "emontx": stock.emontx,
    "emonth": stock.emonth,
}
"""What can be asked for; `masternode` is not about packets, but about lines."""
_EXAMPLES: Final = """\
  hearthbus jeenode decode 'OK 37 49 5 9 1 0 2 128 12 0'
  hearthbus jeenode decode --profile room 'OK 5 162 199 225 0'
  hearthbus jeenode decode --fields h,h,h --scales 1,0.01,0.1 'OK 10 38 0 226 93 205 0 (-52)'
  cat /dev/ttyUSB0 | hearthbus jeenode decode -"""


@dataclass(frozen=True)
class Meaning:
    """One line, explained."""

    kind: str
    values: dict[str, Any]
    how: str = ""
    """How it is known what the bytes are."""


def main(argv: list[str]) -> int:
    """Explain the lines of `argv`.

    Raises:
        Invalid: a mistake in `argv`, or a line that means nothing.
    """
    args = parse(argv, prog="hearthbus jeenode", description=_DESCRIPTION, add_arguments=_add_arguments)
    decoder = _decoder(args)
    wrong = ""
    for value in _values(args.lines):
        meaning = explain(value, decoder, master=args.profile == "masternode")
        wrong = wrong or meaning.values.get("error", "")
        _show(meaning, as_json=args.json)
    if wrong:
        raise Invalid(f"jeenode decode: {wrong}")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    from argparse import RawDescriptionHelpFormatter

    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = f"examples:\n{_EXAMPLES}"
    parser.add_argument("action", metavar="decode", choices=["decode"], help="what to do")
    parser.add_argument(
        "lines", metavar="LINE", nargs="+", help="a line of a gateway, in quotes; - reads standard input"
    )
    parser.add_argument(
        "--profile", choices=[*PROFILES, "masternode"], help="whose payload it is; default: ours, by its first byte"
    )
    parser.add_argument("--fields", metavar="CODES", help="any other payload, in emonHub's datacodes, such as b,h,h")
    parser.add_argument("--scales", metavar="NUMBERS", default="", help="what each field is multiplied by: 1,0.1,0.1")
    add_json(parser)


def _decoder(args: argparse.Namespace) -> Decoder | None:
    """Return what reads payloads; None where it shall be guessed."""
    if args.fields is None:
        if args.scales:
            raise Invalid("jeenode decode: --scales goes with --fields")
        return PROFILES.get(args.profile)
    if args.profile:
        raise Invalid("jeenode decode: either --profile or --fields says what the bytes are: one of the two")
    try:
        struct = Struct(args.fields, [scale for scale in args.scales.split(",") if scale])
    except ValueError as error:
        raise Invalid(f"jeenode decode: {error}") from None
    return lambda data: {f"field {at}": value for at, value in enumerate(struct.decode(data), 1)}


def _values(words: list[str]) -> Iterator[Line]:
    """Yield what each line that was typed says by itself, and what standard input says as one stream, as it comes."""
    for word in [" ".join(words)] if words[0] in {"OK", "?"} else words:  # somebody has forgotten the quotes
        if word == "-":
            stream = Lines()
            while line := sys.stdin.buffer.readline(65536):
                yield from stream.feed(line)
            yield from stream.feed(b"\n")
        else:
            yield from Lines().feed(word.encode("utf-8", "surrogateescape") + b"\n")


def explain(value: Line, decoder: Decoder | None, *, master: bool = False) -> Meaning:
    """Return what one line means; `decoder` reads its payload, None guesses."""
    if isinstance(value, Heard):
        return _packet(value, decoder)
    if isinstance(value, Broken):
        return Meaning("broken", {"text": value.text, "error": f"{value.text!r}: {value.fault.value}"})
    if isinstance(value, Text) and (master or value.text.startswith("{")):
        try:
            return Meaning("masternode", _known(stock.Master.decode(value.text)), "a JSON line")
        except CodecError as error:
            return Meaning("text", {"text": value.text, "error": f"{value.text[:40]!r}: {error}"})
    return Meaning(type(value).__name__.lower(), _known(value))


def _packet(heard: Heard, decoder: Decoder | None) -> Meaning:
    head = heard.header
    frame: dict[str, Any] = {"header": head.byte, "node": head.node, "to": _destination(heard)}
    frame["ack_wanted"], frame["ack"] = head.ack and not head.ctl, head.ctl
    frame |= {"group": heard.group, "rssi_dbm": heard.rssi_dbm, "hex": heard.payload.hex()}
    frame = {name: value for name, value in frame.items() if value is not None}
    if not heard.good:
        return Meaning("bad packet", frame, "its CRC is wrong; the bytes may be anything, and only 20 are shown")
    if not heard.payload:
        return Meaning("ack" if head.ctl else "packet", frame, "no payload")
    try:
        payload = (decoder or hearth.decode)(heard.payload)
    except CodecError as error:
        if decoder is None:
            return Meaning("packet", frame, f"not one of ours ({error}); say what it is with --profile or --fields")
        return Meaning("packet", {**frame, "error": f"{heard.payload.hex()}: {error}"})
    if isinstance(payload, dict):
        return Meaning("struct", {**frame, **payload})
    how = f"guessed by its first byte, 0x{heard.payload[0]:02x}" if decoder is None else ""
    return Meaning(type(payload).__name__.lower(), {**frame, **vars(payload)}, how)


def _destination(heard: Heard) -> str:
    head = heard.header
    if head.ctl:
        return f"acks node {head.node}" if head.dst else f"ack from node {head.node}"
    return f"to node {head.node}" if head.dst else f"from node {head.node}"


def _known(value: Any) -> dict[str, Any]:
    """Return the fields of a value that say something, for JSON."""
    return {name: _plain(field) for name, field in asdict(value).items() if field is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.name.lower() if isinstance(value, Enum) else value


def _show(meaning: Meaning, *, as_json: bool) -> None:
    if as_json:
        about = {"how": meaning.how} if meaning.how else {}
        sys.stdout.write(json.dumps({"kind": meaning.kind, **meaning.values, **about}) + "\n")
    else:
        words = "  ".join(f"{name}={_word(value)}" for name, value in meaning.values.items() if name != "error")
        sys.stdout.write(f"{meaning.kind}: {words}{f'  ({meaning.how})' if meaning.how else ''}\n")
    sys.stdout.flush()  # a line at a time, when a port is piped in


def _word(value: object) -> str:
    if value is None:
        return "missing"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
