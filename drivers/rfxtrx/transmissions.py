"""What is transmitted: one frame at a time, how long an answer may take, what became of each. Pure: time comes in.

    offered ──full──▶ FULL          in flight ──ACK──▶ again, as often as asked ──▶ SENT or DELAYED
       └─▶ waits ──too long──▶ TIMEOUT     ├──NAK, unknown remote, not understood──▶ final
                                           └──no answer──▶ TIMEOUT: the air may have had it, so it is not sent again

Sources: RFXCOM's acknowledgements as the threads of pyRFXtrx, node-rfxcom and openHAB show them. An ACK says "sent",
never "received". Its sequence number is an echo with some firmware and the stick's own count with another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MOST: Final = 32
"""Transmissions that may wait; the stick itself holds some 400 bytes, and loses without a word what does not fit."""
LATE_S: Final = 30.0
"""A command that has waited so long is not sent any more: a light should not go on out of the blue."""
ANSWER_S: Final = 8.0
COVER_S: Final = 15.0
"""RFY and blinds: commands that queue in the stick are answered some 3 s apart, and a busy channel costs 6 s."""
LIST_S: Final = 20.0
"""To list 40 remotes takes 10 s; there is no answer at its end."""
LISTED_S: Final = 5.0
"""After the last remote of a list, which come some 0.25 s apart."""
STATUS_S: Final = 16.0
"""The slowest status reply in the logs, over a network."""
_REMEMBERED_S: Final = 30.0

CONTROL: Final = 0x00
MESSAGE: Final = 0x01
RESPONSE: Final = 0x02
RFY: Final = 0x1A
_COVERS: Final = frozenset({0x18, 0x19, RFY, 0x31})
_LISTS: Final = frozenset({(RFY, 0, 6), (RFY, 1, 6), (RFY, 3, 6), (0x19, 0x12, 5), (0x19, 0x14, 4)})
"""Type, subtype and command of what makes a stick say which remotes it knows: RFY, ASA, Cherubini, Ozroll."""
REMOTES: Final = frozenset({3, 4, 5, 6})
"""Subtypes of a message that is one of them."""


class Fate(Enum):
    """What became of a transmission."""

    SENT = "sent"
    """It is on the air; nobody knows who received it."""
    DELAYED = "sent after a delay"
    """As SENT: the channel was busy first."""
    NAK = "refused"
    TIMEOUT = "no answer"
    UNKNOWN_REMOTE = "unknown remote"
    """The stick has no such RFY or ASA remote; sending again does not help."""
    AWAY = "stick away"
    FULL = "queue full"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended."""

    fate: Fate
    reason: str = ""
    """What a person should know; empty where all is well."""
    remotes: tuple[bytes, ...] = ()
    """What the stick said of its remotes, where that was the question: a frame each."""

    @property
    def sent(self) -> bool:
        """Whether it was on the air."""
        return self.fate in {Fate.SENT, Fate.DELAYED}


@dataclass(eq=False)
class Transmission:
    """A frame for the stick; its sequence number is set when it leaves."""

    frame: bytes
    repeats: int = 1
    """How often it is sent, each time behind the answer to the last."""
    rest: tuple[bytes, ...] = ()
    """Frames that belong to it, such as the further parts of a raw signal: nothing is sent between them."""
    outcome: Outcome | None = None
    sent: int = 0
    delayed: bool = False
    offered_at: float = 0.0
    due: float = 0.0
    sequence: int = -1
    remotes: list[bytes] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many frames leave for it in all."""
        return self.repeats * (1 + len(self.rest))

    @property
    def lists(self) -> bool:
        """Whether it asks which remotes the stick knows."""
        return len(self.frame) > 8 and (self.frame[1], self.frame[2], self.frame[8]) in _LISTS

    @property
    def wait_s(self) -> float:
        """How long its answer may take."""
        kind = self.frame[1]
        if kind == CONTROL:
            return STATUS_S
        if self.lists:
            return LIST_S
        return COVER_S if kind in _COVERS else ANSWER_S

    def end(self, fate: Fate, reason: str = "") -> None:
        """Say how it ended."""
        self.outcome = Outcome(fate=fate, reason=reason, remotes=tuple(self.remotes))

    def refuse(self, reason: str) -> None:
        """End one that cannot even wait."""
        self.end(Fate.AWAY, reason)


@dataclass
class Tally:
    """What happened."""

    transmitted: int = 0
    """Frames, each repeat counted."""
    refused: int = 0
    timeouts: int = 0
    answers_late: int = 0
    """Answers to what had been given up."""
    answers_stray: int = 0
    """Answers nobody waited for."""


@dataclass
class Transmissions:
    """The queue and what is in flight."""

    tally: Tally = field(default_factory=Tally)
    held: bool = False
    """Whether nothing leaves for now."""
    timeouts: int = 0
    """Without an answer, in a row."""
    flying: Transmission | None = None
    _waiting: deque[Transmission] = field(default_factory=deque)
    _sequence: int = 0
    _echoes: int = 0
    """Answers that had the sequence number of what was in flight, in a row; below zero once one had another."""
    _given_up: dict[int, float] = field(default_factory=dict)
    """Until when, by sequence number, an answer to what has timed out may still come."""

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def number(self) -> int:
        """Return the next sequence number."""
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    def offer(self, transmission: Transmission, *, at: float) -> bytes:
        """Take one; return what is to be written now."""
        if len(self._waiting) >= MOST:
            transmission.end(Fate.FULL, f"{MOST} transmissions wait already")
            return b""
        transmission.offered_at = at
        self._waiting.append(transmission)
        return self.next(at=at)

    def next(self, *, at: float) -> bytes:
        """Return what is to be written now, if nothing is in flight."""
        while self.flying is None and self._waiting and not self.held:
            first = self._waiting.popleft()
            if at > first.offered_at + LATE_S:
                first.end(Fate.TIMEOUT, f"waited {LATE_S:.0f} s for its turn; it was not sent")
                continue
            self.flying = first
            return self._write(first, at)
        return b""

    def answered(self, frame: bytes, *, at: float) -> bytes:
        """Take an answer, see `is_answer`; return what is to be written now."""
        flying = self.flying
        if flying is None:
            self.tally.answers_stray += 1
            return b""
        if not self._is_for(flying, frame[3], at):
            self.tally.answers_late += 1
            return b""
        self.timeouts = 0
        fate, reason = _fate(frame, flying.frame[1])
        if fate in {Fate.SENT, Fate.DELAYED}:
            flying.delayed |= fate is Fate.DELAYED
            if flying.lists:
                return b""  # the list comes now, and nobody says where it ends
            if flying.sent < flying.count:
                return self._write(flying, at)
            fate = Fate.DELAYED if flying.delayed else Fate.SENT
            reason = "the channel was busy first" if flying.delayed else ""
        else:
            self.tally.refused += 1
        return self._end(fate, reason, at)

    def listed(self, frame: bytes, *, at: float) -> None:
        """Take what the stick says of one of its remotes."""
        if self.flying is not None and self.flying.lists:
            self.flying.remotes.append(frame)
            self.flying.due = at + LISTED_S

    def is_answer(self, frame: bytes) -> bool:
        """Whether a frame of the stick answers something in flight: a response, or a complaint."""
        flying, kind, subtype = self.flying, frame[1], frame[2]
        if flying is not None and flying.frame[1] == CONTROL:
            replies = subtype == 0x00 and len(frame) > 4 and frame[4] == flying.frame[4]
            return kind == MESSAGE and (replies or subtype == 0xFF)
        return kind == RESPONSE or (kind == MESSAGE and subtype in {0x01, 0x02, 0xFF} and flying is not None)

    def tick(self, *, at: float) -> bytes:
        """Give up what is overdue; return what is to be written now."""
        flying = self.flying
        if flying is None:
            return self.next(at=at)
        if at < flying.due:
            return b""
        self._given_up = {number: until for number, until in self._given_up.items() if until > at}
        self._given_up[flying.sequence] = at + _REMEMBERED_S
        if flying.lists:
            return self._end(Fate.SENT, "", at)  # the end of a list is that nothing more comes
        self.tally.timeouts += 1
        self.timeouts += 1
        after = f" after {flying.sent - 1} of {flying.count} were acknowledged" if flying.sent > 1 else ""
        return self._end(Fate.TIMEOUT, f"the stick did not acknowledge it in {flying.wait_s:.0f} s{after}", at)

    def due(self) -> float | None:
        """Return when `tick` has something to do."""
        return None if self.flying is None else self.flying.due

    def abandon(self, reason: str) -> None:
        """End everything."""
        for each in (*(() if self.flying is None else (self.flying,)), *self._waiting):
            each.end(Fate.AWAY, reason)
        self.flying = None
        self._waiting.clear()
        self._given_up.clear()
        self.timeouts = self._echoes = 0

    def _write(self, transmission: Transmission, at: float) -> bytes:
        parts = (transmission.frame, *transmission.rest)
        frame = parts[transmission.sent % len(parts)]
        transmission.sequence = self.number()
        transmission.sent += 1
        transmission.due = at + transmission.wait_s
        self.tally.transmitted += transmission.frame[1] != CONTROL
        return frame[:3] + bytes((transmission.sequence,)) + frame[4:]

    def _is_for(self, flying: Transmission, sequence: int, at: float) -> bool:
        """Whether an answer is for what is in flight: any is, unless a stick that echoes names what was given up."""
        if sequence == flying.sequence:
            self._echoes += self._echoes >= 0
            return True
        if self._echoes > 0 and self._given_up.get(sequence, 0.0) > at:
            del self._given_up[sequence]
            return False
        self._echoes = -1
        return True

    def _end(self, fate: Fate, reason: str, at: float) -> bytes:
        assert self.flying is not None  # noqa: S101 - for the type checker: its callers have looked
        self.flying.end(fate, reason)
        self.flying = None
        return self.next(at=at)


_RESPONSES: Final = {
    0: (Fate.SENT, ""),
    1: (Fate.DELAYED, ""),
    2: (Fate.NAK, "the transmitter did not lock on its frequency; is the stick's antenna or power in order?"),
    3: (Fate.NAK, "the id is zero, which AC does not allow"),
}


def _fate(frame: bytes, kind: int) -> tuple[Fate, str]:
    if frame[1] == RESPONSE:
        if frame[2] == 0x00:
            return Fate.NAK, "the receiver did not lock on its frequency"
        code = frame[4] if len(frame) > 4 else 0
        return _RESPONSES.get(code, (Fate.NAK, f"the stick answered with {code}, which nobody knows"))
    if frame[2] == 0x00:
        return Fate.SENT, ""
    if frame[2] == 0x01:
        return Fate.UNKNOWN_REMOTE, "the stick does not know this remote; teach it first, with `program`"
    if frame[2] == 0x02:
        return Fate.NAK, "the stick lacks the hardware for this"
    what = "command" if kind == CONTROL else f"packet type {kind:#04x}"
    return Fate.NAK, f"the stick's firmware does not know this {what}"
