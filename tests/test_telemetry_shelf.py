"""Dead letters: their form, their files, a full disk, and the place of a sink that cannot tell twice from once."""

from __future__ import annotations

import json
import resource
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.errors import Invalid, Unavailable
from services.telemetry.letters import Letter, read_letter, write_letter
from services.telemetry.place import Place, read_place, write_place
from services.telemetry.records import Record
from services.telemetry.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()


@contextmanager
def disk_full(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, quiet)


def line(number: int) -> bytes:
    """Return a letter of 200 bytes or so."""
    record = Record("sensor/hall/temperature", {"value": number, "text": "x" * 60}, number, number)
    return write_letter(Letter(record, "bad", 0.0))


def opened(folder: Path, **options: int) -> Shelf:
    """Return a shelf as a start finds it."""
    shelf = Shelf(folder, "archive", **options)
    shelf.open()
    return shelf


@given(st.dictionaries(st.text(), VALUES), st.integers(0, 2**63), st.integers(0, 2**63), st.text())
def test_a_letter_keeps_the_record(body: dict[str, object], time_ns: int, offset: int, reason: str) -> None:
    """Whatever a message says comes back from its line, nanoseconds and all, and the line is one."""
    record = Record("sensor/hall/temperature", body, time_ns, offset)
    written = write_letter(Letter(record, reason, 0.0))

    assert 1 == written.count(b"\n")
    assert [record] == [read_letter(written)] or any("\ud800" <= char <= "\udfff" for char in str(body))


def test_a_letter_is_for_people_too() -> None:
    """It says when the value was measured, why it was refused, and when it was set aside."""
    record = Record("sensor/hall/temperature", {"value": 20.5}, 1_767_268_800_123_456_789, 4711)
    said = json.loads(write_letter(Letter(record, "field type conflict", 1_767_268_810.0)))

    assert ("2026-01-01T12:00:00Z", "field type conflict", "2026-01-01T12:00:10Z") == (
        said["time"], said["reason"], said["set_aside"],
    )  # fmt: skip


@given(st.binary() | st.sampled_from([b"[]", b"{}", b"null", b'{"topic":1,"body":{},"time_ns":1,"offset":1}']))
def test_any_other_line_is_told(data: bytes) -> None:
    """A torn or mended line is `Invalid`, never another exception."""
    with pytest.raises(Invalid):
        read_letter(data)


def test_letters_stay_over_a_restart(tmp_path: Path) -> None:
    """They are counted at the next start, and nobody else may read them."""
    opened(tmp_path).add([line(1), line(2)])
    again = opened(tmp_path)

    assert 2 == again.letters
    assert 0o600 == again.dead.stat().st_mode & 0o777


def test_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    """The file keeps its bound: whole letters go, from the front."""
    shelf = opened(tmp_path, limit=4000)
    for number in range(100):
        shelf.add([line(number)])
    kept = [read_letter(each).offset for each in shelf.dead.read_bytes().splitlines()]

    assert shelf.dead.stat().st_size <= 4000
    assert list(range(100 - len(kept), 100)) == kept
    assert (len(kept), 100 - len(kept)) == (shelf.letters, shelf.gone)


def test_a_full_disk_is_told_and_tears_nothing(tmp_path: Path) -> None:
    """What does not fit is not there in part, and what was there stays."""
    shelf = opened(tmp_path)
    shelf.add([line(1)])
    before = shelf.dead.read_bytes()
    with disk_full(len(before) + 50), pytest.raises(Unavailable, match=r"archive\.dead\.jsonl cannot be written"):
        shelf.add([line(2)])

    assert before == shelf.dead.read_bytes()
    assert 1 == shelf.letters
    shelf.add([line(3)])
    assert before + line(3) == shelf.dead.read_bytes()


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    """After a power cut the next letter begins a line of its own."""
    shelf = opened(tmp_path)
    shelf.add([line(1)])
    shelf.dead.write_bytes(shelf.dead.read_bytes() + line(2)[:40])
    shelf.add([line(3)])

    assert 3 == read_letter(shelf.dead.read_bytes().splitlines()[-1]).offset


def test_a_letter_is_not_written_twice_over_a_crash(tmp_path: Path) -> None:
    """The record comes again when its place was not moved; its letter is known. Asked to go again, it may come back."""
    opened(tmp_path).add([line(1), line(2)])
    shelf = opened(tmp_path)
    shelf.add([line(2), line(3)])
    kept = [read_letter(each).offset for each in shelf.dead.read_bytes().splitlines()]
    shelf.take()
    shelf.add([line(2)])

    assert [1, 2, 3] == kept
    assert [2] == [read_letter(each).offset for each in shelf.dead.read_bytes().splitlines()]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_last_line_without_its_end_counts(tmp_path: Path, end: bytes) -> None:
    """An editor may have taken the last newline away: the letter is there all the same, and counted once."""
    shelf = opened(tmp_path)
    shelf.add([line(1), line(2)])
    shelf.dead.write_bytes(shelf.dead.read_bytes().rstrip(b"\n") + end)
    shelf = opened(tmp_path)
    before = shelf.letters
    shelf.take()
    lines, place = shelf.read(10)
    shelf.passed(place)

    assert (2, 2, 0) == (before, len(lines), shelf.letters)


def test_letters_are_read_again_from_where_it_was_left(tmp_path: Path) -> None:
    """A start in the middle of sending them again does not begin at the front."""
    shelf = opened(tmp_path)
    shelf.add([line(number) for number in range(5)])
    shelf.take()
    _, place = shelf.read(2)
    shelf.passed(place)
    again = opened(tmp_path)

    assert 3 == again.letters
    assert [2, 3] == [read_letter(each).offset for each in again.read(2)[0]]


def test_new_letters_wait_for_those_being_sent_again(tmp_path: Path) -> None:
    """What is refused meanwhile is in the other file, and neither is lost."""
    shelf = opened(tmp_path)
    shelf.add([line(1)])
    shelf.take()
    shelf.add([line(2)])
    shelf.take()

    assert [1] == [read_letter(each).offset for each in shelf.read(10)[0]]
    assert 2 == shelf.letters
    shelf.through()
    assert shelf.take()
    assert [2] == [read_letter(each).offset for each in shelf.read(10)[0]]


@given(st.builds(Place, st.integers(0), st.integers(0), st.lists(st.tuples(st.integers(0), st.integers(0))).map(tuple)))
def test_a_place_is_read_as_written(tmp_path_factory: pytest.TempPathFactory, place: Place) -> None:
    """Epoch, and the offsets."""
    file = tmp_path_factory.mktemp("place") / "barn.batch"
    write_place(file, place)

    assert place == read_place(file)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"epoch": null}', b"\xff\x00"])
def test_a_damaged_place_is_the_beginning(tmp_path: Path, data: bytes) -> None:
    """The broker's own note of the place holds then."""
    file = tmp_path / "barn.batch"
    file.write_bytes(data)

    assert Place() == read_place(file)


def test_an_attempt_replaces_that_of_the_same_records() -> None:
    """A part of a batch that was refused is at stake now, not the whole; other attempts stay."""
    place = Place(1, 4).begin(20, 30).begin(5, 12).begin(5, 8)

    assert ((5, 8), (20, 30)) == place.attempts
    assert Place(1, 8, ((20, 30),)) == place.move(8)
    assert Place(1, 30) == place.move(30).move(20)
