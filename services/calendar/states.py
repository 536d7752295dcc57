"""The retained states of the calendars: each is told when it changes, and again when the broker has lost it.

Knows the bus and what was said on it; not what the states mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hearthbus import HearthbusError

if TYPE_CHECKING:
    from collections.abc import Collection

    from hearthbus import Service

_STATES: Final = ("now", "next", "source")
_FRESH_S: Final = 300.0
"""So often at most a state is told of which only times have changed, and the broker is asked for those it has."""
_TIMES: Final = ("fetched", "next_fetch", "known_until")


class States:
    """What was told of the calendars of a service.

    Args:
        service: that tells it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._said: dict[str, tuple[dict[str, Any], float]] = {}
        self._looked: float | None = None

    async def look(self, calendars: Collection[str]) -> dict[str, dict[str, Any]]:
        """Look at what the broker has, from time to time; return, once, what `source` was before this run, by name.

        What was told of calendars that are not among `calendars` is taken back, and what the broker has otherwise than
        it was told (its history is gone, say) is to be told again.
        """
        service, ticks = self._service, self._service.clock.monotonic()
        if self._looked is not None and ticks < self._looked + _FRESH_S:
            return {}
        before: dict[str, dict[str, Any]] = {}
        found: dict[str, dict[str, Any]] = {}
        try:
            for message in await service.get(*(f"{service.name}/+/{state}" for state in _STATES)):
                *_, name, state = message.topic.split("/")
                found[message.topic] = message.body
                if name not in calendars:
                    await service.publish(message.topic, {}, retain=True)
                elif state == "source" and self._looked is None:
                    before[name] = message.body
        except HearthbusError as error:
            service.log.debug("the states cannot be read: %s", error)
            return {}
        self._said = {topic: told for topic, told in self._said.items() if found.get(topic) == told[0]}
        self._looked = ticks
        return before

    async def tell(self, topic: str, body: dict[str, Any]) -> None:
        """Tell a state if it is another than was told."""
        said, when = self._said.get(topic, ({}, 0.0))
        ticks = self._service.clock.monotonic()
        same = _lasting(said) == _lasting(body)
        if said == body or (said and same and ticks < when + _FRESH_S):
            return
        try:
            await self._service.publish(topic, body, retain=True)
        except HearthbusError as error:
            self._service.log.warning("%s: not told: %s", topic, error)
        else:
            self._said[topic] = (body, ticks)


def _lasting(body: dict[str, Any]) -> dict[str, Any]:
    """Return what of a state is worth a message by itself."""
    return {key: value for key, value in body.items() if key not in _TIMES}
