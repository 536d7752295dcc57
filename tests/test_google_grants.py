"""Credentials that Google does not take, or not any more: wrong clocks, revoked logins, deleted keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_google import FAMILY, TOKEN, Answer, Cut, FakeGoogle
from google_source import WEEK, fakes, fault, source

if TYPE_CHECKING:
    from fake_google import Scripted

ROBOT = "hearthbus@house.iam.gserviceaccount.com"
google = pytest.fixture(fakes)


@pytest.mark.parametrize("ahead_s", [7200.0, -7200.0])
def test_wrong_clock(google: FakeGoogle, ahead_s: float) -> None:
    """A signature of another hour is told as what it is, with how far the clock is off; set right, it works at once."""
    asked = source(google)
    google.clock_ahead_s = ahead_s
    found = fault(asked)
    side = "behind" if ahead_s > 0 else "ahead of"

    assert "unreachable" == found.kind
    assert str(found).startswith("the clock of this machine is wrong: ")
    assert f"{side} Google's; set the time (invalid_grant)" in str(found)

    google.clock_ahead_s = 0.0

    assert [] == asked.fetch(WEEK)


def test_clock_that_runs_ahead_a_little(google: FakeGoogle) -> None:
    """A minute does not matter to Google, nor to us."""
    google.clock_ahead_s = -60.0

    assert [] == source(google).fetch(WEEK)


def test_grant_that_is_not_explained(google: FakeGoogle) -> None:
    """An invalid_grant without a word and without a clock to compare names both that it may be."""
    google.tells_time = False
    google.script(Answer(400, b'{"error": "invalid_grant"}'), at=TOKEN)
    found = fault(source(google))

    assert "refused" == found.kind
    assert "the clock of this machine may be wrong, or the grant was revoked" in str(found)


def test_revoked_login(google: FakeGoogle) -> None:
    """A login that was revoked says so, and how to log in again."""
    asked = source(google, google.share(FAMILY, google.login()))
    google.tokens.refresh.clear()
    found = fault(asked)

    assert "refused" == found.kind
    assert "the login was revoked or has run out" in str(found)
    assert "hearthbus calendar login" in str(found)


def test_revoked_while_it_runs(google: FakeGoogle) -> None:
    """A login that is revoked between two fetches: the token is refused, and then the grant."""
    asked = source(google, google.share(FAMILY, google.login()))
    asked.fetch(WEEK)
    google.tokens.refresh.clear()
    google.tokens.expire()

    assert "the login was revoked" in str(fault(asked))


def test_deleted_key(google: FakeGoogle) -> None:
    """A key that Google has deleted, or an account, is told as that."""
    asked = source(google)
    google.tokens.keys[ROBOT] = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()

    assert f"the key of {ROBOT} does not hold any more" in str(fault(asked))

    google.tokens.keys.clear()

    assert f"{ROBOT} does not exist any more" in str(fault(asked))


def test_deleted_client(google: FakeGoogle) -> None:
    """A login whose OAuth client is gone names it."""
    asked = source(google, google.share(FAMILY, google.login()))
    google.tokens.client_id = "another"

    assert "Google does not know the client of this login any more" in str(fault(asked))


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (Answer(400, b'{"error": "access_denied"}'), "refused", "said no"),
        (Answer(400, b'{"error": "odd", "error_description": "x"}'), "broken", "no token"),
        (Answer(400, b'{"error": {"deep": 1}}'), "broken", "no token"),
        (Answer(400, b'"text"'), "broken", "no token"),
        (Answer(400, b"<html>"), "broken", "no token"),
        (Answer(200, b"{}"), "broken", "no token"),
        (Answer(200, b"<html>"), "broken", ""),
        (Answer(200, b'{"access_token": "ya29", "expires_in": "soon"}'), "broken", ""),
        (Answer(200, b"\xff"), "broken", ""),
        (Cut(), "unreachable", "broke off"),
    ],
)
def test_token_server(google: FakeGoogle, answer: Scripted, kind: str, text: str) -> None:
    """Whatever the token server says is a fault of its class, never another error."""
    google.script(answer, at=TOKEN)
    found = fault(source(google))

    assert kind == found.kind
    assert text in str(found)


def test_token_server_in_trouble(google: FakeGoogle) -> None:
    """A token server in trouble is asked three times within the fetch, then left alone."""
    google.script(*[Answer(503, b"{}")] * 3, at=TOKEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
        found = fault(source(google))

    assert ("unreachable", "Google's token server has trouble of its own") == (found.kind, str(found))
    assert 3 == sum(asked.path == TOKEN for asked in google.asked)


def test_token_never_accepted(google: FakeGoogle) -> None:
    """A calendar server that refuses every token is not asked for ever."""
    google.script(*[Answer(401, reason="authError")] * 9)
    found = fault(source(google))

    assert ("refused", 3) == (found.kind, len(google.lists()))
    assert f"Google does not accept the credentials of {ROBOT} (HTTP 401)" == str(found)


def test_damaged_key(google: FakeGoogle) -> None:
    """A private key that is damaged is told without any of its letters."""
    info = json.loads(google.robot())
    info["private_key"] = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"
    found = fault(source(google, json.dumps(info)))

    assert "refused" == found.kind
    assert "the private key in the credentials cannot be read: the file is damaged; download a new key" == str(found)
