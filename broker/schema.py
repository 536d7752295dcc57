"""Which form a store has, how an older one becomes this version's, and who may read a newer one. Knows SQL.

    pragma user_version   the oldest form whose hearthbus can read and write this file: its "readable from"
    meta `schema`         the form it has; a file without it has form `user_version`

Forms that only add tables leave `user_version` as it is: a hearthbus of before goes on with the file and leaves alone
what it does not know, and nothing has to be done to go back. A form that changes what is there raises it: a hearthbus
of before then refuses the file, whole as it is, and names what to do.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

NEWEST_IMAGINABLE: Final = 1_000
"""A form beyond this is a flipped bit."""
NEXT_STEP: Final = "install that one again, or `hearthbus restore` a backup made before the upgrade"


@dataclass(frozen=True, kw_only=True)
class Migration:
    """The step to one form from the one before it."""

    to: int
    readable_from: int
    """The oldest form whose hearthbus reads and writes a file of this one."""
    statements: tuple[str, ...]


MIGRATIONS: Final = (
    Migration(
        to=1,
        readable_from=1,
        statements=(
            "create table if not exists meta(key text primary key, value integer) without rowid",
            """create table if not exists topic(
            name text primary key, seq integer, offset integer, retained blob, crc integer) without rowid""",
            """create table if not exists block(
            last integer primary key, first integer, oldest integer, newest integer,
            size integer, crc integer, topics text, numbers blob, frames blob)""",
            "create table if not exists consumer(name text primary key, offset integer) without rowid",
        ),
    ),
)
"""Every form there was, oldest first. One is only ever added, never changed."""
SCHEMA: Final = MIGRATIONS[-1].to
"""The form of this version."""


def ensure(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring a file to the newest form of `migrations`, in one transaction: a power cut leaves the old or the new.

    Raises:
        sqlite3.NotSupportedError: a newer hearthbus made it, and this one cannot read it; it is left as it is.
        sqlite3.DatabaseError: it is damaged, or cannot be written.
    """
    newest = migrations[-1].to
    if form_of(connection, newest) >= newest:
        return
    connection.execute("begin immediate")
    try:
        # writer and reader open at the same time: the other one may have done it meanwhile
        found = form_of(connection, newest)
        for step in migrations:
            if step.to > found:
                for statement in step.statements:
                    connection.execute(statement)
        if found < newest:
            connection.execute("insert or replace into meta values('schema', ?)", (newest,))
            connection.execute(f"pragma user_version={migrations[-1].readable_from}")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def form_of(connection: sqlite3.Connection, newest: int = SCHEMA) -> int:
    """Return the form of a file, 0 for a new one; `newest` is the one its reader knows. Raises as `ensure`."""
    (readable_from,) = connection.execute("pragma user_version").fetchone()
    if not 0 <= readable_from <= NEWEST_IMAGINABLE:
        raise sqlite3.DatabaseError(f"schema version {readable_from}")
    form = int(readable_from)
    if readable_from:
        row = connection.execute("select value from meta where key = 'schema'").fetchone()
        if row is not None:
            (form,) = row
        if type(form) is not int or not readable_from <= form <= NEWEST_IMAGINABLE:
            raise sqlite3.DatabaseError(f"schema {form!r}, readable from {readable_from}")
    if readable_from > newest:
        raise sqlite3.NotSupportedError(
            f"it has schema {form}, made by a newer hearthbus, and can be read from schema {readable_from} on; "
            f"this one knows {newest}: {NEXT_STEP}"
        )
    return int(form)
