"""Settings of a board over its serial port: commands one by one, each answered before the next. No bus, no files.

A stock gateway writes its EEPROM for 50 ms after a setting and hears nothing meanwhile, so nothing is sent before the
line that says the new settings has come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from drivers.port import Lost, Port, Received
from drivers.rf12.commands import command
from drivers.rf12.hearth import BANDS
from drivers.rf12.lines import Lines
from drivers.rf12.values import Banner, Config

STARTED_S: Final = 4.0
"""Seconds a board may take to say its first line: the boot loader's wait, 2 s at most, and the banner."""
ANSWER_S: Final = 2.0
"""Seconds for the answer to a command: measured 0.2 s, help text and an EEPROM's writing before it included."""
QUIET_S: Final = 0.3
"""Silence after settings: a board says them twice when it starts, with its help in between."""
TRIES: Final = 3


class ConsoleError(Exception):
    """The board does not say what it must; the text tells what and where."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a board shall be set to; None leaves it as it is."""

    node: int | None = None
    group: int | None = None
    band_mhz: int | None = None

    def commands(self) -> tuple[tuple[bytes, str, int], ...]:
        """Return command, field and value of each setting; the band first, as it resets the frequency."""
        band = None if self.band_mhz is None else BANDS[self.band_mhz]
        settings = (("b", band, "band_mhz", self.band_mhz), ("g", self.group, "group", self.group),
                    ("i", self.node, "node", self.node))  # fmt: skip
        return tuple(
            (command(letter, number), field, value)
            for letter, number, field, value in settings
            if number is not None and value is not None
        )


async def configure(address: str, *, baud: int, wanted: Wanted) -> Config:
    """Set a board that has just been flashed, and return what it says it is set to.

    Raises:
        ConsoleError: the port does not open, the board is silent, or it does not take a setting.
    """
    async with Port(address, baud=baud) as port:
        console = _Console(port)
        config = await console.started()
        for words, field, value in wanted.commands():
            for _ in range(TRIES):
                if getattr(config, field) == value:
                    break
                config = await console.ask(words)
            if getattr(config, field) != value:
                raise ConsoleError(
                    f"{address}: the board does not take {words.decode().strip()}: its {field} stays "
                    f"{getattr(config, field)}"
                )
        return config


class _Console:
    """One conversation."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._lines = Lines()

    async def started(self) -> Config:
        """Wait for what the board says by itself: opening its port has reset most; ask the others."""
        return await self._heard(STARTED_S) or await self.ask(command("v"))

    async def ask(self, words: bytes) -> Config:
        """Send a command until settings come back."""
        for _ in range(TRIES):
            try:
                await self._port.write(words)
            except ConnectionError as error:
                raise ConsoleError(f"{self._port.address}: {error}") from None
            if config := await self._heard(ANSWER_S):
                return config
        raise ConsoleError(
            f"{self._port.address}: the board does not answer {words.decode().strip()!r}; is it running, and is it "
            "the right speed?"
        )

    async def _heard(self, wait_s: float) -> Config | None:
        """Return the last settings the board says before it falls silent, or None."""
        found: Config | None = None
        try:
            async with asyncio.timeout(wait_s) as limit:
                async for event in self._port:
                    if isinstance(event, Lost):
                        raise ConsoleError(f"{self._port.address}: {event.reason}")
                    if not isinstance(event, Received):
                        continue
                    for value in self._lines.feed(event.data):
                        config = value.config if isinstance(value, Banner) else value
                        if isinstance(config, Config):
                            found = config
                            limit.reschedule(asyncio.get_running_loop().time() + QUIET_S)
        except TimeoutError:
            pass
        return found
