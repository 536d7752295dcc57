"""A simulated house around a simulated stick: who speaks when, and what the switches that were told to are set to.

Pure: time comes in; the stick's bytes go in and out through it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from drivers.bits import CodecError
from drivers.rfxtrx.codec import decode, from_plain
from services.rfxtrx import naming
from services.rfxtrx.twin.stick import SimulatedStick
from services.rfxtrx.twin.traffic import BUTTONS, Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from drivers.rfxtrx.packet import Packet


class House:
    """A stick, and what it hears.

    Args:
        wall: seconds since 1970 UTC when its time, which counts from 0, begins.
        seed: another seed is another day.
        boot_s: how long the stick's boot loader waits for a byte.
        pace: how many times faster than real ones the devices speak.
    """

    def __init__(self, *, wall: float = 0.0, seed: int = 1, boot_s: float = 0.0, pace: float = 1.0) -> None:
        self.stick = SimulatedStick(Random(seed), boot_s=boot_s)  # noqa: S311 - noise is no secret
        self.traffic = Traffic(seed)
        self._wall, self._pace = wall, pace
        self._due = {source: self.traffic.first(source) / pace for source in self.traffic.sources}

    @property
    def receivers(self) -> dict[str, Packet]:
        """What each device was told last, by its key; see `services.rfxtrx.naming`."""
        return {naming.key(packet): packet for packet in self.stick.packets()}

    def run(self, until: float) -> None:
        """Let time pass up to `until`, seconds from 0."""
        for source, due in self._due.items():
            if due <= until:
                self.hear(source.says(self._wall + until), source.protocol)
                self._due[source] = until + (self.traffic.plan(due, source) - due) / self._pace
        self.stick.run(until)

    def due(self) -> float | None:
        """Return when something happens next."""
        own = self.stick.due()
        first = min(self._due.values())
        return first if own is None else min(own, first)

    def opened(self) -> None:
        """Somebody has opened the port: no line of that resets the stick."""

    def write(self, data: bytes) -> None:
        """Give the stick what a program has written."""
        self.stick.write(data)

    def read(self) -> bytes:
        """Return what the stick has said since the last time."""
        return self.stick.read()

    def hear(self, plain: Mapping[str, Any], protocol: str = "") -> bool:
        """Have a packet on the air; return whether the stick heard it.

        Raises:
            CodecError: there is no such packet.
        """
        packet = from_plain({"rssi_dbm": self.traffic.signal(), **plain})
        return self.stick.hear(packet.encode(), protocol)

    def hear_frame(self, frame: bytes) -> bool:
        """Have a frame on the air, whatever it is; return whether the stick heard it.

        Raises:
            CodecError: its length is wrong.
        """
        try:
            decode(frame)
        except CodecError as error:
            if len(frame) < 5 or frame[0] != len(frame) - 1:
                raise error from None
        return self.stick.hear(frame)

    def press(self, button: str) -> bool:
        """Do something in the house, see `BUTTONS`; return whether the stick heard it.

        Raises:
            KeyError: there is no such button.
        """
        protocol, plain = BUTTONS[button]
        return self.hear(plain, protocol)
