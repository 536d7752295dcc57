"""A batch in pieces: the refused records are found, and all others delivered in their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.telemetry.batch import Batch


def deliver(items: list[int], bad: set[int], *, most: int) -> tuple[list[int], list[int], int]:
    """Deliver to a sink that refuses whatever holds a bad item; return what it has, what was set aside, calls."""
    batch = Batch(items)
    held: list[int] = []
    aside: list[int] = []
    calls = 0
    while len(batch):
        piece = batch.piece(most)
        calls += 1
        if not bad.intersection(piece):
            held += piece
            batch.settle()
        elif len(piece) == 1:
            aside += piece
            batch.settle()
        else:
            batch.halve()
    return held, aside, calls


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=40), st.integers(1, 400))
def test_only_the_bad_ones_are_set_aside(count: int, bad: set[int], most: int) -> None:
    """Whatever is refused wherever, everything else arrives, in order, once."""
    items = list(range(count))
    held, aside, _ = deliver(items, bad, most=most)

    assert [item for item in items if item not in bad] == held
    assert [item for item in items if item in bad] == aside


@given(st.integers(0, 999))
def test_one_bad_record_of_a_thousand_costs_few_calls(poison: int) -> None:
    """It is found by halving: about two calls for each power of two."""
    _, _, calls = deliver(list(range(1000)), {poison}, most=1000)

    assert calls <= 21


def test_a_piece_is_tried_again_as_it_was() -> None:
    """Until it is settled or cut, the same records come again: their key is the same."""
    batch = Batch("abcdefgh")
    batch.piece(8)
    batch.halve()

    assert [list("abcd"), list("abcd")] == [batch.piece(8), batch.piece(8)]


def test_what_is_put_back_comes_first_and_whole() -> None:
    """Records that were taken for poison and were none come again before the rest, uncut."""
    batch = Batch("abcdefgh")
    for _ in range(3):
        batch.piece(8)
        batch.halve()
    batch.piece(8)
    batch.settle()
    batch.put_back("a")

    assert list("abcdefgh") == batch.piece(8)
    assert 8 == len(batch)
