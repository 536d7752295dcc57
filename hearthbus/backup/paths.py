"""Where the files of a backup may go: nowhere that a house has no business. Pure but for the home of who asks.

A backup is a file that somebody carried about: what its manifest says is not believed.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from hearthbus.config import INSTALLED
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEVER: Final = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/spool",
    "/root/.ssh", "~/.ssh", "~/.gnupg", "~/.config/autostart", "~/.config/systemd",
)  # fmt: skip
"""Folders of the machine's own, under which nothing is put,"""
_BUT: Final = (INSTALLED,)
"""but for this one"""
_DROP_IN: Final = re.compile(r"/etc/systemd/system/hearthbus[^/]*\.d(?:/[^/]+\.conf)?")
"""and what `systemctl edit` writes for our units."""
_LONGEST: Final = 4096


def check_paths(paths: Sequence[str], *, to: str) -> None:
    """Refuse paths that lead out of a house.

    Args:
        paths: as a manifest has them.
        to: the folder that stands for the machine's root; in one of its own, a backup may name any place.

    Raises:
        Invalid: with the first of them.
    """
    files: set[str] = set()
    for path in paths:
        parts = PurePosixPath(path).parts
        sound = len(path) < _LONGEST and path.isprintable() and str(PurePosixPath(path)) == path
        if not sound or ".." in parts or len(parts) < 2 or parts[0] not in {"/", "~"}:
            raise Invalid(f"the backup is not used: {path[:200]!r} in it is no place for a file")
        if not to and not is_place(path):
            where = f"it would write {path}, which is no place of hearthbus"
            raise Invalid(f"the backup is not used: {where}; look at it with --to FOLDER")
        files.add(path)


def is_place(path: str) -> bool:
    """Whether something of a house may be at a path, which is written as in a manifest."""
    if any(_within(path, folder) for folder in _BUT) or _DROP_IN.fullmatch(path):
        return True
    hidden_at_home = re.fullmatch(r"~/\.[^/]+", path)  # what a shell reads at login, for instance
    return not hidden_at_home and not any(_within(path, folder) for folder in _NEVER)


def portable(path: str) -> str:
    """Return how a path of this machine is written in a manifest: `~/...` for what is at home."""
    home = str(Path.home())
    return f"~{path[len(home) :]}" if home != "/" and path.startswith(f"{home}/") else path


def target_of(path: str, to: str) -> Path:
    """Return where a manifest's path is on this machine, or under the folder `to`."""
    place = Path(path).expanduser() if path.startswith("~/") else Path(path)
    return Path(f"{to.rstrip('/')}{place}") if to else place


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
