"""No key, token, signature or client secret of Google's shows: in texts, tracebacks, all libraries' logs, --json."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from fake_google import FAMILY, TOKEN, Answer, Cut, Drip, Drop, FakeGoogle, Stall
from google_house import calendar, house, secret
from google_source import WEEK, fakes, source

from hearthbus import Secret
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from fake_google import Scripted

    from services.calendar.google.source import GoogleSource

google = pytest.fixture(fakes)


def told(text: str, secrets: Iterable[str]) -> list[str]:
    """Return the secrets that stand in a text, as they are or as an address has them."""
    return [each for each in secrets if each in text or quote(each, safe="") in text]


def of_robot(google: FakeGoogle) -> GoogleSource:
    return source(google, google.share(FAMILY, google.robot()), timeout_s=0.3, deadline_s=1.0)


def of_login(google: FakeGoogle) -> GoogleSource:
    return source(google, google.share(FAMILY, google.login()), timeout_s=0.3, deadline_s=1.0)


def of_key(google: FakeGoogle) -> GoogleSource:
    google.calendar(FAMILY).public = True
    return source(google, api_key=Secret(google.tokens.api_key()), timeout_s=0.3, deadline_s=1.0)


def echoes(google: FakeGoogle) -> list[Scripted]:
    """Answers that repeat every secret there is, wherever an answer has room for text."""
    every = " ".join(sorted(google.tokens.secrets))
    reasons = [{"reason": each, "message": each} for each in sorted(google.tokens.secrets)]
    error = {"code": 403, "message": every, "errors": reasons, "details": reasons, "status": every}
    body = json.dumps({"error": error}).encode()
    phrase = every.replace("\n", " ")
    return [
        *(Answer(status, body, phrase=phrase) for status in (400, 401, 401, 401, 403, 404, 410, 429, 500, 503)),
        Answer(200, every.encode()),
        Answer(200, json.dumps({"items": every}).encode()),
        Answer(302, b"", headers={"Location": f"http://127.0.0.1:9/{quote(every)}"}),
        *[Drop()] * 4, Stall(), Drip(), Cut(), Cut(honest=True),
    ]  # fmt: skip


@pytest.mark.parametrize("who", [of_robot, of_login, of_key])
def test_every_fault(
    google: FakeGoogle, who: Callable[[FakeGoogle], GoogleSource], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, texts, tracebacks and the logs of every library at DEBUG hold no secret."""
    caplog.set_level(logging.DEBUG)
    asked = who(google)
    asked.fetch(WEEK)
    said: list[str] = [repr(asked)]
    behind: set[BaseException | None] = {None}
    for answer in echoes(google):
        google.script(answer)
        try:
            asked.fetch(WEEK)
        except SourceFault as fault:
            said += [str(fault), repr(fault), *traceback.TracebackException.from_exception(fault).format()]
            behind |= {fault.__context__, fault.__cause__}
    said += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]

    assert len(said) > 30
    assert {None} == behind
    assert [] == told("\n".join(said), google.tokens.secrets)


@pytest.mark.parametrize("who", [of_robot, of_login])
def test_every_fault_of_the_token_server(
    google: FakeGoogle, who: Callable[[FakeGoogle], GoogleSource], caplog: pytest.LogCaptureFixture
) -> None:
    """A token server that repeats what it was sent teaches nobody anything."""
    caplog.set_level(logging.DEBUG)
    asked = who(google)
    asked.fetch(WEEK)
    said: list[str] = []
    every = " ".join(sorted(google.tokens.secrets))
    for code in ("invalid_grant", "invalid_client", every, ""):
        google.tokens.expire()
        google.script(Answer(400, json.dumps({"error": code, "error_description": every}).encode()), at=TOKEN)
        with pytest.raises(SourceFault) as caught:
            asked.fetch(WEEK)
        said += traceback.TracebackException.from_exception(caught.value).format()
    said += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]

    assert [] == told("\n".join(said), google.tokens.secrets)


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["events"], ["events", "--json"]])
@pytest.mark.parametrize("answer", [None, Answer(403, reason="forbidden"), Answer(200, b"<html>")])
def test_verb(google: FakeGoogle, tmp_path: Path, words: list[str], answer: Scripted | None) -> None:
    """What the verb prints holds no secret, whether it works or not."""
    secret(tmp_path, "google.json", google.share(FAMILY, google.robot()))
    if answer is not None:
        google.script(answer)
    code, out, err = calendar(*words, "--config", str(house(tmp_path, google)))

    assert (0 if answer is None else 69) == code
    assert [] == told(out + err, google.tokens.secrets)


@pytest.mark.parametrize("name", ["credentials", "api_key"])
@pytest.mark.parametrize("other", ["client", "robot", "login", "key", "pem"])
def test_wrong_file(google: FakeGoogle, tmp_path: Path, name: str, other: str) -> None:
    """A file that stands in another's place is told without what it holds."""
    google.tokens.client_secret  # noqa: B018 - part of what nobody may see
    files: dict[str, Callable[[], str]] = {
        "client": google.client, "robot": google.robot, "login": google.login, "key": google.tokens.api_key,
        "pem": lambda: str(json.loads(google.robot())["private_key"]),
    }  # fmt: skip
    secret(tmp_path, "google.json", files[other]())
    config = house(tmp_path, google, keys=f'{name} = {{ file = "google.json" }}')
    checked = subprocess.run(
        [sys.executable, "-m", "hearthbus", "check", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    _, out, err = calendar("list", "--json", "--config", str(config))

    assert [] == told(checked.stdout + checked.stderr + out + err, google.tokens.secrets)


def test_a_secret_would_be_found(google: FakeGoogle) -> None:
    """The search of these tests finds a secret that is there."""
    key = google.tokens.api_key()
    info: dict[str, Any] = json.loads(google.robot())

    assert [key] == told(f"http://x/?key={key}", {key})
    assert [] != told(info["private_key"], google.tokens.secrets)
