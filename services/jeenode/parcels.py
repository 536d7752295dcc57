"""Packets for nodes on their way through a gateway: handed to it, tried again, and what became of each.

Two ways, by what the gateway can: ours takes four at a time, tries by itself and says how each ended; a stock one takes
one, says when it goes out, and the rest is done here. Pure: bytes to write gather in `out`, lines come as values, the
time, on a clock that never jumps, and chance come in. A `Parcel` has its `outcome` once that is known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from drivers.rf12 import commands
from drivers.rf12.values import Delivered, Heard, Queued, Rejected, Sending, Sent, Undelivered

if TYPE_CHECKING:
    from random import Random

    from drivers.rf12.values import Line

SPEAKING: Final = 30
"""The id a gateway has by default: it stands for the sender of what the house says to a node."""
TRIES: Final = 8
"""As many as a gateway of ours makes by itself."""
_HANDED_S: Final = 1.0
"""Within this a gateway has taken a command; if not, the command was lost on the line."""
_SETTLED_S: Final = 12.0
"""Four packets of eight tries with growing back-off take less than this; if it says nothing, its line was lost."""
_WINDOW_S: Final = 0.15
"""How long to wait for the ack behind a stock gateway, whose lines take 2 ms for each ten characters."""
_BACK_OFF_S: Final = (0.03, 0.12)
_HANDINGS: Final = 3
"""How often a command that was lost or garbled on the line is handed over again."""


class Fate(Enum):
    """What became of a packet."""

    ACKED = "acked"
    SENT = "sent"
    """It went out; it asked for no ack."""
    NOT_ACKED = "not acked"
    FULL = "queue full"
    NO_AIR_TIME = "no air time left"
    """The transmitter has used up what the law leaves it in an hour."""
    IMPOSSIBLE = "impossible"
    """The gateway will never send it."""
    AWAY = "gateway away"
    """The gateway went away, was reset or fell silent before it could say."""


_REFUSALS: Final = {"full": Fate.FULL, "duty": Fate.NO_AIR_TIME}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended."""

    fate: Fate
    tries: int = 0
    ack: bytes = b""
    reason: str = ""


@dataclass(eq=False)
class Parcel:
    """A packet for a node."""

    payload: bytes
    node: int
    ack: bool = True
    outcome: Outcome | None = None
    handings: int = 0
    tries: int = 0
    due: float = 0.0

    def end(self, fate: Fate, *, ack: bytes = b"", reason: str = "") -> None:
        """Say how it ended."""
        self.outcome = Outcome(fate=fate, tries=self.tries, ack=ack, reason=reason)


class Sender(Protocol):
    """One way of sending."""

    out: bytearray
    """What is to be written."""
    ignored: bool
    """Whether the gateway has let every handing of a packet pass, and has said nothing since."""

    def offer(self, parcel: Parcel, *, at: float) -> None:
        """Take a packet."""

    def hear(self, line: Line, *, at: float) -> None:
        """Take a line of the gateway's."""

    def tick(self, *, at: float) -> None:
        """Let time pass."""

    def due(self) -> float | None:
        """Return when `tick` has something to do."""

    def abandon(self, reason: str) -> None:
        """End everything: the gateway is not there any more."""


class HearthSender:
    """Through a gateway of ours in hearth mode.

    Args:
        queue: how many packets it takes at a time.
    """

    def __init__(self, *, queue: int) -> None:
        self.out = bytearray()
        self.ignored = False
        self._queue = max(1, queue)
        self._waiting: deque[Parcel] = deque()
        self._handed: dict[int, Parcel] = {}
        self._tag = 0

    def offer(self, parcel: Parcel, *, at: float) -> None:
        """Hand it over, or keep it until there is room."""
        self._waiting.append(parcel)
        self._fill(at)

    def hear(self, line: Line, *, at: float) -> None:
        """Take what the gateway says of a tag."""
        self.ignored = False
        match line:
            case Queued(tag=tag) if tag in self._handed:
                self._handed[tag].due = at + _SETTLED_S
            case Delivered(tag=tag, tries=tries, ack=ack) if tag in self._handed:
                self._end(tag, Fate.ACKED, at, tries=tries, ack=ack)
            case Undelivered(tag=tag, tries=tries) if tag in self._handed:
                self._end(tag, Fate.NOT_ACKED, at, tries=tries)
            case Sent(tag=tag) if tag in self._handed:
                self._end(tag, Fate.SENT, at, tries=1)
            case Rejected(tag=tag, reason="check") if tag in self._handed:
                self._again(tag, at)
            case Rejected(tag=tag, reason=reason) if tag in self._handed:
                self._end(tag, _REFUSALS.get(reason, Fate.IMPOSSIBLE), at, reason=reason)

    def tick(self, *, at: float) -> None:
        """Hand over again what the gateway has said nothing about."""
        for tag in [tag for tag, parcel in self._handed.items() if at >= parcel.due]:
            self._again(tag, at)

    def due(self) -> float | None:
        """Return when the next tag has been silent for too long."""
        return min((parcel.due for parcel in self._handed.values()), default=None)

    def abandon(self, reason: str) -> None:
        """End everything."""
        for parcel in (*self._handed.values(), *self._waiting):
            parcel.end(Fate.AWAY, reason=reason)
        self._handed.clear()
        self._waiting.clear()
        self.out.clear()

    def _fill(self, at: float) -> None:
        while self._waiting and len(self._handed) < self._queue:
            self._hand(self._waiting.popleft(), at)

    def _hand(self, parcel: Parcel, at: float) -> None:
        tag = next(tag for tag in self._tags() if tag not in self._handed)
        self._tag = (tag + 1) & 0xFF
        self._handed[tag] = parcel
        parcel.handings += 1
        parcel.due = at + _HANDED_S
        self.out += commands.send_hearth(parcel.payload, node=parcel.node, tag=tag, ack=parcel.ack)

    def _tags(self) -> list[int]:
        return [(self._tag + step) & 0xFF for step in range(256)]

    def _again(self, tag: int, at: float) -> None:
        """The same packet under another tag: the node takes its number only once."""
        parcel = self._handed.pop(tag)
        if parcel.handings >= _HANDINGS:
            self.ignored = True
            parcel.end(Fate.AWAY, reason="the gateway does not take what it is told")
            self._fill(at)
        else:
            self._hand(parcel, at)

    def _end(self, tag: int, fate: Fate, at: float, *, tries: int = 0, ack: bytes = b"", reason: str = "") -> None:
        parcel = self._handed.pop(tag)
        parcel.tries = tries
        parcel.end(fate, ack=ack, reason=reason)
        self._fill(at)


class StockSender:
    """Through an RF12demo: one at a time, acks and repeats are done here.

    Args:
        chance: makes the back-offs.
    """

    def __init__(self, chance: Random) -> None:
        self.out = bytearray()
        self.ignored = False
        self._chance = chance
        self._waiting: deque[Parcel] = deque()
        self._flying: Parcel | None = None
        self._gone = False

    def offer(self, parcel: Parcel, *, at: float) -> None:
        """Send it when its turn comes."""
        self._waiting.append(parcel)
        self._fill(at)

    def hear(self, line: Line, *, at: float) -> None:
        """Take the note that it goes out, and the ack of its node."""
        self.ignored = False
        parcel = self._flying
        if parcel is None:
            return
        if isinstance(line, Sending) and not self._gone:
            self._gone = True
            if not parcel.ack:
                self._end(Fate.SENT, at)
            else:
                parcel.due = at + _WINDOW_S
        elif isinstance(line, Heard) and line.good and _answers(line, parcel):
            self._end(Fate.ACKED, at, ack=line.payload)

    def tick(self, *, at: float) -> None:
        """Send again what nobody has acked."""
        parcel = self._flying
        if parcel is None or at < parcel.due:
            return
        if self._gone and parcel.tries >= TRIES:
            self._end(Fate.NOT_ACKED, at)
        elif not self._gone and parcel.handings >= _HANDINGS:
            self.ignored = True
            self._end(Fate.AWAY, at, reason="the gateway does not take what it is told")
        elif self._gone:
            self._gone = False
            parcel.handings = 0
            parcel.due = at + self._chance.uniform(*_BACK_OFF_S) * parcel.tries
        else:
            self._write(parcel, at)

    def due(self) -> float | None:
        """Return when the ack, or the gateway's note, is overdue."""
        return None if self._flying is None else self._flying.due

    def abandon(self, reason: str) -> None:
        """End everything."""
        for parcel in (*(() if self._flying is None else (self._flying,)), *self._waiting):
            parcel.end(Fate.AWAY, reason=reason)
        self._flying = None
        self._waiting.clear()
        self.out.clear()

    def _fill(self, at: float) -> None:
        if self._flying is None and self._waiting:
            self._flying = self._waiting.popleft()
            self._write(self._flying, at)

    def _write(self, parcel: Parcel, at: float) -> None:
        self._gone = False
        parcel.handings += 1
        parcel.tries += parcel.handings == 1
        parcel.due = at + _HANDED_S
        self.out += commands.send(parcel.payload, node=parcel.node, ack=parcel.ack)

    def _end(self, fate: Fate, at: float, *, ack: bytes = b"", reason: str = "") -> None:
        assert self._flying is not None  # noqa: S101 - for the type checker: its callers have looked
        self._flying.end(fate, ack=ack, reason=reason)
        self._flying = None
        self._fill(at)


def _answers(heard: Heard, parcel: Parcel) -> bool:
    """Whether a packet is the node's ack: an empty one, or one of ours that names the number."""
    header = heard.header
    if not (header.is_ack and not header.dst and header.node == parcel.node):
        return False
    return len(heard.payload) < 3 or len(parcel.payload) < 3 or heard.payload[2] == parcel.payload[2]
