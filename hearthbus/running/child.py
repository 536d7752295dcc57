"""One process of `hearthbus up`: started, listened to, started again when it dies, ended.

Knows processes; not what runs in them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from hearthbus.running.backoff import Backoff
from hearthbus.running.runtime import unless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHUTDOWN = 6.0
"""Seconds from SIGTERM to SIGKILL; a service needs at most 5."""
_LONGEST_LINE = 16_384
_PR_SET_PDEATHSIG = 1


class Child:
    """A process that is kept running.

    Args:
        name: for the log.
        command: its command line.
        say: takes each line it prints, and what there is to say about it.
    """

    def __init__(self, name: str, command: Sequence[str], *, say: Callable[[str], None]) -> None:
        self.name = name
        self.exit_code: int | None = None
        """How it ended the last time, as shells count: 128 and the signal's number for a killed one."""
        self._command = command
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()

    @property
    def running(self) -> bool:
        """Whether the process is there now."""
        return self._process is not None and self._process.returncode is None

    async def keep(self) -> None:
        """Run the process, again and again, until `end()`; one that ends by itself with 0 is done."""
        loop = asyncio.get_running_loop()
        backoff = Backoff()
        while not self._ending.is_set():
            started = loop.time()
            self.exit_code = await self._once()
            if self._ending.is_set():
                return
            if self.exit_code == 0:
                self._say("done")
                return
            wait = backoff.failed(after=loop.time() - started, chance=os.urandom(1)[0] / 255)
            self._say(f"{self._how()}; starting it again in {wait:.1f} s")
            await unless(self._ending, loop.create_task(asyncio.sleep(wait)))

    async def end(self) -> None:
        """End the process: SIGTERM, and SIGKILL where that is not enough."""
        self._ending.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(SHUTDOWN):
                await process.wait()
        except TimeoutError:
            self._say(f"did not stop within {SHUTDOWN:.0f} s: killed")
            self.kill()

    def _how(self) -> str:
        code = self._process.returncode if self._process is not None else None
        return f"was killed (signal {-code})" if code is not None and code < 0 else f"ended with exit code {code}"

    def kill(self) -> None:
        """End the process at once."""
        self._ending.set()
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self._process = process
        if self._ending.is_set():
            self.kill()
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a PIPE
        listening = asyncio.create_task(self._listen(process.stdout), name=f"{self.name} output")
        code = await process.wait()
        await asyncio.wait({listening}, timeout=1.0)
        listening.cancel()
        return 128 - code if code < 0 else code

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Pass on what it prints, line by line; an endless line comes in pieces."""
        rest = b""
        while data := await stream.read(4096):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._pass_on(line)
        if rest:
            self._pass_on(rest)

    def _pass_on(self, line: bytes) -> None:
        """Say a line of the process's, without the name it may put before it itself."""
        self._say(line.decode(errors="replace").removeprefix(f"{self.name}: "))


def _die_with_parent() -> None:
    """Have Linux send SIGTERM when the supervisor is killed: no house goes on without anybody to stop it."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
