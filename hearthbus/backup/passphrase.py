"""The passphrase of a backup: from a file that only its owner may read, or typed at the terminal. Never an argument,
which everybody on the machine can see.
"""

from __future__ import annotations

import getpass
import os
import stat
from typing import Final

from hearthbus.errors import Invalid

SHORTEST: Final = 8
"""Characters; a backup lies about where others can try as often as they like."""
_TERMINAL: Final = "/dev/tty"


def passphrase(file: str | None, *, new: bool) -> str:
    """Return the passphrase.

    Args:
        file: where it stands, in the first line; None asks at the terminal.
        new: it is one to be remembered: ask twice, and refuse a short one.

    Raises:
        Invalid: there is no terminal, the file cannot be used, or the passphrase is too short or differs.
    """
    given = _from_file(file) if file is not None else _asked(new=new)
    if new and len(given) < SHORTEST:
        raise Invalid(f"the passphrase has {len(given)} characters; take at least {SHORTEST}: four words are good")
    return given


def _from_file(file: str) -> str:
    try:
        with open(file, encoding="utf-8-sig") as stream:  # noqa: PTH123 - its mode is looked at
            if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                raise Invalid(f"others than its owner can use {file}; type: chmod 600 {file}")
            return stream.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not UTF-8 text") from None
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from None


def _asked(*, new: bool) -> str:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise Invalid(
            "no terminal to ask for a passphrase at: name --passphrase-file FILE, or add --without-secrets"
        ) from None
    try:
        first = getpass.getpass("Passphrase of the backup: ")
        if new and getpass.getpass("Once more: ") != first:
            raise Invalid("the two differ; nothing was written")
    except EOFError:
        raise Invalid("no passphrase was typed") from None
    except UnicodeError:
        raise Invalid("what was typed is not text in this terminal's encoding; try letters and blanks") from None
    return first
