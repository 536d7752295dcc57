"""`hearthbus calendar login`, end to end: the printed address, Google's page, the way back, the token file."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from fake_google import FAMILY, TOKEN, Answer, FakeGoogle
from fake_google_events import timed
from google_source import WEEK, fakes, source
from ports import free_port

from hearthbus import Invalid
from services.calendar.google.login import read_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., "Login"]

google = pytest.fixture(fakes)


class Login:
    """A running `hearthbus calendar login`."""

    def __init__(self, client: Path, token: Path, *more: str) -> None:
        self.port = free_port()
        self.shown = ""
        # oauthlib asks for https, which a server on loopback does not have
        environ = {**os.environ, "OAUTHLIB_INSECURE_TRANSPORT": "1", "NO_PROXY": "*"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hearthbus", "calendar", "login", "--client", str(client), "--token", str(token),
             "--port", str(self.port), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ,
        )  # fmt: skip

    def address(self) -> str:
        """Return the address it prints, once it waits."""
        assert self.process.stdout is not None
        while "Waiting" not in self.shown:
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.end()}"
            self.shown += line
        found = re.search(r"http://127\.0\.0\.1:\d+/o/oauth2/auth\S+", self.shown)
        assert found is not None
        return found[0]

    def end(self) -> tuple[int, str]:
        """Return its exit code, and all it has said."""
        out, err = self.process.communicate(timeout=30)
        self.shown += out
        return self.process.returncode, self.shown + err


@pytest.fixture
def start(google: FakeGoogle, tmp_path: Path) -> Iterator[Start]:
    """Start logins."""
    client = tmp_path / "client.json"
    client.write_text(google.client())
    client.chmod(0o600)
    started: list[Login] = []

    def begin(*more: str, token: Path = tmp_path / "token.json") -> Login:
        started.append(Login(client, token, *more))
        return started[-1]

    yield begin
    for login in started:
        login.process.kill()
        login.process.wait()
        for stream in (login.process.stdout, login.process.stderr):
            assert stream is not None
            stream.close()


def browse(address: str) -> tuple[int, str]:
    """Do as a browser does: open the address, follow Google back to loopback; returns what it shows at last."""
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_whole_way(google: FakeGoogle, start: Start, tmp_path: Path) -> None:
    """A person agrees; the token is stored for its owner alone, shows nowhere, and reads the calendar."""
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z"))
    login = start()
    page = browse(login.address())
    code, said = login.end()
    token = tmp_path / "token.json"

    assert (0, (200, "hearthbus may read calendars now. You can close this page.")) == (code, page)
    assert 0o600 == stat.S_IMODE(token.stat().st_mode)
    assert f"ssh -L {login.port}:127.0.0.1:{login.port} " in said
    assert f'credentials = {{ file = "{token}" }}' in said
    assert [] == [secret for secret in google.tokens.secrets if secret in said]

    text = token.read_text()

    assert {"type", "client_id", "client_secret", "refresh_token", "token_uri", "scopes"} == set(json.loads(text))
    assert 1 == len(source(google, google.share(FAMILY, text)).fetch(WEEK))


def test_old_token_is_replaced(start: Start, tmp_path: Path) -> None:
    """A second login replaces the file, whatever rights the old one had."""
    token = tmp_path / "token.json"
    token.write_text('{"client_id": "a", "client_secret": "b", "refresh_token": "c"}')
    token.chmod(0o644)
    login = start()
    browse(login.address())

    assert 0 == login.end()[0]
    assert (0o600, "authorized_user") == (stat.S_IMODE(token.stat().st_mode), json.loads(token.read_text())["type"])
    assert ["client.json", "token.json"] == sorted(path.name for path in tmp_path.iterdir())


def test_passers_by(start: Start) -> None:
    """Who comes without our state is sent away, and we wait on: a page's icon, another page, another program."""
    login = start()
    address = login.address()
    here = f"http://127.0.0.1:{login.port}"
    found = [
        browse(f"{here}{path}")[0] for path in ("/favicon.ico", "/", "/?code=4/x&state=guessed", "/?error=no", "/a?%ff")
    ]
    with socket.create_connection(("127.0.0.1", login.port)) as silent:
        silent.sendall(b"\x16\x03\x01")

    assert [404] * 5 == found
    assert 200 == browse(address)[0]
    assert 0 == login.end()[0]


def test_no(google: FakeGoogle, start: Start, tmp_path: Path) -> None:
    """A person who says no is told that nothing was changed."""
    google.tokens.consents = "no"
    login = start()

    assert (200, "Nothing was changed. You can close this page.") == browse(login.address())

    code, said = login.end()

    assert 5 == code
    assert "hearthbus: Google's page was left without a yes; begin anew when you like\n" in said
    assert not (tmp_path / "token.json").exists()


def test_box_left_out(google: FakeGoogle, start: Start, tmp_path: Path) -> None:
    """A person who does not tick the box for calendars is told which box."""
    google.tokens.consents = "unticked"
    login = start()
    browse(login.address())
    code, said = login.end()

    assert 5 == code
    assert "a box for calendars that was not ticked; begin anew and tick it" in said
    assert not (tmp_path / "token.json").exists()


def test_no_lasting_token(google: FakeGoogle, start: Start) -> None:
    """An answer without a refresh token is refused: it would last an hour."""
    google.tokens.gives_refresh = False
    login = start()
    browse(login.address())
    code, said = login.end()

    assert 5 == code
    assert "Google gave no token that lasts" in said


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (Answer(400, b'{"error": "invalid_grant", "error_description": "ECHO"}'), 5, "gives no token (invalid_grant)"),
        (Answer(503, b"<html>ECHO"), 5, "gives no token"),
        (Answer(200, b"ECHO"), 5, "gives no token"),
        (Answer(200, b"[5]"), 69, "an answer that is no token"),
    ],
)  # fmt: skip
def test_token_server(google: FakeGoogle, start: Start, answer: Answer, code: int, text: str) -> None:
    """A token server that gives none ends the login in one line, which repeats nothing of what it said."""
    google.script(answer, at=TOKEN)
    login = start()
    browse(login.address())
    ended, said = login.end()

    assert code == ended
    assert text in said
    assert "ECHO" not in said
    assert "Traceback" not in said


def test_nobody_comes(start: Start) -> None:
    """Nobody waits for ever."""
    login = start("--wait", "0.3s")
    login.address()
    code, said = login.end()

    assert 4 == code
    assert "nobody agreed at Google's page within 0 s; begin anew" in said


def test_port_in_use(start: Start) -> None:
    """A port that is taken is named, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = start("--port", str(port)).end()

    assert 69 == code
    assert (
        f"hearthbus: port {port} of 127.0.0.1 cannot be had: Address already in use; take another with --port" in said
    )


def test_client_that_others_can_read(google: FakeGoogle, start: Start, tmp_path: Path) -> None:
    """A client file that others can read is refused, with the command that mends it."""
    (tmp_path / "client.json").chmod(0o640)
    code, said = start().end()

    assert 64 == code
    assert f"type: chmod 600 {tmp_path / 'client.json'}" in said
    assert google.tokens.client_secret not in said


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("client.json", "are the same file"),
        (".", "is a folder"),
        ("no/token.json", "make it first"),
        ("house.toml", "something else"),
    ],
)
def test_place_of_the_token(start: Start, tmp_path: Path, place: str, text: str) -> None:
    """A place where no token can be written, or should be, is told before a person goes to Google's page."""
    (tmp_path / "house.toml").write_text("[sun]\n")
    code, said = start(token=tmp_path / place).end()

    assert 64 == code
    assert text in said
    assert "[sun]\n" == (tmp_path / "house.toml").read_text()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "no JSON file"),
        ("[]", "no JSON file"),
        ('{"web": {}}', 'make an OAuth client of the type "Desktop app"'),
        ('{"type": "service_account"}', "needs no login"),
        ('{"refresh_token": "x"}', "a token that a login has made already"),
        ("{}", "has no client_id"),
        ('{"installed": {"client_id": "x"}}', "has no client_secret"),
    ],
)
def test_other_files(content: str, text: str) -> None:
    """A file that is no client's is told by what it is."""
    with pytest.raises(Invalid, match=re.escape(text)):
        read_client(content)
