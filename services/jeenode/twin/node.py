"""What every node does: announce itself, ask for acks and try again, answer and take each command once.

Pure: an `Ether` gives it time and chance. The real firmware is in firmware/; this keeps to the same contract with as
little code as that takes. Which nodes there are is said by `nodes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from drivers.bits import CodecError
from drivers.rf12 import hearth
from drivers.rf12.air import Header

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.jeenode.twin.ether import Ether

TRIES: Final = 8
ACK_WINDOW_S: Final = 0.012
BACK_OFF_S: Final = (0.020, 0.150)
"""Shortest and longest wait before the second try; both grow by as much with each."""
ANNOUNCE_S: Final = 3600.0
GROUP: Final = 212
FORGET_S: Final = 60.0
"""After this, what was staged and not committed is forgotten."""
APPLY_S: Final = 0.5
"""From a commit to its effect: until then its ack can be asked for again."""
POWER_ON: Final = 0x01
"""MCUSR after power came on (data sheet of the ATmega328P, 11.9)."""


@dataclass
class _Wanted:
    """A packet that wants an ack."""

    payload: bytes
    sequence: int
    tries: int = 0


class Node:
    """What every node does.

    Args:
        ether: where it lives.
        node: its id, 1..30.
        kind: what it announces.
        report_s: seconds between its reports.
        hold_s: seconds motion lasts after the last movement.
    """

    def __init__(
        self, ether: Ether, node: int, kind: hearth.NodeKind, *, report_s: float = 300.0, hold_s: float = 60.0
    ) -> None:
        self.ether = ether
        self.node = node
        self.kind = kind
        self.report_s, self.hold_s = report_s, hold_s
        """As they are kept to: a simulated house is in a hurry, until its settings are changed."""
        self.settings = hearth.Settings(node=node, group=GROUP, band=8, report_s=300, hold_s=60, offset=1600)
        """As they would lie in EEPROM: the factory's, at first."""
        self._staged, self._touched = self.settings, 0.0
        self.sequence = 0
        self.given_up = 0
        self.on = True
        self.boots = 0
        self._waiting: list[_Wanted] = []
        self._last: tuple[int, int, int] | None = None
        self._code = hearth.AckCode.DONE
        ether.stations.append(self)

    @property
    def waiting(self) -> int:
        """How many of its packets still want an ack."""
        return len(self._waiting)

    def boot(self) -> None:
        """Power comes on."""
        self.on = True
        self.boots += 1
        self.sequence = 0
        self.given_up = 0
        self._last = None
        self._staged = self.settings
        self._waiting.clear()
        self.announce(ack=True)
        self.every(lambda: ANNOUNCE_S, lambda: self.announce(ack=False))

    def off(self) -> None:
        """Power goes away."""
        self.on = False

    def every(self, seconds: Callable[[], float], what: Callable[[], None]) -> None:
        """Do something again and again, until power goes away; a new interval counts from the next time on."""
        boots = self.boots

        def turn() -> None:
            if self.on and self.boots == boots:
                what()
                self.ether.after(seconds(), turn)

        self.ether.after(seconds(), turn)

    def announce(self, *, ack: bool) -> None:
        """Say what this node is."""
        self.say(
            lambda sequence: hearth.Announce(
                sender=self.node, sequence=sequence, kind=self.kind, firmware_minor=0, firmware_major=1,
                reset=POWER_ON, settings=3, settings_crc=self.settings.check,
            ),
            ack=ack,
        )  # fmt: skip

    def say(self, make: Callable[[int], hearth.AnyPayload], *, ack: bool) -> None:
        """Send a packet of the next number; with `ack`, again until somebody has answered."""
        sequence = self.sequence
        self.sequence = (sequence + 1) & 0xFF
        payload = make(sequence).encode()
        if not ack:
            self.ether.send(self, Header(node=self.node), payload)
            return
        self._waiting.append(_Wanted(payload, sequence))
        if len(self._waiting) == 1:
            self._try(self._waiting[0])

    def hear(self, header: Header, payload: bytes) -> None:
        """Take what is on the air, if it is for this node."""
        if not self.on or not header.dst or header.node != self.node:
            return
        if header.ctl:
            self._acked(payload)
        elif payload:
            code = self._take(payload)
            if header.ack:
                ack = hearth.Ack(sender=self.node, sequence=payload[2] if len(payload) > 2 else 0, code=code)
                self.ether.send(self, Header(ctl=True, node=self.node), ack.encode())

    def act(self, payload: hearth.AnyPayload) -> hearth.AckCode:
        """Do what the gateway wants."""
        del payload
        return hearth.AckCode.UNKNOWN

    def _take(self, data: bytes) -> int:
        """Act once on each packet; a repeat is only answered again."""
        try:
            payload = hearth.decode(data)
        except CodecError:
            return hearth.AckCode.UNKNOWN
        this = (payload.sender, data[0], payload.sequence)
        if this != self._last:
            self._last = this
            self._code = self._obey(payload)
        return self._code

    def _obey(self, payload: hearth.AnyPayload) -> hearth.AckCode:
        match payload:
            case hearth.Set(key=key, value=value):
                return self._stage(key, value)
            case hearth.Commit(check=check):
                return self._commit(check)
        return self.act(payload)

    def _begin(self) -> None:
        if self.ether.now - self._touched > FORGET_S:
            self._staged = self.settings
        self._touched = self.ether.now

    def _stage(self, key: int, value: int) -> hearth.AckCode:
        self._begin()
        name = next((one.name.lower() for one in hearth.Key if one == key), "")
        if value not in hearth.LIMITS.get(name, ()):
            return hearth.AckCode.BAD_VALUE
        self._staged = replace(self._staged, **{name: value})
        return hearth.AckCode.DONE

    def _commit(self, check: int) -> hearth.AckCode:
        """Take what was staged, all of it or nothing; its reports keep to it from the next one on."""
        self._begin()
        if self._staged.check != check:
            return hearth.AckCode.NOT_COMMITTED
        before, self.settings = self.settings, self._staged
        self.ether.after(APPLY_S, lambda: self._apply(before))
        return hearth.AckCode.DONE

    def _apply(self, before: hearth.Settings) -> None:
        """Keep to what has changed, and announce it."""
        new, self.node = self.settings, self.settings.node
        self.report_s = self.report_s if new.report_s == before.report_s else float(new.report_s)
        self.hold_s = self.hold_s if new.hold_s == before.hold_s else float(new.hold_s)
        if self.on:
            self.announce(ack=False)

    def _try(self, wanted: _Wanted) -> None:
        if not self.on or not self._waiting or self._waiting[0] is not wanted:
            return
        if wanted.tries == TRIES:
            self.given_up = (self.given_up + 1) & 0xFF
            self._next()
            return
        wanted.tries += 1
        heard_in = self.ether.send(self, Header(ack=True, node=self.node), wanted.payload)
        back_off = self.ether.chance.uniform(*BACK_OFF_S) * wanted.tries
        self.ether.after(heard_in + ACK_WINDOW_S + back_off, lambda: self._try(wanted))

    def _acked(self, payload: bytes) -> None:
        """An empty ack, as a stock gateway sends it, is for what was said last; ours names the number."""
        if self._waiting and (len(payload) < 3 or payload[2] == self._waiting[0].sequence):
            self._next()

    def _next(self) -> None:
        self._waiting.pop(0)
        if self._waiting:
            self._try(self._waiting[0])
