"""How long telemetry waits and how much it sends at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.telemetry.pace import Backoff, Rate, Size


def test_the_waits_double_to_five_minutes() -> None:
    """A sink that is away is asked less and less often, but at least every five minutes."""
    backoff = Backoff()

    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] == [backoff.failed(asked=None, chance=0) for _ in range(11)]


@given(st.floats(0, 1), st.integers(0, 20))
def test_jitter_makes_a_wait_longer_by_a_quarter_at_most(chance: float, failures: int) -> None:
    """Two sinks that went together do not come back together, and never sooner than told."""
    plain, mixed = Backoff(), Backoff()
    for _ in range(failures):
        plain.failed(asked=None, chance=0)
        mixed.failed(asked=None, chance=0)
    wait = plain.failed(asked=None, chance=0)

    assert wait <= mixed.failed(asked=None, chance=chance) <= wait * 1.25


def test_success_begins_anew() -> None:
    """The next failure is waited for one second again."""
    backoff = Backoff()
    for _ in range(5):
        backoff.failed(asked=None, chance=0)
    backoff.worked()

    assert 1 == backoff.failed(asked=None, chance=0)


def test_what_the_sink_asks_for_counts() -> None:
    """Retry-After is kept, but not below a second and not beyond an hour."""
    backoff = Backoff()

    assert [17, 1, 3600] == [backoff.failed(asked=asked, chance=0) for asked in (17, 0, 10**9)]


def test_too_large_halves() -> None:
    """Half of what was too large is sent next, one record at least."""
    size = Size(1000)
    found = []
    for _ in range(11):
        size.too_large(size.now)
        found.append(size.now)

    assert [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1] == found


def test_it_grows_again_slowly_to_what_is_allowed() -> None:
    """Twenty batches that went well allow a tenth more, and the limit stays the limit."""
    size = Size(100)
    size.too_large(100)
    for _ in range(20):
        size.worked()
    after_twenty = size.now
    for _ in range(1000):
        size.worked()

    assert (55, 100) == (after_twenty, size.now)


def test_calls_are_spread_evenly() -> None:
    """Four a minute are fifteen seconds apart, and none is saved up while nothing is sent."""
    rate = Rate(4)
    first = rate.wait(100.0)
    rate.called(100.0)
    soon, later = rate.wait(101.0), rate.wait(1000.0)

    assert (0, 14, 0) == (first, soon, later)


def test_without_a_rate_nothing_waits() -> None:
    """0 a minute means any number."""
    rate = Rate(0)
    rate.called(100.0)

    assert 0 == rate.wait(100.0)
