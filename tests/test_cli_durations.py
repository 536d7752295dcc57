"""Spans and moments of time as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.cli.durations import LATEST, age, ago, iso_utc, local_time, parse_duration, parse_moment, span
from hearthbus.errors import Invalid

NOW = 1_750_000_000 * 10**9
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("1.5", 1.5), ("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("2d", 172800.0), ("250ms", 0.25)],
)
def test_a_duration_is_seconds_or_numbers_with_units(text: str, seconds: float) -> None:
    """Bare numbers are seconds; units add up."""
    assert seconds == parse_duration(text)


@pytest.mark.parametrize("text", ["", "m", "-5", "10 m", "10x", "0", "0s", "1e9", "nan", "inf", "9" * 39, "٣s"])
def test_a_bad_duration_is_refused(text: str) -> None:
    """Nothing, less than nothing, unknown units and eternities are refused with an example."""
    with pytest.raises(Invalid, match="bad duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", NOW - 600 * 10**9),
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T02:00:01+02:00", 10**9),
        ("1970-01-01T02:00:01", 10**9),
        ("1970-01-02", 22 * 3600 * 10**9),
        ("1970-01-01T00:00:00.000001Z", 1000),
        ("0001-01-01T00:00Z", 0),
        ("9999-12-31T00:00Z", LATEST),
        ("99w99w", NOW - 198 * 7 * 86400 * 10**9),
    ],
)
def test_a_moment_is_a_time_ago_or_an_iso_time(text: str, expected: int) -> None:
    """Without an offset a time is local; moments outside of what a journal knows are its ends."""
    assert expected == parse_moment(text, now=NOW, zone=EAST)


@pytest.mark.parametrize("text", ["", "yesterday", "10", "20260621", "25:00", "2026-13-01", "10m ago", "5" * 50 + "s"])
def test_a_bad_moment_is_refused(text: str) -> None:
    """A bare number is none: nobody can tell 600 seconds from a date."""
    with pytest.raises(Invalid, match="bad time"):
        parse_moment(text, now=NOW)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_any_time_a_message_can_carry_is_printed(moment: int) -> None:
    """iso_utc is total over the wire's u64 of nanoseconds, and true to the microsecond."""
    read = datetime.fromisoformat(iso_utc(moment))

    assert moment // 1000 == (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_a_person_reads_local_time() -> None:
    """Local time has the date and milliseconds."""
    assert "2025-06-15 17:06:40.123" == local_time(NOW + 123_456_789, zone=EAST)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7500, "2 h 05 min"), (90000, "1 d 1 h"), (864000, "10 d")],
)
def test_a_span_has_at_most_two_units(seconds: float, text: str) -> None:
    """The longer, the coarser."""
    assert text == span(seconds)


def test_an_age_from_a_clock_ahead_is_said() -> None:
    """A publisher whose clock is ahead does not look fresh by accident."""
    assert ["now", "5 s", "2 min ahead"] == [age(0.3), age(5.5), age(-130)]
    assert ["just now", "5 s ago", "2 min ahead"] == [ago(0.3), ago(5.5), ago(-130)]
