"""The form of a backup: a tar with a manifest (docs/backup.md). Written in one go, checked before anything is used.

    hearthbus-backup      "hearthbus backup 1", a line: first, so that any other file is told at once
    files/0000 ...        the files, as they are
    secrets.sealed        those that only their owner may read, sealed together; or not there
    manifest.json         what each file is, its place, mode, owner, length and SHA-256
    manifest.sha256       that of the manifest: last, so that a file that was cut short is told

Knows no house: entries in, entries out.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import asdict, dataclass, field, fields
from typing import IO, TYPE_CHECKING, Any, Final

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FORM: Final = 1
_FIRST: Final = "hearthbus-backup"
_SEALED: Final = "secrets.sealed"
_MANIFEST: Final = "manifest.json"
_LAST: Final = "manifest.sha256"
_MARK: Final = b"hearthbus backup "
_MOST_MEMBERS: Final = 100_000
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the manifest, and of the secrets: both are read into memory."""
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file, or one folder, of a house."""

    path: str
    """Where it belongs: absolute, or `~/` and more for the home of whoever runs the house."""
    mode: int
    owner: str = ""
    group: str = ""
    folder: bool = False
    member: str = ""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    form: int = FORM
    hearthbus: str = ""
    """Version that made it."""
    made: str = ""
    """When, ISO 8601, UTC."""
    host: str = ""
    config: str = ""
    """The main configuration file, as an entry's path; empty where there was none."""
    brokers: tuple[str, ...] = ()
    """Folders of brokers, as entries' paths."""
    secrets: int = 0
    """How many files are sealed."""
    left_out: tuple[str, ...] = ()
    """Files of secrets that are not in it."""
    sealed: Mapping[str, Any] = field(default_factory=dict)
    """Length and SHA-256 of what is sealed."""
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A backup every byte of which has been read and found to be what was written."""

    manifest: Manifest
    sealed: bytes
    """The secrets under their passphrase; empty where there are none."""
    id: str
    """Tells one backup from another."""


def write(file: IO[bytes], manifest: Manifest, sources: Iterable[tuple[Entry, Path | bytes]], sealed: bytes) -> None:
    """Write a backup: `manifest` but for its entries, each file with where its content is, and the sealed secrets."""
    entries: list[Entry] = []
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, _FIRST, f"{_MARK.decode()}{FORM}\n".encode())
        for entry, source in sources:
            made = entry if entry.folder else _add_file(tar, entry, source, f"files/{len(entries):04d}")
            entries.append(made)
        more = {}
        if sealed:
            _add(tar, _SEALED, sealed)
            more = {"size": len(sealed), "sha256": hashlib.sha256(sealed).hexdigest()}
        whole = {**asdict(manifest), "sealed": more, "entries": [asdict(entry) for entry in entries]}
        data = json.dumps(whole, indent=1).encode()
        _add(tar, _MANIFEST, data)
        _add(tar, _LAST, hashlib.sha256(data).hexdigest().encode())


def check(file: IO[bytes]) -> Checked:
    """Read a backup through, compare everything with its manifest, and return what it says.

    Raises:
        Invalid: it is no backup, of a newer form, cut short or damaged; the text says which.
    """
    file.seek(0)
    if not is_backup(file):
        raise Invalid("it is no backup of hearthbus")
    seen: dict[str, tuple[int, str]] = {}
    kept: dict[str, bytes] = {}
    for name, stream in _members(file):
        if name in seen:
            raise Invalid(f"the backup is damaged: {name} is there twice")
        keep = name in {_FIRST, _SEALED, _MANIFEST, _LAST}
        seen[name], kept[name] = _digest(stream, keep=keep)
        if name == _FIRST:
            _refuse_newer(kept[name])
    if _LAST not in seen or _MANIFEST not in seen:
        raise Invalid("the backup is cut short, or damaged: its end is missing; copy it once more")
    if kept[_LAST].decode(errors="replace") != seen[_MANIFEST][1]:
        raise Invalid("the backup is damaged: its manifest is not what was written")
    manifest = _manifest(kept[_MANIFEST])
    wanted = {entry.member: (entry.size, entry.sha256) for entry in manifest.entries if not entry.folder}
    if manifest.sealed:
        wanted[_SEALED] = (manifest.sealed["size"], manifest.sealed["sha256"])
    found = {name: is_ for name, is_ in seen.items() if name not in {_FIRST, _MANIFEST, _LAST}}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            place = next((entry.path for entry in manifest.entries if entry.member == name), name)
            raise Invalid(f"the backup is damaged: {place} in it is not what was written")
    return Checked(manifest=manifest, sealed=kept.get(_SEALED, b""), id=seen[_MANIFEST][1])


def contents(file: IO[bytes], checked: Checked) -> Iterator[tuple[Entry, IO[bytes]]]:
    """Give each file of a backup that was checked, with its content to read now."""
    entries = {entry.member: entry for entry in checked.manifest.entries if not entry.folder}
    file.seek(0)
    for name, stream in _members(file):
        if name in entries:
            yield entries[name], stream


def is_backup(file: IO[bytes]) -> bool:
    """Whether a file begins as a backup does."""
    at = file.tell()
    head = file.read(512 + len(_MARK))
    file.seek(at)
    return head.startswith(_FIRST.encode() + b"\0") and head.endswith(_MARK)


def entry_from(values: Mapping[str, Any]) -> Entry:
    """Return the entry that `asdict` made `values` of; unknown fields are a newer version's, and left alone.

    Raises:
        Invalid: it is none.
    """
    known = {each.name: type(each.default) for each in fields(Entry) if each.name not in {"path", "mode"}}
    known |= {"path": str, "mode": int}
    given = {name: value for name, value in values.items() if name in known}
    if not {"path", "mode"} <= given.keys() or any(type(value) is not known[name] for name, value in given.items()):
        raise Invalid("the backup's manifest is not what hearthbus writes")
    return Entry(**given)


def _refuse_newer(first: bytes) -> None:
    """Before anything else of a form that we do not know is taken for damage."""
    form = first.removeprefix(_MARK).strip()
    if form != str(FORM).encode():
        raise Invalid(
            f"the backup has form {form[:9].decode(errors='replace')!r}, made by a newer hearthbus: install it"
        )


def _members(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for count, member in enumerate(tar):
                stream = tar.extractfile(member) if member.type == tarfile.REGTYPE else None
                if stream is None or count > _MOST_MEMBERS:
                    raise Invalid(f"the backup is damaged: {member.name[:60]!r} in it is no file")
                yield member.name, stream
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise Invalid(f"the backup is cut short, or damaged: {error}") from None


def _digest(stream: IO[bytes], *, keep: bool) -> tuple[tuple[int, str], bytes]:
    digest, size, kept = hashlib.sha256(), 0, bytearray()
    while chunk := _read(stream):
        digest.update(chunk)
        size += len(chunk)
        if keep:
            kept += chunk
            if len(kept) > _MOST_BYTES:
                raise Invalid("the backup is damaged: its manifest or its secrets have no end")
    return (size, digest.hexdigest()), bytes(kept)


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK)
    except tarfile.TarError as error:
        raise Invalid(f"the backup is cut short, or damaged: {error}") from None


def _manifest(data: bytes) -> Manifest:
    try:
        values = json.loads(data)
        entries = tuple(entry_from(each) for each in values.pop("entries"))
        return Manifest(
            hearthbus=str(values.get("hearthbus", "")),
            made=str(values.get("made", "")),
            host=str(values.get("host", "")),
            config=str(values.get("config", "")),
            brokers=tuple(map(str, values.get("brokers", ()))),
            secrets=int(values["secrets"]),
            left_out=tuple(map(str, values.get("left_out", ()))),
            sealed=dict(values["sealed"]),
            entries=entries,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid("the backup's manifest is not what hearthbus writes") from None


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(data), 0o600
    tar.addfile(header, io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, entry: Entry, source: Path | bytes, member: str) -> Entry:
    """Add one file; what it is called within the tar tells nobody anything that the manifest does not."""
    if isinstance(source, bytes):
        data: IO[bytes] = io.BytesIO(source)
    else:
        data = source.open("rb")
    with data:
        (size, digest), _ = _digest(data, keep=False)
        data.seek(0)
        header = tarfile.TarInfo(member)
        header.size, header.mode = size, 0o600
        tar.addfile(header, data)
    return Entry(**{**asdict(entry), "member": member, "size": size, "sha256": digest})
