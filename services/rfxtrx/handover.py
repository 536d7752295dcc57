"""What a stick has heard on its way to who takes it: decoded, in order, and never in the way of the stick's answers.

Who takes a packet may transmit because of it, and wait for the acknowledgement: that comes through the same port, so
the port's reader must not wait for him.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from drivers.bits import CodecError
from drivers.rfxtrx.codec import decode

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable

    from drivers.rfxtrx.frames import Skipped
    from drivers.rfxtrx.packet import Packet

    Handler = Callable[[Packet | bytes], Awaitable[None]]

MOST: Final = 1000
"""Frames that may wait; a stick hears some ten a second at most."""
_COMPLAIN_S: Final = 60.0


class Handover:
    """The frames that wait.

    Args:
        name: what the log calls the stick.
        log: for what a person may want to know.
        heard: is given each packet, and the bytes of each frame that does not decode.
    """

    def __init__(self, name: str, *, log: logging.Logger, heard: Handler) -> None:
        self.packets = 0
        self.broken = 0
        """Frames that do not decode."""
        self.frame = b""
        """The one that is being handed over, as it was heard: what is read leniently is not always written again."""
        self.dropped = 0
        """Frames that waited too long, for nobody took them."""
        self._name, self._log, self._heard = name, log, heard
        self._frames: deque[bytes] = deque(maxlen=MOST)
        self._came = asyncio.Event()
        self._unsaid = 0
        self._say_at = 0.0

    def put(self, frame: bytes) -> None:
        """Take a frame."""
        self.dropped += len(self._frames) == MOST
        self._frames.append(frame)
        self._came.set()

    async def run(self) -> None:
        """Hand over, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._frames:
                frame = self.frame = self._frames.popleft()
                try:
                    packet: Packet | bytes = decode(frame)
                except CodecError as error:
                    self.broken += 1
                    self._log.debug("%s: %s: %s", self._name, frame.hex(), error)
                    packet = frame
                self.packets += packet is not frame
                await self._heard(packet)

    def skipped(self, what: Skipped, *, at: float) -> None:
        """Say that bytes were skipped, at most once a minute: at the wrong speed there are hundreds."""
        self._unsaid += what.count
        if at >= self._say_at:
            text = "%s: bytes were skipped: %d; the last, %s: %s"
            self._log.warning(text, self._name, self._unsaid, what.data.hex(), what.why.value)
            self._unsaid, self._say_at = 0, at + _COMPLAIN_S
