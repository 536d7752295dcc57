"""`hearthbus sun` and `hearthbus schedule`: what they print, and how they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hearthbus.cli.main import main

COMMAND = str(Path(sys.executable).with_name("hearthbus"))
LONDON = ("sun", "--lat", "51.5074", "--lon", "-0.1278", "--tz", "Europe/London")


def objects(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects that were printed, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_sun_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is one event with its UTC time, in order; what does not occur on the date is absent."""
    code = main([*LONDON, "--date", "2026-06-21", "--json"])
    found = {line["event"]: line["time"] for line in objects(capsys.readouterr().out)}

    assert code == 0
    assert "2026-06-21T03:43:06Z" == found["sunrise"]
    assert "astronomical_dusk" not in found
    assert {"sunset", "civil_dawn", "civil_dusk", "nautical_dawn", "noon", "golden_hour_evening_start"} <= found.keys()
    assert sorted(found.values()) == list(found.values())


def test_sun_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A table in local time, with what does not occur on the date below."""
    main([*LONDON, "--date", "2026-06-21"])
    printed = capsys.readouterr().out

    assert "Sunday 2026-06-21\n" in printed
    assert "  04:43:06  sunrise\n" in printed
    assert "not on this date: astronomical dawn, astronomical dusk\n" in printed


def test_two_sunsets_on_one_date(capsys: pytest.CaptureFixture[str]) -> None:
    """Reykjavik, 29 June 2026: the sun sets just after midnight and again just before the next."""
    reykjavik = ["sun", "--lat", "64.1466", "--lon", "-21.9426", "--tz", "Atlantic/Reykjavik"]
    main([*reykjavik, "--date", "2026-06-29", "--json"])

    assert 2 == [line["event"] for line in objects(capsys.readouterr().out)].count("sunset")


def test_days_and_altitudes(capsys: pytest.CaptureFixture[str]) -> None:
    """Several dates, and any altitude asked for; west of Greenwich every date has its own evening."""
    west = ["sun", "--lat", "34.0522", "--lon", "-118.2437", "--tz", "America/Los_Angeles"]
    main([*west, "--date", "2026-03-07", "--days", "3", "--altitude", "-4.5", "--json"])
    found = [
        line["local"][:10] for line in objects(capsys.readouterr().out) if line["event"] == "altitude_-4.5_setting"
    ]

    assert ["2026-03-07", "2026-03-08", "2026-03-09"] == found


def test_schedule_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is one firing, in UTC and in local time; the repeated hour counts once."""
    code = main(["schedule", "30 1 * * *", "--tz", "Europe/London", "--from", "2026-10-24T12:00Z", "-C", "2", "--json"])

    assert code == 0
    assert [
        {"time": "2026-10-25T00:30:00Z", "local": "2026-10-25T01:30:00+01:00"},
        {"time": "2026-10-26T01:30:00Z", "local": "2026-10-26T01:30:00+00:00"},
    ] == objects(capsys.readouterr().out)


def test_schedule_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A table in local time, with how long it is until then; a `--from` without an offset is local time."""
    main(["schedule", "30 1 * * *", "--tz", "Europe/London", "--from", "2026-07-01T01:30", "-C", "2"])
    printed = capsys.readouterr().out

    assert "Wed 2026-07-01 01:30 BST   2026-07-01T00:30:00Z   in 0 s\n" in printed
    assert "Thu 2026-07-02 01:30 BST   2026-07-02T00:30:00Z   in 1 d 0 h\n" in printed


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["sun"], "--lat"),
        (["sun", "--lat", "1"], "--lon"),
        (["sun", "--lat", "91", "--lon", "0"], "--lat '91'"),
        (["sun", "--lat", "nan", "--lon", "0"], "--lat 'nan'"),
        (["sun", "--lat", "0", "--lon", "180.5"], "--lon '180.5'"),
        ([*LONDON, "--tz", "Europe/Londno"], "did you mean Europe/London?"),
        ([*LONDON, "--tz", "/etc/passwd"], "timezone '/etc/passwd'"),
        ([*LONDON, "--date", "2026-02-30"], "--date '2026-02-30'"),
        ([*LONDON, "--date", "9999-12-31"], "--date 9999"),
        ([*LONDON, "--days", "0"], "'0'"),
        ([*LONDON, "--days", "4000"], "--days 4000"),
        ([*LONDON, "--altitude", "high"], "--altitude 'high'"),
        ([*LONDON, "--noon"], "--noon"),
        (["schedule"], "EXPRESSION"),
        (["schedule", "61 * * * *"], "minute '61'"),
        (["schedule", "30", "7", "*", "*", "*"], "put it in quotes"),
        (["schedule", "* * * * *", "--tz", "Mars"], "timezone 'Mars'"),
        (["schedule", "* * * * *", "--from", "lunch"], "bad time 'lunch'"),
        (["schedule", "* * * * *", "--from", "9999-01-01"], "--from"),
        (["schedule", "* * * * *", "-C", "-3"], "'-3'"),
    ],
)
def test_mistakes(words: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is one line that names it, and exit code 64."""
    code = main(words)
    printed = capsys.readouterr()

    assert code == 64
    assert not printed.out
    assert named in printed.err
    assert 1 == printed.err.count("\n")


@pytest.mark.parametrize("words", [[*LONDON, "--days", "3660"], ["schedule", "* * * * *", "-C", "999999999"]])
def test_a_closed_pipe_is_quiet(words: list[str]) -> None:
    """`hearthbus sun | head -1` ends at once and says nothing."""
    started = time.monotonic()
    with subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert not process.stderr.read()
    assert time.monotonic() - started < 10
