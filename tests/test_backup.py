"""`hearthbus backup` and `restore`: what is in, whole or not at all, and nobody's secret in the open."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import stat
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from backups import PASSPHRASE, Scene, scene, told

from hearthbus.backup import archive, belongings
from hearthbus.backup.archive import Entry, Manifest
from hearthbus.backup.paths import check_paths
from hearthbus.backup.sealing import seal, unseal
from hearthbus.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["scene", "told"]

SECRETS = ("hearthbus/keys/broker.key", "hearthbus/keys/allowed/kitchen.pub", "elsewhere/mail")
OPEN = (
    "hearthbus/hearthbus.toml", "hearthbus/conf.d/notify.toml", "hearthbus/cellar_watch.py", "hearthbus/notes.csv",
    "state/calendar/family.json",
)  # fmt: skip


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_everything_comes_back(scene: Scene) -> None:
    """Configuration, includes, own service, keys, secrets and state are there again, byte for byte."""
    assert (0, 0) == (scene.backup(), scene.restore())

    there = scene.restored(scene.folder)
    assert {*SECRETS, *OPEN, "state/own.db"} == files_below(there)
    assert all((scene.folder / name).read_bytes() == (there / name).read_bytes() for name in (*SECRETS, *OPEN))
    with closing(sqlite3.connect(there / "state" / "own.db")) as own:
        assert [("kept",)] == own.execute("select x from t").fetchall()


def test_modes_come_back(scene: Scene) -> None:
    """Keys are their owner's alone again, and so is their folder; the backup itself is, too."""
    scene.backup()
    scene.restore()
    keys = scene.restored(scene.config.parent / "keys")

    assert [0o600, 0o700, 0o600] == [
        stat.S_IMODE(path.stat().st_mode) for path in (keys / "broker.key", keys, scene.file)
    ]


def test_no_secret_is_in_the_open(scene: Scene) -> None:
    """Neither a secret's content nor the passphrase is in the file."""
    scene.backup()
    data = scene.file.read_bytes()

    assert [] == [name for name in SECRETS if (scene.folder / name).read_bytes().strip() in data]
    assert PASSPHRASE.encode() not in data
    assert b"broker.key" not in data


def test_without_secrets(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Without secrets none is in it, restoring needs no passphrase, and what has to be put there again is named."""
    from hearthbus.cli.main import main

    command = ["backup", str(scene.file), "--config", str(scene.config), "--without-secrets"]
    codes = main(command), main(["restore", str(scene.file), "--to", str(scene.there)])
    out = capsys.readouterr().out

    assert (0, 0) == codes
    assert {*OPEN, "state/own.db"} == files_below(scene.restored(scene.folder))
    assert [] == [name for name in SECRETS if f"{scene.folder}/{name}; put it there again" not in out]


def test_sealed_secrets_can_stay(scene: Scene) -> None:
    """Who forgot the passphrase gets everything else."""
    scene.backup()

    assert 0 == scene.restore("--without-secrets")
    assert {*OPEN, "state/own.db"} == files_below(scene.restored(scene.folder))


def test_another_passphrase(scene: Scene, told: Callable[[], str]) -> None:
    """Another passphrase is said in one line, and nothing is written."""
    scene.backup()
    scene.secret.write_text("something else\n")

    assert 5 == scene.restore()
    assert "hearthbus: the passphrase is not the one this backup was made with\n" == told()
    assert not scene.there.exists()


@pytest.mark.parametrize(
    ("mode", "text", "said"),
    [(0o644, "long enough", "type: chmod 600"), (0o600, "short", "at least 8"), (0o600, "", "has 0 characters")],
)
def test_a_passphrase_that_is_not_taken(scene: Scene, told: Callable[[], str], mode: int, text: str, said: str) -> None:
    """A passphrase others can read, or that can be guessed, makes no backup."""
    scene.secret.write_text(text)
    scene.secret.chmod(mode)

    assert 64 == scene.backup()
    assert said in told()
    assert not scene.file.exists()


def test_nothing_is_replaced(scene: Scene, told: Callable[[], str]) -> None:
    """A file that is there and differs is named and stays; --force replaces it; the same content is no obstacle."""
    scene.backup()
    scene.restore()
    notes = scene.restored(scene.config.parent / "notes.csv")
    notes.write_text("mine\n")
    refused, said, kept = scene.restore(), told(), notes.read_text()

    assert (64, "mine\n") == (refused, kept)
    assert f"nothing was restored: {notes} would be replaced; add --force" in said
    assert (0, "a,b\n") == (scene.restore("--force"), notes.read_text())
    assert 0 == scene.restore()


def test_another_file_is_not_replaced_by_a_backup(scene: Scene, told: Callable[[], str]) -> None:
    """`backup` replaces an older backup, never something else."""
    scene.file.write_text("my only photograph")

    assert 64 == scene.backup()
    assert "is there and is no backup" in told()
    assert "my only photograph" == scene.file.read_text()
    scene.file.unlink()
    assert (0, 0) == (scene.backup(), scene.backup())


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "no backup of hearthbus"), (b"x" * 5000, "no backup of hearthbus"), (None, "no backup of hearthbus")],
)
def test_a_foreign_file(scene: Scene, told: Callable[[], str], content: bytes | None, said: str) -> None:
    """Nothing, noise, and somebody else's tar are told from a backup."""
    if content is None:
        with tarfile.open(scene.file, "w") as tar:
            tar.add(scene.config, "hearthbus.toml")
    else:
        scene.file.write_bytes(content)

    assert 64 == scene.restore()
    assert said in told()
    assert not scene.there.exists()


def test_a_cut_backup(scene: Scene, told: Callable[[], str]) -> None:
    """A backup cut short anywhere before its end mark is refused whole."""
    scene.backup()
    whole = scene.file.read_bytes()
    end = whole.rindex(b"manifest.sha256") + 512 + 64
    chance = random.Random(1)
    for at in {chance.randrange(end) for _ in range(200)}:
        with pytest.raises(Invalid):
            archive.check(io.BytesIO(whole[:at]))
    scene.file.write_bytes(whole[: end // 2])

    assert 64 == scene.restore()
    assert f"hearthbus: {scene.file}: the backup is cut short" in told()
    assert not scene.there.exists()


def test_a_flipped_backup(scene: Scene) -> None:
    """One flipped bit, at 200 places, is refused whole; or it stands in padding and the content is what was written."""
    scene.backup()
    whole = scene.file.read_bytes()
    chance = random.Random(2)
    refused = 0
    for _ in range(200):
        at, bit = chance.randrange(len(whole)), chance.randrange(8)
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        try:
            checked = archive.check(io.BytesIO(bytes(damaged)))
        except Invalid:
            refused += 1
            continue
        assert archive.check(io.BytesIO(whole)) == checked
        read = [(entry, stream.read()) for entry, stream in archive.contents(io.BytesIO(bytes(damaged)), checked)]
        assert read == [(entry, stream.read()) for entry, stream in archive.contents(io.BytesIO(whole), checked)]
    assert 60 < refused


def forged(path: Path, entries: list[tuple[Entry, bytes]], **more: object) -> None:
    """Write a backup whose manifest says what it likes."""
    with path.open("wb") as file:
        archive.write(file, Manifest(hearthbus="9", **more), entries, b"")  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow", "/etc/cron.d/x", "/usr/bin/python3", "~/.ssh/authorized_keys", "~/.bashrc", "/var/../etc/shadow",
        "relative", "~", "/", "", "/a//b", "/a/./b", "/a/b/", "~root/x", "/a\0b", "/a\nb", "~/.config/systemd/user/x",
        "/etc/hearthbus/../shadow", "/" + "x" * 5000,
    ],
)  # fmt: skip
def test_no_way_out(scene: Scene, told: Callable[[], str], path: str) -> None:
    """A manifest cannot name a place that is none of a house's; nothing of such a backup is used."""
    from hearthbus.cli.main import main

    good = scene.folder / "good.txt"
    forged(scene.file, [(Entry(path=str(good), mode=0o644), b"x"), (Entry(path=path, mode=0o644), b"x")])

    assert 64 == main(["restore", str(scene.file)])
    assert "the backup is not used" in told()
    assert not good.exists()


def test_a_place_is_looked_at_below_a_folder() -> None:
    """Below --to, a machine's own places may be looked at; never beside it."""
    check_paths(["/etc/shadow", "~/.bashrc"], to="/tmp/look")

    with pytest.raises(Invalid):
        check_paths(["/../x"], to="/tmp/look")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, b"S"])
def test_only_files(kind: bytes) -> None:
    """A link, a pipe, a file with holes: none is ever followed or made."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        for name, content, type_ in (("hearthbus-backup", b"hearthbus backup 1\n", b"0"), ("files/0000", b"", kind)):
            header = tarfile.TarInfo(name)
            header.size, header.type, header.linkname = len(content), type_, "/etc/passwd"
            tar.addfile(header, io.BytesIO(content))

    with pytest.raises(Invalid):
        archive.check(data)


def test_a_newer_form() -> None:
    """A backup in a form of the future says that a newer hearthbus is needed."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        header = tarfile.TarInfo("hearthbus-backup")
        header.size = 19
        tar.addfile(header, io.BytesIO(b"hearthbus backup 2\n"))

    with pytest.raises(Invalid, match="made by a newer hearthbus: install it"):
        archive.check(data)


def test_the_form_is_a_tar(scene: Scene) -> None:
    """Any tar reads it, and the manifest says what each member is: nobody needs hearthbus to get at his house."""
    scene.backup()
    with tarfile.open(scene.file) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is there
        member = next(each["member"] for each in manifest["entries"] if each["path"] == str(scene.config))
        stream = tar.extractfile(member)
        assert stream is not None
        content = stream.read()

    assert scene.config.read_bytes() == content


def test_a_full_disk_leaves_nothing(scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full while files are staged leaves no file and no folder behind, and says so."""
    scene.backup()
    real, count = os.fsync, iter(range(100))

    def full(descriptor: int) -> None:
        if next(count) == 3:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)

    assert 69 == scene.restore()
    assert "nothing was restored: the disk: No space left on device" in told()
    assert not scene.there.exists()


def test_sealing_is_a_law() -> None:
    """What was sealed comes back with its passphrase, and with no other; a changed byte is another passphrase's."""
    sealed = seal(b"content", "one passphrase")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])

    assert b"content" == unseal(sealed, "one passphrase")
    with pytest.raises(Refused):
        unseal(sealed, "another")
    with pytest.raises(Refused):
        unseal(changed, "one passphrase")
    with pytest.raises(Invalid):
        unseal(b"hearthbus sealed 1\n" + bytes([40]) + sealed[20:], "one passphrase")


def test_the_names_are_the_brokers() -> None:
    """What the command calls a broker's files is what the broker calls them."""
    from broker.snapshot import OWN

    assert OWN == belongings.OWN
