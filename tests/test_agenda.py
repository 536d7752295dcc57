"""What is due when the wall clock jumps: the law of the agenda, and the cases that made it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.agenda import CHECK, LATE, Agenda, Due, Lived

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600
DAY = 86400
YEAR = 365 * DAY
NOON = 1_767_268_800


def each(period: int, phase: int = 0) -> Callable[[int], int | None]:
    """Return what is due every `period` seconds."""
    return lambda after: (after - phase) // period * period + period + phase


def pass_time(agenda: Agenda, start: int, seconds: int, step: int = 60) -> list[Due]:
    """Let time pass as a service does, and return what fell due."""
    return [due for now in range(start + step, start + seconds + 1, step) for due in agenda.step(now)]


def test_everything_is_due_once_while_time_passes() -> None:
    """On an undisturbed day an hourly thing is due 24 times, at its very instants."""
    agenda = Agenda({"hourly": each(HOUR)}, now=NOON)

    assert [NOON + n * HOUR for n in range(1, 25)] == [due.at for due in pass_time(agenda, NOON, DAY)]


def test_nothing_is_due_at_the_start() -> None:
    """What happened before the service was there is not told afterwards, not even that of this second."""
    agenda = Agenda({"hourly": each(HOUR)}, now=NOON)

    assert not agenda.step(NOON)


def test_a_year_forwards_brings_no_storm() -> None:
    """After a jump of a year nothing old is due, and the next instant is the next one there."""
    agenda = Agenda({"hourly": each(HOUR)}, now=NOON)
    agenda.step(NOON + 60)

    assert not agenda.step(NOON + YEAR + 70)
    assert NOON + YEAR + HOUR == agenda.planned["hourly"]


def test_an_hour_back_repeats_nothing() -> None:
    """Set back by an hour, nothing is due until the hour has passed a second time."""
    agenda = Agenda({"quarter": each(900)}, now=NOON)
    before = pass_time(agenda, NOON, 2 * HOUR)
    again = pass_time(agenda, NOON + HOUR, 2 * HOUR)

    assert [NOON + n * 900 for n in range(1, 9)] == [due.at for due in before]
    assert [NOON + n * 900 for n in range(9, 13)] == [due.at for due in again]


def test_a_year_forwards_and_back_loses_nothing() -> None:
    """A clock that was a year ahead for a while does not silence the house for a year."""
    agenda = Agenda({"hourly": each(HOUR)}, now=NOON)
    ahead = pass_time(agenda, NOON + YEAR, 2 * HOUR)
    right = pass_time(agenda, NOON, 2 * HOUR)

    assert [NOON + YEAR + HOUR, NOON + YEAR + 2 * HOUR] == [due.at for due in ahead]
    assert [NOON + HOUR, NOON + 2 * HOUR] == [due.at for due in right]


@pytest.mark.parametrize("late", [1, LATE])
def test_a_little_late_is_still_due(late: int) -> None:
    """A busy machine may be late by two minutes."""
    agenda = Agenda({"daily": each(DAY)}, now=NOON)
    agenda.step(NOON + 12 * HOUR - 1)

    assert [Due("daily", NOON + 12 * HOUR)] == agenda.step(NOON + 12 * HOUR + late)


def test_who_catches_up_is_told_once_what_was_missed() -> None:
    """After a night asleep, one missed instant is told to the one who asked for it, and none to the other."""
    agenda = Agenda({"a": each(HOUR), "b": each(HOUR)}, now=NOON, catch_up={"a": NOON})

    assert [Due("a", NOON + HOUR, missed=True)] == agenda.step(NOON + 8 * HOUR + 600)
    assert not agenda.step(NOON + 8 * HOUR + 660)


def test_downtime_is_caught_up_from_what_was_done_last() -> None:
    """Started anew, the agenda knows from the instant done last what was missed meanwhile."""
    agenda = Agenda({"daily": each(DAY)}, now=NOON, catch_up={"daily": NOON - 3 * DAY + 12 * HOUR})

    assert [Due("daily", NOON - 2 * DAY + 12 * HOUR, missed=True)] == agenda.step(NOON)
    assert NOON + 12 * HOUR == agenda.planned["daily"]


def test_a_machine_without_a_battery_misses_nothing_it_has_done() -> None:
    """Booted in 1970 and set right a moment later, nothing that was done before the boot is made up for."""
    done = NOON - HOUR
    agenda = Agenda({"hourly": each(HOUR)}, now=30, catch_up={"hourly": done})

    assert not agenda.step(60)
    assert not agenda.step(NOON - 600)


def test_what_never_comes_is_asked_for_again() -> None:
    """A name without a next instant is asked again a day later: the polar night ends."""
    answers = iter([None, NOON + 3 * DAY])
    agenda = Agenda({"sunrise": lambda _after: next(answers)}, now=NOON)
    pass_time(agenda, NOON, DAY)

    assert {"sunrise": NOON + 3 * DAY} == agenda.planned


def test_sleep_is_until_the_next_instant_but_never_long() -> None:
    """One sleeps up to the instant, and a minute at most, for the clock may be set meanwhile."""
    agenda = Agenda({"hourly": each(HOUR)}, now=NOON)

    assert agenda.sleep(NOON) == CHECK
    assert agenda.sleep(NOON + HOUR - 2.5) == 2.5


def test_lived_survives_being_stored() -> None:
    """The stretches come back from a retained body as they went in."""
    lived = Lived().through(NOON, NOON + HOUR).through(NOON + DAY, NOON + DAY + 5)

    assert lived == Lived.from_body(lived.to_body())


@pytest.mark.parametrize("body", [None, 7, "x", [["a", "b"]], [[1, 2]], [["2026-01-01T00:00:00Z"]], {"a": 1}])
def test_foreign_bodies_count_as_nothing(body: object) -> None:
    """What a stranger or an older version retained is no error."""
    assert Lived() == Lived.from_body(body)


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, LATE)),
        st.tuples(st.just("jump"), st.integers(-3 * DAY, 3 * DAY)),
        st.tuples(st.just("jump"), st.sampled_from([-YEAR, YEAR, -HOUR, HOUR])),
        st.tuples(st.just("restart"), st.integers(0, HOUR)),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(moves=MOVES)
def test_no_instant_is_due_twice(moves: list[tuple[str, int]]) -> None:
    """Whatever the clock does, restarts between: no instant of a name is due twice, none early, none of them stale."""
    next_of = {"often": each(97), "hourly": each(HOUR, 5), "daily": each(DAY, 777)}
    agenda = Agenda(next_of, now=NOON, catch_up={"daily": NOON})
    done = {"daily": NOON}
    now = NOON
    seen: set[tuple[str, int]] = set()
    for kind, seconds in moves:
        now += seconds
        if kind == "restart":
            agenda = Agenda(next_of, now=now, lived=Lived.from_body(agenda.lived.to_body()), catch_up=done)
        for due in agenda.step(now):
            assert (due.name, due.at) not in seen
            assert 0 <= now - due.at
            assert due.missed == (now - due.at > LATE)
            assert not due.missed or due.name == "daily"

            seen.add((due.name, due.at))
            done.update({due.name: due.at} if due.name == "daily" else {})
        assert all(at is not None and at > now for at in agenda.planned.values())


@settings(max_examples=100, deadline=None)
@given(
    stretches=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20)), max_size=20),
    at=st.integers(0, 250),
)
def test_stretches_are_a_set_of_seconds(stretches: list[tuple[int, int]], at: int) -> None:
    """However they overlap, the stretches hold exactly the seconds put in, apart from one another and in order."""
    lived, seconds = Lived(), set[int]()
    for first, length in stretches:
        lived = lived.through(first, first + length)
        seconds |= set(range(first, first + length + 1))
    end = at
    while end + 1 in seconds and at in seconds:
        end += 1

    assert (at in seconds) == (at in lived)
    assert end == lived.leave(at)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(lived.stretches))
