"""Files of keys: what is read from them, and whom they are refused to."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doorman import make_key, write_key
from hypothesis import given, settings
from hypothesis import strategies as st
from zmq.utils import z85

from hearthbus.errors import Invalid
from hearthbus.keys import Key, check_folder, check_key_name, key_text, public_text, read_allowed, read_key

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,39}", fullmatch=True)
DAMAGED = f'name = "kitchen"\npublic = "{40 * "#"}"'
"""Characters of a key, and more than 32 bits a group."""
Z85 = st.binary(min_size=32, max_size=32).map(lambda key: z85.encode(key).decode())


def allow(folder: Path, name: str, public: str, *, file: str = "") -> None:
    """Let a key in."""
    for each in (folder, folder / "allowed"):
        each.mkdir(mode=0o700, exist_ok=True)
    path = folder / "allowed" / (file or f"{name}.pub")
    path.touch(mode=0o600)
    path.write_text(public_text(name=name, public=public))


@settings(max_examples=30)
@given(name=NAMES, public=Z85, secret=Z85, broker=st.one_of(st.just(""), Z85))
def test_a_key_is_read_as_it_was_written(name: str, public: str, secret: str, broker: str) -> None:
    """Whatever characters a key consists of, its file gives it back."""
    key = Key(name=name, public=public, secret=secret, broker=broker)
    with tempfile.TemporaryDirectory() as folder:
        path = write_key(Path(folder) / "a.key", key)

        assert Key(name=name, public=public, secret=secret, broker=broker, path=path) == read_key(path)


@settings(max_examples=50)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_file_is_a_key_or_is_refused(content: bytes) -> None:
    """Nothing that a file can hold ends in another error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.key"
        path.touch(mode=0o600)
        path.write_bytes(content)

        with pytest.raises(Invalid, match="a.key"):  # noqa: RUF043 - a dot is any character, too
            read_key(str(path))


@given(st.text(max_size=60))
def test_a_name_can_stand_in_a_file_a_table_and_a_topic(name: str) -> None:
    """A name is refused unless it is of a-z 0-9 _ - alone: no dot, slash, space or quote gets through."""
    plain = (
        bool(name)
        and len(name) <= 40
        and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        and name[0] not in "_-"
    )
    try:
        taken = check_key_name(name) == name
    except Invalid:
        taken = False

    assert plain == taken


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601, 0o644, 0o666, 0o777])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """One bit for the group or for others is one too many; the error says what to type."""
    path = write_key(tmp_path / "kitchen.key", make_key("kitchen"))
    Path(path).chmod(mode)

    with pytest.raises(Invalid) as caught:
        read_key(path)

    assert f"others than its owner can use {path}; type: chmod 600 {path}" == str(caught.value)


def test_a_credential_of_systemd_is_the_unit_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systemd lets the unit's user read a credential by an ACL, which shows as 0440: that is nobody else's."""
    path = write_key(tmp_path / "key", make_key("kitchen"))
    Path(path).chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert "kitchen" == read_key(path).name

    Path(path).chmod(0o444)
    with pytest.raises(Invalid, match="chmod 600"):
        read_key(path)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755, 0o777])
def test_a_folder_that_others_can_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    """The same for folders, the one within as well."""
    allow(tmp_path / "keys", "kitchen", make_key("kitchen").public)
    for folder in (tmp_path / "keys" / "allowed", tmp_path / "keys"):
        folder.chmod(mode)
        with pytest.raises(Invalid, match=f"others than its owner can look into {folder}; type: chmod 700 {folder}$"):
            read_allowed(str(tmp_path / "keys"))
        folder.chmod(0o700)

    assert str(tmp_path / "keys") == check_folder(str(tmp_path / "keys"))


@pytest.mark.parametrize(
    "text", ['name = "Kitchen"', 'name = "kitchen"\npublic = "short"', "[name]", "name = 1", DAMAGED]
)
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    """TOML that is no key says which part is not."""
    path = tmp_path / "kitchen.key"
    path.touch(mode=0o600)
    path.write_text(text)

    with pytest.raises(Invalid, match=r"kitchen\.key(: key name|: public is no key of 40 characters| is no key)"):
        read_key(str(path))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[str, int], None]) -> None:
    """A pipe among the keys would keep a broker that waits for its writer: it is not waited for."""
    allow(tmp_path, "kitchen", make_key("kitchen").public)
    make(f"{tmp_path}/allowed/attic.pub", 0o600)

    with pytest.raises(Invalid, match=r"attic\.pub (is no file|cannot be read: Is a directory)"):
        read_allowed(str(tmp_path))


def test_who_is_let_in(tmp_path: Path) -> None:
    """Every file of the folder, by its public key; what a crash left half written is no `.pub` yet."""
    keys = [make_key("kitchen"), make_key("garden")]
    for key in keys:
        allow(tmp_path, key.name, key.public)
    (tmp_path / "allowed" / ".attic.pub.part").write_text("name = ")

    assert {key.public: key.name for key in keys} == read_allowed(str(tmp_path))


def test_a_key_under_two_names(tmp_path: Path) -> None:
    """One key for two names could not say who comes with it."""
    key = make_key("kitchen")
    allow(tmp_path, "kitchen", key.public)
    allow(tmp_path, "attic", key.public)

    with pytest.raises(Invalid, match="the key of attic is there under two names"):
        read_allowed(str(tmp_path))


def test_a_file_of_another_name(tmp_path: Path) -> None:
    """A file is named as its key is: to revoke one is to find its file."""
    allow(tmp_path, "kitchen", make_key("kitchen").public, file="attic.pub")

    with pytest.raises(Invalid, match=r"attic\.pub is the key of kitchen; name the file kitchen\.pub"):
        read_allowed(str(tmp_path))


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of another's, or a process without file descriptors left: that is no reason for a broker to fall."""
    allow(tmp_path, "kitchen", make_key("kitchen").public)

    def refuse(_path: str) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(Invalid, match=r"keys .*/allowed cannot be read: Permission denied; give it to its owner"):
        read_allowed(str(tmp_path))


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    """What is not there is named, with the command that makes it."""
    with pytest.raises(Invalid, match=r"kitchen\.key cannot be read: No such file"):
        read_key(str(tmp_path / "kitchen.key"))
    with pytest.raises(Invalid, match="make one with `hearthbus keys init`"):
        check_folder(str(tmp_path / "keys"))


def test_the_text_of_a_key_tells_no_secret() -> None:
    """A key that is logged or shown by a debugger shows its name alone."""
    key = make_key("kitchen")

    assert "Key(kitchen)" == f"{key}"
    assert key.secret in key_text(key)
    assert os.linesep not in repr(key)
