"""Publish messages at the times cron expressions name.

`schedule/state` is retained and says of each entry when it fires next and fired last. It is stored before a firing is
published: a service that dies in between has missed that run, and none is ever run twice. An entry with
`on_missed = "once"` makes up for what it missed (the service was down, the broker away, the machine asleep) with one
firing as soon as it can; `skip` waits for the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hearthbus import HearthbusError, Invalid, Service
from hearthbus.message import encode_body
from hearthbus.topics import check_topic
from services.agenda import CHECK, LATE, Agenda, Lived
from services.checks import check_all, is_segment, refuse
from services.instants import LOCAL, find_zone, instant, iso, iso_local
from services.schedule.cron import parse_cron

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from services.agenda import Due

_STATE = "state"
_STORE_WITHIN = 5.0
"""Seconds the broker may take to store the state, and after which it is tried again."""
_OURS = ("scheduled", "missed")


@dataclass(frozen=True)
class Entry:
    """What to publish, and when.

    [schedule.entries.wake]
    cron = "30 7 * * mon-fri"       # minute hour day month weekday
    topic = "light/bedroom/set"     # default: schedule/wake
    request = true                  # default: publish
    body = { brightness = 0.4 }
    on_missed = "once"              # default: skip
    """

    cron: str
    topic: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    retain: bool = False
    request: bool = False
    """Ask the topic's responder, as `hearthbus call` does, where others only listen: for `light/<name>/set` and kin."""
    on_missed: Literal["skip", "once"] = "skip"
    timezone: str | None = None

    def __post_init__(self) -> None:
        check_all(
            lambda: parse_cron(self.cron, find_zone("UTC")),
            lambda: self.topic is None or check_topic(self.topic),
            lambda: self.timezone is None or find_zone(self.timezone),
            lambda: encode_body(self.body),
            lambda: refuse(self._faults()),
        )

    def _faults(self) -> Iterator[str]:
        if self.request and (self.retain or self.topic is None):
            yield "request = true needs a topic that somebody serves, and goes without retain"
        for key in _OURS:
            if key in self.body:
                yield f"body.{key} is set by the service; choose another key"


@dataclass
class _Story:
    """What is known of an entry from one run of the service to the next; instants in seconds since 1970 UTC."""

    rule: str
    since: int
    last: int | None = None


class Schedule(Service):
    """A house's timetable."""

    @dataclass(frozen=True)
    class Config:
        """The entries, by name; `timezone` is that of entries which name none."""

        entries: dict[str, Entry] = field(default_factory=dict)
        timezone: str = LOCAL

        def __post_init__(self) -> None:
            check_all(lambda: find_zone(self.timezone), lambda: refuse(self._faults()))

        def _faults(self) -> Iterator[str]:
            for name, entry in self.entries.items():
                if not is_segment(name) or (name == _STATE and entry.topic is None):
                    yield f"entries.{name}: a name is one part of a topic, of a-z 0-9 _ . -, and not '{_STATE}'"

    config: Config

    async def on_start(self) -> None:
        """Take up what an earlier run has left in the retained state, and plan what comes."""
        now = int(self.now())
        self._topic = f"{self.name}/{_STATE}"
        left = {message.topic: message.body for message in await self.get(self._topic)}.get(self._topic, {})
        self._crons = {
            name: parse_cron(entry.cron, find_zone(entry.timezone or self.config.timezone))
            for name, entry in self.config.entries.items()
        }
        self._stories = {
            name: _story(left.get("entries"), name, rule=f"{cron.text} {cron.zone.key}", now=now)
            for name, cron in self._crons.items()
        }
        self._agenda = Agenda(
            {name: cron.next for name, cron in self._crons.items()},
            now=now,
            lived=Lived.from_body(left.get("lived")),
            catch_up={
                name: story.since if story.last is None else story.last
                for name, story in self._stories.items()
                if self.config.entries[name].on_missed == "once"
            },
        )
        self._owed: dict[str, Due] = {}
        self._told: Mapping[str, int | None] = {}
        self.log.info("entries: %d", len(self._crons))

    async def main(self) -> None:
        """Sleep until an entry is due, and fire it."""
        while True:
            self._owed.update((due.name, due) for due in self._agenda.step(int(self.now())))
            if self._owed:
                await self._fire_all()
            elif self._told != self._agenda.planned:
                await self._tell_state()
            await self.sleep(min(self._agenda.sleep(self.now()), _STORE_WITHIN if self._owed else CHECK))

    async def _fire_all(self) -> None:
        """Store that they fire, then fire them; while the broker is away nothing fires."""
        before = {name: self._stories[name].last for name in self._owed}
        for name, due in self._owed.items():
            self._stories[name].last = due.at
        try:
            await self._tell_state(confirm=True)
        except HearthbusError as error:
            self.log.warning("missed %s: %s", ", ".join(self._owed), error)
            for name, last in before.items():
                self._stories[name].last = last
                if self.config.entries[name].on_missed == "skip":
                    del self._owed[name]
            return
        owed, self._owed = self._owed, {}
        await asyncio.gather(*(self._fire(due) for due in owed.values()))

    async def _fire(self, due: Due) -> None:
        entry = self.config.entries[due.name]
        topic = entry.topic or f"{self.name}/{due.name}"
        late = {"missed": True} if self.now() - due.at > LATE else {}
        body = {**entry.body, "scheduled": iso(due.at), **late}
        self.log.info("%s, due %s", due.name, iso_local(due.at, self._crons[due.name].zone))
        try:
            if entry.request:
                await self.request(topic, body)
            else:
                await self.publish(topic, body, retain=entry.retain)
        except HearthbusError as error:
            self.log.warning("%s: %s: %s", due.name, topic, error)

    async def _tell_state(self, *, confirm: bool = False) -> None:
        self._told = dict(self._agenda.planned)
        entries = {
            name: {
                "rule": story.rule,
                "since": iso(story.since),
                **{key: iso(at) for key, at in (("last", story.last), ("next", self._told[name])) if at is not None},
            }
            for name, story in self._stories.items()
        }
        body = {"entries": entries, "lived": self._agenda.lived.to_body()}
        await self.publish(self._topic, body, retain=True, confirm=confirm, ttl=_STORE_WITHIN)


def _story(left: object, name: str, *, rule: str, now: int) -> _Story:
    """Read what an earlier run left of an entry; a changed rule is a new entry."""
    found = left.get(name) if isinstance(left, dict) else None
    if not isinstance(found, dict) or found.get("rule") != rule:
        return _Story(rule, now)
    try:
        last = found.get("last")
        return _Story(rule, instant(found["since"]), None if last is None else instant(last))
    except (Invalid, KeyError, TypeError):
        return _Story(rule, now)
