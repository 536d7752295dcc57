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
"""Subscriptions a connection may be refused before it is cut off: ZeroMQ remembers those, too, with 2 kB each."""


class _Connection:
    """What one connection has begun: nothing counts twice, and nothing ends that never began."""

    def __init__(self) -> None:
        self.holds: set[bytes] = set()
        self.in_vain: set[bytes] = set()
        """What it was refused, and has not taken back."""
        self.refused = 0
        """How often."""
        self.who = ""


class Fanout:
    """The way out to subscribers. `bar` is told who is to stay out for a while."""

    def __init__(self, xpub: zmq.Socket[bytes], core: Core, bar: Callable[[str], None]) -> None:
        self.socket = xpub
        self.subscriptions = 0
        self._core = core
        self._bar = bar
        self._connections: dict[int, _Connection] = {}
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
            self._connections[connection] = _Connection()

    def _began(self, topic: bytes, number: int, who: str) -> None:
        core, connection = self._core, self._connection(number)
        if topic in connection.holds or topic in connection.in_vain:
            return
        # counted even if refused: its end is reported all the same, by the client or when the connection ends
        self.subscriptions += self._counts(topic)
        connection.who = who
        if not core.subscribers.began(topic, who) or self._is_anothers(topic, who):
            core.drop("refused subscriptions")
            self._refuse(topic, number, who, at_once=topic.startswith(b"$"))
        elif self._astray:
            core.drop("subscriptions gone astray")
            connection.in_vain.add(topic)
            _shut(number)  # it comes back and subscribes again
        elif len(connection.holds) < core.config.limits.subscriptions + OWN_SUBSCRIPTIONS:
            self.socket.setsockopt(zmq.SUBSCRIBE, topic)
            connection.holds.add(topic)
            if topic.startswith(b"$sub/"):
                self.socket.send(core.subscribers.marker(topic), zmq.NOBLOCK)
        else:
            core.drop("too many subscriptions")
            self._refuse(topic, number, who)

    def _ended(self, topic: bytes, number: int) -> None:
        if number >= 0:
            connection = self._connection(number)
            if topic in connection.holds:
                if self._astray:
                    self._core.drop("subscriptions gone astray")
                    _shut(number)
                    return
                self.socket.setsockopt(zmq.UNSUBSCRIBE, topic)
                connection.holds.discard(topic)
            elif topic in connection.in_vain:
                connection.in_vain.discard(topic)
            else:
                return
        self.subscriptions = max(0, self.subscriptions - self._counts(topic))
        self._core.subscribers.ended(topic)

    def _is_anothers(self, topic: bytes, who: str) -> bool:
        """Whether a key asks for the marker of somebody else, who would take the answer for his own."""
        if is_local(who) or not topic.startswith(b"$sub/"):
            return False
        return any(topic in other.holds for other in self._connections.values() if other.who != who)

    def _connection(self, number: int) -> _Connection:
        return self._connections.setdefault(number, _Connection())

    def _counts(self, topic: bytes) -> bool:
        return not topic.startswith(self._core.own_marker)

    def _refuse(self, topic: bytes, number: int, who: str, *, at_once: bool = False) -> None:
        """Cut off who goes on asking; what it was refused is remembered by ZeroMQ until its connection ends."""
        connection = self._connection(number)
        connection.in_vain.add(topic)
        connection.refused += 1
        if connection.refused == REFUSED_MOST or (at_once and not is_local(who)):
            self._cut(number, who)

    def _cut(self, connection: int, who: str) -> None:
        self._core.guard.note(who, "it sends to the fan-out what no client sends, and is cut off")
        if not is_local(who):  # who is one for all of this machine, of which nobody else is to blame
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
