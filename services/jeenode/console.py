"""Settings of a board over its serial port: commands one by one, each answered before the next. No bus, no files.

A stock gateway writes its EEPROM for 50 ms after a setting and hears nothing meanwhile, so nothing is sent before the
line that says the new settings has come.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.port import Lost, Opened, Port, Received
from drivers.rf12.commands import command
from drivers.rf12.lines import Lines
from drivers.rf12.values import Banner, Config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

STARTED_S: Final = 4.0
"""Seconds a board may take to say its first line: the boot loader's wait, 2 s at most, and the banner."""
ANSWER_S: Final = 2.0
"""Seconds for the answer to a command: measured 0.2 s, help text and an EEPROM's writing before it included."""
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
        band = None if self.band_mhz is None else self.band_mhz // 100
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
        answers = _configs(port)
        config = await _ask(port, answers, command("v"), address, first=True)
        for words, field, value in wanted.commands():
            for _ in range(TRIES):
                if getattr(config, field) == value:
                    break
                config = await _ask(port, answers, words, address)
            if getattr(config, field) != value:
                raise ConsoleError(
                    f"{address}: the board does not take {words.decode().strip()}: it stays {field} "
                    f"{getattr(config, field)}"
                )
        return config


async def _ask(
    port: Port, answers: AsyncIterator[Config], words: bytes, address: str, *, first: bool = False
) -> Config:
    """Send a command until settings come back."""
    waits: Sequence[float] = [ANSWER_S] * TRIES
    if first:  # opening the port has reset most boards: what they say by themselves is the answer
        waits = [STARTED_S, *waits]
    for wait in waits:
        if not first:
            await port.write(words)
        first = False
        try:
            return await asyncio.wait_for(anext(answers), wait)
        except TimeoutError:
            continue
        except ConnectionError as error:
            raise ConsoleError(f"{address}: {error}") from None
    raise ConsoleError(
        f"{address}: the board does not answer {words.decode().strip()!r}; is it running, and is the speed right?"
    )
