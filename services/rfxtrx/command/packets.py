"""`hearthbus rfxtrx packets`: which packets there are, and what can be written into the fields of one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from drivers.rfxtrx.codec import PACKETS
from drivers.rfxtrx.describe import fields
from hearthbus.cli.arguments import add_json
from hearthbus.cli.output import table
from hearthbus.cli.spelling import nearest
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator

    from drivers.rfxtrx.packet import Packet, Variant

_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx packets                 every packet and how many subtypes of it are read and written
  hearthbus rfxtrx packets lighting2       its subtypes, products and fields
  hearthbus rfxtrx packets --json | jq -r 'select(.sends).subtype_name'"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a packet, such as lighting2; default: list all")
    add_json(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Print the list, or one packet.

    Raises:
        Invalid: there is no such packet.
    """
    names = list(dict.fromkeys(packet.name for packet in PACKETS))
    if args.name is not None and args.name not in names:
        near = nearest(args.name, names)
        hint = f"did you mean {near!r}?" if near else "`hearthbus rfxtrx packets` lists them"
        raise Invalid(f"rfxtrx packets: there is no packet {args.name[:60]!r}; {hint}")
    if args.json:
        lines: Iterable[str] = (json.dumps(each) for each in _objects(args.name))
    else:
        lines = _overview(names) if args.name is None else _lines(args.name)
    for line in lines:
        sys.stdout.write(line + "\n")
    return 0


def _all(name: str | None) -> Iterator[tuple[type[Packet], Variant]]:
    for packet in PACKETS:
        if name in {None, packet.name}:
            for variant in packet.variants:
                yield packet, variant


def _objects(name: str | None) -> Iterator[dict[str, Any]]:
    """Yield a plain object for each subtype; one that comes in several lengths is there for each of them."""
    for packet, variant in _all(name):
        yield {
            "packet": packet.name,
            "packet_type": packet.kind,
            "subtype": variant.subtype,
            "subtype_name": variant.name,
            "products": variant.products,
            "sends": variant.sends,
            "bytes": packet.shapes[variant.subtype].size,
            "fields": fields(packet, variant),
        }


def _overview(names: list[str]) -> list[str]:
    rows = [("packet", "type", "subtypes", "sent", "names")]
    for name in names:
        every = {variant.subtype: variant for _, variant in _all(name)}
        sent = {variant.subtype for _, variant in _all(name) if variant.sends}
        kind = next(packet.kind for packet in PACKETS if packet.name == name)
        told = ", ".join(variant.name for variant in every.values())
        told = told if len(told) <= 60 else f"{told[:57]}..."
        rows.append((name, f"0x{kind:02X}", str(len(every)), str(len(sent)), told))
    return table(rows, right=frozenset({2, 3}))


def _lines(name: str) -> Iterator[str]:
    """Yield the subtypes of a packet, and after those that are alike the fields they have."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[type[Packet], Variant]]] = {}
    for packet, variant in _all(name):
        groups.setdefault(tuple(fields(packet, variant).items()), []).append((packet, variant))
    for at, (told, members) in enumerate(groups.items()):
        if at:
            yield ""
        for packet, variant in members:
            mark = "" if variant.sends else "  (received only)"
            products = f": {variant.products}" if variant.products else ""
            yield f"{packet.name} {variant.name} (0x{packet.kind:02X}, {variant.subtype}){products}{mark}"
        yield from (f"  {line}" for line in table(told or (("no fields", ""),)))
