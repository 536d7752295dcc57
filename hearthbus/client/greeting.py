"""How a client greets its broker, and what comes of it: a name in use is waited for, another refusal is the end.

Knows what is said and heard; when to say it, and through which socket, is the conversation's part.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from hearthbus import protocol
from hearthbus.errors import HearthbusError, Refused, Unavailable
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("hearthbus")

NAME_PATIENCE_S: Final = 5.0
"""How long a starting client waits for its name, which a killed process may hold for a moment longer."""


class Greeting:
    """What one client says first, the same on every connection: by its session the broker knows it again."""

    def __init__(self, *, name: str, presence: bool, will: tuple[str, Mapping[str, Any]] | None) -> None:
        self.frame = protocol.encode(
            protocol.HELLO,
            versions=[protocol.VERSION],
            name=name,
            session=os.urandom(16),
            software=VERSION,
            pid=os.getpid(),
            host=os.uname().nodename,
            presence=presence,
            will={"topic": will[0], "body": dict(will[1])} if will else {},
        )
        self.refusal: HearthbusError | None = None
        """The broker's last word, where it was no welcome."""
        self._name = name
        self._refused = asyncio.Event()

    def welcomed(self) -> None:
        """The broker greeted us."""
        self.refusal = None

    def refused(self, error: HearthbusError) -> None:
        """It does not want us; told once, however often it says so."""
        if self.refusal is None or str(self.refusal) != str(error):
            log.warning("the broker refuses %s: %s", self._name, error)
        self.refusal = error
        self._refused.set()

    def shut_out(self, error: Refused, *, tell: bool) -> None:
        """The broker does not even let us greet; it is tried again, so that this need not be the last word."""
        if tell and str(self.refusal) != str(error):
            log.warning("%s; trying until it lets us in", str(error))
        self.refusal = error

    async def accepted(self, up: asyncio.Event) -> None:
        """Wait until the broker is `up`.

        Raises:
            Refused: the broker does not want this client, or its name did not become free.
        """
        now = asyncio.get_running_loop().time
        patience = now() + NAME_PATIENCE_S
        while not up.is_set():
            self._refused.clear()
            waits = [asyncio.create_task(up.wait()), asyncio.create_task(self._refused.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if self.refusal is not None and (not isinstance(self.refusal, Unavailable) or now() > patience):
                raise Refused(str(self.refusal))
