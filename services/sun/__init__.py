"""Tell the house where the sun stands, and when it rises, sets and passes every light between.

`sun/<event>` is published the moment it happens and is no state: who comes later asks `sun/state`, which is retained
and told anew every minute. What happened while the service was not running is not told afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from hearthbus import Invalid, Service
from hearthbus.config.problems import nearest
from services.agenda import Agenda, Lived
from services.checks import check_all, is_segment, refuse
from services.instants import LOCAL, find_zone, instant, iso, iso_local
from services.sun.astronomy import EVENTS, Course, Event, Place, next_happenings, phase, position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.agenda import Due

_BUILT_IN = {event.name: event for event in EVENTS}


@dataclass(frozen=True)
class ExtraEvent:
    """An event a person names: some minutes from one that is known, or the sun crossing an altitude.

    [sun.events.lights-on]
    event = "sunset"
    offset_minutes = -20

    [sun.events.over-the-wood]
    altitude = 10.0            # degrees, without refraction
    direction = "rising"
    """

    event: str | None = None
    altitude: float | None = None
    direction: Literal["rising", "setting"] | None = None
    offset_minutes: float = 0.0

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if (self.event is None) == (self.altitude is None):
            yield "either event or altitude says what it is about: one of the two"
        if self.event is not None and self.event not in _BUILT_IN:
            yield f"event {self.event!r} is unknown{nearest(self.event, _BUILT_IN)}"
        if self.event is not None and self.direction is not None:
            yield "direction goes with altitude, not with event"
        if self.altitude is not None and self.direction is None:
            yield 'altitude needs direction = "rising" or "setting" beside it'
        if self.altitude is not None and not -90.0 <= self.altitude <= 90.0:
            yield f"altitude {self.altitude} is not between -90 and 90 degrees"
        if not -720.0 <= self.offset_minutes <= 720.0:
            yield f"offset_minutes {self.offset_minutes} is not between -720 and 720"

    def named(self, name: str) -> Event:
        """Return it as what the astronomy knows."""
        offset = round(self.offset_minutes * 60)
        if self.event is not None:
            known = _BUILT_IN[self.event]
            return Event(name, known.course, known.altitude, offset)
        return Event(name, Course(self.direction or Course.RISING), self.altitude or 0.0, offset)


class Sun(Service):
    """The sun over one place."""

    @dataclass(frozen=True)
    class Config:
        """Where the house stands, in degrees: north and east positive. `timezone` is for people's eyes only."""

        latitude: float
        longitude: float
        timezone: str = LOCAL
        events: dict[str, ExtraEvent] = field(default_factory=dict)

        def __post_init__(self) -> None:
            check_all(lambda: find_zone(self.timezone), lambda: refuse(self._faults()))

        def _faults(self) -> Iterator[str]:
            if not -90.0 <= self.latitude <= 90.0:
                yield f"latitude {self.latitude} is not between -90 (south) and 90 (north)"
            if not -180.0 <= self.longitude <= 180.0:
                yield f"longitude {self.longitude} is not between -180 (west) and 180 (east)"
            for name in self.events:
                if name in {*_BUILT_IN, "state"}:
                    yield f"events.{name} is a name of the sun's own; choose another"
                elif not is_segment(name):
                    yield f"events.{name}: a name is one part of a topic, of a-z 0-9 _ . -"

    config: Config

    async def on_start(self) -> None:
        """Take up what an earlier run has left in `sun/state`, and plan what comes."""
        self._place = Place(self.config.latitude, self.config.longitude)
        self._zone = find_zone(self.config.timezone)
        events = (*EVENTS, *(extra.named(name) for name, extra in self.config.events.items()))
        self._topic = f"{self.name}/state"
        left = {message.topic: message.body for message in await self.get(self._topic)}.get(self._topic, {})
        self._last = _times(left.get("last"), {event.name for event in events})
        self._agenda = Agenda(
            {event.name: partial(_next, self._place, event) for event in events},
            now=int(self.now()),
            lived=Lived.from_body(left.get("lived", [])),
        )
        self.log.info("the sun over %s, %s", self.config.latitude, self.config.longitude)

    async def main(self) -> None:
        """Sleep until something happens or a minute is over, and tell it."""
        while True:
            dues = self._agenda.step(int(self.now()))
            self._last.update((due.name, due.at) for due in dues)
            await self.publish(self._topic, self._state(), retain=True)  # first: a restart must know what has been told
            for due in dues:
                await self._tell(due)
            await self.sleep(self._agenda.sleep(self.now()))

    def _state(self) -> dict[str, Any]:
        now = position(self._place, self.now())
        return {
            "elevation": round(now.elevation, 2),
            "azimuth": round(now.azimuth, 2),
            "phase": phase(now.elevation).value,
            "next": _in_order({name: at for name, at in self._agenda.planned.items() if at is not None}),
            "last": _in_order(self._last),
            "lived": self._agenda.lived.to_body(),
        }

    async def _tell(self, due: Due) -> None:
        elevation = round(position(self._place, due.at).elevation, 2)
        self.log.info("%s at %s", due.name, iso_local(due.at, self._zone))
        await self.publish(
            f"{self.name}/{due.name}", time=iso(due.at), local=iso_local(due.at, self._zone), elevation=elevation
        )


def _next(place: Place, event: Event, after: int) -> int | None:
    return next_happenings(place, [event], after=after).get(event.name)


def _in_order(times: dict[str, int]) -> dict[str, str]:
    return {name: iso(at) for name, at in sorted(times.items(), key=lambda item: item[1])}


def _times(left: object, names: set[str]) -> dict[str, int]:
    """Read the times an earlier run left; what is none of ours is passed over."""
    found = left if isinstance(left, dict) else {}
    times: dict[str, int] = {}
    for name in names & found.keys():
        try:
            times[name] = instant(found[name])
        except (Invalid, TypeError):
            continue
    return times
