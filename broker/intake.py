"""Reading the request socket: how much of what clients say is taken in at a turn, and what is not even looked at."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Final

import zmq

if TYPE_CHECKING:
    from broker.core import Core

MESSAGES_PER_TURN: Final = 1_000
"""Then what came is sent: a burst must fit the queue of every subscriber that keeps up."""
TURN_S: Final = 0.02
"""Questions that take long, over all topics for instance, are answered a few at a time."""
LARGE_PER_TURN: Final = 16
"""Answers of more than `LARGE_REPLY` bytes, pages for instance: made no faster than they can be handed on."""
LARGE_REPLY: Final = 16 * 1024
DISK_PAUSE_S: Final = 0.02
"""A disk that is behind slows publishers down to 5,000 messages a second; it never stops the house."""
DEFECTS_TOLD: Final = 10


class Intake:
    """The way in of verbs; `disk` is a file descriptor that becomes readable when the disk has done something."""

    def __init__(self, router: zmq.Socket[bytes], core: Core, disk: int) -> None:
        self._router, self._core, self._disk = router, core, disk
        self._defects = 0

    def read(self) -> None:
        """Take what came, a bounded part of it."""
        core, router = self._core, self._router
        receive, option, handle = router.recv, router.getsockopt, core.handle
        out = core.out
        allowed = MESSAGES_PER_TURN
        if core.commits.behind():
            allowed = MESSAGES_PER_TURN // 10
            select.select((self._disk,), (), (), DISK_PAUSE_S)
        large = 0
        until = time.monotonic() + TURN_S
        for _ in range(allowed):
            # asking first: an exception for "no more" costs ten times as much, and a lone message waits for it
            if len(out.fanout) + len(out.replies) >= allowed or not int(option(zmq.EVENTS)) & zmq.POLLIN:
                return
            ident, who = receive(zmq.NOBLOCK), ""
            if ident in core.clients.by_ident:
                frame = receive(zmq.NOBLOCK)
            else:
                # whose connection it is stands beside its frames, and is asked once: that costs as much as a message
                newcomer = router.recv(zmq.NOBLOCK, copy=False)
                frame, who = newcomer.bytes, str(newcomer.get("User-Id"))
            if option(zmq.RCVMORE) or not frame:
                self._drop_rest()
                continue
            try:
                handle(ident, frame, who)
            except Exception as error:  # noqa: BLE001 - a defect that one frame shows must not end the house
                self._defect(error)
            large += bool(out.replies) and len(out.replies[-1][1]) > LARGE_REPLY
            if large >= LARGE_PER_TURN or time.monotonic() > until:
                return

    def _drop_rest(self) -> None:
        """Drop a message of other than one frame."""
        while self._router.getsockopt(zmq.RCVMORE):
            self._router.recv(zmq.NOBLOCK)
        self._core.drop("malformed")

    def _defect(self, error: Exception) -> None:
        """Count a frame that the core could not stand, and tell of the first ones."""
        self._core.drop("defect")
        self._defects += 1
        if self._defects <= DEFECTS_TOLD:
            text = f"a defect of hearthbus, the frame is dropped: {type(error).__name__}: {error}"
            self._core.out.notes.append(text)
