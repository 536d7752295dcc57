"""A conversation with a stick, for tests: a session, its clock, and what was said both ways. No port."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from drivers.rfxtrx.interface import COMMANDS
from drivers.rfxtrx.news import Phase
from drivers.rfxtrx.session import Session
from drivers.rfxtrx.transmissions import Transmission

if TYPE_CHECKING:
    from drivers.rfxtrx.news import News, Times

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")
GREETING = bytes((0x14, 1, 7, 3, 7)) + b"Copyright RFXCOM"
TOO_OLD = bytes((0x14, 1, 0xFF, 3)) + bytes(17)
OREGON_AC = (0, 0, 0x24, 0, 0)


def status(
    mask: tuple[int, ...] = OREGON_AC, *, command: int = 2, code: int = 0x53, power: int = 0x1C, kind: int = 3
) -> bytes:
    """Return a long status of a 433 MHz stick."""
    return bytes((0x14, 1, 0, 1, command, code, 0x2B, *mask[:4], 1, 2, power, kind, 0, 0, 0, 0, 0, 0))


class Talk:
    """A session, its clock, and what was said both ways."""

    def __init__(self, *wanted: str, times: Times | None = None) -> None:
        self.at = 100.0
        self.session = Session(Random(1), wanted=frozenset(wanted) or None, times=times)
        self.news: list[News] = []
        self.wrote: list[str] = []
        """Commands by name, frames to transmit in hex."""
        self.frames: list[bytes] = []
        self.session.opened(at=self.at)
        self._look([])

    def hear(self, *frames: bytes) -> None:
        """The stick says something."""
        for frame in frames:
            self._look(self.session.feed(frame, at=self.at))

    def wait(self, seconds: float) -> None:
        """Let time pass, whatever falls due meanwhile."""
        until = self.at + seconds
        while (due := self.session.due()) is not None and due <= until:
            self.at = max(self.at, due)
            self._look(self.session.tick(at=self.at))
        self.at = until
        self._look(self.session.tick(at=self.at))

    def send(self, frame: bytes = ON, *, repeats: int = 1) -> Transmission:
        """Offer a frame."""
        made = Transmission(frame, repeats)
        self.session.offer(made, at=self.at)
        self._look([])
        return made

    def answer(self, code: int = 0, *, sequence: int | None = None) -> None:
        """Answer what was written last; its number is an echo, unless given."""
        self.hear(bytes((4, 2, 1, self.frames[-1][3] if sequence is None else sequence, code)))

    def become_ready(self) -> None:
        """Go through the start."""
        self.wait(0.6)
        self.hear(status())
        if self.session.setup.phase is Phase.SETTING:
            self.hear(status(self.session.setup._told or (), command=3))
        self.hear(GREETING)
        assert self.session.ready
        self.wrote.clear()
        self.news.clear()

    def said(self, kind: type[News]) -> list[str]:
        """Return the texts of news of a kind."""
        return [getattr(each, "text", "") for each in self.news if isinstance(each, kind)]

    def _look(self, news: list[News]) -> None:
        self.news += news
        data = self.session.take()
        while data:
            frame, data = data[: data[0] + 1], data[data[0] + 1 :]
            self.frames.append(frame)
            self.wrote.append(COMMANDS.get(frame[4], "?") if frame[1] == 0 else frame.hex())
