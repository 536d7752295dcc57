"""Sending answers on the request socket, to clients that read slowly too: what its queue does not take waits here.

A client is given up only when it has not read for as long as silence lasts, or lets too much pile up.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import zmq

if TYPE_CHECKING:
    from collections.abc import Iterable

QUEUE: Final = 64
"""Answers ZeroMQ holds for one client; pages are the largest, of 128 KiB."""
WAITING_BYTES: Final = 4 * 1024 * 1024


class Replies:
    """The way out of the request socket."""

    def __init__(self, router: zmq.Socket[bytes], *, patience_s: float) -> None:
        self._router = router
        self._patience = patience_s
        self._waiting: dict[bytes, deque[bytes]] = {}
        self._since: dict[bytes, float] = {}
        self._bytes: dict[bytes, int] = {}

    def send(self, replies: Iterable[tuple[bytes, bytes]], now: float) -> list[bytes]:
        """Send what waits, then `replies`, in order; return the connections that are gone or do not read."""
        lost = [ident for ident in list(self._waiting) if not self._retry(ident, now)]
        for ident, reply in replies:
            if ident in self._waiting:
                self._hold(ident, reply, now)
            else:
                try:
                    self._router.send_multipart((ident, reply), zmq.NOBLOCK)
                except zmq.Again:
                    self._hold(ident, reply, now)
                except zmq.ZMQError:
                    lost.append(ident)
        for ident, size in list(self._bytes.items()):
            if size > WAITING_BYTES:
                lost.append(ident)
                self._forget(ident)
        return lost

    def waits(self) -> bool:
        """Whether something could not be sent yet."""
        return bool(self._waiting)

    def _hold(self, ident: bytes, reply: bytes, now: float) -> None:
        self._waiting.setdefault(ident, deque()).append(reply)
        self._since.setdefault(ident, now)
        self._bytes[ident] = self._bytes.get(ident, 0) + len(reply)

    def _retry(self, ident: bytes, now: float) -> bool:
        """Send what waits for one client; False where it is to be given up."""
        waiting = self._waiting[ident]
        try:
            while waiting:
                self._router.send_multipart((ident, waiting[0]), zmq.NOBLOCK)
                self._bytes[ident] -= len(waiting.popleft())
                self._since[ident] = now
        except zmq.Again:
            if now - self._since[ident] <= self._patience:
                return True
            self._forget(ident)
            return False
        except zmq.ZMQError:
            self._forget(ident)
            return False
        self._forget(ident)
        return True

    def _forget(self, ident: bytes) -> None:
        for table in (self._waiting, self._since, self._bytes):
            table.pop(ident, None)
