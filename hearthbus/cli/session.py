"""One verb's time on the bus: connect, run, and end quietly on Ctrl-C, SIGTERM or a closed pipe.

Knows the client and the terminal, and nothing of what the verb does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from hearthbus.bus import Bus
from hearthbus.cli.main import complain
from hearthbus.cli.output import Output, wants_colour
from hearthbus.cli.standard_output import StandardOutput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONNECT_TIMEOUT = 2.0
"""Seconds a person waits to be told that there is no broker."""
TERMINATED = 128 + signal.SIGTERM
OUTAGE_POLL = 0.2


def run(work: Callable[[Bus, Output], Awaitable[int]], *, url: str | None, json: bool = False) -> int:
    """Connect to the broker, run `work` and return its exit code.

    Raises:
        HearthbusError: whatever ended it.
        BrokenPipeError: the reader of standard output went away.
        KeyboardInterrupt: Ctrl-C.
    """
    return asyncio.run(_session(work, url=url, json=json))


async def tell_outages(bus: Bus, output: Output) -> None:
    """Say when the broker goes away and when it is back, for as long as this runs."""
    connected = True
    while True:
        if bus.connected is not connected:
            connected = bus.connected
            output.note("the broker is back" if connected else f"the broker at {bus.url} is away; waiting for it")
        await asyncio.sleep(OUTAGE_POLL)


async def _session(work: Callable[[Bus, Output], Awaitable[int]], *, url: str | None, json: bool) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    reasons: list[OSError | int] = []

    def stop(reason: OSError | int) -> None:
        reasons.append(reason)
        if task is not None:
            task.cancel()

    writer = StandardOutput(loop, stop)
    loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED)
    try:
        async with Bus(url, connect_timeout=CONNECT_TIMEOUT) as bus:
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
    )
