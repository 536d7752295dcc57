"""The radio gateway and the node decoders of an emonhub.conf, as our own configuration: a text to lines, no files.

What cannot be said the same way is a comment for a person to look at.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.rf12.datacodes import Struct
from drivers.rf12.emonhub import Note, Section, read
from hearthbus.errors import Invalid
from services.importing import plain, quote, slug, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    looks = [f"# LOOK line {note.line}: {plain(note.text)}" for note in sorted(notes, key=lambda note: note.line)]
    head = [f"# The radio of emonHub, from {plain(Path(name).name)}; add it to hearthbus.toml."]
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
        lines += ["", f"[jeenode.gateways.{unique(slug(name, 'gateway'), names)}]"]
        lines += [f"port = {quote(port)}", f"baud = {int(baud)}", f"group = {group}"]
        told = [f"{key} = {run.text(key)}" for key in ("frequency", "baseid") if run.text(key)]
        if told:
            lines.append(f"# {plain(', '.join(told))}: the gateway keeps these itself, told by its commands b and i")
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
            place = unique(slug(section.text("nodename") or section.name, f"node-{node}"), names)
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
        f"fields = {quote(fields)}",
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
        own = f"{unique(f'{place}-{slug(name, quantity)}', places)}/{quantity}"
        topic = "" if not quantity else quantity if often[quantity] == 1 else own
        yield f"    {quote(topic)},  # {plain(name)}"
    yield "]"


def _number(text: str) -> str:
    """Return a number as TOML writes it; `Struct` has read it already."""
    return repr(float(Fraction(text)))
