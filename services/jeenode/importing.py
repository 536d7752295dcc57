"""`hearthbus import emonhub.conf`: the radio gateway and the node decoders of an emonHub, as our own configuration.

The configuration goes to standard output, with a comment for everything a person must look at; how many there are goes
to standard error. Nothing is written anywhere, and no broker is needed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.rf12.datacodes import Struct
from drivers.rf12.emonhub import Note, Section, read
from hearthbus.cli.arguments import parse
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_DESCRIPTION: Final = "print the gateway and the nodes of an emonhub.conf as configuration of hearthbus"
_JEE: Final = frozenset({"EmonHubJeeInterfacer", "EmonHubOEMInterfacer"})
"""emonHub's interfacers that talk to an RF12demo."""
_DEFAULTS: Final = {"com_port": "/dev/ttyAMA0", "com_baud": "38400", "group": "210"}
"""What emonHub takes where its file says nothing."""
QUANTITIES: Final = {
    "W": "power", "V": "voltage", "A": "current", "Wh": "energy", "C": "temperature", "°C": "temperature",
    "%": "humidity", "p": "count", "hPa": "pressure",
}  # fmt: skip
"""By emonHub's unit; a field of another unit is left for a person to name."""


_COUNTER: Final = "n"
"""The unit of a message's number, which is no quantity of the house."""


def main(argv: list[str]) -> int:
    """Print the configuration made of the file in `argv`.

    Raises:
        Invalid: a mistake in `argv`, or the file is no emonhub.conf.
        Unavailable: it cannot be read.
    """
    args = parse(argv, prog="hearthbus import", description=_DESCRIPTION, add_arguments=_add_arguments)
    lines, notes = convert(_text(args.file), name="standard input" if args.file == "-" else args.file)
    sys.stdout.write("\n".join(lines) + "\n")
    if notes:
        sys.stdout.flush()
        sys.stderr.write(f"hearthbus: {notes} places to look at; they stand as comments beginning with LOOK\n")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an emonhub.conf; - reads standard input")


def _text(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise Unavailable(f"import: {name}: {getattr(error, 'strerror', None) or error}") from None
    return data.decode("utf-8", "replace")


def convert(text: str, *, name: str) -> tuple[list[str], int]:
    """Return the lines of a configuration, and how many of them a person should look at.

    Raises:
        Invalid: it has neither nodes nor interfacers.
    """
    root, notes = read(text)
    if not {"nodes", "interfacers"} & root.sections.keys():
        raise Invalid(f"import: {name} is no emonhub.conf: it has neither [nodes] nor [interfacers]")
    gateways, group = _gateways(root.section("interfacers"), notes)
    nodes = _nodes(root.section("nodes"), group, notes)
    looks = [f"# LOOK line {note.line}: {_plain(note.text)}" for note in sorted(notes, key=lambda note: note.line)]
    head = [f"# The radio of emonHub, from {_plain(Path(name).name)}; add it to hearthbus.toml."]
    return [*head, *looks, *gateways, *nodes], len(notes)


def _gateways(interfacers: Section, notes: list[Note]) -> tuple[list[str], int]:
    """Return the tables of the radio gateways, and the net group of the first."""
    lines: list[str] = []
    groups: list[int] = []
    names: Counter[str] = Counter()
    for name, interfacer in interfacers.sections.items():
        kind = interfacer.text("Type")
        if kind not in _JEE:
            notes.append(Note(interfacer.line, f"[[{name}]] is no gateway of RF12 packets: {kind or 'it has no Type'}"))
            continue
        start, run = interfacer.section("init_settings"), interfacer.section("runtimesettings")
        port, baud = (start.text(key) or _DEFAULTS[key] for key in ("com_port", "com_baud"))
        if not baud.isdecimal():
            notes.append(Note(start.line, f"com_baud {baud!r} is no number; 38400 is taken"))
            baud = _DEFAULTS["com_baud"]
        group = _group(run, notes)
        groups.append(group)
        lines += ["", f"[jeenode.gateways.{_unique(_slug(name, 'gateway'), names)}]"]
        lines += [f"port = {_quote(port)}", f"baud = {int(baud)}", f"group = {group}"]
        told = [f"{key} = {run.text(key)}" for key in ("frequency", "baseid") if run.text(key)]
        if told:
            lines.append(f"# {_plain(', '.join(told))}: the gateway keeps these itself, told by its commands b and i")
    return lines, groups[0] if groups else int(_DEFAULTS["group"])


def _group(run: Section, notes: list[Note]) -> int:
    text = run.text("group") or _DEFAULTS["group"]
    if text.isdecimal() and int(text) <= 255:
        return int(text)
    notes.append(Note(run.line, f"group {text!r} is not a number from 0 to 255; 210 is taken"))
    return int(_DEFAULTS["group"])


def _nodes(nodes: Section, group: int, notes: list[Note]) -> list[str]:
    lines: list[str] = []
    names: Counter[str] = Counter()
    ids: set[int] = set()
    for section in nodes.sections.values():
        for node in _ids(section, notes):
            if node in ids:
                notes.append(Note(section.line, f"node {node} stands twice; the first one holds"))
                continue
            ids.add(node)
            place = _unique(_slug(section.text("nodename") or section.name, f"node-{node}"), names)
            lines += ["", f"[jeenode.nodes.{place}]", f"id = {node}", f"group = {group}"]
            lines += _fields(section, place, notes)
    return lines


def _ids(section: Section, notes: list[Note]) -> Iterator[int]:
    """Yield the node ids a section is about: its name, or its `nodeids`."""
    for text in section.values.get("nodeids", ()) or (section.name,):
        if text.isdecimal() and 1 <= int(text) <= 30:
            yield int(text)
        else:
            notes.append(Note(section.line, f"[[{section.name}]]: {text!r} is no node id from 1 to 30; left out"))


def _fields(section: Section, place: str, notes: list[Note]) -> list[str]:
    """Return the lines that say what a node sends."""
    rx = section.section("rx")
    if section.section("tx").values:
        notes.append(Note(section.section("tx").line, f"[[{section.name}]] also receives; its tx is left out"))
    names, units = rx.values.get("names", ()), rx.values.get("units", ())
    codes = rx.values.get("datacodes") or (rx.text("datacode") or "h",) * max(1, len(names))
    scales = rx.values.get("scales") or ((rx.text("scale"),) * len(codes) if rx.text("scale") else ())
    fields = ",".join(codes)
    if "datacodes" not in rx.values and not names:
        fields += "*"  # emonHub: as many as there are
    try:
        Struct(fields, scales)
    except ValueError as error:
        notes.append(Note(rx.line, f"[[{section.name}]]: {error}; its packets will be published unread"))
        return ['profile = "fields"', 'fields = "B*"']
    for kind, found in (("names", names), ("scales", scales), ("units", units)):
        if found and len(found) != len(codes):
            notes.append(Note(rx.line, f"[[{section.name}]]: {len(found)} {kind} for {len(codes)} datacodes"))
    return [
        'profile = "fields"',
        f"fields = {_quote(fields)}",
        *_names(section, place, names[: len(codes)], notes),
        *([f"scales = [{', '.join(map(_number, scales[: len(codes)]))}]"] if scales else []),
    ]


def _names(section: Section, place: str, names: tuple[str, ...], notes: list[Note]) -> Iterator[str]:
    """Yield the list of quantities, with emonHub's names beside them; equal quantities get places of their own."""
    if not names:
        return
    rx = section.section("rx")
    units = (*rx.values.get("units", ()), *("" for _ in names))
    told = [QUANTITIES.get(unit, "") for _, unit in zip(names, units, strict=False)]
    often, places = Counter(told), Counter[str]()
    unnamed = [name for name, unit in zip(names, units, strict=False) if unit not in QUANTITIES and unit != _COUNTER]
    if unnamed:
        notes.append(Note(rx.line, f"[[{section.name}]]: which quantity is {', '.join(unnamed)}? write it into names"))
    yield "names = ["
    for name, quantity in zip(names, told, strict=True):
        own = f"{_unique(f'{place}-{_slug(name, quantity)}', places)}/{quantity}"
        topic = "" if not quantity else quantity if often[quantity] == 1 else own
        yield f"    {_quote(topic)},  # {_plain(name)}"
    yield "]"


def _slug(text: str, otherwise: str) -> str:
    """Return a text as one part of a topic."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or otherwise


def _unique(name: str, taken: Counter[str]) -> str:
    taken[name] += 1
    return name if taken[name] == 1 else _unique(f"{name}-{taken[name]}", taken)


def _number(text: str) -> str:
    """Return a number as TOML writes it; `Struct` has read it already."""
    return repr(float(Fraction(text)))


def _quote(text: str) -> str:
    """Return a text as TOML writes it."""
    escaped = "".join(f"\\u{ord(char):04x}" if char < " " or char == "\x7f" or char in '"\\' else char for char in text)
    return f'"{escaped}"'


def _plain(text: str) -> str:
    """Return a text that cannot end a comment."""
    return "".join(char if char.isprintable() else " " for char in text)
