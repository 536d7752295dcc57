"""Credentials files of Google: the two that work, and each other told by its name."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from google_source import fakes
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid
from services.calendar.google.credentials import check_api_key, read_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_google import FakeGoogle

google = pytest.fixture(fakes)
SECRET = "s3cr3t-s3cr3t"
ROBOT = {"type": "service_account", "client_email": "r@x", "private_key": SECRET, "token_uri": "https://t/"}
LOGIN = {"type": "authorized_user", "client_id": "1", "client_secret": SECRET, "refresh_token": SECRET}


def test_the_two_that_work(google: FakeGoogle) -> None:
    """The key of a robot tells whom to share a calendar with; a login does not know whose it is."""
    robot, login = read_credentials(google.robot("r@house")), read_credentials(google.login())

    assert [("service_account", "r@house"), ("authorized_user", "")] == [
        (each.type, each.robot) for each in (robot, login)
    ]


def test_login_of_other_programs() -> None:
    """What google-auth itself writes, without a type, is a login too."""
    written = {key: value for key, value in LOGIN.items() if key != "type"}

    assert "authorized_user" == read_credentials(json.dumps({**written, "token": "ya29", "scopes": []})).type


def test_shows_no_secret() -> None:
    """Checked credentials can be printed."""
    assert SECRET not in repr(read_credentials(json.dumps(ROBOT))) + str(read_credentials(json.dumps(LOGIN)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "are no JSON file of Google's"),
        ("[1]", "are no JSON file of Google's"),
        ("[" * 100_000, "are no JSON file of Google's"),
        ("{}", 'have no "type" that is known'),
        ('{"type": 5}', 'have no "type" that is known'),
        ('{"type": ["service_account"]}', 'have no "type" that is known'),
        ('{"installed": {"client_secret": "s3cr3t-s3cr3t"}}', "client file of a desktop app"),
        ('{"web": {"client_secret": "s3cr3t-s3cr3t"}}', "client file of a web application"),
        ('{"type": "external_account"}', "workload identity federation"),
        ('{"type": "impersonated_service_account"}', "impersonates a service account"),
        ("AIzas3cr3t-s3cr3t", "are an API key; name that file with api_key ="),
        ("-----BEGIN PRIVATE KEY-----\ns3cr3t-s3cr3t", "a bare private key; the JSON file around it is needed"),
        ("GOCSPX-s3cr3t-s3cr3t", "a client secret; type: hearthbus calendar login"),
        (json.dumps({**ROBOT, "private_key": ""}), "but without private_key: the file is not whole"),
        (json.dumps({**LOGIN, "refresh_token": None}), "but without refresh_token"),
        (json.dumps({**ROBOT, "token_uri": "http://example.org/"}), "token_uri is no https address"),
        (json.dumps({**LOGIN, "token_uri": "s3cr3t-s3cr3t"}), "token_uri is no https address"),
        (json.dumps({**LOGIN, "token_uri": "https://[x"}), "token_uri is no https address"),
    ],
)
def test_other_files(content: str, text: str) -> None:
    """Each other file is told by its name, with what to do, and without a letter of what it hides."""
    with pytest.raises(Invalid, match=re.escape(text)) as caught:
        read_credentials(content)

    assert SECRET not in str(caught.value)


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(
    st.sampled_from([*ROBOT, *LOGIN, "installed"]), inner)).map(json.dumps))  # fmt: skip
def test_total(content: str) -> None:
    """Whatever stands in a file, it is good or it is Invalid."""
    with suppress(Invalid):
        read_credentials(content)


@pytest.mark.parametrize("key", ["", "short", "x" * 201, "AIza with a space and more of it", "AIzaé" * 5, "a\nb" * 20])
def test_bad_api_key(key: str) -> None:
    """What cannot be an API key is told before Google is asked, without being shown."""
    with pytest.raises(Invalid, match="api_key is no API key") as caught:
        check_api_key(key)

    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("content", [ROBOT, {"installed": {}}])
def test_json_for_an_api_key(content: Mapping[str, object]) -> None:
    """A credentials file in the API key's place is told."""
    with pytest.raises(Invalid, match="name that file with credentials ="):
        check_api_key(json.dumps(content))
