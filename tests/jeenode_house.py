"""A simulated house behind a pseudo terminal in the test's own process, with a real broker and real services beside it.

What the test does to nodes, gateway and port is seen by the services as they would see it on a real port.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import HEARTHBUS

from hearthbus.topics import matches
from services.jeenode.twin.house import House
from services.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Broker

    from hearthbus import Bus, Message

TABLES = """
[jeenode.gateways.attic]
port = "{folder}/tty"

[jeenode.nodes]
kitchen-strip = {{ id = 2, place = "kitchen", light = true }}
hall-strip = {{ id = 3, place = "hall", light = true }}
kitchen = {{ id = 5 }}
hall = {{ id = 6 }}
living = {{ id = 7 }}
cellar = {{ id = 8, sensors = ["flow", "return"] }}

[motion_light.rules.hall]
place = "hall"
light = "hall"
hold_s = 0.1
fade_on_s = 0
rgb = [255, 120, 20]
"""
WITHIN_S = 20.0
"""Longest wait for anything; on a quiet machine nothing takes a second."""


class Scene:
    """A house at work."""

    def __init__(self, house: House, terminal: Terminal[House], folder: Path, bus: Bus) -> None:
        self.house = house
        self.terminal = terminal
        self.bus = bus
        self.messages: list[Message] = []
        self.log = folder / "log"
        self._folder = folder
        self._news = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *names: str, online: bool = True) -> None:
        """Start services, in one process, and wait until they are there, and (if `online`) their gateway."""
        self.messages.clear()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *HEARTHBUS, "run", *names, "--config", str(self._folder / "house.toml"), stdout=log, stderr=log
            )
        for name in names:
            await self.see(f"service/{name}", lambda body: body["status"] == "online")
        if "jeenode" in names and online:
            await self.see("radio/rf12/gateway/attic", lambda body: body["status"] == "online")

    async def stop(self, *, kill: bool = False) -> None:
        """Stop the services; `kill`: without a goodbye."""
        if self._process is not None and self._process.returncode is None:
            (self._process.kill if kill else self._process.terminate)()
            await self._process.wait()

    async def listen(self) -> None:
        """Gather what is said."""
        async for message in self.bus.subscribe("#"):
            self.messages.append(message)
            self._news.set()

    async def see(self, pattern: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True) -> Message:
        """Wait for a message, or return the newest there was; the log is in the error."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                self._news.clear()
                for message in reversed(self.messages):
                    if matches(pattern, message.topic) and not message.is_request:
                        if holds(message.body):
                            return message
                        if "+" not in pattern:
                            break  # state: only the newest counts
                await self._news.wait()

    def bodies(self, pattern: str) -> list[dict[str, Any]]:
        """Return what has been said on some topics."""
        return [each.body for each in self.messages if matches(pattern, each.topic) and not each.is_request]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so in the simulated house."""
        deadline = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < deadline, self.log.read_text()
            await asyncio.sleep(0.005)


@asynccontextmanager
async def scene(
    broker: Broker, *services: str, tables: str = TABLES, boot: bool = True, **options: Any
) -> AsyncIterator[Scene]:
    """Run a house, and services on it, for a block.

    Args:
        broker: a running one.
        services: to start; none: the test starts them.
        tables: of the configuration.
        boot: whether the nodes have power from the beginning.
        options: of the `House`.
    """
    folder = broker.folder
    text = f'[bus]\nurl = "{broker.url}"\n{tables.format(folder=folder)}'
    (folder / "house.toml").write_text(text)
    (folder / "log").touch()
    house = House(**{"wall": time.time(), "inhabited": False, "hold_s": 0.1, "report_s": 3600.0, **options})
    terminal = Terminal(house, Path(folder, "tty"), clock=time.monotonic)
    async with broker.bus("test") as bus:
        made = Scene(house, terminal, folder, bus)
        tasks = [asyncio.create_task(terminal.run()), asyncio.create_task(made.listen())]
        try:
            if services:
                await made.start(*services)
            if boot:  # behind the start: a node announces itself for three seconds, and a start may take longer
                house.boot()
                terminal.wake()
            yield made
        except BaseException as error:
            error.add_note((folder / "log").read_text()[-3000:])
            raise
        finally:
            await made.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
