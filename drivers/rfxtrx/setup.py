"""From a reset to a stick that receives, set as wanted.

    reset, deaf 0.5 s ─▶ status ─▶ modes differ? set them ─▶ start ─▶ greeting, "not understood", or 6 s: ready
       ▲                    └─no answer─▶ 5.5 s of silence for its boot loader ─▶ reset, once more
       │                                                                └─no answer─▶ back off, open again

Bytes sent to a stick in its first seconds under power keep it in its boot loader, which answers with zeros; most often
it is under power already, so the reset is tried at once. Receiver code and power are said back as the status has them:
another code would retune the radio.

Pure: frames in, news and bytes out (`out`); the time, on a clock that never jumps, and chance come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.bits import CodecError
from drivers.rfxtrx import modes
from drivers.rfxtrx.codec import decode
from drivers.rfxtrx.interface import STATUSES, Control, Status868
from drivers.rfxtrx.news import AnyStatus, Fault, News, Notice, Phase, Ready, Reopen, Times, Told
from drivers.rfxtrx.transmissions import CONTROL, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

TRIES: Final = 3
"""Questions before an answer is given up."""


class Setup:
    """The start of one stick, again and again.

    Args:
        chance: varies back-offs.
        number: returns the next sequence number.
        wanted: names of protocols that shall be on, and no others; None leaves them as they are.
        times: see there.
    """

    def __init__(
        self, chance: Random, *, number: Callable[[], int], wanted: frozenset[str] | None, times: Times
    ) -> None:
        self.phase = Phase.CLOSED
        self.out = bytearray()
        self.due: float | None = None
        self.status: AnyStatus | None = None
        self.wanted = wanted
        self.failures = 0
        """Starts without an answer."""
        self.slowest = 0.0
        """Seconds its last status took, from when it was first asked."""
        self.times = times
        self._chance, self._number = chance, number
        self._tries = 0
        self._asked_at = 0.0
        self._patient = False
        """Whether the boot loader was waited for already."""
        self._codes = (0, 0)
        self._receiver: int | None = None
        """Its code, by the first status after the reset."""
        self._turned = False
        """Whether it has named another since."""
        self._told: modes.Mask | None = None
        self._granted: modes.Mask | None = None
        """What it had on after it was told: a firmware that lacks a protocol is not told for ever."""
        self._failed = 0

    @property
    def failing(self) -> bool:
        """Whether the last start has failed."""
        return self._failed > 0

    def reset(self, *, at: float, patient: bool = False) -> None:
        """Begin."""
        self.phase, self._patient = Phase.DEAF, patient
        self._told = self._granted = self._receiver = None
        self._turned = False
        self._command("reset")
        self.due = at + self.times.deaf

    def close(self) -> None:
        """The port is gone."""
        self.phase, self.due = Phase.CLOSED, None
        self.out.clear()

    def hear(self, frame: bytes, *, at: float) -> list[News]:
        """Take a message of the stick about itself: type 0x01, subtype 0x00, 0x07 or 0xFF."""
        if frame[2] == 0x00:
            return self._said(frame, at)
        if self.phase is not Phase.STARTING:
            return []
        self.phase, self.due, self._failed = Phase.READY, None, 0
        return [Ready(greeting=frame[5:21].rstrip(b"\0 ").decode("latin-1") if frame[2] == 0x07 else "")]

    def hear_zeros(self, *, at: float) -> list[News]:
        """Take the noise of a boot loader."""
        if self.phase is Phase.ASKING and not self._patient:
            return self._wait(at, "it is in its boot loader")
        if self.phase is Phase.WAITING:
            self.due = at + self.times.boot
        return []

    def tick(self, *, at: float) -> list[News]:
        """Let time pass."""
        if self.due is None or at < self.due:
            return []
        match self.phase:
            case Phase.DEAF:
                self.phase, self._tries, self._asked_at = Phase.ASKING, 0, at
                self._ask(at)
            case Phase.ASKING if not self._patient:
                return self._wait(at, "it does not answer")
            case Phase.ASKING if self._tries < TRIES:
                self._ask(at)
            case Phase.ASKING if at < self._asked_at + self.times.patience:
                self.due = self._asked_at + self.times.patience
            case Phase.WAITING:
                self.reset(at=at, patient=True)
            case Phase.SETTING if self._tries < TRIES:
                self._tell_modes(at)
            case Phase.STARTING:
                return self._start_again(at)
            case Phase.BACKING_OFF:
                self.due = None
                return [Reopen(reason="it does not answer")]
            case _:
                return self._fail(at)
        return []

    def set_modes(self, *, at: float) -> list[News]:
        """Tell it the wanted modes, where those differ, and then to receive."""
        assert self.status is not None  # noqa: S101 - for the type checker: its callers have heard it
        news: list[News] = []
        if self.wanted is not None:
            try:
                modes.mask(self.wanted, self.status.receiver)
            except ValueError as error:
                news.append(Notice(text=f"{error}; its protocols stay as they are"))
        self._tries = 0
        if self.differs():
            self._tell_modes(at)
        else:
            self._start(at)
        return news

    def differs(self) -> bool:
        """Return whether it is not set as it should be, and telling it could help."""
        if self.status is None or self.wanted is None or self._turned:
            return False
        wanted = self._mask(self.status)
        return self.status.mask != (self._granted if self._told == wanted and self._granted else wanted)

    def _said(self, frame: bytes, at: float) -> list[News]:
        try:
            status = decode(frame)
        except CodecError as error:
            return [Notice(text=f"a status that does not decode, {frame.hex()}: {error}")]
        if not isinstance(status, STATUSES):
            return []
        self.status, self._codes = status, (frame[5], frame[18] if isinstance(status, Status868) else frame[13])
        news: list[News] = [Told(status=status)]
        self._receiver = frame[5] if self._receiver is None else self._receiver
        if frame[5] != self._receiver and not self._turned:
            self._turned = True
            text = f"it calls its receiver {status.receiver} now, {frame[5]:#04x} for {self._receiver:#04x}"
            news.append(Notice(text=f"{text}; it is told no modes until it was reset, for those would retune it"))
        if self.phase in {Phase.ASKING, Phase.WAITING}:
            self.slowest = at - self._asked_at
            news += self.set_modes(at=at)
        elif self.phase is Phase.SETTING and status.command == "set_mode":
            self._granted = status.mask
            missing = modes.names(self._mask(status), status.receiver) - modes.names(status.mask, status.receiver)
            if missing:
                lacks = ", ".join(sorted(missing))
                news.append(Notice(text=f"firmware {status.firmware_kind} {status.firmware} does not hold {lacks}"))
            self._tries = 0
            self._start(at)
        return news

    def _mask(self, status: AnyStatus) -> modes.Mask:
        """Return the modes it shall have; those it has, where one wanted is not for this stick."""
        try:
            return status.mask if self.wanted is None else modes.mask(self.wanted, status.receiver)
        except ValueError:
            return status.mask

    def _tell_modes(self, at: float) -> None:
        assert self.status is not None  # noqa: S101 - as above
        self.phase, self._told, self._granted = Phase.SETTING, self._mask(self.status), None
        body = bytes((3, *self._codes, *self._told, 0, 0))
        self.out += bytes((0x0D, CONTROL, 0x00, self._number())) + body
        self._again(at)

    def _start(self, at: float) -> None:
        self.phase = Phase.STARTING
        self._command("start_receiver")
        self._again(at)

    def _start_again(self, at: float) -> list[News]:
        """Tell it once more, or believe that it receives and only does not say so; whoever calls looks after it."""
        if self._tries < TRIES:
            self._start(at)
            return []
        self.phase, self.due, self._failed = Phase.READY, None, 0
        return [Ready(greeting="")]

    def _ask(self, at: float) -> None:
        self._command("status")
        self._again(at)

    def _again(self, at: float) -> None:
        self._tries += 1
        self.due = at + self.times.answer

    def _wait(self, at: float, why: str) -> list[News]:
        self.phase, self.due = Phase.WAITING, at + self.times.boot
        return [] if self.failing else [Fault(text=f"{why}; waiting {self.times.boot:g} s for its boot loader to end")]

    def _fail(self, at: float) -> list[News]:
        self.failures += 1
        delays = self.times.back_off
        delay = delays[min(self._failed, len(delays) - 1)] * self._chance.uniform(0.8, 1.2)
        self._failed += 1
        text = f"it does not answer, {self.phase.value}; opening its port again in {delay:.1f} s"
        if self._failed > 1:
            text += ". Is it an RFXtrx? If so pull it out and put it back, away from USB 3 devices and hubs"
        self.phase, self.due = Phase.BACKING_OFF, at + delay
        return [Fault(text=text)]

    def _command(self, name: str) -> None:
        self.out += Control(command=name, subtype=0, sequence=self._number()).encode()


def is_about_itself(frame: bytes) -> bool:
    """Whether a frame is one of those that `Setup.hear` takes."""
    return frame[1] == MESSAGE and frame[2] in {0x00, 0x07, 0xFF}
