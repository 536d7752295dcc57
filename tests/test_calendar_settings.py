"""The tables of calendars: what is refused, by the name of its key, and what stands where nothing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Invalid, Secret
from hearthbus.config.schema import build
from services.calendar import Calendar
from services.calendar import settings as tables
from services.instants import find_zone

if TYPE_CHECKING:
    from pathlib import Path

FILE = {"file": "/home/ann/bins.ics"}
LOGIN = Secret('{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}')
KEY = Secret("AIza" + 35 * "x")
GOOGLE = {"google": "ann@example.org", "credentials": LOGIN}


def config(calendar: dict[str, Any], **more: Any) -> tables.Config:
    """Make a configuration of one calendar, `family`."""
    return build(tables.Config, {"calendars": {"family": calendar}, **more}, within=Calendar)


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ({}, "one of google, ics and file"),
        ({**FILE, **GOOGLE}, "one of google, ics and file"),
        ({"google": "ann@example.org"}, "family: Google asks for credentials"),
        ({**GOOGLE, "google": "two words"}, "google 'two words'"),
        ({**FILE, "ics": "https://example.org/x"}, "one of google, ics and file"),
        ({"ics": "bins.ics"}, "is no address; .* file ="),
        ({"ics": ""}, "is no address"),
        ({**GOOGLE, "credentials": KEY}, "are an API key"),
        ({**GOOGLE, "credentials": Secret('{"installed": {}}')}, "client file of a desktop app"),
        ({"google": "ann@example.org", "api_key": LOGIN}, "api_key holds JSON"),
        ({"ics": "ftp://example.org/x"}, "begins with 'ftp'"),
        ({"ics": "https://"}, "names no host"),
        ({**FILE, "api_key": Secret("k")}, "are for google"),
        ({**FILE, "every_s": 60, "cron": "* * * * *"}, "every_s and cron"),
        ({**FILE, "every_s": 0}, "every_s 0.0"),
        ({**GOOGLE, "every_s": 1}, "every_s 1.0 is not within 30"),
        ({**FILE, "jitter_s": -1}, "jitter_s -1.0"),
        ({**FILE, "jitter_s": float("inf")}, "jitter_s: inf is wrong"),
        ({**FILE, "cron": "61 * * * *"}, "minute '61'"),
        ({**FILE, "ignore": ["boring"]}, '"boring" is none of the choices'),
        ({**FILE, "days_ahead": 0}, "days_ahead 0"),
        ({**FILE, "days_back": 32}, "days_back 32"),
        ({**FILE, "colour": "red"}, "unknown key"),
    ],
)
def test_a_mistake_is_refused(calendar: dict[str, Any], said: str) -> None:
    """Before anything starts, with what to write instead."""
    with pytest.raises(Invalid, match=said):
        config(calendar)


def test_every_mistake_is_said_at_once() -> None:
    """Three faults in one table are three problems."""
    with pytest.raises(Invalid) as caught:
        config({**FILE, "every_s": 0, "days_ahead": 0, "cron": "x"})

    assert 4 == len(caught.value.problems)


def test_an_address_is_not_said() -> None:
    """An address may be a key: what is wrong with it is said without it."""
    with pytest.raises(Invalid) as caught:
        config({"ics": Secret("ftp://example.org/private-1234")})

    assert "1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("needed", "calendar", "extra"),
    [("google", GOOGLE, "calendar"), ("ics", FILE, "ics"), ("cron", {**FILE, "cron": "* * * * *"}, "schedule")],
)
def test_a_missing_package_is_said(
    monkeypatch: pytest.MonkeyPatch, needed: str, calendar: dict[str, Any], extra: str
) -> None:
    """With what to type."""
    packages = {**tables._PACKAGES, needed: (("no_such_package",), f"hearthbus[{extra}]")}
    monkeypatch.setattr(tables, "_PACKAGES", packages)
    with pytest.raises(Invalid, match=rf"no-such-package; type: \S*pip install 'hearthbus\[{extra}\]'"):
        config(calendar)


@pytest.mark.parametrize(
    ("calendar", "rhythm"),
    [
        (GOOGLE, (300, 30)),
        (FILE, (60, 0)),
        ({"ics": "webcal://example.org/x"}, (900, 60)),
        ({**FILE, "every_s": 5, "jitter_s": 2}, (5, 2)),
    ],
)
def test_how_often_each_kind_is_asked(calendar: dict[str, Any], rhythm: tuple[float, float]) -> None:
    """Unless the table says otherwise."""
    assert rhythm == config(calendar).calendars["family"].rhythm


def test_a_calendar_s_own_keys_come_first() -> None:
    """Those of `[calendar]` are for calendars that have none."""
    both = config(GOOGLE, credentials=Secret(LOGIN.reveal() + " "))
    none = config({"google": "ann@example.org"}, api_key=KEY)

    assert (LOGIN, None) == both.keys_of(both.calendars["family"])
    assert (None, KEY) == none.keys_of(none.calendars["family"])


def test_a_cron_expression_is_read_in_the_house_s_zone() -> None:
    """Seven in the morning is that of the house."""
    cron = config({**FILE, "cron": "0 7 * * *"}).calendars["family"].cron_of(find_zone("Europe/London"))

    assert cron is not None
    assert 1_782_885_600 == cron.next(1_782_864_000)  # 2026-07-01 06:00 UTC


def test_keys_others_can_read_are_refused(tmp_path: Path) -> None:
    """A key file is its owner's alone."""
    key = tmp_path / "google.json"
    key.write_text("{}")
    key.chmod(0o644)
    with pytest.raises(Invalid, match="chmod 600"):
        config({"google": "ann@example.org", "credentials": {"file": str(key)}})
