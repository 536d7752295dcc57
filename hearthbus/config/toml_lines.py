"""On which line of a TOML file each table and key stands: what `tomllib` does not tell.

Reads text that `tomllib` has accepted already, so it may be lax about everything but where keys are.
Knows no configuration and no files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file down; an int counts the elements of an array."""

_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|\n|[][{}=,.]|[^][{}=,.\#"'\s]+''',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_END = ""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of every table, key and array element of a sound TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    """Walks the tokens once; `_word` is the one in hand, `_line` its line."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._lines: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}
        self._word, self._line = "\n", 1

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._word != _END:
            if self._word == "\n":
                self._advance()
            elif self._word == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _advance(self) -> None:
        self._word, self._line = next(self._tokens, (_END, self._line))

    def _header(self) -> KeyPath:
        line = self._line
        self._advance()
        many = self._word == "["
        if many:
            self._advance()
        keys = self._keys("]")
        while self._word not in {"\n", _END}:
            self._advance()
        path: KeyPath = ()
        for at, key in enumerate(keys):
            path = (*path, key)
            last = at == len(keys) - 1
            if last and many:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if last:
                self._lines.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        self._lines.setdefault(path, line)
        return path

    def _keys(self, end: str) -> list[str]:
        """Read `a."b".c` up to `end`, and step over that."""
        keys: list[str] = []
        while self._word not in {end, _END}:
            if self._word != ".":
                keys.append(_plain(self._word))
            self._advance()
        self._advance()
        return keys

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = table
        for key in self._keys("="):
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._lines.setdefault(path, self._line)
        if self._word == "{":
            self._advance()
            while self._word not in {"}", _END}:
                if self._word in {",", "\n"}:
                    self._advance()
                else:
                    self._pair(path)
            self._advance()
        elif self._word == "[":
            self._array(path)
        else:
            while self._word not in {",", "]", "}", "\n", _END}:
                self._advance()

    def _array(self, path: KeyPath) -> None:
        self._advance()
        index = 0
        while True:
            while self._word in {",", "\n"}:
                self._advance()
            if self._word in {"]", _END}:
                self._advance()
                return
            self._value((*path, index))
            index += 1


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for found in _TOKEN.finditer(text):
        token = found[0]
        if not token.startswith("#"):
            yield token, line
        line += token.count("\n")


def _plain(key: str) -> str:
    """Take the quotes off a key."""
    if key.startswith("'"):
        return key[1:-1]
    if not key.startswith('"'):
        return key
    return _ESCAPE.sub(_unescaped, key[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _SHORT.get(found[3], found[3])
