"""Say everything that is wrong with a table of the configuration at once, not the first thing only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hearthbus.errors import Invalid
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def check_all(*checks: Callable[[], object]) -> None:
    """Run every check.

    Raises:
        Invalid: with the problems of all that raised it.
    """
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except Invalid as error:
            problems += error.problems
    refuse(problems)


def refuse(problems: Iterable[str]) -> None:
    """Raise what was found, if anything was.

    Raises:
        Invalid: with `problems`, unless there are none.
    """
    found = tuple(problems)
    if found:
        raise Invalid("; ".join(found), problems=found)


def is_segment(name: str) -> bool:
    """Whether `name` can be one part of a topic."""
    try:
        return "/" not in check_topic(name)
    except Invalid:
        return False
