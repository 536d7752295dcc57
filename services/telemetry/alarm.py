"""The alert of one sink on the bus: `alert/telemetry-<sink>`, raised once and ended once, over restarts too.

Knows no sink.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.instants import iso

if TYPE_CHECKING:
    from hearthbus import Service
    from services.telemetry.standing import Standing

LONG_S: Final = 3600.0
"""Seconds of trying in vain after which somebody is told: what ends by itself, a restart, an update, a line that is
down, has mostly ended by then, and the broker's journal holds what waits for days."""


class Alarm:
    """Raised while somebody has to act, or has to know.

    Args:
        service: whose bus and clock it uses.
        sink: the sink's name.
    """

    def __init__(self, service: Service, sink: str) -> None:
        self._service = service
        self._sink = sink
        self._topic = f"alert/{service.name}-{sink}"
        self._message = ""
        self._since = ""
        self._stays = False
        self._failing: float | None = None
        """When the present fault was first seen, of a clock that never jumps."""

    async def recall(self) -> None:
        """Learn what a process before this one has raised."""
        for message in await self._service.get(self._topic):
            if message.get("active") is True:
                self._message = self._message or str(message.get("message", "")) or "raised"
                self._since = self._since or str(message.get("since", ""))

    async def begin(self, message: str, *, stays: bool = False) -> None:
        """Raise it, or say something else of one that is raised.

        Args:
            message: for people.
            stays: it tells of what stays true when the sink works, and ends when it has been `seen`.
        """
        self._stays = self._stays or stays
        if message != self._message:
            self._message = message
            await self._say(message, active=True)

    async def end(self) -> None:
        """End it, unless it is to be seen first."""
        if self._message and not self._stays:
            self._message = self._since = ""
            await self._say(f"{self._sink} works", active=False)

    async def watch(self, standing: Standing) -> None:
        """Raise it when a sink has been tried in vain for long; to be called every few seconds."""
        now = self._service.clock.monotonic()
        if not standing.fault:
            self._failing = None
        elif self._failing is None:
            self._failing = now
        elif now - self._failing >= LONG_S and not self._message:
            await self.begin(f"{self._sink} has taken nothing for an hour: {standing.error}")

    def seen(self) -> None:
        """Somebody knows: it may end."""
        self._stays = False

    async def _say(self, message: str, *, active: bool) -> None:
        since = self._since or iso(self._service.now())
        self._since = since if active else ""
        body = {"active": active, "message": message, "since": since}
        await self._service.publish(self._topic, body, retain=True)
