"""Standard output and standard input inside an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.cli.standard_input import CHUNK, lines
from hearthbus.cli.standard_output import StandardOutput
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = list(os.pipe())
    yield ends[0], ends[1]
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # the test closed it: that was the point


async def failure(failed: asyncio.Future[OSError]) -> OSError:
    async with asyncio.timeout(30):
        return await failed


async def test_a_line_is_out_in_the_same_turn(pipe: tuple[int, int]) -> None:
    """Nobody has to wait for a buffer to fill."""
    loop = asyncio.get_running_loop()
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        output = StandardOutput(loop, lambda _: None, stream)
        output.line("one")
        output.line("two")
        seen = asyncio.Event()
        loop.add_reader(pipe[0], seen.set)
        async with asyncio.timeout(30):
            await seen.wait()
        loop.remove_reader(pipe[0])
        output.close()

    assert b"one\ntwo\n" == os.read(pipe[0], 100)


async def test_a_reader_who_leaves_is_noticed_without_a_line(pipe: tuple[int, int]) -> None:
    """`hearthbus sub quiet/topic | head -1` does not wait for a message nobody will read."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[OSError] = loop.create_future()
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        StandardOutput(loop, failed.set_result, stream)
        os.close(pipe[0])

        assert isinstance(await failure(failed), BrokenPipeError)


async def test_a_full_disk_is_told() -> None:
    """A file that takes no more is a failure with its reason."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[OSError] = loop.create_future()
    stream = open("/dev/full", "w")  # noqa: PTH123, SIM115, ASYNC230 - a device, and closing it fails
    output = StandardOutput(loop, failed.set_result, stream)
    output.line("one")

    assert "No space left on device" == (await failure(failed)).strerror
    with pytest.raises(OSError, match="No space"):
        stream.close()


def read_lines(data: bytes) -> list[str]:
    """Return what `lines` makes of `data` in a pipe."""
    out, into = os.pipe()

    def write() -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(into, rest) :]
        os.close(into)

    async def read() -> list[str]:
        return [line async for line in lines(out)]

    writer = threading.Thread(target=write)
    writer.start()
    found = asyncio.run(read())
    writer.join()
    os.close(out)
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\r\nb", ["a", "b"]),
        ("°".encode() * CHUNK, ["°" * CHUNK]),
    ],
)
def test_input_is_lines(data: bytes, expected: list[str]) -> None:
    """Ends are cut off, a last line needs none, and a character may lie across two chunks."""
    assert expected == read_lines(data)


def test_input_that_is_not_text_is_refused_by_its_line() -> None:
    """A byte that is no UTF-8 is not published as something else."""
    out, into = os.pipe()
    os.write(into, b"fine\n\xff\n")
    os.close(into)

    async def read() -> None:
        async for _ in lines(out):
            pass

    with pytest.raises(Invalid, match="line 2 of standard input is not UTF-8"):
        asyncio.run(read())
    os.close(out)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
def test_no_line_is_lost(texts: list[str]) -> None:
    """What goes in comes out, in order."""
    assert texts == read_lines("".join(text + "\n" for text in texts).encode())


async def test_input_is_not_read_far_ahead(tmp_path: Path) -> None:
    """A huge file stays on disk until its lines are wanted."""
    path = tmp_path / "huge"
    path.write_bytes(b"x\n" * (CHUNK * 20))
    with path.open("rb") as file:
        stream = lines(file.fileno())
        await anext(stream)
        for _ in range(CHUNK // 2 * 3):
            await anext(stream)

        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) <= CHUNK * 10
