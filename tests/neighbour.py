"""A client in a process of its own, so that a test can freeze it, kill it, and let it end.

As a module it is the test's side: `Neighbour` starts one and hears what it says, a JSON object a line. Run as a program
it is the client: `neighbour.py read|stay|serve|visit URL NAME ...`. Knows the public client only.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any, Final, Self

from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAR_S: Final = 60.0


class Neighbour:
    """One such process; leave it by its `with` block, or it stays."""

    def __init__(self, role: str, url: str, name: str, *more: str) -> None:
        self.name = name
        self._process = Popen((sys.executable, __file__, role, url, name, *more), stdin=PIPE, stdout=PIPE, text=True)
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def says(self) -> dict[str, Any]:
        """Wait for what it says next."""
        for said in await self.said(within=HEAR_S):
            return said
        raise AssertionError(f"{self.name} said nothing for {HEAR_S:g} s")

    async def said(self, *, within: float) -> list[dict[str, Any]]:
        """Return what it says next, as a list of one; of none where it says nothing `within` seconds."""
        try:
            return [await asyncio.to_thread(self._heard.get, timeout=within)]
        except Empty:
            return []

    def freeze(self) -> None:
        """Stop it, and return when it is stopped."""
        self._process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + HEAR_S
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, f"{self.name} does not stop"

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait(HEAR_S)

    async def leave(self) -> int:
        """Let it end as it should; return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await asyncio.to_thread(self._process.wait, HEAR_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self.kill()
        self._process.stdin.close()
        self._thread.join(HEAR_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._heard.put(json.loads(line))


def _say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201 - its voice


async def _read(bus: Bus, patterns: Sequence[str]) -> None:
    """Report with every message that has `report`, what has come since the last one: topic, seq, lost, replayed."""
    async with bus, bus.subscribe(*patterns) as messages:
        _say(ready=True)
        got: list[tuple[str, int, int, bool]] = []
        async for message in messages:
            got.append((message.topic, message.seq, message.lost, message.replayed))
            if message.get("report"):
                _say(got=got, lost=messages.lost)
                got = []


async def _stay(bus: Bus) -> None:
    """Be there until the test lets it go; what a subscription of its own had to wait for, the broker knows it by."""
    async with bus, bus.subscribe(f"service/{bus.name}"):
        _say(ready=True)
        await asyncio.to_thread(sys.stdin.read)
        while not bus.connected:  # back after a freeze it is connected anew, and who is not cannot say goodbye
            await asyncio.sleep(0.01)


async def _serve(bus: Bus, pattern: str) -> None:
    """Carry out requests, and report each."""
    async with bus, bus.serve(pattern) as requests:
        _say(ready=True)
        async for request in requests:
            _say(done=request.message.body)
            await request.reply({})


async def _visit(bus: Bus) -> None:
    """Come and go."""
    async with bus:
        pass


def _visits(url: str, name: str, count: int, at_once: int = 8) -> None:
    """Come and go `count` times, each time as a new process that ends as any process does."""
    running = 0
    codes = []
    for number in range(count):
        if running == at_once:
            codes.append(os.wait()[1])
            running -= 1
        if not os.fork():
            asyncio.run(_visit(Bus(url, name=f"{name}-{number}", presence=True, connect_timeout=30)))
            return
        running += 1
    codes += [os.wait()[1] for _ in range(running)]
    _say(codes=codes)


def main() -> None:
    """Play one role."""
    role, url, name, *more = sys.argv[1:]
    will = ("alert/" + name, {"active": True}) if "will" in more else None
    if role == "read":
        asyncio.run(_read(Bus(url, name=name, presence=True), more))
    elif role == "serve":
        asyncio.run(_serve(Bus(url, name=name), *more))
    elif role == "stay":
        asyncio.run(_stay(Bus(url, name=name, presence=True, will=will)))
    else:
        _visits(url, name, int(more[0]))


if __name__ == "__main__":
    main()
