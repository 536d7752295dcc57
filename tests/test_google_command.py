"""`hearthbus calendar list` and `events`: whether the calendars can be read, and what is in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_google import FAMILY, Answer, FakeGoogle
from fake_google_events import days, timed
from google_house import calendar, house, secret
from google_source import fakes

if TYPE_CHECKING:
    from pathlib import Path

google = pytest.fixture(fakes)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
DAY = NOON.date()


def tea(name: str = "tea", **more: Any) -> dict[str, Any]:
    return timed(name, NOON.isoformat(), (NOON + timedelta(hours=1)).isoformat(), **more)


@pytest.fixture
def config(google: FakeGoogle, tmp_path: Path) -> str:
    """A house with one calendar that a robot may read."""
    secret(tmp_path, "google.json", google.share(FAMILY, google.robot()))
    return str(house(tmp_path, google))


def test_events(google: FakeGoogle, config: str) -> None:
    """What is coming is printed in the house's time; what is ignored stands in brackets."""
    declined = [{"self": True, "responseStatus": "declined"}]
    google.put(FAMILY, tea(location="Kitchen", description="#hb light=on heat=21.5"), tea("no", attendees=declined))
    google.put(FAMILY, days("fair", f"{DAY}", f"{DAY + timedelta(3)}"))
    code, out, _ = calendar("events", "--config", config)
    lines = out.splitlines()

    assert 0 == code
    assert f"family: Google, {FAMILY}, the next 14 days in Europe/London" == lines[0]
    assert f"  {DAY:%a %Y-%m-%d} to {DAY + timedelta(2):%a %m-%d}   fair" == lines[1]
    assert lines[2].startswith(f" [{DAY:%a %Y-%m-%d} ")
    assert lines[2].endswith(" no]")
    assert lines[3].endswith('tea, Kitchen   #hb light="on" heat=21.5')


def test_events_for_programs(google: FakeGoogle, config: str) -> None:
    """--json prints an object for each event: what its message will hold, and the calendar."""
    google.put(FAMILY, tea(), tea("no", attendees=[{"self": True, "responseStatus": "declined"}]))
    code, out, _ = calendar("events", "--config", config, "--json", "family")
    declined, coming = map(json.loads, out.splitlines())

    assert 0 == code
    assert ("family", "tea", "confirmed", False) == tuple(
        coming[key] for key in ("calendar", "title", "status", "all_day")
    )
    assert NOON == datetime.fromisoformat(coming["start"])
    assert (True, None) == (declined["ignored"], coming.get("ignored"))


def test_days(google: FakeGoogle, config: str) -> None:
    """--days says how far to look."""
    google.put(FAMILY, tea())

    assert "  nothing" == calendar("events", "--config", config, "--days", "1")[1].splitlines()[1]
    assert "tea" in calendar("events", "--config", config, "--days", "3")[1]


def test_titles_do_not_steer_the_terminal(google: FakeGoogle, config: str) -> None:
    """A title with control characters is shown, not obeyed."""
    google.put(FAMILY, tea(summary="a\x1b[2Jb\x07", location="c\u202ed"))
    _, out, _ = calendar("events", "--config", config)

    assert "a [2Jb" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_events_that_cannot_be_had(google: FakeGoogle, config: str) -> None:
    """A calendar that does not answer is one line on standard error, and another exit code."""
    google.script(Answer(403, reason="accessNotConfigured"))
    code, out, err = calendar("events", "--config", config)

    assert (69, "") == (code, out)
    assert err.startswith("hearthbus: family: the Google Calendar API is not switched on")
    assert 1 == len(err.splitlines())


def test_list(google: FakeGoogle, tmp_path: Path) -> None:
    """Each calendar has a line, and one that fails hides no other."""
    secret(tmp_path, "google.json", google.share(FAMILY, google.robot()))
    google.put(FAMILY, tea())
    config = house(tmp_path, google, f'[calendar.calendars.a]\ngoogle = "{FAMILY}"',
                   '[calendar.calendars.b]\ngoogle = "nobody@example.org"',
                   f'[calendar.calendars.c]\ngoogle = "{FAMILY}"\ndays_ahead = 1')  # fmt: skip
    code, out, err = calendar("list", "--config", str(config))
    gone = (
        "there is no calendar nobody@example.org, or it is not shared with hearthbus@house.iam.gserviceaccount.com; "
        'its id stands in its settings under "Integrate calendar" (HTTP 404 notFound)'
    )

    assert (69, "") == (code, err)
    assert [
        f"a (Google, {FAMILY}): fine, 1 event in 14 days",
        f"b (Google, nobody@example.org): gone: {gone}",
        f"c (Google, {FAMILY}): fine, 0 events in 1 day",
    ] == out.splitlines()


def test_list_for_programs(google: FakeGoogle, config: str) -> None:
    """--json prints an object for each calendar, failing ones with their class."""
    good = json.loads(calendar("list", "--config", config, "--json")[1])
    google.script(Answer(503))
    code, out, _ = calendar("list", "--config", config, "--json")

    assert {
        "calendar": "family",
        "origin": f"Google, {FAMILY}",
        "ok": True,
        "events": 0,
        "unread": 0,
        "days": 14,
    } == good
    assert (69, False, "busy") == (code, json.loads(out)["ok"], json.loads(out)["fault"])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_token_that_others_can_use(google: FakeGoogle, tmp_path: Path, mode: int) -> None:
    """A token file that others can read or write is refused, with the command that mends it."""
    path = secret(tmp_path, "google.json", google.login(), mode=mode)
    code, out, err = calendar("list", "--config", str(house(tmp_path, google)))

    assert (78, "") == (code, out)
    assert f"others than its owner can use {path}; type: chmod 600 {path}" in err
    assert [] == google.asked


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["events", "none"], 64, "has no calendar 'none'; there is family"),
        (["events", "--service", "sun"], 64, "[sun] of"),
        (["lits"], 64, "did you mean `hearthbus calendar list`?"),
        (["login", "--port", "x"], 64, "write a number from 0"),
        (["login"], 64, "--client is missing"),
        ([], 64, ""),
        (["--help"], 0, ""),
        (["events", "--help"], 0, ""),
    ],
)
def test_what_was_typed(config: str, words: list[str], code: int, text: str) -> None:
    """A mistake is one line that says what to write."""
    ended, _, err = calendar(*words, *(["--config", config] if words[1:] and words[0] == "events" else []))

    assert code == ended
    assert text in err


def test_no_calendars(google: FakeGoogle, tmp_path: Path) -> None:
    """A house without calendars is told how to make one."""
    path = house(tmp_path, google, "", keys="")
    path.write_text('[house]\nlatitude = 51.5\nlongitude = -0.1\ntimezone = "Europe/London"\n')
    code, _, err = calendar("list", "--config", str(path))

    assert 64 == code
    assert "has no calendars; a table [calendar.calendars.NAME] makes one" in err
