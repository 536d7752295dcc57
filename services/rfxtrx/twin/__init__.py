"""A simulated RFXtrx stick behind a serial port, with the sensors and remotes it hears; for a demonstration and tests.

The port is a pseudo terminal that the real driver and the real service open. `rfxtrx-twin/press` rings the doorbell,
`rfxtrx-twin/hear` puts a frame on the air, `rfxtrx-twin/fault` breaks the stick, `rfxtrx-twin/sent` tells what the
devices were told. People come and go by themselves, too. Nothing in it is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the configuration reads the annotation
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx.codec import to_plain
from hearthbus import Invalid, Message, Service, serve
from services.checks import refuse
from services.rfxtrx.twin.house import House
from services.rfxtrx.twin.stick import Fault
from services.rfxtrx.twin.traffic import BUTTONS
from services.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

UNPLUGGED: Final = "unplugged"
"""The fault that is the port's, and not the stick's."""


class Twin(Service):
    """The simulated stick."""

    @dataclass(frozen=True)
    class Config:
        """How it is. `link` is the port's name: what `port` of `[rfxtrx]` says."""

        link: Path
        seed: int = 1
        boot_s: float = 0.0
        """Seconds its boot loader waits for a byte after it gets power; with one it stays there."""
        pace: float = 1.0
        """How many times faster than real ones its sensors speak."""

        def __post_init__(self) -> None:
            refuse(self._faults())

        def _faults(self) -> Iterator[str]:
            if not self.boot_s >= 0:
                yield f"boot_s {self.boot_s} is less than 0"
            if not 0.01 <= self.pace <= 1000:
                yield f"pace {self.pace} is not from 0.01 to 1000"

    config: Config

    async def on_start(self) -> None:
        """Build the house."""
        config = self.config
        self._house = House(wall=self.now(), seed=config.seed, boot_s=config.boot_s, pace=config.pace)
        self._terminal = Terminal(self._house, config.link, clock=self.clock.monotonic)

    async def main(self) -> None:
        """Run it."""
        self.log.info("a simulated stick is behind %s", self.config.link)
        await self._terminal.run()

    @serve("{name}/press")
    async def press(self, request: Message) -> dict[str, Any]:
        """Do something in the house: `button`."""
        button = request["button"]
        if not isinstance(button, str) or button not in BUTTONS:
            raise Invalid(f"there is no button {button!r}; buttons: {', '.join(BUTTONS)}")
        heard = self._house.press(button)
        self._terminal.wake()
        return {"heard": heard}

    @serve("{name}/hear")
    async def hear(self, request: Message) -> dict[str, Any]:
        """Put a frame on the air: `hex`."""
        try:
            heard = self._house.hear_frame(bytes.fromhex(request["hex"]))
        except (TypeError, ValueError) as error:
            raise Invalid(f"hex {request['hex']!r} is no hex: {error}") from None
        except CodecError as error:
            raise Invalid(str(error)) from None
        self._terminal.wake()
        return {"heard": heard}

    @serve("{name}/fault")
    async def fault(self, request: Message) -> dict[str, Any]:
        """Break the stick, or mend it: `faults`, a list; `unplugged` pulls its plug."""
        known = {each.value: each for each in Fault}
        wanted = request.get("faults", [])
        if not isinstance(wanted, list) or any(each not in [*known, UNPLUGGED] for each in wanted):
            raise Invalid(f"faults {wanted!r}: a list of {UNPLUGGED}, {', '.join(known)}")
        if UNPLUGGED in wanted:
            self._terminal.unplug()
        elif not self._terminal.plugged:
            self._house.stick.power()
            self._terminal.plug()
        self._house.stick.faults = {known[each] for each in wanted if each != UNPLUGGED}
        self._terminal.wake()
        return {}

    @serve("{name}/sent")
    async def sent(self, request: Message) -> dict[str, Any]:  # noqa: ARG002 - asks for everything
        """Return what each device was told last, by its key, and how many frames were on the air."""
        told = {key: to_plain(packet) for key, packet in self._house.receivers.items()}
        return {"devices": told, "frames": len(self._house.stick.sent), "duty": self._house.stick.duty}

    def health(self) -> dict[str, Any]:
        """Add what was on the air."""
        stick = self._house.stick
        return {**super().health(), "heard": stick.heard, "sent": len(stick.sent), "duty": round(stick.duty, 4)}
