"""The patterns a person typed, checked before anything connects. Knows strings only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hearthbus.errors import Invalid
from hearthbus.topics import check_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence


def checked(patterns: Sequence[str], *, verb: str) -> tuple[str, ...]:
    """Return `patterns` if there is one and all are sound.

    Raises:
        Invalid: otherwise; a shell that took `#` for a comment is the usual reason that there is none.
    """
    if not patterns:
        raise Invalid(f"{verb}: no pattern; quote it, because the shell takes # for a comment: hearthbus {verb} '#'")
    return tuple(check_pattern(pattern) for pattern in patterns)
