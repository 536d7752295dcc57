"""From a table of plain values to a frozen dataclass, with every fault of it at once.

A field's type says what is allowed: str, int, float, bool, list, tuple, dict, Literal, enums, Optional and other
unions, Path, date and time, Secret, Any, and dataclasses again. Defaults stand in the dataclass; its `__post_init__`
may raise `Invalid` or `ValueError` for values that fit their type and still make no sense. Knows nothing of services
or of which tables there are: `hearthbus.config` does.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import os
import re
import types
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hearthbus.config.problems import Problem, Source, is_path, nearest, quoted, shown, similar, words
from hearthbus.config.secret import Secret, read_secret
from hearthbus.errors import HearthbusError, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hearthbus.config.toml_lines import KeyPath

_Made = TypeVar("_Made")

_BAD = object()
"""Stands for a value that has been reported as a problem."""


NOWHERE = Source("", "", {})
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
        bad: set[str] = set()
        for key in values:
            if key not in hints:
                bad.update(similar(key, hints))
                self._note((*path, key), f"unknown key{nearest(key, hints)}")
        found: dict[str, Any] = {}
        incomplete = False
        for name, hint in hints.items():
            told = len(self.problems)
            if name in values:
                found[name] = self._value(hint, values[name], (*path, name), within)
            elif _required(kind, name):
                here = " here or in [house]" if shared is not None and name in _SHARED else ""
                self._note(path, f"{name} is missing; set it{here} to {words(hint)}")
            if len(self.problems) > told:
                found.pop(name, None)
                bad.add(name)
                incomplete = incomplete or _required(kind, name)
        if incomplete:
            return None
        made = self._made(kind, found, path, bad)
        return made if len(self.problems) == before else None

    def _made(self, kind: type[_Made], found: dict[str, Any], path: KeyPath, bad: set[str]) -> _Made | None:
        """Make a `kind` of its good fields; what it says of the `bad` ones, told already, is left out."""
        try:
            return kind(**found)
        except (HearthbusError, ValueError) as error:
            for text in getattr(error, "problems", (str(error),)):
                if bad.isdisjoint(re.findall(r"\w+", text)):
                    self._note((*path, *_named_in(text, found)), text)
            return None

    def _note(self, path: KeyPath, text: str) -> Any:
        self.problems.append(self._source.problem(path, text))
        return _BAD

    def _value(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:
        if hint is Any:
            return value
        origin = get_origin(hint) or hint
        shape = _SHAPES.get(origin)
        if shape is not None:
            return shape(self, hint, value, path, within)
        if isinstance(origin, type):
            return self._plain(origin, value, path, within)
        raise Invalid(f"{shown(path)}: a config field cannot have the type {hint}")

    def _plain(self, kind: type[Any], value: Any, path: KeyPath, within: type | None) -> Any:
        if _is_a(value, kind):
            return value
        if issubclass(kind, enum.Enum):
            return self._choice(value, {member.value: member for member in kind}, path)
        if isinstance(value, dict) and (kind is Secret or dataclasses.is_dataclass(kind)):
            return self._nested(kind, value, path, within)
        if kind is float and _is_a(value, int):
            return float(value)
        if is_path(kind) and isinstance(value, str):
            return kind(os.path.join(self._source.folder, value))  # noqa: PTH118 - most services need no pathlib
        return self._wrong(kind, value, path)

    def _nested(self, kind: type, value: dict[str, Any], path: KeyPath, within: type | None) -> Any:
        if kind is not Secret:
            made = self.table(kind, value, path, within=within)
            return _BAD if made is None else made
        try:
            return read_secret(value, base=self._source.folder)
        except Invalid as error:
            return self._note(path, str(error))

    def _wrong(self, hint: Any, value: Any, path: KeyPath) -> Any:
        given = "a secret is not written here" if hint is Secret else f"{quoted(value)} is wrong"
        return self._note(path, f"{given}; write {words(hint)}")

    def _union(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:
        members = [member for member in get_args(hint) if member is not types.NoneType]
        if value is None and len(members) < len(get_args(hint)):
            return None
        if len(members) == 1:
            return self._value(members[0], value, path, within)
        for member in members:
            attempt = Reader(self._source)
            made = attempt._value(member, value, path, within)
            if not attempt.problems:
                return made
        return self._wrong(hint, value, path)

    def _literal(self, hint: Any, value: Any, path: KeyPath, _within: type | None) -> Any:
        return self._choice(value, {choice: choice for choice in get_args(hint)}, path)

    def _choice(self, value: Any, choices: dict[Any, Any], path: KeyPath) -> Any:
        for choice, meant in choices.items():
            if choice == value and type(choice) is type(value):
                return meant
        return self._note(path, f"{quoted(value)} is none of the choices{nearest(str(value), map(str, choices))}")

    def _array(self, hint: Any, value: Any, path: KeyPath, within: type | None) -> Any:
        if not isinstance(value, list | tuple):
            return self._wrong(hint, value, path)
        origin = get_origin(hint) or hint
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
            return self._wrong(hint, value, path)
        member = get_args(hint)[1] if get_args(hint) else Any
        return {key: self._value(member, item, (*path, key), within) for key, item in value.items()}


_SHAPES: dict[Any, Callable[[Reader, Any, Any, KeyPath, type | None], Any]] = {
    Union: Reader._union,  # noqa: SLF001 - the class's own table
    types.UnionType: Reader._union,  # noqa: SLF001 - as above
    Literal: Reader._literal,  # noqa: SLF001 - as above
    list: Reader._array,  # noqa: SLF001 - as above
    tuple: Reader._array,  # noqa: SLF001 - as above
    dict: Reader._mapping,  # noqa: SLF001 - as above
}
"""How types with members are read."""


_SHARED = frozenset({"latitude", "longitude", "timezone"})


def _hints(kind: type, within: type | None) -> dict[str, Any]:
    """Return the type of each field that a table may set."""
    if not dataclasses.is_dataclass(kind):
        raise Invalid(f"{kind.__qualname__} is no dataclass; write @dataclass(frozen=True) above it")
    try:
        known = get_type_hints(kind, localns=dict(vars(within)) if within else None)
    except NameError as error:
        raise Invalid(
            f"{kind.__qualname__}: {error}; import it at the top of the file, not only for type checking"
        ) from None
    return {field.name: known[field.name] for field in dataclasses.fields(kind) if field.init}


def _required(kind: Any, name: str) -> bool:
    field: dataclasses.Field[Any] = kind.__dataclass_fields__[name]
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _named_in(text: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the key a dataclass's own complaint speaks of."""
    return next(((word,) for word in re.findall(r"\w+", text) if word in values), ())


def _is_a(value: Any, kind: type) -> bool:
    """Whether a value may stand as it is; a bool is no number, a moment no date, and TOML's nan and inf are nothing."""
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, float):
        return kind is float and math.isfinite(value)
    if isinstance(value, dt.datetime):
        return kind is dt.datetime
    return isinstance(value, kind)
