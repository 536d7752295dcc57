"""The file of a calendar: what is stored is read again, and what is none of ours is set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearthbus import Unavailable
from services.calendar.book import Book, Entry
from services.calendar.events import Event
from services.calendar.store import load, save
from services.calendar.told import Diary, Told

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = st.integers(0, 4 * 10**9)
EVENTS = st.builds(
    Event,
    id=st.text(),
    etag=st.text(),
    uid=st.text(),
    start=SECONDS,
    end=st.just(4 * 10**9),
    title=st.text(),
    extended=st.dictionaries(st.text(), st.text(), max_size=3),
    commands=st.dictionaries(st.text(), st.booleans() | st.floats(allow_nan=False) | st.text(), max_size=3),
)
ENTRIES = st.builds(Entry, EVENTS, st.booleans(), st.booleans())
TOLD = st.dictionaries(
    st.text(), st.builds(Told, st.frozensets(SECONDS), st.none() | SECONDS, st.booleans()), max_size=3
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ENTRIES, max_size=4), TOLD, st.none() | SECONDS)
def test_what_is_stored_is_read_again(
    tmp_path: Path, entries: list[Entry], told: dict[str, Told], looked: int | None
) -> None:
    """All of it, the same."""
    book = Book({entry.event.id: entry for entry in entries}, looked, looked)
    save(tmp_path / "a.json", book, Diary(told))

    assert (book, Diary(told), "") == load(tmp_path / "a.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_file_that_was_cut_or_changed(tmp_path: Path, data: st.DataObject) -> None:
    """It is read or set aside: nothing else happens."""
    event = Event(id="a", etag="e", uid="u", start=10, end=20, commands={"heat": 21})
    path = tmp_path / "a.json"
    save(path, Book({"a": Entry(event)}, 5, 30), Diary({"a": Told(frozenset({10}), 10)}))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    _, _, wrong = load(path)

    assert path.exists() == (wrong == "")


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """What is in a calendar is nobody's business."""
    save(tmp_path / "a.json", Book(), Diary())

    assert 0o600 == (tmp_path / "a.json").stat().st_mode & 0o777


def test_a_disk_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """As what can be tried again."""
    with pytest.raises(Unavailable, match="cannot be written"):
        save(tmp_path / "none" / "a.json", Book(), Diary())


def test_a_file_that_cannot_be_read_stays(tmp_path: Path) -> None:
    """It is said, and left where it is."""
    (tmp_path / "a.json").mkdir()
    book, _, wrong = load(tmp_path / "a.json")

    assert Book() == book
    assert "cannot be read" in wrong
