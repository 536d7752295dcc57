"""The house of a soak: the demonstration's, at five times its pace; a process that dies is back a second later.

Knows how its processes are started, frozen, killed, looked at and ended; not when, and not what is said on the bus.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.process import anonymous_mb, free_port
from hearthbus.cli.demo import demo_house

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.soak_account import Sample

PACE: Final = 5
SERVICES: Final = (
    "sun", "schedule", "host", "calendar", "telemetry",
    "jeenode-twin", "jeenode", "motion_light", "rfxtrx-twin", "rfxtrx",
)  # fmt: skip
AGAIN_S: Final = 1.0
"""Seconds after which a process that ended is started again: RestartSec of the units."""
GOODBYE_S: Final = 6.0
_SETTINGS: Final = (
    ("\n[broker]\n", '\n[broker]\naddress = "{url}"\nstats_s = 2.0\n'),
    ("\n[jeenode-twin] ", "\n[jeenode-twin]\nreport_s = {report_s}\n#"),
    ("\n[rfxtrx-twin] ", "\n[rfxtrx-twin]\npace = {pace}\n#"),
    ("\n[host]\n", "\n[host]\ninterval_s = {interval_s}\n"),
    ("\n[telemetry.prometheus.metrics] ", "\n[telemetry.prometheus.metrics]\nport = {port}\n#"),
)
"""What is other than in the demonstration."""


class Member:
    """One process of the house, started again when it ends.

    Args:
        name: "broker", or the service's.
        command: its command line.
        log: what it prints is added there.
    """

    def __init__(self, name: str, command: tuple[str, ...], log: Path) -> None:
        self.name = name
        self.log = log
        self.starts = 0
        self.samples: list[Sample] = []
        """Of its present life."""
        self.died: list[int] = []
        """How it ended where nobody ended it: exit codes, a signal's number below 0."""
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._ending = self._struck = False

    @property
    def pid(self) -> int:
        """Its process; 0 where there is none now."""
        return 0 if self._process is None or self._process.returncode is not None else self._process.pid

    async def keep(self) -> None:
        """Run it until `end`."""
        while not self._ending:
            with self.log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
                )
            self.starts += 1
            self.samples.clear()
            self._struck = False
            if self._ending:  # while it was being started
                self._signal(signal.SIGKILL)
            code = await self._process.wait()
            if not self._ending:
                if not self._struck:
                    self.died.append(code)
                await asyncio.sleep(AGAIN_S)

    def kill(self) -> None:
        """Kill it."""
        self._struck = True
        self._signal(signal.SIGKILL)

    async def kill_and_wait(self) -> None:
        """Kill it, and return when it is there again."""
        while not self.pid:  # noqa: ASYNC110 - its own task starts it
            await asyncio.sleep(0.05)
        starts = self.starts
        self.kill()
        while self.starts == starts:  # noqa: ASYNC110 - its own task starts it
            await asyncio.sleep(0.05)

    async def freeze(self, seconds: float) -> None:
        """Stop it for a while."""
        process = self._process
        if self._signal(signal.SIGSTOP):
            try:
                await asyncio.sleep(seconds)
            finally:
                if process is self._process:
                    self._signal(signal.SIGCONT)

    def look(self) -> None:
        """Note what it costs now."""
        if self.pid:
            with suppress(OSError):
                descriptors = len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - every second, of eleven processes
                self.samples.append((time.monotonic(), anonymous_mb(self.pid), descriptors))

    async def end(self) -> None:
        """End it, at last by force."""
        self._ending = True
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if self._process is not None:
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._process.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await self._process.wait()

    def _signal(self, number: signal.Signals) -> bool:
        if not self.pid:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True


class SoakHouse:
    """Every process of the house, in a folder of its own.

    Args:
        folder: a short path, for the sockets' names.
        sinks: addresses of webhooks, by name, that get what `sensor/+/level` says.
    """

    def __init__(self, folder: Path, sinks: Mapping[str, str]) -> None:
        self.url = f"ipc://{folder}/bus"
        with demo_house(str(folder)) as path:
            config = Path(path)
        text = config.read_text(encoding="utf-8")
        fields = {
            "url": self.url, "pace": PACE, "report_s": 20 / PACE, "interval_s": 30 / PACE, "port": free_port(),
        }  # fmt: skip
        for mark, with_it in _SETTINGS:
            if mark not in text:
                raise RuntimeError(f"the demonstration's house has no {mark!r} any more: mend bench/soak_house.py")
            text = text.replace(mark, with_it.format(**fields), 1)
        text += "".join(_sink(name, url) for name, url in sinks.items())
        config.write_text(text, encoding="utf-8")
        command = (sys.executable, "-m", "hearthbus")
        self.broker = Member("broker", (*command, "broker", "--config", path), folder / "broker.log")
        self.services = [
            Member(name, (*command, "run", name, "--config", path), folder / f"{name}.log") for name in SERVICES
        ]
        self._keeping: list[asyncio.Task[None]] = []
        self._looking: asyncio.Task[None]

    @property
    def members(self) -> list[Member]:
        """The broker and all services."""
        return [self.broker, *self.services]

    def start(self) -> None:
        """Start every process, and look at it every second."""
        self._keeping = [asyncio.create_task(member.keep(), name=member.name) for member in self.members]
        self._looking = asyncio.create_task(self._look(), name="look")

    async def end(self) -> int:
        """End every process, the broker last; return how many are left."""
        await self.end_services()
        await self.broker.end()
        self._looking.cancel()
        await asyncio.gather(*self._keeping, self._looking, return_exceptions=True)
        return sum(member.pid > 0 for member in self.members)

    async def end_services(self) -> None:
        """End every process but the broker."""
        await asyncio.gather(*(service.end() for service in self.services))

    def tracebacks(self) -> Iterator[str]:
        """Return the last line of each traceback any of them has logged."""
        for member in self.members:
            with suppress(FileNotFoundError):
                lines = member.log.read_text(errors="replace").splitlines()
                for at, line in enumerate(lines):
                    if line.startswith("Traceback"):
                        rest = (each for each in lines[at + 1 :] if not each.startswith(" "))
                        yield f"{member.name}: {next(rest, 'cut off')}"

    async def _look(self) -> None:
        while True:
            for member in self.members:
                member.look()
            await asyncio.sleep(1.0)


def _sink(name: str, url: str) -> str:
    return (
        f'\n[telemetry.webhook.{name}]\nurl = "{url}"\ntopics = ["sensor/+/level"]\n'
        "every_s = 0.5\nbatch = 200\ntimeout_s = 2.0\n"
    )
