"""Secrets: where they are kept, who else may read them, and that they never show."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus.config.secret import Secret, read_secret
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.logging import LogCaptureFixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a secret in a file of mode 0600."""
    file = tmp_path / "token"
    file.write_text("hunter2\n")
    file.chmod(0o600)
    return tmp_path


def fault(source: dict[str, Any], base: Path) -> str:
    """Return why a secret cannot be had."""
    with pytest.raises(Invalid) as caught:
        read_secret(source, base=str(base))
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_is_read_from_a_file_of_its_owner(folder: Path, mode: int) -> None:
    """A file that only its owner may use gives its text, without the line's end."""
    (folder / "token").chmod(mode)

    assert "hunter2" == read_secret({"file": "token"}, base=str(folder)).reveal()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601])
def test_a_file_others_may_use_is_refused(folder: Path, mode: int) -> None:
    """One bit for group or others is one too many, and the command that helps is told."""
    (folder / "token").chmod(mode)

    assert f"others than its owner can use {folder}/token; type: chmod 600 {folder}/token" == fault(
        {"file": "token"}, folder
    )


def test_a_secret_is_read_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`env` names a variable."""
    monkeypatch.setenv("TOKEN_OF_TEST", "hunter2")

    assert "hunter2" == read_secret({"env": "TOKEN_OF_TEST"}, base=str(folder)).reveal()


def test_a_secret_is_read_from_systemd_s_credentials(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`credential` names one of the unit's."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

    assert "hunter2" == read_secret({"credential": "token"}, base=str(folder)).reveal()


def test_what_cannot_be_had_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to fail names the place and the next step."""
    monkeypatch.delenv("TOKEN_OF_TEST", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (folder / "empty").touch(mode=0o600)

    assert f"{folder}/gone cannot be read: No such file or directory" == fault({"file": "gone"}, folder)
    assert "the secret of file 'empty' is empty" == fault({"file": "empty"}, folder)
    assert "the environment variable TOKEN_OF_TEST is not set" == fault({"env": "TOKEN_OF_TEST"}, folder)
    assert ("credential 'token' is there only under systemd, in a unit with LoadCredential=token:/path") == fault(
        {"credential": "token"}, folder
    )
    assert (
        '\'fiel\' is no place for a secret; write { file = "/path" }, { env = "NAME" } or { credential = "NAME" }'
    ) == fault({"fiel": "token"}, folder)
    assert "file is text in quotes" == fault({"file": 3}, folder)

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

    assert "credential '../token' is a name without '/'" == fault({"credential": "../token"}, folder)


def test_a_secret_never_shows_itself(folder: Path, caplog: LogCaptureFixture) -> None:
    """Text, representation, formatting and logs tell the source, not the secret."""
    secret = read_secret({"file": "token"}, base=str(folder))
    logging.getLogger("test").warning("with %s and %r", secret, secret)
    shown = f"{secret} {secret!r} {[secret]} %s" % secret + caplog.text

    assert "hunter2" not in shown
    assert "Secret(file token)" == str(secret)


def test_equal_secrets_are_equal() -> None:
    """A reload sees whether a secret has changed, wherever it came from."""
    assert Secret("a") == Secret("a", source="env A")
    assert Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a", source="env A"))
