"""One process of `hearthbus up`: started, listened to, started again, ended."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from told import Told

from hearthbus.running.child import Child

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UP = (sys.executable, "-m", "hearthbus", "up")
FOR_EVER = "import signal; print('up', flush=True); signal.pause()"


def python(code: str) -> tuple[str, ...]:
    """Return the command line of a small program."""
    return (sys.executable, "-I", "-c", code)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearthbus.running.backoff.FIRST", 0.01)
    for name in ("HEARTHBUS_URL", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def kept(code: str) -> AsyncIterator[tuple[Child, Told]]:
    """Keep a small program running for a block."""
    told = Told()
    child = Child("small", python(code), say=told.say)
    keeping = asyncio.create_task(child.keep())
    try:
        yield child, told
    finally:
        await child.end()
        await asyncio.wait_for(keeping, 5)


async def test_a_process_that_dies_is_started_again() -> None:
    """Each end is told with its exit code and the wait, and the process comes again."""
    async with kept("print('hello'); raise SystemExit(3)") as (child, told):
        await told.until("hello", times=3)

    assert ["hello", "ended with exit code 3; starting it again in 0.0 s"] * 2 == told.lines[:4]
    assert not child.running


async def test_a_killed_process_is_told_with_its_signal() -> None:
    """Who was killed did not end by itself."""
    async with kept("import os; os.kill(os.getpid(), 9)") as (_, told):
        await told.until(r"was killed \(signal 9\)")


async def test_a_process_that_ends_well_is_done() -> None:
    """Exit code 0 without being asked means that there is no more to do."""
    async with kept("print('once')") as (child, told):
        await told.until("done")

    assert (["once", "done"], 0) == (told.lines, child.exit_code)


async def test_what_a_process_prints_comes_line_by_line() -> None:
    """Both streams, odd bytes, a name of its own, an endless line and a last line without an end all pass."""
    code = """
import os, sys
os.write(1, b"small: to standard output\\n")
os.write(2, b"to standard error\\n")
os.write(1, b"odd \\xff\\n\\n")
os.write(1, b"x" * 40_000 + b"\\n")
os.write(1, b"no end")
"""
    async with kept(code) as (_, told):
        await told.until("done")

    assert ["to standard output", "to standard error", "odd \ufffd", ""] == told.lines[:4]
    assert "x" * 40_000 == "".join(told.lines[4:-2])
    assert ["no end", "done"] == told.lines[-2:]


async def test_a_process_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending takes a bounded time."""
    monkeypatch.setattr("hearthbus.running.child.SHUTDOWN", 0.05)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOR_EVER}"
    async with kept(code) as (child, told):
        await told.until("up")

    assert ["up", "did not stop within 0 s: killed"] == told.lines
    assert 137 == child.exit_code
