"""The measurement's pure pieces: figures, budgets, tables, and the load every bus is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.board import Board, Slot
from bench.budgets import verdict
from bench.figures import number, percentile, times
from bench.house import without_broker
from bench.report import Section, summary, table
from bench.work import SELDOM, TOPICS, Load, batches, reading, taker

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A number in the test's hand: the time in nanoseconds, or how many messages arrived."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_percentile_is_the_nearest_rank() -> None:
    """The 99th percentile of 1 to 100 is 99, of a single value that value."""
    expected = [99, 50, 7.0]

    assert expected == [percentile(range(1, 101), 99), percentile(range(1, 101), 50), percentile([7.0], 99)]


@given(st.lists(st.integers(), min_size=1), st.integers(min_value=1, max_value=100))
def test_percentile_is_a_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    """At least `percent` of all values are not above it."""
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


def test_percentile_of_nothing_is_refused() -> None:
    """There is no percentile of no values."""
    with pytest.raises(ValueError, match="99th percentile of 0 values"):
        percentile([], 99)


@pytest.mark.parametrize(
    ("value", "text"), [(123456.7, "123,457"), (12.34, "12.3"), (1.234, "1.23"), (0.0, "0.00"), (math.nan, "-")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """A figure is written with what it can claim to know."""
    assert text == number(value)


def test_ratio_to_nothing_is_not_a_number() -> None:
    """A peer that moved nothing gives no ratio."""
    assert math.isnan(times(5.0, 0.0))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("throughput/nats", 1.5, "kept"),
        ("throughput/nats", 1.49, "**missed**"),
        ("broker/cpu", 4.0, "kept"),
        ("broker/cpu", 4.01, "**missed**"),
        ("broker/cpu", math.nan, "-"),
    ],
)
def test_a_budget_is_kept_at_its_limit(name: str, value: float, expected: str) -> None:
    """A figure at its limit keeps it, one past it misses it, one not taken is neither."""
    assert expected == verdict(name, value)[-1]


def test_table_is_markdown() -> None:
    """First column to the left, the others to the right, all of one width."""
    expected = "| bus  | rate |\n| ---- | ---: |\n| ours |   10 |\n| b    |    9 |"

    assert expected == table(("bus", "rate"), (("ours", "10"), ("b", "9")))


def test_summary_names_only_what_has_a_budget() -> None:
    """A section without budgets adds no line, and none at all no table."""
    plain = Section(title="t", text="", head=("a",), rows=())
    held = Section(title="t", text="", head=("a",), rows=(), budgets={"broker/rss": 12.0})

    assert not summary([plain])
    assert "| broker memory when idle (RSS) |  12.0 MB | <= 30 MB |    kept |" in summary([plain, held])


def test_the_default_house_loses_its_broker_tables_alone() -> None:
    """The measured house has the services of the default one and a broker of its own."""
    text = "include = []\n[broker]\naddress = 1\n[broker.limits]\ntopics = 2\n[brokerage]\na = 1\n[sun]\nx = [\n1]\n"

    expected = "include = []\n[brokerage]\na = 1\n[sun]\nx = [\n1]\n"

    assert expected == without_broker(text)


def test_a_reading_has_about_120_bytes() -> None:
    """The body is as large as the budgets say, at the first message and at the millionth."""
    sizes = [len(msgpack.packb(reading(at, 10**15, ""))) for at in (0, 10**6)]

    assert all(115 <= size <= 130 for size in sizes), sizes


@given(count=st.integers(min_value=1, max_value=2000), window=st.integers(min_value=0, max_value=500))
def test_the_load_is_complete_and_in_order_whatever_the_window(count: int, window: int) -> None:
    """Every number is sent once, in order, topics in turn, and never more than the window is on its way."""
    arrived = Clock()
    seen: list[tuple[str, int]] = []
    waits = 0
    for _pause, readings in batches(Load(count=count, window=window), clock=Clock(), arrived=arrived):
        seen += [(topic, body["n"]) for topic, body in readings]
        if window:
            assert len(seen) - arrived() <= window
        if not readings:
            arrived.now, waits = len(seen), waits + 1

    expected = [(TOPICS[at % len(TOPICS)], at) for at in range(count)]

    assert expected == seen
    assert bool(waits) == bool(window and count > window)


def test_a_rate_spaces_messages_and_stamps_each_after_its_wait() -> None:
    """At 500 a second one message leaves every 2 ms, with the time of its leaving, whatever sending took."""
    clock = Clock()
    stamps = []
    for pause, readings in batches(Load(count=4, rate=500), clock=clock, arrived=lambda: 0):
        clock.now += round(pause * 1e9)
        stamps += [body["sent_ns"] for _topic, body in readings]
        clock.now += 300_000 * len(readings)

    expected = [0, 2_000_000, 4_000_000, 6_000_000]

    assert expected == stamps


def test_more_topics_than_a_house_has_are_made_up() -> None:
    """Topics are distinct however many are asked for."""
    names = Load(count=1, topics=1000).names()

    assert len(names) == len(set(names))
    assert len(names) >= 1000


def test_only_complete_messages_count(tmp_path: Path) -> None:
    """A body that lost a key is broken; the sum of the numbers shows what came."""
    clock = Clock()
    clock.now = 77
    with Board(tmp_path / "board", samples=0) as board:
        take = taker(board, Load(count=2), clock=clock)
        take(reading(0, 0, ""))
        take({"value": 1})
        take(reading(1, 0, ""))

        found = {slot: board[slot] for slot in (Slot.COUNT, Slot.BROKEN, Slot.SUM, Slot.LAST)}

    expected = {Slot.COUNT: 2, Slot.BROKEN: 1, Slot.SUM: 1, Slot.LAST: clock.now}

    assert expected == found


def test_the_last_message_is_noted_even_when_some_are_lost(tmp_path: Path) -> None:
    """The time of receiving is at most a few messages old where the load never gets complete."""
    clock = Clock()
    with Board(tmp_path / "board", samples=0) as board:
        take = taker(board, Load(count=10 * SELDOM), clock=clock)
        for at in range(SELDOM + 5):
            clock.now = at + 1
            take(reading(at, 0, ""))

        last = board[Slot.LAST]

    expected = SELDOM

    assert expected == last


def test_a_board_keeps_delays_up_to_its_room(tmp_path: Path) -> None:
    """Delays are read by another process through the file; what has no room is left out."""
    path = tmp_path / "board"
    with Board(path, samples=2) as board:
        for delay in (5, 6, 7):
            board.add_sample(delay)
        with Board(path) as other:
            found = other.samples()

    expected = [5, 6]

    assert expected == found
