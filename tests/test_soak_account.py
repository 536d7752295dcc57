"""The judgement of a soak: it finds a leak and what is missing, is not taken in by a step, and ends when it is told."""

from __future__ import annotations

import math
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.process import family
from bench.soak_account import growth, missing, slope

ROOT = Path(__file__).parent.parent
MINUTES = 4
SOON_S = 40.0


def samples(
    *, mb_per_h: float = 0.0, step_mb: float = 0.0, more: int = 0, dip: bool = False
) -> list[tuple[float, float, int]]:
    """Return what a process of 30 MB and 20 descriptors looks like, a sample a second; things happen half way."""
    chance = random.Random(1)
    count = MINUTES * 60
    return [
        (
            float(at),
            30 + mb_per_h * at / 3600 + step_mb * (at > count / 2) + chance.uniform(0, 0.02),
            20 + more * (at > count / 2) - 3 * (dip and at % 40 < 5),
        )
        for at in range(count)
    ]


def test_a_straight_line_is_found() -> None:
    """Its slope is per hour, and without any noise its error is nothing."""
    found = slope([(float(at), 5 + at / 1800) for at in range(100)])

    assert pytest.approx(2.0) == found.per_h
    assert pytest.approx(0.0, abs=1e-9) == found.error


def test_two_samples_say_nothing() -> None:
    """The error is infinite where there is too little to tell."""
    assert slope([(0.0, 1.0), (1.0, 9.0)]).error == float("inf")


@pytest.mark.parametrize("mb_per_h", [20.0, 60.0])
def test_a_leak_is_found(mb_per_h: float) -> None:
    """Growth of 20 MB an hour shows in four minutes."""
    line, faults = growth("sun", samples(mb_per_h=mb_per_h))

    assert [True] == [fault.startswith("sun grows by ") for fault in faults]
    assert "MB an hour" in line


@pytest.mark.parametrize(
    "calm", [samples(), samples(mb_per_h=-20), samples(step_mb=0.3), samples(step_mb=2.0), samples(dip=True)]
)
def test_what_is_no_leak(calm: list[tuple[float, float, int]]) -> None:
    """Noise, shrinking, one step of the allocator, and descriptors that go and come back."""
    assert [] == growth("sun", calm)[1]


def test_a_connection_that_is_away_for_long_is_no_leak() -> None:
    """A server that is away most of the time in the beginning, and there in the end, costs one descriptor more then."""
    held = [(at, mb, 21 if at > MINUTES * 20 or at % 20 < 5 else 20) for at, mb, _ in samples()]

    assert [] == growth("telemetry", held)[1]


def test_what_fills_up_is_no_leak() -> None:
    """A memory with a bound, and an allocator that settles, rise ever more slowly."""
    settling = [(at, mb + 3 * (1 - math.exp(-at / 60)), held) for at, mb, held in samples()]

    assert [] == growth("sun", settling)[1]


def test_a_descriptor_that_stays_is_found() -> None:
    """One more for good is one too many."""
    assert ["sun keeps descriptors: at most 20 before, mostly 21 now"] == growth("sun", samples(more=1))[1]


def test_what_is_missing_is_named() -> None:
    """And what is there twice, where it may be there once; nothing is said of what is not asked for."""
    assert ["the journal: 1 of 3 confirmed messages are missing: [2]"] == missing("the journal", [1, 2, 3], [1, 3, 9])
    assert ["the journal: 1 messages are there more than once: [1]"] == missing("the journal", [1], [1, 1], once=True)
    assert [] == missing("the journal", [1], [1, 1])


def test_ctrl_c_leaves_no_process() -> None:
    """A soak that is ended early ends its whole house, and says that nothing is known."""
    soak = subprocess.Popen(
        (sys.executable, "-m", "bench.house_soak", "5", "--seed", "1"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + SOON_S
        while len(members := family(soak.pid)) < 12:
            assert time.monotonic() < deadline, "its house does not come up"
            time.sleep(0.05)
        soak.send_signal(signal.SIGINT)
        said, _ = soak.communicate(timeout=SOON_S)
    finally:
        soak.kill()
        soak.wait()
    left = [member for member in members[1:] if Path(f"/proc/{member}").exists()]

    assert (130, []) == (soak.returncode, left)
    assert "ended early" in said
