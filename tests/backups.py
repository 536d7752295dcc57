"""A small house with everything a backup can hold, in a folder of a test; and the two commands on it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hearthbus.backup import sealing
from hearthbus.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

PASSPHRASE = "four words are good"


@dataclass
class Scene:
    """Where everything is."""

    folder: Path
    config: Path
    state: Path
    secret: Path
    """The file with the passphrase."""

    @property
    def file(self) -> Path:
        """The backup."""
        return self.folder / "house.backup"

    def backup(self, *more: str) -> int:
        """Make one; return the exit code."""
        return main(["backup", str(self.file), "--config", str(self.config), *self.with_secret, *more])

    def restore(self, *more: str, to: Path | None = None) -> int:
        """Put it in place, below a folder; return the exit code."""
        return main(["restore", str(self.file), "--to", str(to or self.there), *self.with_secret, *more])

    @property
    def with_secret(self) -> tuple[str, ...]:
        """How the passphrase is given."""
        return ("--passphrase-file", str(self.secret))

    @property
    def there(self) -> Path:
        """The folder that stands for another machine."""
        return self.folder / "there"

    def restored(self, path: Path, to: Path | None = None) -> Path:
        """Where a path of this house is after a restore."""
        return Path(f"{to or self.there}{path}")


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A house: configuration with an include, a key, a password, a service of one's own; state of services."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(sealing, "_LOG_N", 12)  # a guess need not cost a second here
    folder = tmp_path / "hearthbus"
    keys = folder / "keys"
    (keys / "allowed").mkdir(parents=True)
    (folder / "conf.d").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state" / "calendar").mkdir(parents=True)
    config = folder / "hearthbus.toml"
    config.write_text(
        'include = ["conf.d/*.toml"]\n[broker]\nkeys = "keys"\n'
        '[cellar]\nservice = "cellar_watch:Cellar"\nlist = "notes.csv"\n'
    )
    write: dict[Path, str] = {
        folder / "conf.d" / "notify.toml": f'[notify]\npassword = {{ file = "{tmp_path}/elsewhere/mail" }}\n',
        folder / "cellar_watch.py": "# a service\n",
        folder / "notes.csv": "a,b\n",
        tmp_path / "state" / "calendar" / "family.json": '{"looked": 1}',
        tmp_path / "state" / "calendar" / ".family.json.new": "half",
    }
    private: dict[Path, str] = {
        keys / "broker.key": "the broker's secret key",
        keys / "allowed" / "kitchen.pub": "a public key",
        tmp_path / "elsewhere" / "mail": "correct-horse\n",
        tmp_path / "passphrase": f"{PASSPHRASE}\n",
    }
    for path, text in {**write, **private}.items():
        path.write_text(text)
    for path in private:
        path.chmod(0o600)
    keys.chmod(0o700)
    (keys / "allowed").chmod(0o700)
    with closing(sqlite3.connect(tmp_path / "state" / "own.db")) as own:
        own.executescript("create table t(x); insert into t values('kept');")
    return Scene(folder=tmp_path, config=config, state=tmp_path / "state", secret=tmp_path / "passphrase")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the command said on standard error since the last time."""
    return lambda: capsys.readouterr().err
