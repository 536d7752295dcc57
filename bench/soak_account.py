"""What a soak is judged by: messages that have to be there, and whether a figure grows. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

HOUR_S: Final = 3600.0
MOST_MB_PER_H: Final = 1.0
"""Growth of a process's memory that is borne."""
WORTH_MB: Final = 1.0
"""Growth within the time looked at below which nothing is concluded: allocators' steps, memories that fill up.

Measured, it was a quarter of that at most in four minutes of a young process.
"""
WORTH_OF_BROKER_MB: Final = 2.0
"""The same of the broker, whose allocators settle over its first hundred thousand messages: measured, 25 to 32 MB."""
Sample = tuple[float, float, int]
"""Seconds, megabytes, descriptors."""


@dataclass(frozen=True)
class Slope:
    """A straight line through samples: its rise per hour, and one standard error of it."""

    per_h: float
    error: float

    def __str__(self) -> str:
        return f"{self.per_h:+.2f} ± {self.error:.2f}"


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Fit a line by least squares to (seconds, value).

    Samples that follow each other closely say the same twice; so the error is widened by what the residuals have in
    common with their neighbours, sqrt((1 + r) / (1 - r)), as for an autoregressive series of the first order.
    """
    count = len(points)
    if count < 3:
        return Slope(0.0, math.inf)
    middle, mean = sum(at for at, _ in points) / count, sum(value for _, value in points) / count
    spread = sum((at - middle) ** 2 for at, _ in points)
    rise = sum((at - middle) * (value - mean) for at, value in points) / spread
    rest = [value - mean - rise * (at - middle) for at, value in points]
    squares = sum(each * each for each in rest)
    if not squares:
        return Slope(rise * HOUR_S, 0.0)
    alike = sum(one * two for one, two in pairwise(rest)) / squares
    alike = min(max(alike, 0.0), 0.99)
    error = math.sqrt(squares / (count - 2) / spread) * math.sqrt((1 + alike) / (1 - alike))
    return Slope(rise * HOUR_S, error * HOUR_S)


def growth(name: str, samples: Sequence[Sample], *, worth_mb: float = WORTH_MB) -> tuple[str, list[str]]:
    """Return a line of figures for a process, and what is wrong with them."""
    memory = slope([(at, megabytes) for at, megabytes, _ in samples])
    third = max(1, len(samples) // 3)
    first, last = max(held for _, _, held in samples[:third]), median_low([held for _, _, held in samples[-third:]])
    seconds = samples[-1][0] - samples[0][0]
    line = (
        f"{name:14} {seconds:5.0f} s  {samples[0][1]:6.1f} -> {samples[-1][1]:6.1f} MB, {memory} MB an hour; "
        f"descriptors: at most {first}, then mostly {last}"
    )
    faults = []
    surely = memory.per_h - 2 * memory.error
    if surely > MOST_MB_PER_H and memory.per_h * seconds / HOUR_S > worth_mb and _keeps_rising(samples):
        faults.append(f"{name} grows by {memory} MB an hour")
    if last > first:
        faults.append(f"{name} keeps descriptors: at most {first} before, mostly {last} now")
    return line, faults


def _keeps_rising(samples: Sequence[Sample]) -> bool:
    """Whether each quarter rises by half of what a straight line does: a leak goes on, what fills up slows down."""
    each = max(1, len(samples) // 4)
    levels = [median_low([mb for _, mb, _ in samples[at * each : (at + 1) * each]]) for at in range(4)]
    rise = levels[-1] - levels[0]
    return all(after - before > rise / 6 for before, after in pairwise(levels))


def missing(what: str, wanted: Collection[float], held: Iterable[float], *, once: bool = False) -> list[str]:
    """Say what of `wanted` is not held; with `once`, what is held twice, too."""
    counted = Counter(held)
    gone = sorted(set(wanted) - counted.keys())
    faults = [f"{what}: {len(gone)} of {len(wanted)} confirmed messages are missing: {gone[:5]}"] if gone else []
    twice = sorted(each for each, times in counted.items() if times > 1)
    if once and twice:
        faults.append(f"{what}: {len(twice)} messages are there more than once: {twice[:5]}")
    return faults
