"""The connection to an MQTT server as the event loop sees it: up or not and why, and what is in flight.

Knows messages and their keys, not batches; `mqtt_session` has the sockets and the thread.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from services.telemetry.outcomes import Held, Later, Outcome
from services.telemetry.sinks.faults import in_words
from services.telemetry.sinks.mqtt_reasons import FAILURE, judge
from services.telemetry.sinks.mqtt_session import OFFLINE, ONLINE, Answered, Gone, Greeted, Opening, Session
from services.telemetry.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.telemetry.sinks.mqtt import MqttSettings
    from services.telemetry.sinks.mqtt_messages import Outgoing

Key = tuple[str, str]
GOODBYE_S: Final = 2.0
"""Seconds a server has to take the last word."""


class Link:
    """One connection after the other.

    Args:
        name: the sink's.
        settings: its table.
        state_topic: where it is said whether the bridge is there.
        answered: called with each key, None for the bridge's state, and the server's reason code for it.
    """

    def __init__(
        self, name: str, settings: MqttSettings, *, state_topic: str, answered: Callable[[Key | None, int], None]
    ) -> None:
        self.where = f"{settings.host}:{settings.port or (8883 if settings.tls else 1883)}"
        self.flying: dict[int, Key | None] = {}
        """By its number, each message the server has not answered, also over the end of a connection."""
        self.greeted: Greeted | None = None
        """What the server takes; None while there is no connection."""
        self.why: Outcome = Later(f"{self.where}: not connected yet")
        """Why there is none."""
        self._settings = settings
        self._client_id = settings.client_id or f"hearthbus-{socket.gethostname()}-{name}"
        self._state_topic = state_topic if settings.state else ""
        self._answered = answered
        self._worker = Worker(f"mqtt {name}")
        self._session: Session | None = None
        self._greeting = False
        self._again: set[int] = set()
        self._told = False
        self._changed = asyncio.Event()
        self._woken = False

    async def up(self) -> Outcome | None:
        """Connect where there is no connection; return why there is none."""
        self._drain()
        if self.greeted is not None:
            return None
        self.why = Later(f"{self.where}: the connection ended before the server's greeting")
        try:
            session = self._session = self._session or self._new()
            async with asyncio.timeout(self._settings.timeout_s):
                self._greeting = True
                await self._worker.run(session.connect)
                self._drain()
                while self._greeting:
                    await self._next()
        except TimeoutError:
            self._drop()
            return Later(f"{self.where}: no answer within {self._settings.timeout_s:g} s")
        except asyncio.CancelledError:
            self._drop()
            raise
        except ssl.SSLCertVerificationError as error:
            return Held(f"{self.where}: its certificate is not trusted: {error.verify_message}")
        except OSError as error:
            return Later(f"{self.where}: {in_words(error)}")
        return None if self.greeted is not None else self.why

    @property
    def room(self) -> int:
        """How many messages can be put now; none before those of a lost connection have been answered."""
        if self.greeted is None or self._again:
            return 0
        return min(self._settings.in_flight, self.greeted.receive) - len(self.flying)

    def say_online(self) -> None:
        """Say that the bridge is there, once on each connection."""
        if self._session is not None and self._state_topic and not self._told and self.room > 0:
            self._told = True
            self.flying[self._session.say_state(ONLINE)] = None

    def put(self, message: Outgoing, *, expire_s: int | None) -> bool:
        """Send a message; False where it must wait for an answer first."""
        session, greeted = self._session, self.greeted
        if session is None or greeted is None:
            return False
        self.say_online()
        if self.room <= 0:
            return False
        if message.retain and not greeted.retain:
            message = replace(message, retain=False)
        mid = session.publish(message, expire_s=expire_s)
        if mid is not None:
            self.flying[mid] = message.key
        return mid is not None

    async def news(self) -> None:
        """Wait for an answer, or for the end of the connection; what stays silent too long is cut off."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._next()
        except TimeoutError:
            self.greeted = None
            self.why = Later(f"{self.where}: no answer within {self._settings.timeout_s:g} s")
            if self._session is not None:
                self._session.abort()

    async def close(self) -> None:
        """Say that the bridge goes, and end the session."""
        session = self._session
        if session is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                if self.greeted is not None and self._state_topic:
                    last = session.say_state(OFFLINE)
                    self.flying[last] = None
                    while last in self.flying and self.greeted is not None:
                        await self._next()
                await self._worker.run(session.end)
        self._drop()
        self._worker.close()

    def _new(self) -> Session:
        loop = asyncio.get_running_loop()

        def wake() -> None:
            if not self._woken:
                self._woken = True
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(self._drain)

        return Session(self._settings, client_id=self._client_id, state_topic=self._state_topic, wake=wake)

    def _drop(self) -> None:
        """Forget the session: nobody knows what its thread is at."""
        session, self._session, self.greeted = self._session, None, None
        self.flying.clear()
        if session is not None:
            session.abandon()

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _drain(self) -> None:
        self._woken = False
        while self._session is not None and self._session.events:
            match self._session.events.popleft():
                case Opening():
                    self.greeted, self._greeting = None, True
                case Greeted() as said:
                    self._greet(said)
                case Answered(mid, code):
                    self._again.discard(mid)
                    if mid in self.flying:
                        self._answer(self.flying.pop(mid), code)
                case Gone(code):
                    self._lose(code)
        self._changed.set()

    def _answer(self, key: Key | None, code: int) -> None:
        if key is None and code >= FAILURE:
            self._told = False
        self._answered(key, code)

    def _greet(self, said: Greeted) -> None:
        self._greeting = self._told = False
        self._again = set(self.flying)
        if said.code >= FAILURE:
            self.why = judge(said.code, self.where)
        elif said.qos < 1:
            self.why = Held(f"{self.where}: it does not take QoS 1")
        else:
            self.greeted = said
            self.why = Later(f"{self.where}: connection lost")

    def _lose(self, code: int) -> None:
        self.greeted, self._greeting = None, False
        if code >= FAILURE:
            self.why = judge(code, self.where)
