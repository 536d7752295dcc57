"""`hearthbus backup` and `restore`: what is in, whole or not at all, and nobody's secret in the open."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backups import PASSPHRASE, Scene, scene, told

from broker import store
from hearthbus.backup import belongings, passphrase
from hearthbus.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_looking_with_the_passphrase(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Who looks at a backup with its passphrase is told that it opens the secrets; without, nothing of it."""
    scene.backup()
    assert 0 == scene.restore("--look")
    with_it = capsys.readouterr().out
    assert 0 == main(["restore", str(scene.file), "--look"])

    assert "sealed; this passphrase opens them\n" in with_it
    assert "sealed\n" in capsys.readouterr().out


def test_another_passphrase(scene: Scene, told: Callable[[], str]) -> None:
    """Another passphrase is said in one line, and nothing is written; also where one only looks."""
    scene.backup()
    scene.secret.write_text("something else\n")

    assert (5, 5) == (scene.restore("--look"), scene.restore())
    assert 2 * "hearthbus: the passphrase is not the one this backup was made with\n" == told()
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


def test_typed_twice(scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal a new passphrase is asked twice; two that differ make no backup; restoring asks once."""
    typed = iter(["one of a kind", "another one", "one of a kind", "one of a kind", "one of a kind"])
    monkeypatch.setattr(passphrase, "_TERMINAL", os.devnull)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    words = ["backup", str(scene.file), "--config", str(scene.config)]
    codes = [main(words), main(words), main(["restore", str(scene.file), "--to", str(scene.there)])]

    assert [64, 0, 0] == codes
    assert "the two differ" in told()
    assert [] == list(typed)


def test_without_a_terminal(scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked, the way out is said."""
    monkeypatch.setattr(passphrase, "_TERMINAL", "/nowhere")

    assert 64 == main(["backup", str(scene.file), "--config", str(scene.config)])
    assert "name --passphrase-file FILE, or add --without-secrets" in told()


def test_the_page_opens_the_secrets(scene: Scene) -> None:
    """What the page shows opens the sealed secrets without hearthbus."""
    scene.backup()
    with tarfile.open(scene.file) as tar:
        tar.extract("secrets.sealed", scene.folder, filter="data")
    page = (Path(__file__).parent.parent / "docs" / "backup.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=scene.folder, capture_output=True, text=True, check=False, timeout=30
    )

    assert "" == done.stderr
    assert sorted(str(scene.folder / name) for name in SECRETS) == sorted(
        line.rpartition(" ")[0] for line in done.stdout.splitlines()
    )


def test_another_brokers_journal(scene: Scene) -> None:
    """Where the configuration names the broker's folder, a journal that lies elsewhere is none of this house's."""
    own, other = scene.folder / "data", scene.state / "broker"
    for folder in (own, other):
        folder.mkdir()
        store.connect(folder).close()
    scene.config.write_text(f'[broker]\ndata = "{own}"\n')
    found = belongings.find(str(scene.config), None)

    assert ({str(own)}, False) == (found.brokers, any(path.startswith(str(other)) for path in found.state))


def test_the_names_are_the_brokers() -> None:
    """What the command calls a broker's files is what the broker calls them."""
    from broker.snapshot import OWN

    assert OWN == belongings.OWN
