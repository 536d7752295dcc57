"""The folder where a service keeps what must outlast it, and files that are whole or not there.

`$STATE_DIRECTORY/<service>` under systemd, else `~/.local/state/hearthbus/<service>`, beside the broker's journal;
nobody but its owner may look in. Knows nothing of what is in the files.

A file's form is read by older versions as long as its number stays: what is added stands in fields of its own, which a
reader of before leaves out; what changes gets a new number, and a reader of before sets the file aside and says so.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from hearthbus.durable import sync_folder
from hearthbus.errors import Unavailable

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


def state_folder(service: str, *, configured: Path | None = None) -> Path:
    """Return the folder of `service`, made where there is none.

    Args:
        service: its name on the bus.
        configured: the folder its table names; it is taken as it is.

    Raises:
        Unavailable: it cannot be made.
    """
    folder = (configured or _base() / service).expanduser()
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error.strerror}; name another with folder =") from None
    return folder


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file: whoever reads it, after a power cut too, finds the old content or the new one, whole.

    Raises:
        Unavailable: it cannot be written; the text says why.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def _base() -> Path:
    if os.environ.get("STATE_DIRECTORY"):
        return Path(os.environ["STATE_DIRECTORY"].split(":")[0])
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "hearthbus"
