"""What is logged of a stick that is away: each thing once, until it is back; it may stay away for weeks."""

from __future__ import annotations

import logging


class Diary:
    """The log, with a memory.

    Args:
        name: what the log calls the stick.
        log: where it goes; what was said already goes there too, for debugging.
    """

    def __init__(self, name: str, log: logging.Logger) -> None:
        self._name, self._log = name, log
        self._said: set[str] = set()

    def once(self, text: str, *, level: int = logging.WARNING) -> None:
        """Say something that was not said since `forget`; other numbers make it no news."""
        bare = _bare(text)
        self._log.log(logging.DEBUG if bare in self._said else level, "%s: %s", self._name, text)
        self._said.add(bare)

    def forget(self) -> None:
        """All is well: from now on everything is news."""
        self._said.clear()


def same(text: str, other: str) -> bool:
    """Whether two texts say the same but for their numbers."""
    return _bare(text) == _bare(other)


def _bare(text: str) -> str:
    return "".join(each for each in text if not each.isdigit())
