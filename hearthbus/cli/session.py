"""One verb's time on the bus: connect, run, and end quietly on Ctrl-C, SIGTERM or a closed pipe.

Knows the client and the terminal, and nothing of what the verb does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from hearthbus.bus import Bus
from hearthbus.cli.main import complain
from hearthbus.cli.output import Output, wants_colour
from hearthbus.cli.standard_output import StandardOutput
from hearthbus.cli.where import where
from hearthbus.errors import HearthbusError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONNECT_TIMEOUT = 2.0
"""Seconds a person waits to be told that there is no broker."""
TERMINATED = 128 + signal.SIGTERM


def run(work: Callable[[Bus, Output], Awaitable[int]], *, url: str | None, json: bool = False) -> int:
    """Connect to the broker, run `work`, and return its exit code, or that of what went wrong beside it.

    Raises:
        HearthbusError: whatever ended it.
        BrokenPipeError: the reader of standard output went away.
        KeyboardInterrupt: Ctrl-C.
    """
    address, key = where(url, note=complain)
    notes, log = Notes(), logging.getLogger("hearthbus")
    log.setLevel(logging.INFO)
    log.addHandler(notes)
    try:
        code = asyncio.run(_session(work, url=address, key=key, json=json))
    except HearthbusError as error:
        if str(error) not in notes.errors:
            raise
        return error.exit_code  # it has been told
    finally:
        log.removeHandler(notes)
    return code or next((error.exit_code for error in notes.errors.values()), 0)


class Notes(logging.Handler):
    """What the library has to tell (the broker is away, back, refuses) becomes the command's own lines."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.errors: dict[str, HearthbusError] = {}
        """The errors told: a message can be refused after `publish` has returned."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        complain(record.getMessage())
        if isinstance(record.args, tuple):
            self.errors |= {str(error): error for error in record.args if isinstance(error, HearthbusError)}


async def _session(work: Callable[[Bus, Output], Awaitable[int]], *, url: str, key: str, json: bool) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    reasons: list[OSError | int] = []

    def stop(reason: OSError | int) -> None:
        reasons.append(reason)
        if task is not None:
            task.cancel()

    writer = StandardOutput(loop, stop)
    loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED)
    try:
        async with Bus(url, key=key, connect_timeout=CONNECT_TIMEOUT) as bus:
            return await work(bus, _output(writer, json=json))
    except asyncio.CancelledError:
        if not reasons:
            raise
        if isinstance(reasons[0], int):
            return reasons[0]
        raise reasons[0] from None
    finally:
        writer.close()


def _output(writer: StandardOutput, *, json: bool) -> Output:
    stdout = sys.stdout
    encoding = (getattr(stdout, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    return Output(
        line=writer.line,
        note=complain,
        json=json,
        colour=wants_colour(tty=stdout is not None and stdout.isatty(), environ=os.environ),
        ascii=not encoding.startswith("utf"),
        width=(lambda: get_terminal_size().columns) if stdout is not None and stdout.isatty() else lambda: None,
    )
