"""What outlasts a power cut: a file is safe when it is synchronised, its name when its folder is. Knows no contents."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on disk: what was made, renamed and removed in it (fsync(2)).

    Raises:
        OSError: the folder cannot be read, or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
