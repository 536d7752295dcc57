"""How a service's failure is told: where in the service's own code it was, and one line for what it was.

Knows exceptions; logs nothing.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from hearthbus.errors import HearthbusError

if TYPE_CHECKING:
    from types import TracebackType

_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120 - pathlib costs each service 10 ms
_LONGEST = 500
"""Characters of an error's text: what a stranger sent is in some, and is not written into the log at length."""


def place(trace: TracebackType | None) -> tuple[str, int]:
    """Return file name and line of the innermost frame that is not hearthbus's own, or of the innermost there is."""
    found = inner = ("?", 0)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        inner = (file, trace.tb_lineno)
        found = found if file.startswith(_HERE) else inner
        trace = trace.tb_next
    file, line = inner if found == ("?", 0) else found
    return file.rpartition("/")[2], line


def text(error: BaseException) -> str:
    """Return what an error says, cut where it repeats something endless; a KeyError says no more than its key."""
    said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def line(error: BaseException) -> str:
    """Return type and text; of an error of hearthbus, which explains itself, the text."""
    if isinstance(error, HearthbusError):
        return str(error)
    return ": ".join(filter(None, (type(error).__name__, text(error))))
