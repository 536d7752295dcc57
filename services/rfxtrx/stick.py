"""The stick on its port: keeps it open, lets the session talk, hands over what is heard; the edge from bytes to bus.

stick = Stick("rfxtrx", settings, log=log, heard=heard, changed=changed)
... run stick.run() and stick.tick() as tasks, for ever ...
outcome = await stick.send(packet.encode(), repeats=2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from drivers.rfxtrx.transmissions import Fate, Outcome

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from drivers.rfxtrx.interface import Status
    from drivers.rfxtrx.packet import Packet

    Handler = Callable[[Packet | bytes], Awaitable[None]]

__all__ = ["Fate", "Outcome", "Stick"]


class Settings(Protocol):
    """What of the table `[rfxtrx]` concerns the stick."""

    @property
    def port(self) -> str:
        """A device, or socket://host:port."""

    @property
    def protocols(self) -> Sequence[str] | None:
        """Names of `drivers.rfxtrx.modes` that shall be on, and no others; None leaves them as they are."""

    @property
    def silence_s(self) -> float:
        """After how long without a frame the stick is asked whether it is there."""


class Stick:
    """An RFXtrx, from the moment it is configured.

    Args:
        name: what the log calls it.
        settings: see `Settings`.
        log: for what a person may want to know.
        heard: is given each packet, and the bytes of each frame that does not decode; not the stick's own messages.
        changed: is called when `how()` has changed: it has come, gone, or is set differently.
    """

    def __init__(
        self, name: str, settings: Settings, *, log: logging.Logger, heard: Handler, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self.settings = settings
        self.status: Status | None = None
        """The last status reply; None before the first."""

    @property
    def ready(self) -> bool:
        """Whether it receives, and something can be sent through it now."""
        raise NotImplementedError

    @property
    def protocols(self) -> frozenset[str]:
        """Which are on, by the last status; empty before the first."""
        raise NotImplementedError

    def how(self) -> dict[str, Any]:
        """Return how it is, as the bus says it: status (online or away), port, reason, receiver, firmware ..."""
        raise NotImplementedError

    def figures(self) -> dict[str, int]:
        """Return what is counted: packets, frames_broken, bytes_skipped, transmitted, refused, timeouts, resets, ..."""
        raise NotImplementedError

    async def run(self) -> None:
        """Keep the port open, for ever."""
        raise NotImplementedError

    async def tick(self) -> None:
        """Do, for ever, what falls due between two events of the port."""
        raise NotImplementedError

    async def send(self, frame: bytes, *, repeats: int = 1) -> Outcome:
        """Transmit a frame, and return what became of it; its sequence number is set here.

        Raises:
            Invalid: it is no whole frame, or a control frame (type 0x00): those could retune or wear out the stick.
        """
        raise NotImplementedError

    async def set_protocols(self, names: Iterable[str]) -> frozenset[str]:
        """Have these protocols on and no others, until told otherwise, through every reset; return which are on now.

        Raises:
            Invalid: there is no such protocol, or the stick's receiver lacks it.
            Unavailable: the stick is away, or did not answer; once it is back they are set.
        """
        raise NotImplementedError

    async def save_protocols(self) -> None:
        """Write what is on to the stick's own memory, which outlasts some 10,000 times.

        Raises:
            Unavailable: the stick is away, or did not answer.
        """
        raise NotImplementedError

    async def refresh(self) -> Status:
        """Ask for the status.

        Raises:
            Unavailable: the stick is away, or did not answer.
        """
        raise NotImplementedError
