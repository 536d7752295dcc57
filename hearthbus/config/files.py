"""The files of a configuration: the main one, those it includes, and which table stands where.

Every fault of reading becomes a `Problem` with its place: unreadable, no TOML, a table that is there twice. Does not
know what the tables mean.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH120, PTH123, PTH207 - pathlib costs each service process 10 ms and 0.65 MB

from __future__ import annotations

import glob
import os.path
import re
import tomllib
from typing import Any, NamedTuple

from hearthbus.config.problems import Problem, Source, nearest
from hearthbus.config.toml_lines import key_lines

_AT_LINE = re.compile(r" ?\(at line (\d+), column \d+\)")
_LARGEST = 1_000_000
"""Bytes of a file: a hundred times a large house; more is something else, a journal or a picture by mistake."""
_WILD = re.compile(r"[*?\[]")


class Table(NamedTuple):
    """One top-level table and where it stands."""

    name: str
    values: dict[str, Any]
    source: Source

    @classmethod
    def empty(cls, name: str, file: str) -> Table:
        """Return a table that no file has."""
        return cls(name, {}, Source(file, os.path.dirname(file), {}))


def read_tables(main: str) -> tuple[dict[str, Table], tuple[str, ...], list[Problem]]:
    """Read the main file and what it includes: tables by name, the files, and what is wrong with them."""
    problems: list[Problem] = []
    tables: dict[str, Table] = {}
    source, values = _read(main, problems)
    files = [main]
    included = values.pop("include", [])
    _take(source, values, tables, problems)
    for file in _included(included, source, main, problems):
        files.append(file)
        part, values = _read(file, problems)
        _take(part, values, tables, problems)
    return tables, tuple(files), problems


def _read(file: str, problems: list[Problem]) -> tuple[Source, dict[str, Any]]:
    nothing = Source(file, os.path.dirname(file), {})
    try:
        with open(file, encoding="utf-8-sig") as stream:
            text = stream.read(_LARGEST + 1)
    except OSError as error:
        problems.append(Problem(file, 1, "", f"cannot be read: {error.strerror}"))
        return nothing, {}
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problems.append(Problem(file, line, "", "not UTF-8; save the file in that encoding"))
        return nothing, {}
    if len(text) > _LARGEST:
        problems.append(Problem(file, 1, "", f"too large for a configuration: more than {_LARGEST // 10**6} MB"))
        return nothing, {}
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        problems.append(Problem(file, line, "", f"no TOML: {_AT_LINE.sub('', str(error))}"))
        return nothing, {}
    return Source(file, os.path.dirname(file), key_lines(text)), values


def _take(source: Source, values: dict[str, Any], tables: dict[str, Table], problems: list[Problem]) -> None:
    """Add a file's tables to those there are."""
    for name, value in values.items():
        if name == "include":
            problems.append(source.problem((name,), "only the main file includes others"))
        elif not isinstance(value, dict):
            hint = nearest(name, ["include"])
            hint = hint if "did you mean" in hint else "; every key but include stands in a table: [sun], [house], ..."
            problems.append(source.problem((name,), f"unknown key{hint}"))
        elif name in tables:
            first = tables[name].source
            problems.append(source.problem((name,), f"this table is also in {first.file}:{first.lines[(name,)]}"))
        else:
            tables[name] = Table(name, value, source)


def _included(patterns: Any, source: Source, main: str, problems: list[Problem]) -> list[str]:
    """Return the files of `include`, in the order of its patterns, then by name."""
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        problems.append(source.problem(("include",), 'write a list of files: include = ["conf.d/*.toml"]'))
        return []
    files: dict[str, None] = {}
    for at, pattern in enumerate(patterns):
        place = os.path.join(source.folder, pattern)
        if not _WILD.search(pattern) and not os.path.exists(place):
            problems.append(source.problem(("include", at), f"there is no file {pattern}"))
            continue
        found = sorted(glob.glob(place, recursive=True)) if _WILD.search(pattern) else [place]
        files |= dict.fromkeys(file for file in found if not os.path.isdir(file))
    files.pop(main, None)
    return list(files)
