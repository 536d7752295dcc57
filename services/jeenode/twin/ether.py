"""Simulated time and a simulated ether: packets take their air time, one after the other, and some get lost.

A station is whatever sends and hears. Listening before talking is perfect here: nobody collides; the simulator of real
firmware has true bits. Pure: time, in seconds on a clock that never jumps, is given to `run`, chance is seeded.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Protocol

from drivers.rf12.air import air_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from drivers.rf12.air import Header


class Station(Protocol):
    """A node or a gateway."""

    def hear(self, header: Header, payload: bytes) -> None:
        """Take a packet that was on the air."""


class Ether:
    """What the stations of one group share.

    Args:
        chance: makes the losses and the back-offs.
        loss: part of the packets, 0..1, that a listener does not get.
    """

    def __init__(self, chance: Random, *, loss: float = 0.0) -> None:
        self.chance = chance
        self.loss = loss
        self.now = 0.0
        self.packets = 0
        """Sent."""
        self.lost = 0
        """Of them not heard, counted for each listener they were meant for."""
        self.stations: list[Station] = []
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._busy_until = 0.0

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._later, (self.now + seconds, self._count, what))

    def send(self, sender: Station, header: Header, payload: bytes) -> float:
        """Put a packet on the air as soon as that is free; return in how many seconds it will have been heard."""
        start = max(self.now, self._busy_until)
        end = start + air_time(len(payload))
        self._busy_until = end
        self.packets += 1
        self.after(end - self.now, lambda: self._land(sender, header, payload))
        return end - self.now

    def run(self, until: float) -> None:
        """Let time pass up to `until`."""
        while self._later and self._later[0][0] <= until:
            self.now, _, what = heapq.heappop(self._later)
            what()
        self.now = max(self.now, until)

    def due(self) -> float | None:
        """Return when something happens next."""
        return self._later[0][0] if self._later else None

    def _land(self, sender: Station, header: Header, payload: bytes) -> None:
        for station in self.stations:
            if station is sender:
                continue
            if self.chance.random() < self.loss:
                self.lost += 1
            else:
                station.hear(header, payload)
