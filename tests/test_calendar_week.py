"""A week of a calendar in fast time, over both changes of the clock of 2026: every start and end once, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from calendar_scene import FromFile, Scene, when
from calendar_verdict import faults
from calendar_week import BEFORE, DURING, draw_week, losses, play

import services.calendar

if TYPE_CHECKING:
    from pathlib import Path

BEGINS = ("2026-03-26T00:00", "2026-10-22T00:00")
MARCH, OCTOBER = (datetime(2026, month, day, 1, tzinfo=UTC) for month, day in ((3, 29), (10, 25)))
"""When London's clocks change."""


@pytest.fixture(autouse=True)
def _long_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the service sleep until something is due: a week of waking every minute takes five times as long."""
    monkeypatch.setattr(services.calendar, "_CHECK_S", 3600.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("begin", BEGINS)
async def test_a_week(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begin: str, seed: int) -> None:
    """Events come, change and go; service, broker, source, confirmations are lost; nothing is told twice or never."""
    scene = Scene(monkeypatch, tmp_path, begin, every_s=600.0, days_ahead=(14, 1, 2)[seed % 3])
    scene.losses = losses(seed)
    week = draw_week(when(begin), seed)
    await play(week, scene)
    await scene.kill()

    assert [] == list(faults(week, scene.fired()))
    assert len(scene.fired()) >= 60


def test_every_kind_of_change_is_in_those_weeks() -> None:
    """A week without it would show nothing of it."""
    weeks = [draw_week(when(begin), seed) for begin in BEGINS for seed in range(6)]
    drawn = set().union(*(week.drawn for week in weeks))

    assert {("before", how) for how in BEFORE} | {("during", how) for how in DURING} <= drawn
    assert {"never", "after", "diary", "late", "unsure"} <= {moment for moment, _ in drawn}


@pytest.mark.parametrize("begin", BEGINS)
async def test_days_and_hours_of_the_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begin: str) -> None:
    """An iCalendar file's days begin at London's midnight, and its hours are London's, whatever is killed meanwhile."""
    file = tmp_path / "family.ics"
    file.write_text(_icalendar(begin[:10]))
    scene = Scene(monkeypatch, tmp_path, begin, every_s=3600.0)
    scene.calendar = FromFile(file)
    scene.losses = losses(7)
    await play(draw_week(when(begin), 7, events=0), scene)
    await scene.kill()
    told = [(message["scheduled"], message.topic.rpartition("/")[2], message["uid"]) for message in scene.fired()]

    assert _expected(begin[:10]) == told


def _icalendar(first: str) -> str:
    """Return a calendar of a whole day, a night over the change, and an hour that one day lacks and one has twice."""
    day = first.replace("-", "")
    times = {
        "day": [f"DTSTART;VALUE=DATE:{day}"],
        "night": [f"DTSTART;TZID=Europe/London:{day}T003000", f"DTEND;TZID=Europe/London:{day}T060000"],
        "point": [f"DTSTART;TZID=Europe/London:{day}T013000"],
    }
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for uid, span in times.items():
        lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *span, "RRULE:FREQ=DAILY;COUNT=7"]
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _expected(first: str) -> list[tuple[str, str, str]]:
    """Return every start and end, reckoned with two dates and an hour."""
    found: list[tuple[datetime, int, str, str]] = []
    for number in range(7):
        midnight = datetime.fromisoformat(first) + timedelta(days=number)
        for uid, begin, end in (("day", 0.0, 24.0), ("night", 0.5, 6.0), ("point", 1.5, 1.5)):
            found.append((_utc(midnight + timedelta(hours=begin)), 1, "start", uid))
            found.append((_utc(midnight + timedelta(hours=end)), 2 if begin == end else 0, "end", uid))
    return [(f"{at:%Y-%m-%dT%H:%M:%S}Z", edge, uid) for at, _, edge, uid in sorted(found)]


def _utc(local: datetime) -> datetime:
    """Return London's time as UTC; an hour that is left out is an hour later."""
    winter = local.replace(tzinfo=UTC)
    summer = winter - timedelta(hours=1)
    return summer if MARCH <= summer < OCTOBER else winter
