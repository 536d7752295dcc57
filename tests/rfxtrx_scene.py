"""A stick for tests: the simulated one behind a pty or a socket, and the real edge on it, in one event loop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from drivers.rfxtrx.news import Times
from services.rfxtrx.settings import Settings
from services.rfxtrx.stick import Stick
from services.rfxtrx.twin.stick import SimulatedStick
from services.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from drivers.rfxtrx.packet import Packet

SOON_S = 30.0
TIMES = Times(deaf=0.05, answer=0.5, patience=2.0, boot=0.6, probe=0.5, back_off=(0.1, 0.2))
"""The real ones, some ten times faster."""


class Scene:
    """A stick and its simulated other end."""

    def __init__(self, device: SimulatedStick, terminal: Terminal[SimulatedStick], stick: Stick) -> None:
        self.device, self.terminal, self.stick = device, terminal, stick
        self.heard: list[Packet | bytes] = []

    async def until(self, fact: Callable[[], bool], *, within: float = SOON_S) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(within):
            while not fact():
                await asyncio.sleep(0.002)

    def hear(self, frame: bytes, protocol: str = "") -> bool:
        """Have the stick hear a packet."""
        found = self.device.hear(frame, protocol)
        self.terminal.wake()
        return found


@asynccontextmanager
async def scene(
    folder: Path,
    *,
    device: SimulatedStick | None = None,
    protocols: tuple[str, ...] | None = None,
    silence_s: float | None = None,
    times: Times = TIMES,
    ready: bool = True,
) -> AsyncIterator[Scene]:
    """Run a stick on a simulated one behind a pty."""
    device = device or SimulatedStick(Random(1))
    loop = asyncio.get_running_loop()
    terminal = Terminal(device, folder / "tty", clock=loop.time)

    async def heard(packet: Packet | bytes) -> None:
        found.heard.append(packet)

    settings = Settings(port=str(folder / "tty"), protocols=protocols)
    stick = Stick("rfxtrx", settings, log=logging.getLogger("rfxtrx"), heard=heard, changed=lambda: None, times=times)
    if silence_s is not None:
        stick.session._times = replace(stick.session._times, silence=silence_s)  # less than one may configure
    found = Scene(device, terminal, stick)
    tasks = [asyncio.ensure_future(each) for each in (terminal.run(), stick.run(), stick.tick())]
    try:
        if ready:
            await found.until(lambda: stick.ready)
        yield found
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
