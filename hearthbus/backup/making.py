"""Make a backup: gather, copy what is being written, seal the secrets, write one file, read it again, put it in place.

Until the last step nothing is there under the file's name: a backup that was killed leaves a hidden `.NAME.part` beside
it, which the next one to the same place removes.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import grp
import os
import pwd
import shutil
import socket
import sqlite3
import stat
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus import plugins
from hearthbus.backup import archive
from hearthbus.backup.archive import Entry, Manifest
from hearthbus.backup.paths import portable
from hearthbus.durable import sync_folder
from hearthbus.errors import Invalid, Unavailable
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hearthbus.backup.belongings import Belongings

BROKER: Final = "hearthbus.broker"
"""Entry point `snapshot`: copies a broker's files while it runs."""
_SQLITE: Final = b"SQLite format 3\0"
_IN_MEMORY: Final = 8 * 1024 * 1024
"""A larger file is copied to the disk first."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a backup holds."""

    manifest: Manifest
    size: int


def make(target: Path, house: Belongings, *, passphrase: str | None) -> Made:
    """Write a backup of `house` to `target`.

    Args:
        target: the file; one that is there is replaced if it is a backup.
        house: what belongs to it.
        passphrase: for its secrets; None leaves them out.

    Raises:
        Invalid: `target` is something else, or there is nothing to back up.
        Unavailable: a file cannot be read, or the backup cannot be written.
    """
    if not (house.files or house.state or house.brokers or house.secrets):
        raise Invalid(
            "there is nothing to back up: no configuration, no journal, no state; --config and --state name them"
        )
    _refuse_another(target)
    part = target.with_name(f".{target.name}.part")
    try:
        with _alone(part, target):
            fresh = part / "backup"
            made = _write(fresh, house, part, passphrase=passphrase)
            fresh.replace(target)
            sync_folder(target.parent)
    except OSError as error:
        where = error.filename or target
        raise Unavailable(f"the backup {target} cannot be made: {where}: {error.strerror or error}") from None
    return made


def _write(fresh: Path, house: Belongings, part: Path, *, passphrase: str | None) -> Made:
    sealed = b""
    if passphrase is not None and house.secrets:
        from hearthbus.backup.sealing import seal

        sealed = seal(_secrets(house), passphrase)
    manifest = Manifest(
        hearthbus=VERSION,
        made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        host=socket.gethostname(),
        config=portable(house.config),
        brokers=tuple(map(portable, sorted(house.brokers))),
        secrets=len(house.secrets) if sealed else 0,
        left_out=tuple(map(portable, sorted(house.left_out | (set() if sealed else house.secrets)))),
    )
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        archive.write(file, manifest, _sources(house, part), sealed)
        file.flush()
        os.fsync(file.fileno())
        checked = archive.check(file)
        return Made(manifest=checked.manifest, size=file.seek(0, os.SEEK_END))


def _sources(house: Belongings, part: Path) -> Iterator[tuple[Entry, Path | bytes]]:
    """Give everything but the secrets: first the brokers' files, so that no service's state is older than its place."""
    for folder in sorted(house.folders):
        with suppress(FileNotFoundError):
            yield _entry(folder, folder=True), b""
    for number, folder in enumerate(sorted(house.brokers)):
        copies = part / f"broker-{number}"
        copies.mkdir(mode=0o700)
        names = _snapshot()(Path(folder), copies)
        like = _entry(str(Path(folder) / names[0])) if names else None
        for name in names:
            assert like is not None  # noqa: S101 - there is a first one
            yield Entry(**{**asdict(like), "path": portable(str(Path(folder) / name))}), copies / name
    for path in sorted(house.files | house.state):
        with suppress(FileNotFoundError):  # a service has removed it since we looked
            content = _content(Path(path), part)
            if content is not None:
                yield _entry(path), content


def _snapshot() -> Callable[[Path, Path], list[str]]:
    found = plugins.find(BROKER)
    if "snapshot" not in found:
        raise Invalid("this installation has no broker, whose journal is in this backup; type: pip install hearthbus")
    take: Callable[[Path, Path], list[str]] = plugins.load("broker", found["snapshot"])
    return take


def _content(path: Path, part: Path) -> Path | bytes | None:
    """Return the content of a file as it is at one moment, as far as that can be had; None for an older backup."""
    with path.open("rb") as file:
        if archive.is_backup(file):
            return None
        head = file.read(len(_SQLITE))
        if head != _SQLITE and os.fstat(file.fileno()).st_size <= _IN_MEMORY:
            return head + file.read()
    copy = part / "copy"
    if head == _SQLITE:
        copy.unlink(missing_ok=True)
        fixed = os.statvfs(path).f_flag & os.ST_RDONLY  # SQLite writes to read, unless nothing can change
        how = "mode=ro&immutable=1" if fixed else "mode=rw"
        try:
            with (
                closing(sqlite3.connect(f"file:{path}?{how}", uri=True, timeout=30)) as old,
                closing(sqlite3.connect(copy)) as new,
            ):
                old.backup(new)
        except sqlite3.Error as error:
            raise Unavailable(f"{path} cannot be copied to {part}: {error}") from None
    else:
        shutil.copyfile(path, copy)
    return copy


def _secrets(house: Belongings) -> bytes:
    import msgpack

    files = [{**asdict(_entry(path)), "data": Path(path).read_bytes()} for path in sorted(house.secrets)]
    packed: bytes = msgpack.packb(files)
    return packed


def _entry(path: str, *, folder: bool = False) -> Entry:
    status = os.stat(path)  # noqa: PTH116 - one way for both
    owner = group = ""
    with suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    with suppress(KeyError):
        group = grp.getgrgid(status.st_gid).gr_name
    return Entry(path=portable(path), mode=status.st_mode & 0o777, owner=owner, group=group, folder=folder)


@contextmanager
def _alone(part: Path, target: Path) -> Iterator[None]:
    """Make the folder in which a backup is made, for one at a time: a timer's and a person's may meet."""
    with _locked(part, target):
        shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        with _locked(part, target):
            yield
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _locked(part: Path, target: Path) -> Iterator[None]:
    """Hold the folder; do nothing where it is not there."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another backup to {target} is being made; try again when it is done") from None
        yield
    finally:
        os.close(descriptor)


def _refuse_another(target: Path) -> None:
    try:
        if not stat.S_ISREG(target.stat().st_mode):
            raise Invalid(f"{target} is there and is no file; name a file")
        with target.open("rb") as file:
            if not archive.is_backup(file):
                raise Invalid(f"{target} is there and is no backup; name another file")
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{target}: {error.strerror}") from None
