"""What belongs to a house: its configuration with what that names, its secrets, and the state of broker and services.

Reads the configuration as tables, not as a checked house: one with a mistake in it is worth a backup too. Looks, and
copies nothing.
"""

# ruff: noqa: PTH100, PTH112, PTH113, PTH207 - absolute is not resolved: a link keeps the name that people know

from __future__ import annotations

import glob
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearthbus.backup.paths import is_place, portable
from hearthbus.config import INSTALLED, RESERVED, find_file
from hearthbus.config.files import read_tables
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.config.files import Table

STORE: Final = "hearthbus.db"
LOCK: Final = "lock"
UNFINISHED: Final = "restore-unfinished"
OWN: Final = (STORE, f"{STORE}-wal", f"{STORE}-shm", "tail.0", "tail.1", LOCK, UNFINISHED)
"""A broker's files in its folder: copied by the broker's own code, which knows how while it runs."""
SYSTEM_STATE: Final = "/var/lib/hearthbus"
"""Where the state is of a house whose configuration is in /etc."""
DROP_INS: Final = "/etc/systemd/system/hearthbus*.d/*.conf"
"""What `systemctl edit` wrote: credentials, for instance."""
_LEFT: Final = ("-wal", "-shm", "-journal")
"""Ends of the names of files that belong to an SQLite file beside them."""
_NOT_OURS: Final = ("/dev/", "/proc/", "/sys/", "/run/")
"""Files under these are made anew at each boot, or none at all."""


@dataclass(kw_only=True)
class Belongings:
    """The files of a house, by kind; every path is absolute."""

    config: str = ""
    """The main configuration file; empty where the example house runs."""
    files: set[str] = field(default_factory=set)
    """Configuration, and what it names."""
    secrets: set[str] = field(default_factory=set)
    """What only its owner may read."""
    state: set[str] = field(default_factory=set)
    """What services keep."""
    brokers: set[str] = field(default_factory=set)
    """Folders in which a broker keeps its journal."""
    folders: set[str] = field(default_factory=set)
    """Those that the files are in, and that are this house's."""
    missing: set[str] = field(default_factory=set)
    """What the configuration names and is not there, or cannot be read."""
    elsewhere: set[str] = field(default_factory=set)
    """What it names in folders of the machine's own, where a restore puts nothing."""

    @property
    def left_out(self) -> set[str]:
        """What is not in a backup of this house."""
        return self.missing | self.elsewhere


def find(config: str | None, state: str | None) -> Belongings:
    """Look up what belongs to a house.

    Args:
        config: its main file; None for the one that `hearthbus up` would take.
        state: the folder under which broker and services keep what they keep; None for the usual one.

    Raises:
        Invalid: there is no such configuration file, it is not TOML, it is in a folder of the machine's own, or the
            machine's house is shut to who asks.
        Unavailable: what broker and services keep cannot be read.
    """
    main, example = (config, False) if config else find_file()
    if example and is_shut():
        raise Invalid(f"{INSTALLED} is shut to who asks; type: sudo hearthbus backup FILE")
    tables, files, problems = read_tables(os.path.abspath(main))
    unread = [problem for problem in problems if problem.text.startswith(("cannot be read", "no TOML", "not UTF-8"))]
    if unread:
        raise Invalid("; ".join(map(str, unread)), problems=tuple(map(str, unread)))
    found = Belongings(config="" if example else os.path.abspath(main))
    if not example:
        found.files.update(map(os.path.abspath, files))
        _configuration(found, Path(found.config).parent)
        if found.config.startswith("/etc/"):
            found.files.update(glob.glob(DROP_INS))
    for table in tables.values():
        _named(found, table)
    if os.environ.get("HEARTHBUS_KEY"):
        _take_secret(found, Path(os.environ["HEARTHBUS_KEY"]))
    for root in _roots(found, tables, state):
        _state(found, root)
    if data := _data(tables, state):
        found.brokers &= {os.path.abspath(data)}  # another one's is none of this house's
    found.secrets -= found.files & {os.path.abspath(file) for file in files}
    found.files -= found.secrets
    found.state -= found.secrets | found.files
    _set_apart(found)
    return found


def _set_apart(found: Belongings) -> None:
    """Leave out what a restore would refuse to put in place: it would refuse the whole backup."""
    if found.config and not is_place(portable(found.config)):
        raise Invalid(
            f"a restore puts nothing at {found.config}; move the configuration to {INSTALLED}, or to your home"
        )
    of_all = found.files | found.secrets | found.state
    found.elsewhere = {path for path in of_all if not is_place(portable(path))}
    for kind in (found.files, found.secrets, found.state):
        kind.difference_update(found.elsewhere)
    found.folders = {folder for folder in found.folders if is_place(portable(folder))}


def _configuration(found: Belongings, folder: Path) -> None:
    """Take the whole folder where it is hearthbus's own: people keep notes and services of theirs beside the file."""
    if folder.name != "hearthbus":
        return
    for path, status in _walk(found, folder):
        if not stat.S_IMODE(status.st_mode) & 0o077 and str(path) not in found.files:
            found.secrets.add(str(path))
        else:
            found.files.add(str(path))


def _named(found: Belongings, table: Table) -> None:
    """Take what one table names: secrets, keys, files, a service of one's own."""
    base = Path(table.source.folder)
    service = table.values.get("service")
    if isinstance(service, str) and ":" in service:
        module = base.joinpath(*service.partition(":")[0].split("."))
        own = (module.with_suffix(".py"), module / "__init__.py")
        found.files.update(str(path) for path in own if path.is_file())
    if table.name == "bus" and isinstance(table.values.get("key"), str) and table.values["key"]:
        _take_secret(found, base / table.values["key"])
    if table.name == "broker" and isinstance(table.values.get("keys"), str) and table.values["keys"]:
        keys = base / Path(table.values["keys"]).expanduser()
        found.secrets.update(str(path) for path, _ in _walk(found, keys))
        if not keys.is_dir():
            found.missing.add(str(keys))
    for value in _values(table.values):
        if isinstance(value, dict):
            _take_secret(found, base / Path(str(value["file"])).expanduser())
        elif table.name not in RESERVED and "/" in value:
            path = base / Path(value).expanduser()
            if _is_ours(path) and path.is_file():
                found.files.add(os.path.abspath(path))


def _values(value: Any) -> Iterator[str | dict[str, Any]]:
    """Give every text of a table, and every `{ file = "..." }`."""
    is_path = isinstance(value, str) and len(value) < 1000 and "\0" not in value and "://" not in value
    if is_path or (isinstance(value, dict) and value.keys() == {"file"} and isinstance(value["file"], str)):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)


def _take_secret(found: Belongings, path: Path) -> None:
    place = os.path.abspath(path.expanduser())
    if not _is_ours(Path(place)):
        return  # a credential of systemd's: its source is what the unit names
    if os.path.isfile(place) and os.access(place, os.R_OK):
        found.secrets.add(place)
    else:
        found.missing.add(place)


def _roots(found: Belongings, tables: dict[str, Table], state: str | None) -> list[Path]:
    """Return the folders that broker and services of this house keep things in."""
    roots = [Path(state) if state else usual_state(found.config)]
    if data := _data(tables, state):
        roots.append(data)
    for table in tables.values():
        folder = table.values.get("folder")
        if table.name not in RESERVED and isinstance(folder, str) and folder:
            roots.append(table.source.folder / Path(folder).expanduser())
    absolute = dict.fromkeys(Path(os.path.abspath(root)) for root in roots if _is_ours(root))
    return [root for root in absolute if state or root.is_dir()]


def _data(tables: dict[str, Table], state: str | None) -> Path | None:
    """Return the broker's folder where the configuration names it."""
    if "broker" not in tables or state:
        return None
    table = tables["broker"]
    given = table.values.get("data")
    return table.source.folder / Path(given).expanduser() if isinstance(given, str) and given else None


def is_shut() -> bool:
    """Whether there is a house on this machine that who asks may not look into."""
    return os.path.isdir(INSTALLED) and not os.access(INSTALLED, os.R_OK | os.X_OK)


def usual_state(config: str) -> Path:
    """Return where broker and services of the house with that configuration keep things unless it says otherwise."""
    if os.environ.get("STATE_DIRECTORY"):
        return Path(os.environ["STATE_DIRECTORY"].split(":")[0])
    if config.startswith("/etc/") and os.path.isdir(SYSTEM_STATE):
        return Path(SYSTEM_STATE)
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "hearthbus"


def _state(found: Belongings, root: Path) -> None:
    missing = set(found.missing)
    files = {str(path) for path, _ in _walk(found, root, links=True)}
    if shut := sorted(found.missing - missing):
        raise Unavailable(f"{shut[0]} cannot be read by who asks; type: sudo hearthbus backup FILE")
    for path in files:
        folder, name = os.path.split(path)
        if name == STORE:
            found.brokers.add(folder)
    for path in files:
        folder, name = os.path.split(path)
        of_broker = folder in found.brokers and (name in OWN or name.startswith(f"{STORE}."))
        beside = any(name.endswith(end) and path.removesuffix(end) in files for end in _LEFT)
        if not of_broker and not beside:
            found.state.add(path)


def _walk(found: Belongings, root: Path, *, links: bool = False) -> Iterator[tuple[Path, os.stat_result]]:
    """Give the regular files under a folder, but hidden ones: those are being written; note the folders.

    With `links`, what links lead to outside it too, each once: a journal that was moved to a larger disk, for instance.
    """
    been = [os.path.realpath(root)]
    shut = found.missing
    for folder, inner, names in os.walk(root, onerror=lambda error: shut.add(str(error.filename)), followlinks=links):
        found.folders.add(folder)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and _is_new(Path(folder) / name, been))
        for name in sorted(names):
            path = Path(folder) / name
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and not name.startswith("."):
                if os.access(path, os.R_OK):
                    yield path, status
                else:
                    found.missing.add(str(path))


def _is_new(folder: Path, been: list[str]) -> bool:
    """Whether a folder is none that the walk comes by another way; a link's is noted."""
    if not folder.is_symlink():
        return True
    real = os.path.realpath(folder)
    if any(os.path.commonpath((real, each)) in (real, each) for each in been):
        return False
    been.append(real)
    return True


def _is_ours(path: Path) -> bool:
    return not str(path).startswith(_NOT_OURS)
