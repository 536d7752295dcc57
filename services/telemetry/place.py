"""Where a sink that cannot tell a record it has from a new one stands, kept over any end of the process.

    {"epoch": 17, "done": 4710, "first": 4711, "last": 5210}     in <sink>.batch

Before an attempt the range of what is sent is written; a process that dies meanwhile sends the very same records after
its next start, so that a receiver who compares keys knows them. After the attempt the last offset is kept: the broker's
own note of the place may be older, and nothing behind it is sent twice. Offsets of another epoch mean nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
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
        first: offset of the first record of the attempt that was begun last; 0: it has ended.
        last: offset of its last record.
    """

    epoch: int = 0
    done: int = 0
    first: int = 0
    last: int = 0


def read_place(path: Path) -> Place:
    """Return what is written; where nothing sensible is, the beginning.

    Raises:
        Unavailable: it is there and cannot be read.
    """
    try:
        found: Any = json.loads(path.read_bytes())
        return Place(*(int(found[key]) for key in ("epoch", "done", "first", "last")))
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
