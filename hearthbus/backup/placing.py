"""Put a backup in place: everything is checked, then written beside its place, and only then moved there.

    check      every byte of the backup, every path, what is there already, the room on the disk
    stage      each file as `.NAME.restored` in its folder, with its owner and mode, on the disk
    move       all of them, one rename each; while that goes on, `restore-unfinished` keeps the broker from starting

A restore that is killed while it stages leaves the house as it was. One that is killed while it moves, some thousandths
of a second, is finished by the same command once more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from hearthbus import plugins
from hearthbus.backup import archive
from hearthbus.backup.belongings import LOCK, OWN, STORE, UNFINISHED
from hearthbus.backup.making import BROKER
from hearthbus.backup.owners import Owners
from hearthbus.backup.paths import check_paths, target_of
from hearthbus.durable import sync_folder
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hearthbus.backup.archive import Checked, Entry

_STAGED: Final = ".{}.restored"
_SPARE: Final = 8 * 1024 * 1024
"""Bytes that must be left on a disk."""


@dataclass(kw_only=True)
class Placed:
    """What a restore did."""

    files: int = 0
    config: str = ""
    notes: list[str] = field(default_factory=list)


def place(file: IO[bytes], checked: Checked, secrets: bytes | None, *, to: str = "", force: bool = False) -> Placed:
    """Put a backup that was checked in place.

    Args:
        file: the backup.
        checked: what `archive.check` returned of it.
        secrets: what was sealed, opened; None leaves the secrets out.
        to: a folder that stands for the root of the machine, `/mnt/card` for instance; empty for this machine.
        force: replace files that are there and differ.

    Raises:
        Invalid: it cannot be used here, or would replace something; nothing has been written.
        Unavailable: the disk, or a broker that runs; nothing has been replaced.
    """
    sealed = _sealed_files(secrets)
    entries = (*checked.manifest.entries, *(entry for entry, _ in sealed))
    check_paths([*(entry.path for entry in entries), *checked.manifest.brokers], to=to)
    brokers = [target_of(path, to) for path in checked.manifest.brokers]
    files = [entry for entry in entries if not entry.folder]
    _refuse_to_replace(file, checked, sealed, brokers, to=to, force=force)
    placed = Placed(
        files=len(files), config=str(target_of(checked.manifest.config, to)) if checked.manifest.config else ""
    )
    stage = _Stage(to=to, notes=placed.notes)
    try:
        stage.folders([entry for entry in entries if entry.folder])
        with ExitStack() as stack:
            for folder in brokers:
                stack.enter_context(_Locked(folder))
            _refuse_small_disk(files, to)
            for entry, content in archive.contents(file, checked):
                stage.file(entry, content)
            for entry, data in sealed:
                stage.file(entry, data)
            for folder in brokers:
                _check_store(stage.staged.get(folder / STORE))
            with _uninterrupted():
                stage.move(brokers, checked.id)
    except OSError as error:
        stage.undo()
        done = "nothing was restored" if not stage.moving else "restored in part; mend this, then type it once more"
        raise Unavailable(f"{done}: {error.filename or 'the disk'}: {error.strerror or error}") from None
    except BaseException:
        stage.undo()
        raise
    return placed


class _Stage:
    """Files written beside their places."""

    def __init__(self, *, to: str, notes: list[str]) -> None:
        self.staged: dict[Path, Path] = {}
        """Place -> what is to be moved there."""
        self.moving = False
        """Files come to their places: from now on it can only be finished."""
        self._made: list[Path] = []
        self._to = to
        self._owners = Owners(notes)

    def folders(self, entries: Sequence[Entry]) -> None:
        """Make the folders that are not there."""
        for entry in sorted(entries, key=lambda entry: entry.path):
            self._folder(target_of(entry.path, self._to), entry)

    def file(self, entry: Entry, content: IO[bytes] | bytes) -> None:
        """Write one file beside its place."""
        place = target_of(entry.path, self._to)
        self._folder(place.parent, None)
        staged = place.with_name(_STAGED.format(place.name))
        staged.unlink(missing_ok=True)  # of a restore that was killed
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self.staged[place] = staged
        with os.fdopen(descriptor, "wb") as out:
            if isinstance(content, bytes):
                out.write(content)
            else:
                shutil.copyfileobj(content, out, 1024 * 1024)
            out.flush()
            os.fchmod(out.fileno(), entry.mode & 0o777)
            self._owners.give(out.fileno(), entry)
            os.fsync(out.fileno())

    def move(self, brokers: Sequence[Path], backup: str) -> None:
        """Move everything to its place, and take away what belongs to a store that was there before."""
        marks = [folder / UNFINISHED for folder in brokers]
        for mark in marks:
            mark.write_text(backup)
        for folder in {mark.parent for mark in marks}:
            sync_folder(folder)
        self.moving = True
        for folder in brokers:
            for name in OWN:
                if name not in {LOCK, UNFINISHED} and folder / name not in self.staged:
                    (folder / name).unlink(missing_ok=True)
        for place, staged in self.staged.items():
            staged.replace(place)
        for folder in {place.parent for place in self.staged}:
            sync_folder(folder)
        for mark in marks:
            mark.unlink()
        self.staged, self._made = {}, []

    def undo(self) -> None:
        """Take away what was staged; files in their places stay."""
        for staged in self.staged.values():
            with suppress(OSError):
                staged.unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def _folder(self, folder: Path, entry: Entry | None) -> None:
        if folder.is_dir():
            return
        self._folder(folder.parent, None)
        folder.mkdir(mode=0o755 if entry is None else entry.mode & 0o777)
        self._made.append(folder)
        if entry is not None:
            folder.chmod(entry.mode & 0o777)
            self._owners.give(folder, entry)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C and its like: files that are half in place help nobody."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Locked:
    """A broker's folder, kept from any broker meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._descriptor = -1
        self._ours = not self._path.exists()

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise Unavailable(
                f"a broker runs on {self._path.parent}: stop it and its services first, "
                f"`systemctl stop hearthbus.target`, or Ctrl-C for `hearthbus up`"
            ) from None

    def __exit__(self, *_: object) -> None:
        if self._ours:  # of root's, the broker could not open it
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def _sealed_files(secrets: bytes | None) -> list[tuple[Entry, bytes]]:
    if secrets is None:
        return []
    import msgpack

    files: list[dict[str, Any]] = msgpack.unpackb(secrets)
    return [(archive.entry_from(values), values["data"]) for values in files]


def _refuse_to_replace(
    file: IO[bytes],
    checked: Checked,
    sealed: Sequence[tuple[Entry, bytes]],
    brokers: Sequence[Path],
    *,
    to: str,
    force: bool,
) -> None:
    """Raise Invalid where a file of another content is in a place; not in a house that was half restored from here."""
    if force or (brokers and all(_unfinished(folder) == checked.id for folder in brokers)):
        return
    there = [str(place) for place, same in _compared(file, checked, sealed, to) if not same]
    for folder in brokers:
        if (folder / STORE).exists() and str(folder / STORE) not in there:
            there.append(str(folder / STORE))
    if there:
        some = ", ".join(sorted(there)[:3]) + (f" and {len(there) - 3} more" if len(there) > 3 else "")
        raise Invalid(f"nothing was restored: {some} would be replaced; add --force to replace what is there")


def _compared(
    file: IO[bytes], checked: Checked, sealed: Sequence[tuple[Entry, bytes]], to: str
) -> Iterator[tuple[Path, bool]]:
    """Give each place where something is, and whether it is what would come there."""
    for entry, content in archive.contents(file, checked):
        place = target_of(entry.path, to)
        if os.path.lexists(place):
            yield place, place.is_file() and place.stat().st_size == entry.size and _same(place, content)
    for entry, data in sealed:
        place = target_of(entry.path, to)
        if os.path.lexists(place):
            yield place, place.is_file() and place.stat().st_size == len(data) and place.read_bytes() == data


def _same(place: Path, content: IO[bytes]) -> bool:
    with place.open("rb") as there:
        while chunk := there.read(1 << 20):
            if chunk != content.read(len(chunk)):
                return False
    return True


def _unfinished(folder: Path) -> str:
    try:
        return (folder / UNFINISHED).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _refuse_small_disk(files: Sequence[Entry], to: str) -> None:
    needed: dict[int, int] = {}
    free: dict[int, int] = {}
    for entry in files:
        folder = next(part for part in target_of(entry.path, to).parents if part.is_dir())
        disk = os.statvfs(folder)
        free[folder.stat().st_dev] = disk.f_bavail * disk.f_frsize
        needed[folder.stat().st_dev] = needed.get(folder.stat().st_dev, _SPARE) + entry.size
    for device, size in needed.items():
        if size > free[device]:
            raise Unavailable(
                f"nothing was restored: the disk has {free[device] >> 20} MB free, {size >> 20} are needed"
            )


def _check_store(staged: Path | None) -> None:
    found = plugins.find(BROKER)
    if staged is not None and "check-snapshot" in found:
        plugins.load("broker", found["check-snapshot"])(staged)
