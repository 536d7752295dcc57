"""The fan-out socket: XPUB in manual mode, where every subscription is looked at before it holds.

Its subscription frames are the one place where a peer's death shows at once. What a subscription means is the core's.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Final

import zmq
import zmq.backend

from broker.doors import events_of
from broker.zap import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from broker.core import Core

FRAMES_PER_TURN: Final = 1_000
OWN_SUBSCRIPTIONS: Final = 8
"""Markers and presence, which a client holds beside its patterns."""
REFUSED_MOST: Final = 1_000
"""Subscriptions a connection with a key may be refused before it is cut off: ZeroMQ remembers those, too."""


class Fanout:
    """The way out to subscribers. `bar` is told who is to stay out for a while."""

    def __init__(self, xpub: zmq.Socket[bytes], core: Core, bar: Callable[[str], None]) -> None:
        self.socket = xpub
        self.subscriptions = 0
        self._core = core
        self._bar = bar
        self._by_connection: dict[int, set[bytes]] = {}
        """What each connection has subscribed: it can neither count twice nor end what it never began."""
        self._refused: dict[int, int] = {}
        self._astray = False
        """ZeroMQ may apply what is subscribed now to another's connection."""
        self.monitor = events_of(xpub, zmq.EVENT_ACCEPTED)
        # pyzmq's compiled method, without the layer that knows of routing ids and groups: 0.2 of 0.35 microseconds
        self._send = zmq.backend.Socket.send.__get__(xpub)

    def send(self, frames: Iterable[bytes]) -> None:
        """Send messages; ZeroMQ drops them for a subscriber whose queue is full, who will notice."""
        send, nowait = self._send, int(zmq.NOBLOCK)
        for frame in frames:
            send(frame, nowait)

    def read(self) -> None:
        """Take what came of subscriptions, a bounded part of it."""
        for _ in range(FRAMES_PER_TURN):
            try:
                frame = self.socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                self._astray = False
                return
            data = frame.bytes
            connection = _source(frame)
            if data[:1] == b"\1":
                self._began(data[1:], connection, _who(frame))
            elif data[:1] == b"\0":
                self._ended(data[1:], connection)
            else:
                # libzmq 4.3.5 then takes the next subscription that waits for one of the connection behind it: nothing
                # may be subscribed until none waits. No client sends such frames, so who does is sent away
                self._core.drop("malformed")
                self._astray = True
                self._cut(connection, _who(frame))

    def accepted(self) -> None:
        """A new connection begins with no subscriptions, whatever the file descriptor it got was used for before."""
        while True:
            try:
                event, _ = self.monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            connection = int.from_bytes(event[2:6], sys.byteorder)
            self._by_connection[connection] = set()
            self._refused.pop(connection, None)

    def _began(self, topic: bytes, connection: int, who: str) -> None:
        core, held = self._core, self._by_connection.setdefault(connection, set())
        if topic in held:
            return
        # counted even if refused: its end is reported all the same when the connection ends
        self.subscriptions += self._counts(topic)
        if not core.subscribers.began(topic, who):
            core.drop("refused subscriptions")
            self._count_refusal(connection, who, at_once=topic.startswith(b"$"))
        elif self._astray:
            core.drop("subscriptions gone astray")
            _shut(connection)  # it comes back and subscribes again
        elif len(held) < core.config.limits.subscriptions + OWN_SUBSCRIPTIONS:
            self.socket.setsockopt(zmq.SUBSCRIBE, topic)
            held.add(topic)
            if topic.startswith(b"$sub/"):
                self.socket.send(core.subscribers.marker(topic), zmq.NOBLOCK)
        else:
            core.drop("too many subscriptions")
            self._count_refusal(connection, who)

    def _ended(self, topic: bytes, connection: int) -> None:
        if connection >= 0:
            held = self._by_connection.setdefault(connection, set())
            if topic not in held:
                return
            if self._astray:
                self._core.drop("subscriptions gone astray")
                _shut(connection)
                return
            self.socket.setsockopt(zmq.UNSUBSCRIBE, topic)
            held.discard(topic)
        self.subscriptions = max(0, self.subscriptions - self._counts(topic))
        self._core.subscribers.ended(topic)

    def _counts(self, topic: bytes) -> bool:
        return not topic.startswith(self._core.own_marker)

    def _count_refusal(self, connection: int, who: str, *, at_once: bool = False) -> None:
        """Cut off a key that goes on asking; what it was refused is remembered by ZeroMQ until its connection ends."""
        self._refused[connection] = count = self._refused.get(connection, 0) + 1
        if not is_local(who) and (at_once or count == REFUSED_MOST):
            self._cut(connection, who)

    def _cut(self, connection: int, who: str) -> None:
        if not is_local(who):
            self._core.guard.note(who, "it sends to the fan-out what no client sends, and is cut off")
            self._bar(who)
        _shut(connection)


def _source(frame: zmq.Frame) -> int:
    """The file descriptor a frame came from; -1 for what libzmq made itself when a peer died."""
    try:
        return int(frame.get(zmq.SRCFD))
    except zmq.ZMQError:
        return -1


def _who(frame: zmq.Frame) -> str:
    """Whose connection a frame came by, as the gate has found: nobody can set it himself."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


def _shut(connection: int) -> None:
    """End one connection, which ZeroMQ has no word for. Should it be gone already, its number is of no socket."""
    if connection >= 0:
        with contextlib.suppress(OSError):
            peer = socket.socket(fileno=connection)
            try:
                peer.shutdown(socket.SHUT_RDWR)
            finally:
                peer.detach()
