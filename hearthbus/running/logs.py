"""How a process of hearthbus logs: plain lines on standard error, which systemd's journal or `hearthbus up` collects.

Levels are set here once, for the process; libraries and services only log.
"""

from __future__ import annotations

import logging
import os

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Levels as syslog counts them (man 3 sd-daemon): the journal shows and filters by them."""


class LineFormatter(logging.Formatter):
    """`WARNING sun: text`: the level where it is worth saying, who speaks unless the process speaks for one alone."""

    def __init__(self, *, alone: str | None, journal: bool) -> None:
        super().__init__()
        self._hidden = {alone, "hearthbus"}
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Make the line; a trace follows on lines of its own."""
        text = super().format(record)
        if record.name not in self._hidden:
            text = f"{record.name}: {text}"
        if record.levelno != logging.INFO:
            text = f"{record.levelname} {text}"
        if not self._journal:
            return text
        priority = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(priority + line for line in text.split("\n"))


def set_up(*, alone: str | None = None, verbose: bool = False) -> None:
    """Log to standard error from now on.

    Args:
        alone: the one service of this process, whose name goes without saying.
        verbose: DEBUG too.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(alone=alone, journal="JOURNAL_STREAM" in os.environ))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
