"""Secrets: values a configuration file points at and never holds.

    password = { file = "/etc/hearthbus/secrets/mqtt" }      nobody but its owner may read or write the file
    password = { env = "MQTT_PASSWORD" }
    password = { credential = "mqtt" }                       systemd's LoadCredential=

Knows where secrets are kept; does not know what they are for.
"""

# ruff: noqa: PTH118, PTH123 - pathlib costs each service process 10 ms and 0.65 MB

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

HOW = '{ file = "/path" }, { env = "NAME" } or { credential = "NAME" }'


class Secret:
    """Text that does not show itself: `str`, `repr` and logs tell where it comes from, `reveal()` what it is."""

    __slots__ = ("_source", "_text")

    def __init__(self, text: str, *, source: str = "given") -> None:
        self._text = text
        self._source = source

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({self._source})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def read_secret(source: Mapping[str, Any], *, base: str) -> Secret:
    """Fetch a secret from where `source`, a table of one key, says; a relative file is looked for in `base`.

    Raises:
        Invalid: not such a table, or nothing usable there.
    """
    if len(source) != 1:
        raise Invalid(f"a secret is one of {HOW}")
    ((kind, where),) = source.items()
    if kind not in _READERS:
        raise Invalid(f"{kind!r} is no place for a secret; write {HOW}")
    if not isinstance(where, str) or not where:
        raise Invalid(f"{kind} is text in quotes")
    text = _READERS[kind](where, base).rstrip("\r\n")
    if not text:
        raise Invalid(f"the secret of {kind} {where!r} is empty")
    return Secret(text, source=f"{kind} {where}")


def _from_file(where: str, base: str) -> str:
    path = os.path.join(base, where)
    try:
        with open(path, encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Invalid(f"others than its owner can use {path}; type: chmod 600 {path}")
            return file.read()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not UTF-8 text") from None


def _from_environment(where: str, _base: str) -> str:
    if where not in os.environ:
        raise Invalid(f"the environment variable {where} is not set")
    return os.environ[where]


def _from_credential(where: str, _base: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise Invalid(f"credential {where!r} is there only under systemd, in a unit with LoadCredential={where}:/path")
    if "/" in where:
        raise Invalid(f"credential {where!r} is a name without '/'")
    try:
        with open(os.path.join(folder, where), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Invalid(f"systemd passes no credential {where!r}: {error.strerror}; LoadCredential= names them") from None


_READERS = {"file": _from_file, "env": _from_environment, "credential": _from_credential}
