"""The host's half of the talk with one stick: its start, frames both ways, and whether it is still there.

    opened ─▶ `Setup` ─▶ ready ─▶ silence, or two transmissions without an answer ─▶ status ──no answer──▶ `Setup` anew
                           ├─▶ answers, and has heard nothing for long, though it once did ─▶ `Setup` anew
                           └─▶ its status shows other modes than wanted ─▶ they are set again

Nothing here writes the stick's own memory; who wants that transmits the command for it. Pure: bytes in, news out, bytes
to write in `take`; the time, on a clock that never jumps, and chance come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.rfxtrx import modes
from drivers.rfxtrx.frames import SILENCE_S, Frames, Skipped, Why
from drivers.rfxtrx.interface import RECEIVERS, Control
from drivers.rfxtrx.news import AnyStatus, Fault, Heard, News, Notice, Phase, Ready, Times, Told
from drivers.rfxtrx.setup import Setup, is_about_itself
from drivers.rfxtrx.transmissions import CONTROL, MESSAGE, REMOTES, RESPONSE, Fate, Transmission, Transmissions

if TYPE_CHECKING:
    from random import Random

PROBE_AFTER: Final = 2
"""Transmissions without an answer, in a row, after which the stick is asked whether it is there."""
RESET_AFTER: Final = 4
"""And after which it is reset, though it has said that it is."""
MOST_IN_VAIN: Final = 96
"""A quarter of an hour so many times is a day."""
RECEIVE_ONLY: Final = RECEIVERS[0x52]


@dataclass
class Counts:
    """What happened; nothing of it is silent."""

    frames: int = 0
    resets: int = 0
    """Of a stick that had been ready."""
    modes_restored: int = 0


class Session:
    """One connection after the other with one stick.

    Args:
        chance: varies back-offs.
        wanted: names of protocols that shall be on, and no others; None leaves them as they are.
        times: see there.
        gap_s: the longest pause within a frame.
    """

    def __init__(
        self,
        chance: Random,
        *,
        wanted: frozenset[str] | None = None,
        times: Times | None = None,
        gap_s: float = SILENCE_S,
    ) -> None:
        self.counts = Counts()
        self.frames = Frames(silence_s=gap_s)
        self.transmissions = Transmissions()
        self._times = times or Times()
        self.setup = Setup(chance, number=self.transmissions.number, wanted=wanted, times=self._times)
        self._out = bytearray()
        self._probe_due: float | None = None
        self._probed_for = 0
        """Of how many transmissions without an answer the stick was asked about already."""
        self._heard_at = self._air_at = 0.0
        self._air = False
        """Whether anything was ever heard from the air."""
        self._in_vain = 1
        """Doubled by each reset after which nothing was heard: there may only be a button that is seldom pressed."""

    @property
    def ready(self) -> bool:
        """Whether it receives and transmits."""
        return self.setup.phase is Phase.READY

    @property
    def status(self) -> AnyStatus | None:
        """The last status; None before the first."""
        return self.setup.status

    @property
    def protocols(self) -> frozenset[str]:
        """Which are on, by the last status."""
        return frozenset() if self.status is None else modes.names(self.status.mask, self.status.receiver)

    def opened(self, *, at: float) -> None:
        """The port is open."""
        self._begin(at)

    def closed(self, reason: str) -> None:
        """The port is gone: what was under way is, too."""
        self.setup.close()
        self._out.clear()
        self.transmissions.abandon(reason)
        self._probe_due = None

    def feed(self, data: bytes, *, at: float) -> list[News]:
        """Take bytes; return what they are."""
        news: list[News] = []
        if self.setup.phase not in {Phase.DEAF, Phase.CLOSED}:
            for found in self.frames.feed(data, at=at):
                self._take(found, news, at)
        return news

    def tick(self, *, at: float) -> list[News]:
        """Let time pass."""
        news: list[News] = []
        for found in self.frames.tick(at=at):
            self._take(found, news, at)
        for each in self.setup.tick(at=at):
            news.append(each)
            if isinstance(each, Ready):  # for nobody has contradicted: is it there?
                self._heard_at = self._air_at = at
                self._probe(at)
        if self.setup.phase is Phase.BACKING_OFF:
            self.transmissions.abandon("the stick does not answer")
        if self.ready:
            self._out += self.transmissions.tick(at=at)
            self._tend(news, at)
        return news

    def due(self) -> float | None:
        """Return when `tick` has something to do."""
        times = [self.setup.due, self.frames.due()]
        if self.ready:
            silent = self._heard_at + self._times.silence
            times += [self.transmissions.due(), silent if self._probe_due is None else self._probe_due]
        return min((due for due in times if due is not None), default=None)

    def take(self) -> bytes:
        """Return what is to be written now."""
        data = bytes(self.setup.out + self._out)
        self.setup.out.clear()
        self._out.clear()
        return data

    def offer(self, transmission: Transmission, *, at: float) -> None:
        """Take a frame to be transmitted; its `outcome` says later what became of it."""
        deaf_and_dumb = self.status is not None and self.status.receiver == RECEIVE_ONLY
        if deaf_and_dumb and transmission.frame[1] != CONTROL:
            transmission.end(Fate.NAK, "this stick only receives")
        elif self.setup.phase in {Phase.READY, Phase.SETTING, Phase.STARTING}:
            self.transmissions.held |= not self.ready
            self._out += self.transmissions.offer(transmission, at=at)
        else:
            transmission.refuse(f"the stick is not ready: {self.setup.phase.value}")

    def want(self, names: frozenset[str] | None, *, at: float) -> None:
        """Have these protocols on from now on.

        Raises:
            ValueError: the stick has no such protocol.
        """
        if names is not None and self.status is not None:
            modes.mask(names, self.status.receiver)
        self.setup.wanted = names
        if self.ready:
            self._go_on([], at)

    def _take(self, found: bytes | Skipped, news: list[News], at: float) -> None:
        if isinstance(found, Skipped):
            news.append(found)
            if found.why is Why.ZEROS:
                news += self.setup.hear_zeros(at=at)
            return
        self.counts.frames += 1
        self._heard_at, self._probe_due = at, None
        kind = found[1]
        was_ready = self.ready
        if is_about_itself(found):
            news += self.setup.hear(found, at=at)
        if was_ready and self.transmissions.is_answer(found):
            self._out += self.transmissions.answered(found, at=at)
        elif kind not in {CONTROL, MESSAGE, RESPONSE}:
            self._air_at, self._air, self._in_vain = at, True, 1
            news.append(Heard(frame=found))
        elif kind == MESSAGE and not is_about_itself(found):
            if found[2] in REMOTES:
                self.transmissions.listed(found, at=at)
            news.append(Heard(frame=found))
        if not was_ready and self.ready:
            self._air_at = at
        if self.ready:
            self._go_on(news, at)

    def _go_on(self, news: list[News], at: float) -> None:
        """Set its modes again where they have gone, once nothing is in flight; else transmit what waits."""
        if self.setup.differs():
            self.transmissions.held = True
            if self.transmissions.flying is None:
                if isinstance(news[-1] if news else None, Told):
                    self.counts.modes_restored += 1
                    news.append(Notice(text="its protocols are not those wanted any more; setting them again"))
                news += self.setup.set_modes(at=at)
        else:
            self.transmissions.held = self._probe_due is not None
            self._out += self.transmissions.next(at=at)

    def _tend(self, news: list[News], at: float) -> None:
        """Look whether a ready stick is still there, and still hears."""
        timeouts = self.transmissions.timeouts
        self._probed_for = min(self._probed_for, timeouts)
        if self._probe_due is not None:
            if at >= self._probe_due:
                self._restart(f"it has not answered for {at - self._heard_at:.0f} s; resetting it", news, at)
        elif timeouts >= RESET_AFTER:
            self._restart(f"it has not acknowledged {timeouts} transmissions in a row; resetting it", news, at)
        elif timeouts >= PROBE_AFTER and self._probed_for < PROBE_AFTER:
            self._probed_for = timeouts
            news.append(Notice(text=f"{timeouts} transmissions in a row were not acknowledged; asking for its status"))
            self._probe(at)
        elif self._air and at >= self._air_at + self._times.deaf_for * self._in_vain:
            self._in_vain = min(2 * self._in_vain, MOST_IN_VAIN)
            self._restart(f"it answers, and has heard nothing for {at - self._air_at:.0f} s; resetting it", news, at)
        elif at >= self._heard_at + self._times.silence:
            self._probe(at)

    def _probe(self, at: float) -> None:
        self.transmissions.held = True
        self._out += Control(command="status", subtype=0, sequence=self.transmissions.number()).encode()
        self._probe_due = at + max(self._times.probe, 2 * self.setup.slowest)

    def _restart(self, text: str, news: list[News], at: float) -> None:
        self.counts.resets += 1
        self.transmissions.abandon("the stick is being reset")
        news.append(Fault(text=text))
        self._begin(at)

    def _begin(self, at: float) -> None:
        self.frames.clear()
        self.transmissions.held = False
        self._probe_due, self._probed_for = None, 0
        self._heard_at = self._air_at = at
        self.setup.reset(at=at)
