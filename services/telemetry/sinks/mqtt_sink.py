"""Delivers batches over MQTT: each message is done when the server has answered it, and a batch when all of it is.

What was answered is remembered until its batch is done, so that after a lost connection only what was in flight is sent
again, in its order and with the ids it had.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.pace import HELD_S
from services.telemetry.sinks.mqtt_link import Key, Link
from services.telemetry.sinks.mqtt_messages import Messages
from services.telemetry.sinks.mqtt_reasons import FAILURE, judge
from services.telemetry.sinks.mqtt_session import packet_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks.mqtt import MqttSettings
    from services.telemetry.sinks.mqtt_messages import Outgoing

TOPIC_BYTES: Final = 65_535
LONGEST_S: Final = 2**32 - 1
"""Seconds a message can have left; one from a clock that is centuries ahead would have more."""
REMEMBERED: Final = 100_000
"""Answered messages of batches that are not done; beyond, the oldest may be sent again."""
_HANDFUL: Final = 100
"""Messages handed over before others have their turn on the event loop."""
_GRAVITY: Final = (Held, Later, Refused)
"""Which of several faults of a batch counts."""


class Mqtt:
    """Sends batches to an MQTT v5 server.

    Args:
        name: the sink's.
        settings: its table.
        now: UTC wall time, seconds since 1970.
    """

    merges: Final = False
    """Subscribers see each repetition; the ids tell them."""

    def __init__(self, name: str, settings: MqttSettings, *, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._now = now
        self._messages = Messages(settings)
        self._state_topic = self._messages.state_topic
        self._link = Link(name, settings, state_topic=self._state_topic, answered=self._answered)
        self._turn = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._done: dict[Key, None] = {}
        self._faults: dict[Key | None, Outcome] = {}

    @property
    def most(self) -> int:
        """As many as the table says."""
        return self._settings.batch

    async def send(self, records: Sequence[Record]) -> Outcome:
        """Deliver `records`: every message of theirs is answered, or the outcome says why not."""
        self._keeper = self._keeper or asyncio.create_task(self._stay())
        async with self._turn:
            return await self._send(records)

    async def close(self) -> None:
        """Say that the bridge goes, and end the session."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._link.close()

    async def _stay(self) -> None:
        """Connect again also while there is nothing to send, so that nobody takes the bridge for gone."""
        while True:
            await asyncio.sleep(HELD_S if isinstance(self._link.why, Held) else self._settings.keepalive_s)
            async with self._turn:
                if await self._link.up() is None:
                    self._link.say_online()

    async def _send(self, records: Sequence[Record]) -> Outcome:
        self._faults.clear()
        batch = {message.key: message for record in records for message in self._messages.of(record)}
        fresh = {key: message for key, message in batch.items() if self._left_s(message) != 0}
        if not fresh.keys() <= self._done.keys():
            away = await self._link.up()
            if away is not None:
                return away
            await self._deliver(fresh)
            outcome = self._verdict(fresh)
            if outcome is not None:
                return outcome
        for key in batch:
            self._done.pop(key, None)
        late = len({key[0] for key in batch} - {key[0] for key in fresh})
        return Delivered(late, "older than expire_s" if late else "")

    async def _deliver(self, batch: dict[Key, Outgoing]) -> None:
        """Send what has not been answered and is not in flight, until all is answered or nothing more can be."""
        link = self._link
        flying = set(link.flying.values())
        todo = deque(message for key, message in batch.items() if key not in self._done and key not in flying)
        while link.greeted is not None and (link.flying or todo):
            before = len(todo)
            for _ in range(min(link.room, before, _HANDFUL)):
                if not self._put(todo[0]):
                    break
                todo.popleft()
            if any(not isinstance(fault, Refused) for fault in self._faults.values()):
                todo.clear()
            if len(todo) < before:
                await asyncio.sleep(0)
            elif link.flying:
                await link.news()

    def _put(self, message: Outgoing) -> bool:
        size, greeted = packet_bytes(message), self._link.greeted
        if greeted is not None and size > greeted.packet:
            self._faults[message.key] = Refused(f"{size} bytes, and {self._link.where} takes {greeted.packet}")
            return True
        if not 0 < len(message.topic.encode()) <= TOPIC_BYTES:
            self._faults[message.key] = Refused("its topic would be empty, or longer than MQTT allows")
            return True
        return self._link.put(message, expire_s=self._left_s(message))

    def _answered(self, key: Key | None, code: int) -> None:
        if code >= FAILURE:
            self._faults[key] = judge(code, f"{self._link.where}, {key[1] if key else self._state_topic}")
        elif key is not None:
            self._done[key] = None
            if len(self._done) > REMEMBERED:
                del self._done[next(iter(self._done))]

    def _verdict(self, batch: dict[Key, Outgoing]) -> Outcome | None:
        faults = [fault for key, fault in self._faults.items() if key is None or key in batch]
        for kind in _GRAVITY:
            for fault in faults:
                if isinstance(fault, kind):
                    return fault
        return None if batch.keys() <= self._done.keys() else self._link.why

    def _left_s(self, message: Outgoing) -> int | None:
        """Seconds until the message may be thrown away; None: never."""
        if self._settings.expire_s is None:
            return None
        return min(LONGEST_S, max(0, int(message.time_ns / 1e9 + self._settings.expire_s - self._now())))
