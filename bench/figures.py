"""What is made of raw figures: medians, percentiles, ratios, and how they are written. Pure."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["median", "number", "percentile", "spread", "times"]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all do not exceed (nearest rank).

    Raises:
        ValueError: no values, or `percent` not within 0 < percent <= 100.
    """
    if not values or not 0 < percent <= 100:
        raise ValueError(f"no {percent:g}th percentile of {len(values)} values")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def spread(values: Sequence[float]) -> str:
    """Write the smallest and the largest value."""
    return f"{number(min(values))} - {number(max(values))}"


def number(value: float) -> str:
    """Write a figure with three significant digits at least, thousands apart."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return "-"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def times(ours: float, theirs: float) -> float:
    """Return how many times `theirs` goes into `ours`; NaN where there is nothing to compare."""
    return ours / theirs if theirs else math.nan
