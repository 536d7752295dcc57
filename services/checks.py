"""Say everything that is wrong with a table of the configuration at once, not the first thing only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_OF_AN_ADDRESS: Final = frozenset("/@?#\\")


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


def host_faults(host: str) -> Iterator[str]:
    """Yield what is wrong with the name of a machine, without repeating it: it may hold a password."""
    if not host or not _OF_AN_ADDRESS.isdisjoint(host) or any(each.isspace() for each in host):
        yield "host is the name of a machine and nothing else; user, password and port have keys of their own"


def is_segment(name: str) -> bool:
    """Whether `name` can be one part of a topic."""
    try:
        return "/" not in check_topic(name)
    except Invalid:
        return False
