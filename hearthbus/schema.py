"""From a table of plain values to a frozen dataclass, with every fault of it at once.

A field's type says what is allowed: str, int, float, bool, list, tuple, dict, Literal, enums, Optional and other unions, Path,
date and time, Secret, Any, and dataclasses again. Defaults stand in the dataclass; its `__post_init__` may raise
`Invalid` or `ValueError` for values that fit their type and still make no sense. Knows nothing of services or of
which tables there are: `hearthbus.config` does.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import re
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from hearthbus.errors import HearthbusError, Invalid
from hearthbus.secret import HOW, Secret, read_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hearthbus.toml_lines import Path as KeyPath

_Made = TypeVar("_Made")

_WORDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    datetime.datetime: "a date and time such as 2026-06-21T12:00:00Z",
    datetime.date: "a date such as 2026-06-21",
    datetime.time: "a time such as 07:30:00",
    Path: "a path in quotes",
    Secret: HOW,
}
_BAD = object()
"""Stands for a value that has been reported as a problem."""


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
    folder: Path
    lines: Mapping[KeyPath, int]

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Say what is wrong with the value at `path`, or with its table where it has no line."""
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self.lines), ())
        return Problem(self.file, self.lines.get(known, 1), shown(path), text)


NOWHERE = Source("", Path(), {})
"""The source of values that come from code."""


def build(kind: type[_Made], values: Mapping[str, Any], *, within: type | None = None) -> _Made:
    """Make a `kind` of values given by code, as a test does.

    Args:
        kind: a dataclass.
        values: by field name; instances of enums, dataclasses and `Secret` may be given as they are.
        within: the class whose body defines `kind`, for the names its annotations use.

    Raises:
        Invalid: with every problem.
    """
    reader = Reader(NOWHERE)
    made = reader.table(kind, values, (), within=within)
    if made is None:
        raise Invalid("; ".join(map(str, reader.problems)), problems=tuple(map(str, reader.problems)))
    return made


def shown(path: KeyPath) -> str:
    """Write a key path as people do: `thermostat.zones[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the most similar of `words`, or the list of them all."""
    from difflib import get_close_matches

    choices = sorted(words)
    found = get_close_matches(word.lower(), choices, n=1)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""


class Reader:
    """Reads tables of one source and gathers their problems."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def table(
        self,
        kind: type[_Made],
        values: Mapping[str, Any],
        path: KeyPath,
        *,
        within: type | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> _Made | None:
        """Make a dataclass of a table, or return None with its problems noted.

        Args:
            kind: the dataclass.
            values: the table.
            path: the table's place.
            within: the class whose body defines `kind`, for the names its annotations use.
            shared: values for fields the table leaves out, by field name.
        """
        before = len(self.problems)
        hints = _hints(kind, within)
        values = {**{key: value for key, value in (shared or {}).items() if key in hints}, **values}
        for key in values:
            if key not in hints:
                self._note((*path, key), f"unknown key{nearest(key, hints)}")
        found: dict[str, Any] = {}
        for name, hint in hints.items():
            if name in values:
                found[name] = self._value(hint, values[name], (*path, name), within)
            elif _required(kind, name):
                here = " here or in [house]" if shared is not None and name in _SHARED else ""
                self._note(path, f"{name} is missing; set it{here} to {words(hint)}")
        if len(self.problems) > before:
            return None
        try:
            return kind(**found)
        except (HearthbusError, ValueError) as error:
            for text in getattr(error, "problems", (str(error),)):
                self._note((*path, *_named_in(text, values)), text)
            return None

    def _note(self, path: KeyPath, text: str) -> Any:
        self.problems.append(self._source.problem(path, text))
        return _BAD

    def _value(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:  # noqa: PLR0911 - one line a type
        origin = get_origin(hint) or hint
        if hint is Any:
            return value
        if origin in (Union, types.UnionType):
            return self._union(hint, value, path, within)
        if origin is Literal:
            return self._choice(value, {choice: choice for choice in get_args(hint)}, path)
        if origin in (list, tuple):
            return self._array(hint, origin, value, path, within)
        if origin is dict:
            return self._mapping(hint, value, path, within)
        if not isinstance(origin, type):
            raise Invalid(f"{shown(path)}: a config field cannot have the type {hint}")
        if isinstance(value, origin) and not (isinstance(value, bool) and origin is not bool):
            return value
        if issubclass(origin, enum.Enum):
            return self._choice(value, {member.value: member for member in origin}, path)
        if dataclasses.is_dataclass(origin) and isinstance(value, dict):
            made = self.table(origin, value, path, within=within)
            return _BAD if made is None else made
        if origin is Secret and isinstance(value, dict):
            try:
                return read_secret(value, base=self._source.folder)
            except Invalid as error:
                return self._note(path, str(error))
        if origin is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if origin is Path and isinstance(value, str):
            return self._source.folder / value
        given = "a secret is not written here" if origin is Secret else f"{_quoted(value)} is wrong"
        return self._note(path, f"{given}; write {words(hint)}")

    def _union(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:
        members = [member for member in get_args(hint) if member is not types.NoneType]
        if value is None and len(members) < len(get_args(hint)):
            return None
        if len(members) == 1:
            return self._value(members[0], value, path, within)
        for member in members:
            attempt = Reader(self._source)
            made = attempt._value(member, value, path, within)  # noqa: SLF001 - another of the same class
            if not attempt.problems:
                return made
        return self._note(path, f"{_quoted(value)} is wrong; write {words(hint)}")

    def _choice(self, value: Any, choices: dict[Any, Any], path: KeyPath) -> Any:
        for choice, meant in choices.items():
            if (choice == value and type(choice) is type(value)) or meant is value:
                return meant
        return self._note(path, f"{_quoted(value)} is none of the choices{nearest(str(value), map(str, choices))}")

    def _array(self, hint: Any, origin: type, value: Any, path: KeyPath, within: type | None) -> Any:
        if not isinstance(value, list | tuple):
            return self._note(path, f"{_quoted(value)} is wrong; write {words(hint)}")
        members = get_args(hint) or (Any, ...)
        if origin is list or members[1:] == (...,):
            members = (members[0],) * len(value)
        if len(members) != len(value):
            return self._note(path, f"{len(value)} values where {len(members)} belong; write {words(hint)}")
        made = [
            self._value(member, item, (*path, at), within)
            for at, (member, item) in enumerate(zip(members, value, strict=True))
        ]
        return origin(made)

    def _mapping(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:
        if not isinstance(value, dict):
            return self._note(path, f"{_quoted(value)} is wrong; write {words(hint)}")
        member = get_args(hint)[1] if get_args(hint) else Any
        return {key: self._value(member, item, (*path, key), within) for key, item in value.items()}


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
    return _WORDS.get(origin, "a value")


_SHARED = frozenset({"latitude", "longitude", "timezone"})


def _hints(kind: type, within: type | None) -> dict[str, Any]:
    """Return the type of each field that a table may set."""
    if not dataclasses.is_dataclass(kind):
        raise Invalid(f"{kind.__qualname__} is no dataclass; write @dataclass(frozen=True) above it")
    try:
        known = get_type_hints(kind, localns=dict(vars(within)) if within else None)
    except NameError as error:
        raise Invalid(f"{kind.__qualname__}: {error}; import it at the top of the file, not only for type checking") from None
    return {field.name: known[field.name] for field in dataclasses.fields(kind) if field.init}


def _required(kind: Any, name: str) -> bool:
    field: dataclasses.Field[Any] = kind.__dataclass_fields__[name]
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _named_in(text: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the key a dataclass's own complaint speaks of."""
    return next(((word,) for word in re.findall(r"\w+", text) if word in values), ())


def _one_of(choices: list[Any]) -> str:
    return "one of " + ", ".join(_quoted(choice) for choice in choices)


def _quoted(value: Any) -> str:
    """Write a value as TOML does, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + (value if len(value) <= 40 else value[:37] + "...") + '"'
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else str(value)
