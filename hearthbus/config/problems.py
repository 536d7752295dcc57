"""How a fault of the configuration is told: its place, what a type allows in words, the nearest valid spelling.

Knows how people write TOML; reads none.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import os
import types
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

from hearthbus.config.secret import HOW, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hearthbus.config.toml_lines import KeyPath

_LISTED = 30
"""Choices at most in a message."""
_WORDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dt.datetime: "a date and time such as 2026-06-21T12:00:00Z",
    dt.date: "a date such as 2026-06-21",
    dt.time: "a time such as 07:30:00",
    Secret: HOW,
}


class Problem(NamedTuple):
    """One fault and its place."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.key}: {self.text}" if self.key else place + self.text


class Source(NamedTuple):
    """Where values come from: a file's name as people know it, its folder, the line of every key."""

    file: str
    folder: str
    lines: Mapping[KeyPath, int]

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Say what is wrong with the value at `path`, or with its table where it has no line."""
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self.lines), ())
        return Problem(self.file, self.lines.get(known, 1), shown(path), text)


def shown(path: KeyPath) -> str:
    """Write a key path as people do: `thermostat.zones[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the most similar of `words`, or the list of them all where it is short."""
    choices = sorted(words)
    found = similar(word, choices)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; known: {', '.join(choices)}" if 0 < len(choices) <= _LISTED else ""


def similar(word: str, words: Iterable[str]) -> list[str]:
    """Return the most similar of `words`, or nothing where none is."""
    from difflib import get_close_matches

    return get_close_matches(word.lower(), sorted(words), n=1)


def words(hint: Any) -> str:
    """Say in words what a type allows."""
    origin = get_origin(hint) or hint
    members = [member for member in get_args(hint) if member is not types.NoneType and member is not ...]
    if origin in (Union, types.UnionType):
        return " or ".join(words(member) for member in members)
    if origin is Literal:
        return _one_of(members)
    if origin in (list, tuple):
        many = origin is list or get_args(hint)[1:] == (...,)
        return f"a list of {words(members[0])}" if many and members else f"a list of {len(members) or 'values'}"
    if origin is dict or dataclasses.is_dataclass(origin):
        return "a table"
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return _one_of([member.value for member in origin])
    return "a path in quotes" if is_path(origin) else _WORDS.get(origin, "a value")


def is_path(kind: Any) -> bool:
    """Whether a type is one of pathlib's, which a process without paths in its config need not import."""
    return isinstance(kind, type) and issubclass(kind, os.PathLike)


def _one_of(choices: list[Any]) -> str:
    return "one of " + ", ".join(quoted(choice) for choice in choices)


def quoted(value: Any) -> str:
    """Write a value as TOML does, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + (value if len(value) <= 40 else value[:37] + "...") + '"'
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else str(value)
