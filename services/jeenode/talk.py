"""The host's half of the talk with one gateway: who it is, hearth mode where it knows that, packets both ways.

    opened ─▶ greeting ──banner of ours──▶ `1h` ──▶ ready (hearth)      a banner at any time: it was reset, begin anew
                 │ └──banner of a stock one──▶ ready (stock)
                 └──no banner: `v`, again and again

    ready ─▶ a minute without a word ─▶ asked ──no answer, three times──▶ silent: not ready, asked on and on


Pure: bytes in, values out, bytes to write in `take`; the time, on a clock that never jumps, and chance come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.rf12 import commands
from drivers.rf12.lines import Lines
from drivers.rf12.values import Banner, Broken, Config, Heard, Missing, Notice, Ready
from services.jeenode.parcels import Fate, HearthSender, StockSender

if TYPE_CHECKING:
    from random import Random

    from drivers.rf12.values import Line
    from services.jeenode.parcels import Parcel, Sender

GREETING_S: Final = 2.0
"""A gateway that was reset by opening its port has said its banner by then: 0.3 s, and a boot loader's second."""
ASK_AGAIN_S: Final = 5.0
QUIET_S: Final = 60.0
"""After so long without a line a gateway is asked whether it is still there: a night without packets is no sign."""
PROBES: Final = 3
"""Questions without an answer, after which it is not."""
IGNORED_S: Final = 2.5
"""It is not either where it has taken no packet, and said nothing for so long."""


@dataclass
class Counts:
    """What happened on the line; nothing of it is silent."""

    lines_lost: int = 0
    """By the numbers of a gateway of ours."""
    lines_broken: int = 0
    """Noise, half lines, wrong checks."""
    packets: int = 0
    packets_garbled: int = 0
    """Heard with a wrong CRC, as far as the gateway tells."""
    resets: int = 0
    """Banners nobody had asked for."""
    parcels: int = 0
    parcels_failed: int = 0


class Talk:
    """One connection after the other with one gateway.

    Args:
        chance: makes back-offs.
        group: its net group, until it says so itself.
        collect: whether it shall leave acks to another gateway of its group; acks of two collide.
    """

    def __init__(self, chance: Random, *, group: int, collect: bool = False) -> None:
        self.counts = Counts()
        self.collect = collect
        self.group = group
        self.node = 0
        """Its own id, once it has said so."""
        self.ready = False
        """Whether packets can be sent."""
        self.hearth = False
        self.silent = False
        """Whether it was ready, and has stopped answering."""
        self.firmware = ""
        self._chance = chance
        self._lines = Lines()
        self._sender: Sender = StockSender(chance)
        self._out = bytearray()
        self._ask_at: float | None = None
        self._asked = False
        self._collect_told = False
        self._greeting: Banner | None = None
        self._answer: Ready | None = None
        self._known = False
        """Whether it has said its settings since the port was opened."""
        self._heard_at = self._probe_at = 0.0
        self._probes = 0

    def opened(self, *, at: float) -> None:
        """The port is open."""
        self._lines = Lines()
        self._out.clear()
        self._ask_at = at + GREETING_S
        self._asked = self._collect_told = self._known = False
        self._greeting = self._answer = None
        self.ready = self.hearth = self.silent = False

    def closed(self, reason: str) -> None:
        """The port is gone: what was under way is, too."""
        self.ready = self.hearth = False
        self._ask_at = None
        self._abandon(reason)

    def feed(self, data: bytes, *, at: float) -> list[Line]:
        """Take bytes; return what may interest others: packets, banners, notices, what is broken or missing."""
        news: list[Line] = []
        for line in self._lines.feed(data):
            self._count(line)
            match line:
                case Banner():
                    self._greeted(line, at)
                case Ready():
                    self._hearth_on(line, at)
                case Config():
                    self._configured(line)
                    self._go_on(at)
            if not isinstance(line, Broken):
                self._alive(at)
                self._sender.hear(line, at=at)
            if isinstance(line, Heard | Banner | Ready | Notice | Missing | Broken):
                news.append(line)
        if self.hearth and not self._lines.hearth:
            self._lost_mode(at)
        elif self._lines.hearth and not self.ready and not self._asked:
            self._ask_at = at  # it was in hearth mode before the port was opened, and need not say its banner
        return news

    def offer(self, parcel: Parcel, *, at: float) -> None:
        """Take a packet for a node; its `outcome` says later what became of it."""
        self.counts.parcels += 1
        if self.ready:
            self._sender.offer(parcel, at=at)
        else:
            parcel.end(Fate.AWAY, reason="the gateway is not there")

    def tick(self, *, at: float) -> None:
        """Let time pass."""
        if self._ask_at is not None and at >= self._ask_at:
            self._asked = True
            self._ask(at)
        self._sender.tick(at=at)
        if self.ready and self._sender.ignored and at >= self._heard_at + IGNORED_S:
            self._fall_silent(at)
        elif self.ready and at >= self._probe_at:
            self._probe(at)

    def due(self) -> float | None:
        """Return when `tick` has something to do."""
        times = (self._ask_at, self._sender.due(), self._probe_at if self.ready else None)
        return min((due for due in times if due is not None), default=None)

    def take(self) -> bytes:
        """Return what is to be written now."""
        data = bytes(self._out + self._sender.out)
        self._out.clear()
        self._sender.out.clear()
        return data

    def _ask(self, at: float) -> None:
        self._out += commands.hearth_mode() if self._lines.hearth else commands.command("v")
        self._ask_at = at + ASK_AGAIN_S

    def _alive(self, at: float) -> None:
        self._heard_at = at
        self._probes, self._probe_at = 0, at + QUIET_S

    def _probe(self, at: float) -> None:
        """Ask whether it is still there."""
        if self._probes >= PROBES:
            self._fall_silent(at)
            return
        self._probes += 1
        self._probe_at = at + ASK_AGAIN_S
        self._out += commands.hearth_mode() if self.hearth else commands.command("v")

    def _fall_silent(self, at: float) -> None:
        self._abandon("the gateway does not answer")
        self.ready = self.hearth = False
        self.silent = True
        self._ask(at)

    def _greeted(self, banner: Banner, at: float) -> None:
        if self.ready and not self.hearth and self._probes:
            return  # it answers our own question
        if self.ready:
            self.counts.resets += 1
            self._abandon("the gateway was reset")
            self.ready = self.hearth = False
        self._asked = False
        self._answer = None
        self.firmware = f"{banner.firmware}.{banner.version}" + (f"+hearth.{banner.hearth}" if banner.hearth else "")
        self._ask_at = at + ASK_AGAIN_S
        if banner.config is not None:
            self._configured(banner.config)
            if banner.config.collect != self.collect and not self._collect_told:
                self._collect_told = True
                self._greeting = banner
                self._out += commands.command("c", int(self.collect))
                return  # it writes its EEPROM, and hears nothing until it has said its settings
        self._begin(banner, at)

    def _begin(self, banner: Banner, at: float) -> None:
        """It is as it shall be: take it as it is, or into hearth mode."""
        self._greeting = None
        if banner.hearth is None:
            self._ready(StockSender(self._chance), hearth=False, at=at)
        else:
            self._out += commands.hearth_mode()
            self._ask_at = at + ASK_AGAIN_S

    def _hearth_on(self, ready: Ready, at: float) -> None:
        if self.ready:
            return
        self._answer = ready
        self._ask_at = at + ASK_AGAIN_S
        if self._known:
            self._go_on(at)
        else:  # it did not say its banner, so its group is not known; this setting is answered by all of them
            self._out += commands.command("c", int(self.collect))

    def _go_on(self, at: float) -> None:
        """Its settings are known: go on with what waited for them."""
        if self._greeting is not None:
            self._begin(self._greeting, at)
        elif self._answer is not None:
            self._ready(HearthSender(queue=self._answer.queue), hearth=True, at=at)
            self._answer = None

    def _ready(self, sender: Sender, *, hearth: bool, at: float) -> None:
        self._sender = sender
        self.ready, self.hearth, self.silent = True, hearth, False
        self._ask_at = None
        self._alive(at)

    def _configured(self, config: Config) -> None:
        self.group, self.node = config.group or self.group, config.node
        self._known = True

    def _lost_mode(self, at: float) -> None:
        """It talks without checks: it was reset, and its banner was lost on the way."""
        self.counts.resets += 1
        self._abandon("the gateway was reset")
        self.ready = self.hearth = False
        self._ask_at = at

    def _abandon(self, reason: str) -> None:
        self._sender.abandon(reason)

    def _count(self, line: Line) -> None:
        match line:
            case Missing(count=count):
                self.counts.lines_lost += count
            case Broken():
                self.counts.lines_broken += 1
            case Heard(good=good):
                self.counts.packets += good
                self.counts.packets_garbled += not good
