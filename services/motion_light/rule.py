"""The rule of one motion light: what somebody's moving, the dark and a person's own hand make of a light.

    off ──motion in the dark──▶ lit ──hold_s after the end──▶ off
     │                           │
     └───── somebody else asks ──┴──▶ manual ──override_s──▶ lit, if the light is on, else off

Pure: every method takes the time, seconds since 1970 UTC. What the rule wants of the light stands in `wanted` until
`carried_out` or something newer; it knows neither the bus nor how a light is switched.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST_STILL = 3600.0
"""Seconds after which a motion that nobody has ended, and nobody has told again, is over: its sensor has died."""


class Mode(StrEnum):
    """Who has the say over the light."""

    OFF = "off"
    LIT = "lit"
    """The rule has switched it on."""
    MANUAL = "manual"
    """Somebody else has set it, and the rule leaves it alone for a while."""


@dataclass
class Rule:
    """One rule; times in seconds.

    Args:
        hold_s: how long the light stays on after motion has ended.
        override_s: how long the rule leaves the light alone after somebody else has set it.
    """

    hold_s: float
    override_s: float
    mode: Mode = Mode.OFF
    manual_until: float = 0.0
    wanted: bool | None = None
    """What to ask of the light: on, off, or nothing."""
    moving: bool = False
    last_motion: float | None = None
    """When motion was last told, or ended."""
    light_on: bool = False
    """As the light itself said last."""

    def motion(self, moving: bool, *, at: float, dark: bool, shared: bool = False) -> None:  # noqa: FBT001 - the reading itself
        """Take a reading of the motion sensor; `shared`: another rule has this light lit now."""
        self.moving = moving
        if moving or self.last_motion is None or at > self.last_motion:
            self.last_motion = at
        if moving:
            self._light(at, dark=dark, shared=shared)

    def light(self, on: bool) -> None:  # noqa: FBT001 - the state itself
        """Take the light's own state."""
        self.light_on = on

    def hand(self, *, at: float) -> None:
        """Somebody else has asked something of the light: they win for a while."""
        self.mode = Mode.MANUAL
        self.manual_until = at + self.override_s
        self.wanted = None

    def tick(self, *, at: float, dark: bool, shared: bool = False) -> None:
        """Let time pass: end an override, and switch off what has been lit long enough, if no other rule has it lit."""
        if self.moving and self.last_motion is not None and at >= self.last_motion + LONGEST_STILL:
            self.moving = False
        if self.mode is Mode.MANUAL and at >= self.manual_until:
            self.mode = Mode.LIT if self.light_on else Mode.OFF
        if self.moving:
            self._light(at, dark=dark, shared=shared)
        elif self.mode is Mode.LIT and at >= self._ends():
            self.mode = Mode.OFF
            self.wanted = None if shared else False

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self.manual_until += seconds
        self.last_motion = None if self.last_motion is None else self.last_motion + seconds

    def due(self) -> float | None:
        """Return when `tick` will have something to do; None: not before something else happens."""
        times = []
        if self.mode is Mode.MANUAL:
            times.append(self.manual_until)
        if self.moving and self.last_motion is not None:
            times.append(self.last_motion + LONGEST_STILL)
        elif self.mode is Mode.LIT:
            times.append(self._ends())
        return min(times, default=None)

    def carried_out(self, on: bool) -> None:  # noqa: FBT001 - what was wanted
        """The light's service has taken what was `wanted`."""
        if self.wanted is on:
            self.wanted = None
        self.light_on = on

    def _light(self, at: float, *, dark: bool, shared: bool) -> None:
        """Switch on where that is the rule's to do; a light that somebody else, and no rule, left on is theirs."""
        if self.mode is Mode.OFF and dark and (not self.light_on or self.wanted is False or shared):
            self.mode = Mode.LIT
            self.wanted = True
            self.last_motion = at if self.last_motion is None else max(at, self.last_motion)

    def _ends(self) -> float:
        return (self.last_motion or 0.0) + self.hold_s
