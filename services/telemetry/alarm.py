"""The alert of one sink on the bus: `alert/telemetry-<sink>`, raised once and ended once, over restarts too.

Knows no sink and no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.instants import iso

if TYPE_CHECKING:
    from hearthbus import Service


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
        self._stays = False

    async def recall(self) -> None:
        """Learn what a process before this one has raised."""
        for message in await self._service.get(self._topic):
            if message.get("active") is True:
                self._message = self._message or str(message.get("message", "")) or "raised"

    async def begin(self, message: str, *, stays: bool = False) -> None:
        """Raise it.

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
            self._message = ""
            await self._say(f"{self._sink} works", active=False)

    def seen(self) -> None:
        """Somebody knows: it may end."""
        self._stays = False

    async def _say(self, message: str, *, active: bool) -> None:
        body = {"active": active, "message": message, "since": iso(self._service.now())}
        await self._service.publish(self._topic, body, retain=True)
