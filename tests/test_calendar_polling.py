"""When a source is asked: its rhythm, seconds before a start, and ever more seldom while it fails."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar.polling import BACK_OFF, FRESH_S, LEAD_S, LONGEST_AFTER_S, Plan, Polling, back_off
from services.calendar.sources import SourceFault
from services.instants import find_zone
from services.schedule.cron import parse_cron

NOON = 1_767_268_800.0
KINDS = st.sampled_from(sorted(BACK_OFF))


def asked(polling: Polling, *, at: float, ticks: float, fault: SourceFault | None = None) -> None:
    """Have it asked, and answered at once."""
    polling.asked(ticks=ticks)
    polling.answered(fault, at=at, ticks=ticks)


@given(KINDS, st.integers(1, 10**6), st.none() | st.floats(), st.floats(0, 1))
def test_back_off(kind: str, count: int, after_s: float | None, draw: float) -> None:
    """It never ends, never is short, and is not longer than its kind's most, or what the source may ask for."""
    wait = back_off(SourceFault(kind, "", after_s=after_s), count, draw)  # type: ignore[arg-type]  # one of its kinds
    first, most = BACK_OFF[kind]  # type: ignore[index]  # as above

    assert first <= wait <= max(most, LONGEST_AFTER_S) * 1.2


def test_first_at_once_then_at_its_interval_and_a_little_later() -> None:
    """The little is drawn anew each time."""
    polling = Polling(Plan(300, 30), iter((0.0, 0.5)).__next__)
    assert 0 == polling.wait(None, at=NOON, ticks=0)
    asked(polling, at=NOON, ticks=0)
    assert 300 == polling.wait(None, at=NOON, ticks=0)
    asked(polling, at=NOON + 300, ticks=300)

    assert 315 == polling.wait(None, at=NOON + 300, ticks=300)


def test_at_cron_times() -> None:
    """Of the wall clock: one that is set back has it asked at once."""
    polling = Polling(Plan(300, 30, parse_cron("0 * * * *", find_zone("UTC"))), lambda: 0.5)
    asked(polling, at=NOON, ticks=0)
    assert 3615 == polling.wait(None, at=NOON, ticks=0)
    assert 15 == polling.wait(None, at=NOON + 3600, ticks=0)

    assert 0 == polling.wait(None, at=NOON - 3600, ticks=0)


@given(st.floats(0, 1), st.floats(1, 3000), st.floats(0, 3000))
def test_once_just_before_a_start(draw: float, start: float, ago: float) -> None:
    """Not when its answer is fresh; and never twice for one start."""
    polling = Polling(Plan(10**6, 0), lambda: draw)
    asked(polling, at=NOON - ago, ticks=-ago)
    instant = math.ceil(NOON + start)
    wait = polling.wait(instant, at=NOON, ticks=0)
    lead = instant - NOON - wait
    low, high = LEAD_S

    assert (wait == 0 or low <= lead <= high + 1e-3) if wait < 10**5 else instant - NOON + ago - high < FRESH_S
    asked(polling, at=NOON + wait, ticks=wait)
    if wait < 10**5:
        assert polling.wait(instant, at=NOON + wait, ticks=wait) > 10**5


@pytest.mark.parametrize("instant", [None, int(NOON) + 30])
def test_a_source_that_failed_is_not_asked_because_of_a_start(instant: int | None) -> None:
    """It is left alone for as long as it needs; a good answer ends that."""
    polling = Polling(Plan(300, 0), lambda: 0.0)
    asked(polling, at=NOON, ticks=0, fault=SourceFault("refused", ""))
    assert 900 == polling.wait(instant, at=NOON, ticks=0)
    asked(polling, at=NOON, ticks=900, fault=SourceFault("refused", ""))
    assert 1800 == polling.wait(instant, at=NOON, ticks=900)
    asked(polling, at=NOON, ticks=2700)

    assert 300 == polling.wait(None, at=NOON, ticks=2700)


def test_hurry() -> None:
    """Whatever it was waiting for, it is asked now."""
    polling = Polling(Plan(300, 0), lambda: 0.0)
    asked(polling, at=NOON, ticks=0, fault=SourceFault("refused", ""))
    polling.hurry()

    assert 0 == polling.wait(None, at=NOON, ticks=0)
