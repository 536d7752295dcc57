"""Counting messages by topic."""

from __future__ import annotations

from hearthbus.cli.rates import Rates
from hearthbus.message import Message, decode, encode_body, stamp


def message(topic: str, number: int = 1) -> Message:
    return decode(
        stamp(
            topic.encode(),
            encode_body({"n": number}),
            seq=number,
            offset=number,
            previous=0,
            time=0,
            flags=0,
            origin=b"x",
        )
    )


def test_a_turn_counts_what_came_in_it() -> None:
    """The rate is of this turn; the minute and the total count all."""
    rates = Rates(turn=2.0)
    for number in range(6):
        rates.count(message("a", number))
    rates.turned(2.0)
    rates.count(message("a", 6))
    (second,) = rates.turned(2.0)

    assert (0.5, 7, 7, {"n": 6}) == (second.per_second, second.last_minute, second.total, second.newest.body)


def test_the_busiest_is_first() -> None:
    """By this turn, then by the minute, then by name."""
    rates = Rates(turn=1.0)
    for topic in ("c", "c", "b", "a"):
        rates.count(message(topic))

    assert ["c", "a", "b"] == [rate.topic for rate in rates.turned(1.0)]
    rates.count(message("b"))
    assert ["b", "c", "a"] == [rate.topic for rate in rates.turned(1.0)]


def test_a_minute_is_forgotten_after_a_minute() -> None:
    """A topic that fell silent keeps its total and loses its rates."""
    rates = Rates(turn=20.0)
    rates.count(message("a"))
    found = [rates.turned(20.0)[0].last_minute for _ in range(4)]

    assert [1, 1, 1, 0] == found
