"""The folder of keys as the broker reads it: its own secret, who is let in, and whether that has changed.

Knows files; what is done with them is `broker.zap`'s. The owner of a key that is gone is shut out even where the folder
has a fault that keeps the rest from being read anew.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from zmq.utils import z85

from broker.zap import LOCAL
from hearthbus.errors import Invalid
from hearthbus.keys import ALLOWED, BROKER, check_folder, read_allowed, read_key


@dataclass(kw_only=True)
class Keyring:
    """What is known of one folder; empty where the broker has none."""

    folder: str = ""
    secret: str = ""
    """The broker's own, 40 characters."""
    public: str = ""
    allowed: dict[bytes, str] = field(default_factory=dict)
    """Public keys, 32 bytes, and whose they are."""
    fault: str = ""
    """Why the folder could not be read when it was looked at last."""
    _seen: int = -1
    _sure: bool = False

    def open(self) -> None:
        """Read everything for the first time.

        Raises:
            Invalid: a file or the folder is not as it must be; the text says what to type.
        """
        if self.folder:
            check_folder(self.folder)
            key = read_key(str(Path(self.folder) / f"{BROKER}.key"))
            self.secret, self.public = key.secret, key.public
            self._seen = self._stamp()
            self.allowed = _allowed(self.folder)

    def changed(self) -> bool:
        """Look whether somebody came or went, for the price of one question to the file system; then read it again."""
        if not self.folder:
            return False
        stamp = self._stamp()
        # once more after each change: two of them can bear the same time, and a file is empty before it is written
        look = stamp != self._seen or not self._sure or bool(self.fault)
        self._sure = stamp == self._seen
        self._seen = stamp
        return look and self.read()

    def read(self) -> bool:
        """Read who is let in; True where that has changed. What is wrong with the folder is told by `fault`."""
        if not self.folder:
            return False
        before = self.allowed
        try:
            self.allowed, self.fault = _allowed(self.folder), ""
        except Invalid as error:
            self.fault = str(error)
            self.allowed = self._still_there()
        return before != self.allowed

    def _still_there(self) -> dict[bytes, str]:
        try:
            files = {file.name for file in (Path(self.folder) / ALLOWED).iterdir()}
        except FileNotFoundError:
            return {}
        except OSError:
            return self.allowed
        return {key: name for key, name in self.allowed.items() if f"{name}.pub" in files}

    def _stamp(self) -> int:
        try:
            return (Path(self.folder) / ALLOWED).stat().st_mtime_ns
        except OSError:
            return 0


def _allowed(folder: str) -> dict[bytes, str]:
    found = read_allowed(folder)
    if LOCAL in found.values():
        raise Invalid(f"{folder}: no key is named {LOCAL!r}, that is who a client of this machine is; make another")
    decoded: dict[bytes, str] = {}
    for public, name in found.items():
        try:
            decoded[z85.decode(public.encode())] = name
        except (ValueError, struct.error):
            raise Invalid(f"{folder}: the public key of {name} is damaged; make {name} a new key") from None
    return decoded
