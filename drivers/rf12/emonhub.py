"""Read an emonhub.conf: sections in brackets, as deep as they have brackets, with values that may be lists.

    [nodes]
    [[5]]
        nodename = emonpi                       # a comment
        [[[rx]]]
            datacodes = h, h, L                 a comma makes a list, also a last one: "x," is a list of one

What cannot be read is noted with its line, and the rest is read all the same. Knows the syntax, which is that of
Python's ConfigObj, and no meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_SECTION: Final = re.compile(r"(\[+)\s*(.*?)\s*(\]+)\s*(?:#.*)?")
_WORD: Final = re.compile(r"""(?:\s*(?:"([^"]*)"|'([^']*)')\s*|([^,#"']*))(,|\#.*|$)""")
_DEEPEST: Final = 8
_LONGEST: Final = 2000
"""Characters of a line."""


@dataclass(frozen=True)
class Note:
    """What a person should know of a line."""

    line: int
    text: str


@dataclass
class Section:
    """One section: its own values, and the sections in it."""

    name: str
    line: int
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """A value is a tuple; a plain one has one member."""
    sections: dict[str, Section] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return a plain value; empty where there is none."""
        return ", ".join(self.values.get(key, ()))

    def section(self, name: str) -> Section:
        """Return a section in this one; an empty one where there is none."""
        return self.sections.get(name) or Section(name, self.line)


def read(text: str) -> tuple[Section, list[Note]]:
    """Return the whole file as the section that holds all others, and what could not be read."""
    root, notes = Section("", 0), list[Note]()
    path = [root]
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip().removeprefix("\ufeff")  # noqa: PLW2901 - the same line, without what means nothing
        if not line or line.startswith("#"):
            continue
        if len(line) > _LONGEST:
            notes.append(Note(number, f"longer than {_LONGEST} characters"))
        elif line.startswith("["):
            _open(line, number, path, notes)
        elif "=" in line:
            key, _, value = line.partition("=")
            key = key.strip().strip("\"'")
            if key in path[-1].values:
                notes.append(Note(number, f"{key} stands twice in [{path[-1].name}]; the last one holds"))
            path[-1].values[key] = _values(value, number, notes)
        else:
            notes.append(Note(number, f"{line[:40]!r} is neither a section nor a value"))
    return root, notes


def _open(line: str, number: int, path: list[Section], notes: list[Note]) -> None:
    match = _SECTION.fullmatch(line)
    depth = len(match[1]) if match else 0
    if match is None or depth != len(match[3]) or not match[2] or depth > _DEEPEST:
        notes.append(Note(number, f"{line[:40]!r} is no section: as many brackets on both sides of a name"))
        return
    if depth > len(path):
        notes.append(Note(number, f"section {match[2][:40]} lies {depth} deep in one that lies {len(path) - 1} deep"))
        depth = len(path)
    del path[depth:]
    name = match[2].strip("\"'")
    if name in path[-1].sections:
        notes.append(Note(number, f"section {name[:40]} stands twice; the two are taken as one"))
    path.append(path[-1].sections.setdefault(name, Section(name, number)))


def _values(text: str, number: int, notes: list[Note]) -> tuple[str, ...]:
    """Read a value or a list; a quote that is not closed is taken as it stands."""
    words: list[str] = []
    at = 0
    while match := _WORD.match(text, at):
        quoted = match[1] if match[1] is not None else match[2]
        word = quoted if quoted is not None else match[3].strip()
        ended = match[4] != ","
        if word or quoted is not None or not ended or not words:
            words.append(word)
        if ended:
            return tuple(words)
        at = match.end()
    notes.append(Note(number, f"{text.strip()[:40]!r} has quotes that do not fit"))
    return (text.strip(),)
