"""Where a sink that cannot tell a record it has from a new one stands, kept over any end of the process.

    {"epoch": 17, "done": 4710, "attempts": [[4711, 4711], [4712, 5210]]}     in <sink>.batch

Before an attempt the range of what is sent is written; a process that dies meanwhile sends the very same records after
its next start, so that a receiver who compares keys knows them. There can be several: a record before that range, which
was refused and not yet set aside, is sent first then, and the process may die once more. After an attempt that went
well the last offset is kept: the broker's own note of the place may be older, and nothing behind it is sent twice.
Offsets of another epoch mean nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from hearthbus.errors import Unavailable
from services.folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """How far a sink has come.

    Args:
        epoch: the history of the broker the offsets belong to.
        done: everything up to this offset is delivered or set aside.
        attempts: offsets of the first and last record of each attempt of which it is not known how it ended.
    """

    epoch: int = 0
    done: int = 0
    attempts: tuple[tuple[int, int], ...] = ()

    def begin(self, first: int, last: int) -> Place:
        """Return it with one attempt more. One of the same records was refused, or is made again: it is replaced."""
        others = (each for each in self.attempts if each[1] < first or each[0] > last)
        return replace(self, attempts=tuple(sorted((*others, (first, last)))))

    def move(self, done: int) -> Place:
        """Return it moved to `done`, never back, and without the attempts up to there."""
        return replace(
            self, done=max(self.done, done), attempts=tuple(each for each in self.attempts if each[1] > done)
        )


def read_place(path: Path) -> Place:
    """Return what is written; where nothing sensible is, the beginning.

    Raises:
        Unavailable: it is there and cannot be read.
    """
    try:
        found: Any = json.loads(path.read_bytes())
        attempts = tuple((int(first), int(last)) for first, last in found["attempts"])
        return Place(int(found["epoch"]), int(found["done"]), attempts)
    except FileNotFoundError:
        return Place()
    except (ValueError, TypeError, KeyError):
        return Place()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None


def write_place(path: Path, place: Place) -> None:
    """Keep it.

    Raises:
        Unavailable: it cannot be written.
    """
    write_whole(path, json.dumps(asdict(place)).encode())
