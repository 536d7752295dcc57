"""Whose a restored file is: by name, because numbers differ from machine to machine. Only root can give files away."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from hearthbus.backup.archive import Entry


class Owners:
    """Gives files to whom they belonged, and notes once who is not here."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._is_root = os.geteuid() == 0

    def give(self, file: int | Path, entry: Entry) -> None:
        """Give a file to the owner and group its entry names; what is at home belongs to who runs this."""
        if not self._is_root or entry.path.startswith("~/"):
            return
        uid, gid = self._number(pwd.getpwnam, entry.owner, "user"), self._number(grp.getgrnam, entry.group, "group")
        os.chown(file, uid, gid)

    def _number(self, look_up, name: str, what: str) -> int:  # type: ignore[no-untyped-def] # noqa: ANN001 - either of two
        if not name:
            return -1
        try:
            return int(look_up(name)[2])
        except KeyError:
            text = f"there is no {what} {name} on this machine: install hearthbus, then restore again with --force"
            if text not in self._notes:
                self._notes.append(text)
            return -1
