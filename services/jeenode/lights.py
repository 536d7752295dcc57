"""One light behind a radio: what is wanted of it, what it has confirmed, and when to say it again.

    ask ─▶ order ─▶ flying ──ack──▶ confirmed
             ▲         └──no ack──▶ wait, again; after the last wait: given up, and tried once in a long while
             └── a newer ask replaces what waits; only the newest is ever sent

An order keeps its number while it is repeated: the node takes each number once, so a repeat whose ack was lost changes
nothing. Pure: the time, on a clock that never jumps, comes in; what sends the orders is `hearthbus`'s affair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from hearthbus import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the rounds of a command nobody acks; a round is the gateway's own eight tries."""
SELDOM_S: Final = 300.0
"""Seconds between the tries after it has been given up: the node may have been unplugged."""
LONGEST_FADE_S: Final = 655.35
"""What 16 bits of 10 ms hold."""
EffectName = Literal["fade", "candle", "rainbow", "breathe"]
EFFECTS: Final[tuple[str, ...]] = get_args(EffectName)
"""By number."""


@dataclass(frozen=True)
class Look:
    """What a light shows."""

    on: bool = False
    rgb: tuple[int, int, int] = (255, 255, 255)
    brightness: float = 1.0
    effect: str = EFFECTS[0]

    def body(self) -> dict[str, Any]:
        """Return it as the bus says it."""
        effect = {} if self.effect == EFFECTS[0] else {"effect": self.effect}
        return {"on": self.on, "rgb": list(self.rgb), "brightness": self.brightness, **effect}


@dataclass(frozen=True)
class Order:
    """One thing to say to the node."""

    number: int
    look: Look
    fade_s: float


def changed(look: Look, request: Mapping[str, Any]) -> Look:
    """Return what a request makes of a look.

    A colour, an effect or a brightness above 0 switches on, and brightness 0 off, unless `on` says otherwise.

    Raises:
        Invalid: a value that is none.
    """
    unknown = request.keys() - {"on", "rgb", "brightness", "effect", "fade_s"}
    if unknown:
        raise Invalid(f"{min(unknown)!r} is nothing a light knows; it takes on, rgb, brightness, effect, fade_s")
    rgb = _rgb(request["rgb"]) if "rgb" in request else look.rgb
    brightness = _ratio(request["brightness"]) if "brightness" in request else look.brightness
    effect = _effect(request["effect"]) if "effect" in request else EFFECTS[0] if "rgb" in request else look.effect
    on = request["on"] if "on" in request else brightness > 0 if _shows(request) else look.on
    if not isinstance(on, bool):
        raise Invalid(f"on is {on!r}; write true or false")
    # an off light keeps the brightness it had: 0 would make the next `on` invisible
    return Look(on=on, rgb=rgb, brightness=brightness or look.brightness or 1.0, effect=effect)


def fade(request: Mapping[str, Any]) -> float:
    """Return how long a request's change takes, in seconds.

    Raises:
        Invalid: no number, or longer than the node can.
    """
    seconds = request.get("fade_s", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_FADE_S:
        raise Invalid(f"fade_s is {seconds!r}; write seconds from 0 to {LONGEST_FADE_S}")
    return float(seconds)


class Light:
    """One light.

    Args:
        wanted: what an earlier run of the service wanted of it; None: nothing is known.
        confirmed: whether the node had confirmed that.
    """

    def __init__(self, wanted: Look | None = None, *, confirmed: bool = True) -> None:
        self.wanted = wanted
        self.confirmed = wanted is not None and confirmed
        self.given_up = False
        self._number = 0
        self._newest: Order | None = None if wanted is None or confirmed else Order(0, wanted, 0.0)
        self._flying: Order | None = None
        self._failures = 0
        self._not_before = 0.0

    def ask(self, request: Mapping[str, Any]) -> Order:
        """Take what somebody asks, in place of what was asked before and is not yet said.

        Raises:
            Invalid: the request makes no sense.
        """
        look, seconds = changed(self.wanted or Look(), request), fade(request)
        return self._order(look, seconds)

    def again(self) -> None:
        """The node has started anew, or is heard again: say what is wanted, at once."""
        if self.wanted is not None:
            self._order(self.wanted, 0.0)

    def next(self, *, at: float) -> Order | None:
        """Return what to say now, if it is time; from then on it flies until `acked`, `sent` or `failed`."""
        if self._flying is None and self._newest is not None and at >= self._not_before:
            self._flying = self._newest
            return self._flying
        return None

    def due(self) -> float | None:
        """Return when `next` has something; None: not before something happens."""
        return self._not_before if self._flying is None and self._newest is not None else None

    def acked(self) -> None:
        """The node has confirmed what flew."""
        self._land(done=True)
        self.confirmed = self._newest is None
        self.given_up = False
        self._failures = 0
        self._not_before = 0.0

    def sent(self) -> None:
        """What flew has left the gateway, and nobody will ever confirm it."""
        self._land(done=True)
        self._failures = 0

    def refused(self) -> None:
        """The node has understood, and said no: saying it again is no use."""
        self._land(done=True)
        self.given_up = self._newest is None

    def failed(self, *, at: float) -> None:
        """Nobody has confirmed what flew."""
        flew = self._flying
        self._land(done=False)
        if self._newest != flew:
            return  # something newer has been asked for meanwhile: it goes at once
        self._failures += 1
        patient = self._failures <= len(WAITS_S)
        self.given_up = self.given_up or not patient
        self._not_before = at + (WAITS_S[self._failures - 1] if patient else SELDOM_S)

    def held_up(self, *, at: float, for_s: float) -> None:
        """What flew never left: the gateway is away or its queue is full."""
        self._land(done=False)
        self._not_before = at + for_s

    def hurry(self) -> None:
        """What kept it from being said has gone: try at once."""
        self._failures = 0
        self._not_before = 0.0

    def _order(self, look: Look, fade_s: float) -> Order:
        self._number += 1
        self._failures = 0
        self.wanted = look
        self.confirmed = False
        self._newest = Order(self._number, look, fade_s)
        self._not_before = 0.0
        return self._newest

    def _land(self, *, done: bool) -> None:
        if done and self._newest == self._flying:
            self._newest = None
        self._flying = None


def restored(body: Mapping[str, Any]) -> Light:
    """Return the light an earlier run has left in its retained state; what makes no sense is left out."""
    try:
        known = {key: body[key] for key in ("rgb", "brightness", "effect") if key in body}
        look = replace(changed(Look(), known), on=body.get("on") is True)
    except Invalid:
        return Light()
    return Light(look, confirmed=body.get("confirmed") is not False) if body else Light()


def _shows(request: Mapping[str, Any]) -> bool:
    return not request.keys().isdisjoint({"rgb", "brightness", "effect"})


def _rgb(value: Any) -> tuple[int, int, int]:
    parts = tuple(value) if isinstance(value, list | tuple) else ()
    if len(parts) != 3 or not all(type(part) is int and 0 <= part <= 255 for part in parts):
        raise Invalid(f"rgb is {value!r}; write three whole numbers from 0 to 255, such as [255, 120, 20]")
    return parts[0], parts[1], parts[2]


def _ratio(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Invalid(f"brightness is {value!r}; write a number from 0 to 1")
    return float(value)


def _effect(value: Any) -> str:
    if value not in EFFECTS:
        raise Invalid(f"effect is {value!r}; it is one of {', '.join(EFFECTS)}")
    return str(value)
