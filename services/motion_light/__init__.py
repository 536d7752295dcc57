"""Switch a light on when somebody moves in the dark, and off again when nobody has moved for a while.

Says only `on` and how to fade, unless its table names a colour or a brightness: the colour is the light's own, set by
whoever likes (`hearthbus call light/stairs/set rgb='[255,120,20]' on=false`). Who sets the light by hand wins for a
while. `motion_light/<rule>` is retained, and with the sensor's and the light's own state it is all a restart needs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hearthbus import HearthbusError, Invalid, Message, Service, on
from services.checks import is_segment, refuse
from services.instants import instant, iso
from services.jumps import Jumps
from services.motion_light.dark import Dark
from services.motion_light.rule import LONGEST_STILL, Mode, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_RETRY = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until a light whose service does not answer is asked again; the last for ever."""
_LOOK_S = 300.0
"""Seconds after which the service looks around without being woken: the clock may have been set."""


@dataclass(frozen=True)
class Stairs:
    """One rule.

    [motion_light.rules.stairs]
    place = "stairs"            # sensor/stairs/motion
    light = "stairs"            # light/stairs/set
    hold_s = 120
    sun_below = -3              # only while the sun is lower than 3 degrees below the horizon
    """

    place: str
    light: str
    hold_s: float = 120.0
    """How long the light stays on after motion has ended."""
    override_s: float = 3600.0
    """How long who sets the light by hand has the say."""
    sun_below: float | None = None
    """Degrees of the sun's elevation below which it is dark; without it and `light_below` it always is."""
    light_below: float | None = None
    """Reading of the light sensor below which it is dark, in its own unit."""
    light_place: str | None = None
    """Where that sensor is; default: `place`."""
    rgb: tuple[int, int, int] | None = None
    brightness: float | None = None
    fade_on_s: float = 0.5
    fade_off_s: float = 3.0

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        for key in ("place", "light", "light_place"):
            value = getattr(self, key)
            if value is not None and not is_segment(value):
                yield f"{key} {value!r} is not one part of a topic, of a-z 0-9 _ . -"
        for key in ("hold_s", "override_s", "fade_on_s", "fade_off_s"):
            if not 0 <= getattr(self, key) <= 86400:
                yield f"{key} {getattr(self, key)} is not between 0 and 86400 seconds"
        if self.sun_below is not None and not -90 <= self.sun_below <= 90:
            yield f"sun_below {self.sun_below} is not between -90 and 90 degrees"
        if self.rgb is not None and not all(0 <= part <= 255 for part in self.rgb):
            yield f"rgb {list(self.rgb)}: each is 0 to 255"
        if self.brightness is not None and not 0 < self.brightness <= 1:
            yield f"brightness {self.brightness} is not above 0 and up to 1"

    @property
    def sensor(self) -> str:
        """Where the light sensor is."""
        return self.light_place or self.place


class MotionLight(Service):
    """Every motion light of a house."""

    @dataclass(frozen=True)
    class Config:
        """The rules, by name; `sun` is the name of the sun's service."""

        rules: dict[str, Stairs] = field(default_factory=dict)
        sun: str = "sun"

        def __post_init__(self) -> None:
            refuse(
                f"rules.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
                for name in self.rules
                if not is_segment(name)
            )

        @property
        def places(self) -> tuple[str, ...]:
            """Where motion counts."""
            return tuple(dict.fromkeys(rule.place for rule in self.rules.values()))

        @property
        def lights(self) -> tuple[str, ...]:
            """The lights that are switched."""
            return tuple(dict.fromkeys(rule.light for rule in self.rules.values()))

        @property
        def sensors(self) -> tuple[str, ...]:
            """Where brightness counts."""
            return tuple(dict.fromkeys(rule.sensor for rule in self.rules.values() if rule.light_below is not None))

    config: Config

    async def on_start(self) -> None:
        """Take up each rule where an earlier run has left it."""
        left = {message.topic: message.body for message in await self.get(f"{self.name}/+")}
        self._dark = {name: Dark(rule.sun_below, rule.light_below) for name, rule in self.config.rules.items()}
        self._told = {name: left.get(f"{self.name}/{name}", {}) for name in self.config.rules}
        self._woken = {name: asyncio.Event() for name in self.config.rules}
        self._rules = {}
        self._jumps = Jumps(at=self.now(), ticks=self.clock.monotonic())
        for name, rule in self.config.rules.items():
            mode, until = _remembered(self._told[name])
            self._rules[name] = Rule(rule.hold_s, rule.override_s, mode=mode, manual_until=until)
        for topic in left.keys() - {f"{self.name}/{name}" for name in self.config.rules}:
            await self.publish(topic, {}, retain=True)
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Know how dark it is before motion counts, and what has moved before the first rule is asked."""
        config = self.config
        for see, topics in (
            (self.see_sun, [f"{config.sun}/state"]),
            (self.see_light, [f"sensor/{place}/light" for place in config.sensors]),
            (self.see_lamp, [f"light/{light}" for light in config.lights]),
            (self.see_motion, [f"sensor/{place}/motion" for place in config.places]),
        ):
            for message in await self.get(*topics) if topics else ():
                await see(message)

    @on("{sun}/state")
    async def see_sun(self, state: Message) -> None:
        """Note where the sun stands."""
        if _is_number(state.get("elevation")):
            for dark in self._dark.values():
                dark.sun(state["elevation"], at=state.time / 1e9)

    @on("sensor/{sensors}/light")
    async def see_light(self, reading: Message) -> None:
        """Note how light it is."""
        for name, rule in self.config.rules.items():
            if reading.topic == f"sensor/{rule.sensor}/light" and _is_number(reading.get("value")):
                self._dark[name].light(reading["value"], at=reading.time / 1e9)

    @on("light/{lights}")
    async def see_lamp(self, state: Message) -> None:
        """Note what the light says of itself."""
        for name, rule in self.config.rules.items():
            if state.topic == f"light/{rule.light}" and isinstance(state.get("on"), bool):
                self._rules[name].light(state["on"])

    @on("light/{lights}/set")
    async def see_hand(self, request: Message) -> None:
        """Note that somebody else has asked something of a light."""
        if request.origin == self.name or request.replayed:
            return
        for name, rule in self.config.rules.items():
            if request.topic == f"light/{rule.light}/set":
                self.log.info("%s: %s has set the light; it is theirs for %g s", name, request.origin, rule.override_s)
                self._rules[name].hand(at=self._time())
                self._woken[name].set()

    @on("sensor/{places}/motion")
    async def see_motion(self, reading: Message) -> None:
        """Act on motion, at once."""
        now = self._time()
        at = min(reading.time / 1e9, now)
        moving = reading.get("value")
        for name, rule in self.config.rules.items():
            if reading.topic == f"sensor/{rule.place}/motion" and isinstance(moving, bool):
                fresh = moving and now - at < LONGEST_STILL
                dark = self._dark[name].holds(at=now)
                self._rules[name].motion(fresh, at=at, dark=dark, shared=self._shared(name))
                self._woken[name].set()

    async def main(self) -> None:
        """Keep every rule, each by itself: a light that does not answer holds up no other."""
        if not self._rules:
            self.log.info("no rules: a table [%s.rules.NAME] makes one", self.name)
            await super().main()
        async with asyncio.TaskGroup() as group:
            for name in self._rules:
                group.create_task(self._keep(name), name=f"rule {name}")

    async def _keep(self, name: str) -> None:
        """Carry out what one rule wants, and sleep until it has something to do."""
        rule, dark, woken = self._rules[name], self._dark[name], self._woken[name]
        failures = 0
        retry_at = 0.0
        while True:
            woken.clear()
            now, ticks = self._time(), self.clock.monotonic()
            rule.tick(at=now, dark=dark.holds(at=now), shared=self._shared(name))
            await self._tell(name)
            if rule.wanted is not None and ticks >= retry_at:
                failures = 0 if await self._ask(name, on=rule.wanted, again=failures > 0) else failures + 1
                retry_at = self.clock.monotonic() + _RETRY[min(failures, len(_RETRY)) - 1] if failures else 0.0
                continue
            times = [now + _LOOK_S, rule.due(), None if rule.wanted is None else now + retry_at - ticks]
            await self._sleep(woken, until=min(time for time in times if time is not None))

    def _shared(self, name: str) -> bool:
        """Whether another rule has the light of this one lit."""
        light = self.config.rules[name].light
        return any(
            rule.mode is Mode.LIT and other != name and self.config.rules[other].light == light
            for other, rule in self._rules.items()
        )

    def _time(self) -> float:
        """Return the wall clock's time; where it was set, move the rules along."""
        now = self.now()
        if jump := self._jumps.look(at=now, ticks=self.clock.monotonic()):
            self.log.info("the clock was set by %+.0f s", jump)
            for rule in self._rules.values():
                rule.shift(jump)
        return now

    async def _ask(self, name: str, *, on: bool, again: bool) -> bool:
        """Ask the light; return whether its service has taken it."""
        settings = self.config.rules[name]
        try:
            await self.request(f"light/{settings.light}/set", _request(settings, on=on))
        except HearthbusError as error:
            if not again:
                self.log.warning("%s: light/%s/set: %s; asking again", name, settings.light, error)
            return False
        self._rules[name].carried_out(on)
        self.log.info("%s: %s", name, "on" if on else "off")
        return True

    async def _tell(self, name: str) -> None:
        rule = self._rules[name]
        until = {"until": iso(rule.manual_until)} if rule.mode is Mode.MANUAL else {}
        body = {"mode": rule.mode.value, **until}
        if body != self._told[name]:
            self._told[name] = body
            await self.publish(f"{self.name}/{name}", body, retain=True)

    async def _sleep(self, woken: asyncio.Event, *, until: float) -> None:
        """Wait for something to happen, or for that time."""
        waking = asyncio.ensure_future(woken.wait())
        passing = asyncio.ensure_future(self.sleep(max(0.01, until - self.now())))
        try:
            await asyncio.wait({waking, passing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            passing.cancel()


def _request(rule: Stairs, *, on: bool) -> dict[str, Any]:
    """Return what to ask of the light."""
    if not on:
        return {"on": False, "fade_s": rule.fade_off_s}
    colour = {} if rule.rgb is None else {"rgb": list(rule.rgb)}
    brightness = {} if rule.brightness is None else {"brightness": rule.brightness}
    return {"on": True, "fade_s": rule.fade_on_s, **colour, **brightness}


def _remembered(body: dict[str, Any]) -> tuple[Mode, float]:
    """Read what an earlier run left; what makes no sense is as if it had left nothing."""
    try:
        mode = Mode(body.get("mode", Mode.OFF))
        return mode, float(instant(body["until"])) if mode is Mode.MANUAL else 0.0
    except (Invalid, KeyError, TypeError, ValueError):
        return Mode.OFF, 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
