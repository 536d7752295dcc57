"""The nearest known word to a mistyped one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NEAR_ENOUGH: Final = 0.6
SWAPPED: Final = 0.25
"""What the same letters in another order are worth: `sbu` means `sub`, not `sun`."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the word of `known` that was most likely meant; empty when none is near."""
    from difflib import SequenceMatcher

    def likeness(other: str) -> float:
        swapped = SWAPPED if sorted(word) == sorted(other) else 0.0
        return SequenceMatcher(a=word, b=other, autojunk=False).ratio() + swapped

    best = max(known, key=likeness, default="")
    return best if best and likeness(best) >= NEAR_ENOUGH else ""
