"""`hearthbus backup` and `restore` where a house is odd: links, pipes, places of the machine's own, two at a time."""

from __future__ import annotations

import errno
import fcntl
import getpass
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from backups import Scene, scene, told
from houses import House, houses, stopped

from hearthbus.backup import archive, belongings, passphrase, paths, placing
from hearthbus.cli.main import main
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["houses", "scene", "stopped", "told"]


def test_a_journal_that_was_moved(scene: Scene) -> None:
    """What a link among the state leads to is in it, once; a link to where the walk comes anyhow adds nothing."""
    larger = scene.folder / "larger disk"
    larger.mkdir()
    (larger / "kept.txt").write_text("kept")
    (larger / "round").symlink_to(larger)
    (scene.state / "a link").symlink_to(scene.state / "calendar")
    (scene.state / "moved").symlink_to(larger)
    found = belongings.find(str(scene.config), str(scene.state))

    wanted = {"moved/kept.txt", "calendar/family.json", "own.db"}
    assert {str(scene.state / path) for path in wanted} == found.state


def test_what_a_restore_would_refuse(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """What the configuration names among the machine's own is said and left out: the rest can be put in place."""
    scene.config.write_text(f'{scene.config.read_text()}password = {{ file = "/etc/hostname" }}\n')
    code = scene.backup()
    said = capsys.readouterr()

    assert 0 == code
    assert "/etc/hostname is the machine's own" in said.err
    assert "/etc/hostname" not in said.out
    with scene.file.open("rb") as file:
        manifest = archive.check(file).manifest
    assert ("/etc/hostname",) == manifest.left_out
    paths.check_paths([entry.path for entry in manifest.entries], to="")


def test_a_configuration_among_the_machines_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration where a restore puts nothing is refused before there is a backup nobody can use."""
    monkeypatch.setattr(paths, "_NEVER", (str(scene.config.parent),))

    with pytest.raises(Invalid, match="move the configuration to /etc/hearthbus"):
        belongings.find(str(scene.config), None)


def test_a_journal_that_cannot_be_read(scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what broker and services keep there is no backup, and the older one stays."""
    scene.backup()
    before = scene.file.read_bytes()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "own.db")

    assert 69 == scene.backup()
    assert "own.db cannot be read by who asks; type: sudo hearthbus backup" in told()
    assert before == scene.file.read_bytes()


def test_two_at_a_time(scene: Scene, told: Callable[[], str]) -> None:
    """While one is made, another to the same file is refused, and takes nothing of the first away."""
    part = scene.file.with_name(f".{scene.file.name}.part")
    part.mkdir()
    (part / "backup").write_text("half")
    held = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        code = scene.backup()
    finally:
        os.close(held)

    assert 69 == code
    assert "another backup to" in told()
    assert "half" == (part / "backup").read_text()
    assert 0 == scene.backup()


def test_what_is_no_file(scene: Scene, told: Callable[[], str]) -> None:
    """A pipe is neither written nor waited for."""
    os.mkfifo(scene.file)

    assert (64, 64) == (scene.backup(), scene.restore("--look"))
    assert 2 == told().count("is no file")


def test_typed_in_another_encoding(scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no text in the terminal's encoding are said, not stumbled over."""

    def typed(_: str) -> str:
        return b"\xff".decode()

    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.setattr(passphrase, "_TERMINAL", os.devnull)

    assert 64 == main(["backup", str(scene.file), "--config", str(scene.config)])
    assert "not text in this terminal's encoding" in told()


def test_ctrl_c_while_files_are_moved(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while files come to their places ends the command after the last of them."""
    scene.backup()
    whole = placing._Stage.move

    def interrupted(*given: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        whole(*given)

    monkeypatch.setattr(placing._Stage, "move", interrupted)

    assert 130 == scene.restore()
    assert scene.config.read_text() == scene.restored(scene.config).read_text()
    assert [] == list(scene.there.rglob(".*.restored"))


@pytest.mark.parametrize("error", [OSError(errno.EIO, "input, output"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
def test_ended_before_files_are_moved(
    stopped: House, scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ended while files are staged, a restore leaves no folder it made, those of a broker among them."""
    scene.config.write_text(f'[broker]\ndata = "{stopped.folder}"\n')
    scene.backup()

    def ended(*_: object) -> None:
        raise error

    monkeypatch.setattr(placing, "_check_store", ended)

    assert (69 if isinstance(error, OSError) else 130) == scene.restore()
    assert isinstance(error, KeyboardInterrupt) or "nothing was restored" in told()
    assert not scene.there.exists()


def test_a_disk_that_fails_while_files_are_moved(
    scene: Scene, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails after the first file: that it is done in part is said, and once more finishes it."""
    scene.backup()
    whole, calls = Path.replace, iter(range(99))

    def failing(path: Path, target: Path) -> Path:
        if next(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")
        return whole(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        code = scene.restore()

    assert 69 == code
    assert "restored in part; mend this, then type it once more" in told()
    assert 0 == scene.restore()
    assert scene.config.read_text() == scene.restored(scene.config).read_text()
