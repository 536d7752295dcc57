"""A store of another version: an older one is brought up, a newer one read or refused; going back loses nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from houses import FIRST_EPOCH, STAMP, House, alter, begin, houses, killed, stopped

from broker import schema, store
from broker.recovery import find
from broker.schema import MIGRATIONS, Migration
from hearthbus.errors import Invalid
from services.calendar import store as calendar
from services.calendar.book import Book, Entry
from services.calendar.events import Event
from services.calendar.told import Diary
from services.telemetry.letters import read_letter
from services.telemetry.place import Place, read_place

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["houses", "killed", "stopped"]

FIRST = """
create table meta(key text primary key, value integer) without rowid;
create table topic(name text primary key, seq integer, offset integer, retained blob, crc integer) without rowid;
create table block(last integer primary key, first integer, oldest integer, newest integer,
    size integer, crc integer, topics text, numbers blob, frames blob);
create table consumer(name text primary key, offset integer) without rowid;
pragma user_version=1;
"""
"""What the first version made, word for word."""


def as_first(house: House) -> None:
    """Write a house's store anew as the first version did."""
    path = house.folder / store.FILE
    old = path.with_name("second.db")
    alter(house, "pragma wal_checkpoint(truncate)")
    path.rename(old)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.executescript(FIRST)
        connection.execute("attach ? as second", (str(old),))
        for table in ("meta", "topic", "block", "consumer"):
            connection.execute(f"insert into {table} select * from second.{table}")
        connection.execute("delete from meta where key = 'schema'")
    old.unlink()


def asked(folder: Path, question: str) -> object:
    with closing(sqlite3.connect(folder / store.FILE)) as connection:
        row = connection.execute(question).fetchone()
        return row and row[0]


ADDS = Migration(to=schema.SCHEMA + 1, readable_from=schema.SCHEMA, statements=("create table more(name text)",))
CHANGES = Migration(to=schema.SCHEMA + 1, readable_from=schema.SCHEMA + 1, statements=("alter table topic add x",))


def migrated(house: House, step: Migration) -> None:
    """Let a newer hearthbus have been here."""
    with closing(sqlite3.connect(house.folder / store.FILE, isolation_level=None)) as connection:
        schema.ensure(connection, (*MIGRATIONS, step))


@pytest.mark.parametrize("clean", [True, False])
def test_an_older_one_is_brought_up(houses: dict[bool, House], tmp_path: Path, *, clean: bool) -> None:
    """A store of the first version becomes one of a later, after a kill too, with state, journal, places and epoch."""
    given = houses[clean]
    house = House(shutil.copytree(given.folder, tmp_path / "data"), given.frames, given.state)
    as_first(house)
    migrated(house, ADDS)
    back = begin(house.folder)

    assert (FIRST_EPOCH, house.state, house.frames) == (back.epoch, back.state, back.journal)
    assert {"diary": 7} == back.found.contents.consumers
    assert (ADDS.to, 1) == (
        asked(house.folder, "select value from meta where key = 'schema'"),
        asked(house.folder, "pragma user_version"),
    )


def test_the_first_version_is_read(stopped: House) -> None:
    """A store of the first version, which does not tell its form, is read as it is."""
    as_first(stopped)
    back = begin(stopped.folder)

    assert (FIRST_EPOCH, stopped.state, stopped.frames) == (back.epoch, back.state, back.journal)


def test_the_first_version_reads_this_one(stopped: House) -> None:
    """Going back to the first version needs nothing: it lets the file in, and its tables are as it knows them."""
    begin(stopped.folder)
    as_it_made_them = [line.strip().removesuffix(";") for line in " ".join(FIRST.split()).split(";")[:-2]]

    assert asked(stopped.folder, "pragma user_version") in (0, 1)
    for statement in as_it_made_them:
        name = statement.split()[2].partition("(")[0]
        made = asked(stopped.folder, f"select sql from sqlite_master where name = '{name}'")
        assert "".join(statement.split()) == "".join(str(made).split()).replace("CREATETABLE", "createtable")


def test_there_and_back(stopped: House) -> None:
    """What the first version wrote to this version's file, by its own statements, is there for this one again."""
    begin(stopped.folder)
    alter(stopped, "insert or replace into consumer values('diary', 9)")
    alter(stopped, "insert or replace into meta values('clean', 1)")
    back = begin(stopped.folder)

    assert (stopped.state, stopped.frames, {"diary": 9}) == (back.state, back.journal, back.found.contents.consumers)


def test_a_newer_one_that_added_is_read(stopped: House) -> None:
    """A newer store that only added tables is used, and what it added stays, with the number of its form."""
    migrated(stopped, ADDS)
    alter(stopped, "insert into more values('kept')")
    back = begin(stopped.folder)

    assert (FIRST_EPOCH, stopped.state, stopped.frames) == (back.epoch, back.state, back.journal)
    assert "kept" == asked(stopped.folder, "select name from more")
    assert ADDS.to == asked(stopped.folder, "select value from meta where key = 'schema'")


def test_a_newer_one_that_changed_is_refused_whole(stopped: House) -> None:
    """A newer store in a form we cannot read is left as it is, byte by byte, and the text says how to go back."""
    migrated(stopped, CHANGES)
    before = (stopped.folder / store.FILE).read_bytes()

    with pytest.raises(Invalid, match=r"made by a newer hearthbus.* or `hearthbus restore` a backup made before"):
        find(stopped.folder, stamp=STAMP)
    assert before == (stopped.folder / store.FILE).read_bytes()
    assert [] == list(stopped.folder.glob("*.damaged-*"))


def test_a_flipped_version_is_damage(stopped: House) -> None:
    """A version that the file's own form contradicts is a flipped bit: the store is saved, not refused for ever."""
    alter(stopped, f"pragma user_version={1 | 64}")
    back = begin(stopped.folder)

    assert back.found.damaged
    assert (stopped.state, stopped.frames) == (back.state, back.journal)


def test_a_migration_is_whole_or_not_there(stopped: House) -> None:
    """A step that fails half way leaves the form of before."""
    broken = Migration(to=schema.SCHEMA + 1, readable_from=1, statements=("create table more(name)", "no SQL"))

    with pytest.raises(sqlite3.OperationalError):
        migrated(stopped, broken)
    assert None is asked(stopped.folder, "select 1 from sqlite_master where name = 'more'")
    assert schema.SCHEMA == asked(stopped.folder, "select value from meta where key = 'schema'")


def test_every_form_can_be_reached() -> None:
    """Forms are numbered without a gap, and none says that a later one reads it."""
    assert list(range(1, schema.SCHEMA + 1)) == [step.to for step in MIGRATIONS]
    assert all(step.readable_from <= step.to for step in MIGRATIONS)


def test_what_services_keep_may_have_more(tmp_path: Path) -> None:
    """A newer version's additions to what services keep cost nothing when one goes back."""
    path, place = tmp_path / "a.json", tmp_path / "b.json"
    book = Book({"a": Entry(Event(id="a", etag="e", uid="u", start=10, end=20))}, 5, 30)
    calendar.save(path, book, Diary())
    content = json.loads(path.read_bytes())
    content["entries"][0]["event"]["colour"] = content["more"] = "blue"
    path.write_text(json.dumps(content))
    place.write_text(json.dumps({"epoch": 1, "done": 2, "attempts": [], "more": 3}))
    letter = json.dumps({"topic": "a", "body": {}, "time_ns": 1, "offset": 2, "more": 3}).encode()

    assert (book, Diary(), "") == calendar.load(path)
    assert Place(1, 2, ()) == read_place(place)
    assert "a" == read_letter(letter).topic
