"""Ask something of the house when a message says so: a button of a remote switches a lamp.

Acts on what happens, never on what was: neither on retained values at a start nor on what an outage has held back for
longer than `max_age_s`. Knows no radio; what a button is called is said by the service that hears it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hearthbus import HearthbusError, Invalid, Message, Service
from hearthbus.message import encode_body
from hearthbus.topics import check_pattern, check_topic, matches
from services.checks import check_all, is_segment, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WAITING: Final = 20
"""Requests to one topic that may wait for their turn; a button held down makes more, and they are dropped."""
_KINDS: Final = (bool, int, float, str)
_PLACE: Final = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
"""A value of a rule's body that stands for one of the message."""


@dataclass(frozen=True)
class Rule:
    """When what is asked.

    [trigger.rules.desk-on]
    topic = "remote/desk"
    when = { button = "on" }
    request = "switch/lamp/set"
    body = { on = true }
    """

    topic: str
    """What to listen to: a topic, or a pattern with `+` and `#`."""
    request: str
    """What to ask then: a topic that somebody serves."""
    when: dict[str, Any] = field(default_factory=dict)
    """What its message must say, each key and its value; default: anything."""
    body: dict[str, Any] = field(default_factory=dict)
    """What is said with the request; `"{message}"`, whole, stands for the text that the message has under that key."""
    max_age_s: float = 10.0
    """Seconds after which a message is too old to act on."""

    def __post_init__(self) -> None:
        check_all(
            lambda: check_pattern(self.topic),
            lambda: check_topic(self.request),
            lambda: encode_body(self.body),
            lambda: refuse(self._faults()),
        )

    def _faults(self) -> Iterator[str]:
        if not self.max_age_s > 0:
            yield f"max_age_s {self.max_age_s} is not above 0"
        for key, value in self.when.items():
            if not isinstance(value, _KINDS):
                yield f"when.{key}: a text, a number, true or false is compared, nothing else"
        if matches(self.topic, self.request):
            yield f"request {self.request} would wake its own rule, for ever"

    def said(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said with the request that a message wakes; its texts are put in as they are, never read.

        Raises:
            Invalid: a key of the message is asked for that it does not have, or that is no text.
        """
        return {key: self._filled(key, value, body) for key, value in self.body.items()}

    def _filled(self, key: str, value: Any, body: Mapping[str, Any]) -> Any:
        wanted = _PLACE.fullmatch(value) if isinstance(value, str) else None
        if not wanted:
            return value
        text = body.get(wanted[1])
        if not isinstance(text, str):
            raise Invalid(f"body.{key} asks for {value}, and the message has no text of that name")
        return text

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether a message says what the rule waits for; true is not 1."""
        return all(
            key in body and body[key] == value and isinstance(body[key], bool) == isinstance(value, bool)
            for key, value in self.when.items()
        )


class Trigger(Service):
    """Every rule of a house."""

    @dataclass(frozen=True)
    class Config:
        """The rules, by name."""

        rules: dict[str, Rule] = field(default_factory=dict)

        def __post_init__(self) -> None:
            refuse(
                f"rules.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
                for name in self.rules
                if not is_segment(name)
            )

    config: Config

    async def on_start(self) -> None:
        """Nothing has fired yet."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}
        self._choked: set[str] = set()
        self._fired = self._failed = self._dropped = self._stale = 0

    async def main(self) -> None:
        """Listen, and fire; requests to one topic keep their order, and those to others wait for none."""
        rules = self.config.rules
        if not rules:
            self.log.info("no rules: a table [%s.rules.NAME] makes one", self.name)
            await super().main()
        patterns = dict.fromkeys(rule.topic for rule in rules.values())
        async with asyncio.TaskGroup() as group, self.subscribe(*patterns, retained=False) as stream:
            async for message in stream:
                for name, rule in rules.items():
                    if self._wakes(rule, message) and self._has_room(name, rule):
                        group.create_task(self._fire(name, rule, message), name=f"rule {name}")

    def _wakes(self, rule: Rule, message: Message) -> bool:
        if not matches(rule.topic, message.topic) or not rule.holds(message.body):
            return False
        stale = self.now() - message.time / 1e9 > rule.max_age_s
        self._stale += stale
        return not stale

    def _has_room(self, name: str, rule: Rule) -> bool:
        waiting = self._waiting.get(rule.request, 0)
        if waiting < WAITING:
            self._waiting[rule.request] = waiting + 1
            return True
        if rule.request not in self._choked:
            self._choked.add(rule.request)
            self.log.warning("%s: %d requests wait for %s already; more are dropped", name, waiting, rule.request)
        self._dropped += 1
        return False

    async def _fire(self, name: str, rule: Rule, message: Message) -> None:
        async with self._turns.setdefault(rule.request, asyncio.Lock()):
            try:
                await self.request(rule.request, rule.said(message.body))
            except HearthbusError as error:
                self._failed += 1
                self.log.warning("%s: %s: %s", name, rule.request, error)
            else:
                self._fired += 1
                self.log.info("%s: %s", name, rule.request)
            finally:
                self._waiting[rule.request] -= 1
                if not self._waiting[rule.request]:
                    self._choked.discard(rule.request)

    def health(self) -> dict[str, Any]:
        """Add what has fired, and what has not."""
        return {
            **super().health(),
            "fired": self._fired,
            "failed": self._failed,
            "dropped": self._dropped,
            "stale": self._stale,
            "requests_waiting": sum(self._waiting.values()),
        }
