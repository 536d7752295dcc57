"""Backups that are none, cut short, flipped, forged: refused whole, in one line, with nothing written."""

from __future__ import annotations

import io
import random
import tarfile
from typing import TYPE_CHECKING

import pytest
from backups import Scene, scene, told

from hearthbus.backup import archive
from hearthbus.backup.archive import Entry, Manifest
from hearthbus.backup.paths import check_paths
from hearthbus.backup.sealing import seal, unseal
from hearthbus.cli.main import main
from hearthbus.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["scene", "told"]


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
        "/etc/hearthbus/../shadow",
        "/etc/systemd/system/sshd.service.d/x.conf", "/etc/systemd/system/hearthbus.service", "/" + "x" * 5000,
    ],
)  # fmt: skip
def test_no_way_out(scene: Scene, told: Callable[[], str], path: str) -> None:
    """A manifest cannot name a place that is none of a house's; nothing of such a backup is used."""
    good = scene.folder / "good.txt"
    forged(scene.file, [(Entry(path=str(good), mode=0o644), b"x"), (Entry(path=path, mode=0o644), b"x")])

    assert 64 == main(["restore", str(scene.file)])
    assert "the backup is not used" in told()
    assert not good.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hearthbus/x", "/etc/systemd/system/hearthbus@notify.service.d/override.conf", "~/.config/hearthbus/x",
        "~/house.toml",
    ],
)  # fmt: skip
def test_a_house_is_no_way_out(path: str) -> None:
    """The places that a house has are allowed."""
    check_paths([path], to="")


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
    """A backup in a form of the future says that a newer hearthbus is needed, whatever else is in it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        header = tarfile.TarInfo("hearthbus-backup")
        header.size = 19
        tar.addfile(header, io.BytesIO(b"hearthbus backup 2\n"))
        folder = tarfile.TarInfo("new there")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)

    with pytest.raises(Invalid, match="made by a newer hearthbus: install it"):
        archive.check(data)


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
