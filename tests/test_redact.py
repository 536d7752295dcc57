"""Redaction: no spelling of a secret is left in what others said, and all else is."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.redact import HIDDEN, in_a_line, redact

KEY = "s3cr+t/k&y é"
secrets = st.text(min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4 and len(text.splitlines()) == 1)
around = st.text(max_size=10)


@pytest.mark.parametrize(
    "spelt",
    [
        KEY,
        quote(KEY),
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
        quote_plus(KEY),
        quote(quote(KEY, safe=""), safe=""),
        json.dumps(KEY)[1:-1],
        json.dumps({"deep": KEY}, ensure_ascii=False),
        json.dumps(KEY).replace("/", "\\/"),
        repr(KEY),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
        KEY.replace("&", "&amp;"),
    ],
)
def test_no_spelling_is_left(spelt: str) -> None:
    """As it is, for an address, in JSON, in base64, in HTML."""
    said = redact(f"refused: {spelt}!", [KEY])

    assert HIDDEN in said
    assert all(part not in said for part in ("s3cr", "k&y", "czNjc", base64.b64encode(KEY.encode()).decode()[4:12]))


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:", "a longer name:"])
def test_a_secret_inside_of_base64_is_found(before: str) -> None:
    """A server that repeats `Authorization: Basic ...` repeats the password after the user's name."""
    password = "correct horse battery"
    said = redact("Basic " + base64.b64encode(f"{before}{password}".encode()).decode(), [password])
    left = base64.b64decode(said.removeprefix("Basic ").replace(HIDDEN, "").rstrip("=")[:4] + "=" * 4)

    assert HIDDEN in said
    assert b"horse" not in left


def test_the_rest_stays() -> None:
    """What is no secret is what it was."""
    assert "code 401: key *** is unknown" == redact("code 401: key abcdef is unknown", ["abcdef"])


def test_the_longer_secret_goes_first() -> None:
    """One that begins like another leaves no tail of itself."""
    assert "a *** b ***" == redact("a tokentoken b token", ["token", "tokentoken"])


def test_every_line_of_a_secret_is_one() -> None:
    """A key of several lines is not told by one of them."""
    assert "near ***" == redact("near MIIEvQIBADANBg", ["-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----\n"])


@pytest.mark.parametrize("short", ["", "a", "abc", "   ", "\n"])
def test_less_than_four_characters_are_no_secret(short: str) -> None:
    """To take them out would spoil the text and tell them."""
    assert "a cab of abc" == redact("a cab of abc", [short])


def test_without_secrets_nothing_changes() -> None:
    """An empty list is allowed."""
    assert "as it is" == redact("as it is", [])


def test_what_others_said_is_fit_for_a_log() -> None:
    """One line without what moves a terminal's cursor, cut at the end; a secret with odd spaces is found first."""
    said = "550\r\n \x1b[2Jno\u202e  key a  b\tc. " + "x" * 99

    assert "550 [2Jno key ***. xxx" == in_a_line(said, ["a  b\tc"], most=22)


@settings(deadline=None)
@given(secret=secrets, before=around, after=around)
def test_a_secret_is_gone_wherever_it_stands(secret: str, before: str, after: str) -> None:
    """Plain, quoted or escaped, for any text around it, as long as the stars do not write it anew."""
    for spelt in (secret, quote(secret, safe=""), json.dumps(secret)):
        said = redact(f"{before}|{spelt}|{after}", [secret])

        assert HIDDEN in said
        assert set(secret) <= set(HIDDEN) or secret not in said.replace(HIDDEN, "\0")
