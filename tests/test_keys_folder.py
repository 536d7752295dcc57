"""The folder of keys as it is changed: whole files, for their owner alone, whatever happens meanwhile."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hearthbus.cli.key_folder import KeyFolder
from hearthbus.errors import Invalid, Unavailable
from hearthbus.keys import read_allowed, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def careless() -> Iterator[None]:
    """A user whose files are everybody's."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def keys(careless: None) -> Iterator[KeyFolder]:
    """A folder with the broker's key, in a place that everybody can reach."""
    del careless
    with tempfile.TemporaryDirectory(prefix="hb-keys-") as place:
        Path(place).chmod(0o711)
        folder = KeyFolder(f"{place}/keys")
        folder.init()
        yield folder


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder.parent)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (folder, *folder.rglob("*"))
    }


def test_what_is_made_is_its_owner_s_alone(keys: KeyFolder) -> None:
    """Files 0600 and folders 0700, whatever the umask."""
    keys.add("kitchen")
    keys.add("attic")
    keys.revoke("attic")

    assert {
        "keys": "0o700", "keys/allowed": "0o700", "keys/revoked": "0o700",
        "keys/broker.key": "0o600", "keys/kitchen.key": "0o600",
        "keys/allowed/kitchen.pub": "0o600", "keys/revoked/attic.pub": "0o600",
    } == modes(keys.path)  # fmt: skip


def test_the_broker_s_key_is_made_once(keys: KeyFolder) -> None:
    """To begin again what is there changes nothing: every key that was carried away goes on to fit."""
    before = keys.broker()

    assert not keys.init()
    assert before == keys.broker()


def test_a_key_fits_its_broker_and_what_is_let_in(keys: KeyFolder) -> None:
    """The file to carry holds the broker's public key, and its own is the one that is let in."""
    key = read_key(str(keys.add("kitchen")))

    assert keys.broker().public == key.broker
    assert {key.public: "kitchen"} == read_allowed(str(keys.path))


def test_a_revoked_key_is_kept_and_its_secret_is_not(keys: KeyFolder) -> None:
    """Whose a key was can be seen later; the file to carry is gone, so that nobody carries it now."""
    file = keys.add("kitchen")
    keys.revoke("kitchen")

    assert ([], ["kitchen"]) == (keys.allowed(), keys.revoked())
    assert not file.exists()


def test_a_revoked_name_gets_a_fresh_key(keys: KeyFolder) -> None:
    """The same name with another key, as often as one likes; each old one stays revoked."""
    publics = set()
    for _ in range(3):
        publics.add(read_key(str(keys.add("kitchen"))).public)
        keys.revoke("kitchen")

    assert 3 == len(publics)
    assert ([], ["kitchen"]) == (keys.allowed(), keys.revoked())
    assert (
        publics
        == {line for file in (keys.path / "revoked").iterdir() for line in file.read_text().split('"')} & publics
    )


def test_a_name_has_one_key(keys: KeyFolder) -> None:
    """A second key of a name would make the first one's machine a stranger."""
    keys.add("kitchen")

    with pytest.raises(Invalid, match="kitchen has a key; `hearthbus keys revoke kitchen` first"):
        keys.add("kitchen")


@pytest.mark.parametrize("name", ["broker", "local", "../x", "a b", "", "Kitchen", "a.b"])
def test_names_that_no_key_can_have(keys: KeyFolder, name: str) -> None:
    """The broker's own words, and what is more than a plain name, make no file."""
    before = modes(keys.path)

    with pytest.raises(Invalid, match="key name"):
        keys.add(name)
    assert before == modes(keys.path)


def test_revoking_works_in_a_folder_with_faults(keys: KeyFolder) -> None:
    """One file that is wrong must not keep another key's thief in."""
    keys.add("kitchen")
    (keys.path / "allowed" / "attic.pub").write_text("no key")
    keys.revoke("kitchen")

    assert not (keys.path / "allowed" / "kitchen.pub").exists()


def test_a_loose_folder_is_not_added_to(keys: KeyFolder) -> None:
    """A folder that others can look into is refused before a secret is written to it."""
    keys.path.chmod(0o755)

    with pytest.raises(Invalid, match="chmod 700"):
        keys.add("kitchen")
    assert not (keys.path / "kitchen.key").exists()


@pytest.mark.parametrize("step", [1, 2])
def test_a_write_that_fails_leaves_no_half_file(keys: KeyFolder, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Whichever file the disk does not take, the broker reads none that is not whole, and the next try works."""
    left = step
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if not left:
            raise OSError(28, "No space left on device", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        keys.add("kitchen")
    monkeypatch.undo()
    before = read_allowed(str(keys.path))
    keys.add("kitchen")

    assert {} == before
    assert ["kitchen"] == keys.allowed()


def test_root_works_as_the_owner_of_the_folder(keys: KeyFolder) -> None:
    """What root makes can be read by the broker, whose folder it is."""
    owner = NOBODY if os.geteuid() == 0 else os.geteuid()
    for path in (keys.path, *keys.path.rglob("*")):
        os.chown(path, owner, -1)
    keys.add("kitchen")
    keys.add("attic")
    keys.revoke("attic")

    assert {owner} == {path.stat().st_uid for path in keys.path.rglob("*")}


def test_somebody_else_is_told_of_sudo(keys: KeyFolder) -> None:
    """Who may not look into the folder is told to ask as its owner, and not to make another."""
    if os.geteuid() != 0:
        pytest.skip("it takes root to become somebody else")
    os.seteuid(NOBODY)
    try:
        with pytest.raises(Invalid, match=r"keys/allowed: Permission denied; do it as its owner, with sudo"):
            keys.allowed()
        with pytest.raises(Unavailable, match=r"Permission denied; do it as its owner, with sudo"):
            keys.revoked()
    finally:
        os.seteuid(0)


def test_root_is_led_nowhere_by_a_link(keys: KeyFolder, tmp_path: Path) -> None:
    """A link laid in the broker's folder does not make root write where only root may."""
    if os.geteuid() != 0:
        pytest.skip("only root writes for somebody else")
    (tmp_path / "cron.d").mkdir(mode=0o755)
    (keys.path / "allowed").rmdir()
    (keys.path / "allowed").symlink_to(tmp_path / "cron.d")
    for path in (keys.path, keys.path / "broker.key"):
        os.chown(path, NOBODY, NOBODY)

    with pytest.raises((Invalid, Unavailable)):
        keys.add("kitchen")
    assert [] == list((tmp_path / "cron.d").iterdir())
