"""The keys of the bus: who comes in from another machine, and by which broker he is greeted.

A key is a file that its owner carries to the machine that is to use it:

    # A key of hearthbus. Whoever has this file is "kitchen": keep it to yourself.
    name = "kitchen"
    public = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
    broker = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

Keys are Curve25519 in Z85 (ZeroMQ RFC 32), 40 characters. The broker's own file has no `broker`. What the broker needs
of others lies beside it without their secrets: `allowed/NAME.pub`. Knows files and what may be in them; no sockets.
"""

# ruff: noqa: PTH118 - pathlib costs each service process 10 ms and 0.65 MB

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Final

from hearthbus.errors import Invalid

BROKER: Final = "broker"
"""Name of the broker's own key: `broker.key` in the folder of keys."""
ALLOWED: Final = "allowed"
"""Folder, within the folder of keys, of the public keys that are let in."""
REVOKED: Final = "revoked"
"""Folder of those that were, kept so that nobody wonders whose a key is."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_Z85: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A pair of keys; its secret shows in no text of it."""

    name: str
    public: str
    secret: str
    broker: str = ""
    """The public key of the broker it is for; empty in the broker's own."""
    path: str = ""
    """The file it was read from, to be named where something is wrong with it."""

    def __repr__(self) -> str:
        return f"Key({self.name})"


def check_key_name(name: str) -> str:
    """Return `name` if a key can have it.

    Raises:
        Invalid: it cannot; a dot is left out because what follows one tells a key's connections apart.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(f"key name {name[:60]!r}: write at most 40 of a-z 0-9 _ - , beginning with a letter or digit")
    return name


def read_key(path: str) -> Key:
    """Read a key's file.

    Raises:
        Invalid: it cannot be read, is no key, or others than its owner can use it; the text says what to type.
    """
    values = _values(path, _private(path))
    name, public, secret, broker = (values.get(part, "") for part in ("name", "public", "secret", "broker"))
    _check_name_in(path, name)
    for part, value in (("public", public), ("secret", secret), ("broker", broker)):
        if not _is_key(value) and (part, value) != ("broker", ""):
            raise Invalid(f"{path}: {part} is no key of 40 characters; copy the whole file once more")
    return Key(name=name, public=public, secret=secret, broker=broker, path=path)


def read_public(path: str) -> tuple[str, str]:
    """Read the file of a key that is let in; return its name and its public key.

    Raises:
        Invalid: as `read_key`.
    """
    values = _values(path, _private(path))
    public = values.get("public", "")
    if not _is_key(public):
        raise Invalid(f"{path}: public is no key of 40 characters; make it anew with `hearthbus keys new`")
    name = values.get("name", "")
    _check_name_in(path, name)
    return name, public


def key_text(key: Key) -> str:
    """Return what a key's file says."""
    whose = "the broker" if key.name == BROKER else f'"{key.name}"'
    lines = [f"# A key of hearthbus. Whoever has this file is {whose}: keep it to yourself."]
    lines += [f'name = "{key.name}"', f'public = "{key.public}"', f'secret = "{key.secret}"']
    return "\n".join([*lines, *([f'broker = "{key.broker}"'] if key.broker else []), ""])


def public_text(*, name: str, public: str) -> str:
    """Return what the file of a key that is let in says."""
    return f'# Who has the key to this is let in by the broker as "{name}".\nname = "{name}"\npublic = "{public}"\n'


def check_folder(path: str) -> str:
    """Return the folder of keys if nobody but its owner can look into it.

    Raises:
        Invalid: there is none, or it is open to others; the text says what to type.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as above
    except PermissionError as error:
        raise Invalid(f"the folder of keys {path}: {error.strerror}; do it as its owner, with sudo") from None
    except OSError as error:
        raise Invalid(f"the folder of keys {path}: {error.strerror}; make one with `hearthbus keys init`") from None
    if not stat.S_ISDIR(mode):
        raise Invalid(f"the folder of keys {path} is none; name another, or make one with `hearthbus keys init`")
    if stat.S_IMODE(mode) & 0o077:
        raise Invalid(f"others than its owner can look into {path}; type: chmod 700 {path}")
    return path


def read_allowed(folder: str) -> dict[str, str]:
    """Return who is let in: public key -> name.

    Raises:
        Invalid: a folder or file that others can use, or that is no key.
    """
    inner = check_folder(os.path.join(check_folder(folder), ALLOWED))
    found: dict[str, str] = {}
    try:
        files = sorted(os.listdir(inner))  # noqa: PTH208 - as above
    except OSError as error:
        raise Invalid(f"the folder of keys {inner} cannot be read: {error.strerror}; give it to its owner") from None
    for file in files:
        if file.endswith(".pub"):
            path = os.path.join(inner, file)
            name, public = read_public(path)
            if file != f"{name}.pub":
                raise Invalid(f"{path} is the key of {name}; name the file {name}.pub, or remove it")
            if public in found:
                raise Invalid(f"{path}: the key of {found[public]} is there under two names; remove one of the two")
            found[public] = name
    return found


def _private(path: str) -> str:
    try:
        with open(path, encoding="utf-8", opener=_without_waiting) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Invalid(f"the key {path} is no file")
            # a credential of systemd may bear an ACL for its user, whose mask shows as a right of the group
            others = 0o007 if _is_credential(path) else 0o077
            if stat.S_IMODE(mode) & others:
                raise Invalid(f"others than its owner can use {path}; type: chmod 600 {path}")
            return file.read(4096)
    except OSError as error:
        raise Invalid(f"the key {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"the key {path} is not text") from None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe in its place would keep whoever opens it, the broker, until somebody writes."""
    return os.open(path, flags | os.O_NONBLOCK)


def _is_key(text: str) -> bool:
    """Whether a text is 32 bytes in Z85: 8 groups of 5 characters, each a number of 32 bits in base 85."""
    if len(text) != 40 or not set(text) <= set(_Z85):
        return False
    return all(
        sum(_Z85.index(char) * 85**power for power, char in enumerate(reversed(text[at : at + 5]))) < 2**32
        for at in range(0, 40, 5)
    )


def _is_credential(path: str) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and os.path.dirname(os.path.abspath(path)) == folder  # noqa: PTH100, PTH120 - as above


def _check_name_in(path: str, name: str) -> None:
    if not name:
        raise Invalid(f"{path} is no key of hearthbus: it has no name; `hearthbus keys new` makes one")
    try:
        check_key_name(name)
    except Invalid as error:
        raise Invalid(f"{path}: {error}") from None


def _values(path: str, text: str) -> dict[str, str]:
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Invalid(f"{path} is no key of hearthbus; `hearthbus keys new` makes one") from None
    return {name: value for name, value in values.items() if isinstance(value, str)}
