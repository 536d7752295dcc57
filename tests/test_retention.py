"""What the journal lets go of by its size, and what looking after it costs."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from broker import store

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

BLOCKS = 20_000
BYTES = 100
"""Of messages in each block."""
GIVEN = {"before": 0, "needed": 0}


def journal(folder: Path) -> sqlite3.Connection:
    """Open a journal of many small blocks, as a house makes them in a day."""
    connection = store.connect(folder)
    rows = ((last, last, 0, 0, BYTES, 0, "load/hall", b"", b"x") for last in range(1, BLOCKS + 1))
    connection.execute("begin")
    connection.executemany("insert into block values(?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("commit")
    return connection


@pytest.mark.parametrize("kept", [0, 1, 7_000, BLOCKS - 1, BLOCKS])
def test_the_oldest_go_until_the_rest_fits(tmp_path: Path, kept: int) -> None:
    """As many blocks stay as there is room for, and they are the newest; half a block's room keeps none more."""
    with closing(journal(tmp_path)) as connection:
        removed = store.retain(connection, size=kept * BYTES + BYTES // 2, **GIVEN)
        left, oldest = connection.execute("select count(*), min(last) from block").fetchone()

    assert (BLOCKS - kept, kept, BLOCKS - kept + 1 if kept else None) == (removed, left, oldest)


@pytest.mark.parametrize("kept", [BLOCKS // 2, BLOCKS])
def test_a_long_journal_takes_no_memory(tmp_path: Path, kept: int) -> None:
    """Looking after it costs the same for a month as for an hour: a house's broker must not grow with its past."""
    with closing(journal(tmp_path)) as connection:
        tracemalloc.start()
        try:
            store.retain(connection, size=kept * BYTES, **GIVEN)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 100_000
