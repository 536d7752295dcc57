"""A broker that is little more than its doors: CURVE on both sockets, and a list of who is let in that a test changes.

Greets, takes messages in, passes them on and reads them out again, answers heartbeats and markers. It can do what a
real broker never does: cut one of its two sockets only. Runs in a thread of its own.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Final, Self

import zmq
from ports import free_port
from zmq.utils import z85

from hearthbus import protocol
from hearthbus.keys import Key, key_text
from hearthbus.message import split_sent, stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TURN_MS: Final = 10
_PATIENCE_S: Final = 10.0


def make_key(name: str, *, broker: str = "") -> Key:
    """Make a fresh pair of keys."""
    public, secret = (part.decode() for part in zmq.curve_keypair())
    return Key(name=name, public=public, secret=secret, broker=broker)


def write_key(path: Path, key: Key) -> str:
    """Write a key's file as it must be; return its path."""
    path.touch(mode=0o600)
    path.write_text(key_text(key))
    return str(path)


class Doorman:
    """A broker's two doors."""

    def __init__(self, *, curve: bool = True) -> None:
        self.key = make_key("broker")
        self.allowed: set[str] = set()
        """Public keys that are let in."""
        self.asked: list[str] = []
        """Public keys that wanted in, in order."""
        self.published: list[bytes] = []
        """Topics of the messages taken in, in order."""
        self._curve = curve
        self._numbers: dict[bytes, int] = {}
        self._sessions: dict[bytes, bytes] = {}
        self._offset = 0
        self._order: dict[bytes, tuple[int, int]] = {}
        """Sequence number and offset of each topic's newest message."""
        self._journal: list[bytes] = []
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self._context = zmq.Context()
        self._zap = self._context.socket(zmq.ROUTER)
        self._zap.bind("inproc://zeromq.zap.01")
        self.url, self.fanout = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        self._router, self._xpub = self._bound(zmq.ROUTER, self.url), self._bound(zmq.XPUB, self.fanout)
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end)
        self._thread.join(10)
        self._context.destroy(linger=0)

    def client_key(self, path: Path, name: str = "kitchen", *, allow: bool = True) -> str:
        """Make a key for this broker, in a file; let it in."""
        key = make_key(name, broker=self.key.public)
        if allow:
            self.allowed.add(key.public)
        return write_key(path, key)

    def cut(self) -> None:
        """Close both sockets and bind them anew, as a broker does when a key is revoked."""
        self._do(self._cut_router)
        self._do(self._cut_fanout)

    def cut_fanout(self) -> None:
        """Close the fan-out only, and bind it anew."""
        self._do(self._cut_fanout)

    def _do(self, order: Callable[[], None]) -> None:
        done = threading.Event()
        self._orders.put((order, done))
        assert done.wait(2 * _PATIENCE_S)

    def _end(self) -> None:
        self._ended = True

    def _cut_router(self) -> None:
        self._router.close(0)
        self._router = self._bound(zmq.ROUTER, self.url)

    def _cut_fanout(self) -> None:
        self._xpub.close(0)
        self._xpub = self._bound(zmq.XPUB, self.fanout)

    def _bound(self, kind: int, address: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.ZAP_DOMAIN, b"hearthbus")
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        if self._curve:
            socket.setsockopt(zmq.CURVE_SERVER, 1)
            socket.setsockopt(zmq.CURVE_SECRETKEY, self.key.secret.encode())
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                socket.bind(address)
            except zmq.ZMQError:  # the one just closed lets go of its port in a moment
                if time.monotonic() > until:
                    raise
                time.sleep(_TURN_MS / 1000)
            else:
                return socket

    def _run(self) -> None:
        while not self._ended:
            poller = zmq.Poller()
            for socket in (self._zap, self._router, self._xpub):
                poller.register(socket, zmq.POLLIN)
            ready = dict(poller.poll(_TURN_MS))
            if self._zap in ready:
                self._answer_zap(self._zap.recv_multipart())
            if self._router in ready:
                self._take(*self._router.recv_multipart())
            if self._xpub in ready:
                self._subscribed(self._xpub.recv())
            with contextlib.suppress(queue.Empty):
                order, done = self._orders.get_nowait()
                order()
                done.set()

    def _answer_zap(self, frames: list[bytes]) -> None:
        at = frames.index(b"") + 1
        version, number, _domain, _address, _identity, mechanism, *shown = frames[at:]
        public = z85.encode(shown[0]).decode() if mechanism == b"CURVE" else ""
        self.asked.append(public)
        verdict = (b"200", b"", b"x") if not public or public in self.allowed else (b"400", b"", b"")
        self._zap.send_multipart([*frames[:at], version, number, *verdict, b""])

    def _take(self, ident: bytes, frame: bytes) -> None:
        verb = frame[:1]
        if verb in (protocol.PUBLISH, protocol.STORE):
            self._published(ident, *protocol.decode_batch(frame), verb=verb)
            return
        verb, fields = protocol.decode(frame, protocol.CLIENT_SAYS)
        if verb == protocol.HELLO:
            self._sessions[ident] = fields["session"]
            self._say(
                ident, protocol.WELCOME, version=protocol.VERSION, epoch=1, fanout=self.fanout, offset=self._offset,
                number=self._numbers.get(fields["session"], 0), beat_ms=200, silence_ms=3000, clock=1, limits={},
            )  # fmt: skip
        elif verb == protocol.BEAT:
            self._say(ident, protocol.BEAT, offset=self._offset, changed=[], complete=True, clock=1)
        elif verb in (protocol.SNAPSHOT, protocol.REPLAY):
            after = fields["after"] or 0
            frames = [] if verb == protocol.SNAPSHOT else self._journal[after:]
            page = {"next": str(self._offset), "end": True, "offset": self._offset, "after": after, "oldest": 1}
            self._say(ident, protocol.PAGE, id=fields["id"], frames=frames, **page)
        elif "id" in fields:
            self._say(ident, protocol.DONE, id=fields["id"])

    def _published(self, ident: bytes, first: int, records: list[bytes], *, verb: bytes) -> None:
        session = self._sessions[ident]
        for number, record in enumerate(records, first):
            if number > self._numbers.get(session, 0):
                self._numbers[session] = number
                self._pass_on(record)
        answer = protocol.STORED if verb == protocol.STORE else protocol.TAKEN
        self._router.send_multipart([ident, protocol.encode_number(answer, self._numbers.get(session, 0))])

    def _pass_on(self, record: bytes) -> None:
        topic, time, flags, body = split_sent(record)
        self.published.append(topic)
        seq, previous = self._order.get(topic, (0, 0))
        self._offset += 1
        self._order[topic] = (seq + 1, self._offset)
        frame = stamp(
            topic, body, seq=seq + 1, offset=self._offset, previous=previous, time=time, flags=flags, origin=b"x"
        )
        self._journal.append(frame)
        self._xpub.send(frame)

    def _subscribed(self, frame: bytes) -> None:
        topic = frame[1:]
        if frame[:1] == b"\1" and topic.startswith(protocol.MARKER.encode()):
            self._xpub.send(topic + self._offset.to_bytes(8, "big"))

    def _say(self, ident: bytes, verb: bytes, **fields: object) -> None:
        self._router.send_multipart([ident, protocol.encode(verb, **fields)])
