"""Quiet hours and rate limits: the clock on the wall counts for one, a clock that is never set for the other."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearthbus import Invalid
from services.notify.limits import Bucket, Quiet

LONDON = ZoneInfo("Europe/London")


def quiet(hours: str, *moments: str) -> list[bool]:
    """Whether it is quiet at each moment, given in UTC."""
    parsed = Quiet.parse(hours)
    return [parsed.covers(datetime.fromisoformat(f"{moment}:00+00:00").timestamp(), LONDON) for moment in moments]


def test_quiet_hours_go_over_midnight() -> None:
    """From their first minute to the last before their end."""
    moments = ("2026-01-10T21:59", "2026-01-10T22:00", "2026-01-11T00:00", "2026-01-11T06:59", "2026-01-11T07:00")

    assert [False, True, True, True, False] == quiet("22:00-07:00", *moments)


def test_quiet_hours_within_a_day() -> None:
    """A nap."""
    moments = ("2026-01-10T12:59", "2026-01-10T13:00", "2026-01-10T14:29", "2026-01-10T14:30")

    assert [False, True, True, False] == quiet("13:00-14:30", *moments)


def test_quiet_hours_are_those_of_the_house_in_summer() -> None:
    """British summer is an hour ahead."""
    assert [False, True, True, False] == quiet(
        "22:00-07:00", "2026-07-10T20:59", "2026-07-10T21:00", "2026-07-11T05:59", "2026-07-11T06:00"
    )


def test_the_hour_left_out_in_spring_ends_quiet_hours() -> None:
    """On 2026-03-29 the clock goes from 01:00 to 02:00: hours until 01:30 end at that moment."""
    assert [True, False] == quiet("22:00-01:30", "2026-03-29T00:59", "2026-03-29T01:00")


def test_the_hour_that_comes_twice_in_autumn_is_quiet_twice() -> None:
    """On 2026-10-25 there are two half past ones."""
    assert [True, False, True, False] == quiet(
        "22:00-01:30", "2026-10-25T00:29", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"
    )


@pytest.mark.parametrize("text", ["", "22-7", "22:00", "24:00-07:00", "22:00-22:00", "22:00 - 07:00", "7:00-8:00"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(Invalid, match="write for example"):
        Quiet.parse(text)


def test_so_many_at_once_and_then_one_as_it_fills() -> None:
    """Six an hour: six, then one each ten minutes."""
    bucket = Bucket(6)

    assert [0.0] * 6 == [bucket.take(100.0) for _ in range(6)]
    assert 600.0 == pytest.approx(bucket.take(100.0))
    assert 1.0 == pytest.approx(bucket.take(699.0))
    assert 0.0 == bucket.take(700.0)
    assert 0.0 < bucket.take(700.0)


def test_what_did_not_go_out_costs_nothing() -> None:
    """A server that was away for an hour has not used the hour up."""
    bucket = Bucket(1)
    bucket.take(0.0)
    bucket.give_back()

    assert 0.0 == bucket.take(0.0)


@settings(deadline=None)
@given(per_hour=st.integers(1, 100), gaps=st.lists(st.floats(0, 2000), max_size=200))
def test_no_hour_has_more_than_twice_as_many(per_hour: int, gaps: list[float]) -> None:
    """A full bucket and what came back meanwhile."""
    bucket, at, passed = Bucket(per_hour), 0.0, []
    for gap in gaps:
        at += gap
        if not bucket.take(at):
            passed.append(at)

    assert all(sum(start <= each < start + 3600 for each in passed) <= 2 * per_hour for start in passed)
