"""The thread of a sink: one, its own, and no reason for a process to stay."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from services.telemetry.worker import Worker

HANGING = """
import asyncio, threading
from services.telemetry.worker import Worker

async def main():
    try:
        async with asyncio.timeout(0.1):
            await Worker("hanging").run(threading.Event().wait)
    except TimeoutError:
        print("left behind")

asyncio.run(main())
"""


async def test_it_returns_and_raises_what_the_call_does() -> None:
    """As if it had been called here."""
    worker = Worker("test")

    assert "done" == await worker.run(lambda: "done")
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    worker.close()


async def test_calls_have_one_thread_and_their_order() -> None:
    """Calls made together run one after the other."""
    worker = Worker("test")
    names = await asyncio.gather(*(worker.run(lambda: threading.current_thread().name) for _ in range(5)))
    worker.close()

    assert ["test"] * 5 == names


async def test_a_call_left_behind_holds_up_no_other() -> None:
    """After a cancelled call the next has a fresh thread."""
    worker, gate = Worker("test"), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await worker.run(gate.wait)

    assert "next" == await worker.run(lambda: "next")
    gate.set()
    worker.close()


def test_a_hanging_call_does_not_hold_the_process() -> None:
    """The interpreter ends although a thread never will."""
    begun = time.monotonic()
    done = subprocess.run((sys.executable, "-c", HANGING), capture_output=True, text=True, timeout=20, check=False)

    assert ("left behind\n", 0) == (done.stdout, done.returncode)
    assert time.monotonic() - begun < 10
