"""A client that keeps no rule: raw ZeroMQ sockets and raw TCP, for the tests of what the broker must stand."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Self

import zmq

from hearthbus import protocol
from hearthbus.message import encode_sent

if TYPE_CHECKING:
    from hearthbus.keys import Key

PATIENCE_S = 30.0
ZMTP_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)
"""Signature, version 3.0, mechanism, no server: RFC 23."""
LARGE = b"\x02"
"""A frame whose length has eight bytes."""


GREETING = {
    "versions": [protocol.VERSION], "name": "x", "session": bytes(16), "software": "", "pid": 1, "host": "",
    "presence": False, "will": {},
}  # fmt: skip
"""A sound greeting."""


class Raw:
    """One connection of each kind to a broker, used from one thread."""

    def __init__(
        self, url: str, *, name: str = "stranger", routing_id: bytes = b"", queue: int = 0, key: Key | None = None
    ) -> None:
        self.name = name
        self.session = os.urandom(16)
        self.number = 0
        """Number of the last message published."""
        self._context = zmq.Context()
        self._key = key
        self.dealer = self._context.socket(zmq.DEALER)
        self._secure(self.dealer)
        if routing_id:
            self.dealer.setsockopt(zmq.ROUTING_ID, routing_id)
        if queue:
            self.dealer.setsockopt(zmq.RCVHWM, queue)
            self.dealer.setsockopt(zmq.RCVBUF, 4096)
        self.dealer.setsockopt(zmq.SNDTIMEO, int(PATIENCE_S * 1000))
        self.dealer.connect(url)
        self.fanout = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.destroy(linger=0)

    def greeting(self, **fields: Any) -> dict[str, Any]:
        """The fields of a sound greeting; `fields` replace its own."""
        return {**GREETING, "name": self.name, "session": self.session, **fields}

    def greet(self, **fields: Any) -> Self:
        """Greet and wait for the welcome."""
        self.say(protocol.HELLO, **self.greeting(**fields))
        self.fanout = self.hear(protocol.WELCOME)["fanout"]
        return self

    def send(self, *frames: bytes) -> None:
        """Send frames as one message."""
        self.dealer.send_multipart(frames)

    def say(self, verb: bytes, **fields: Any) -> None:
        """Say a verb."""
        self.send(protocol.encode(verb, **fields))

    def publish(self, *records: bytes, verb: bytes = protocol.PUBLISH) -> None:
        """Publish records in one batch."""
        self.send(protocol.encode_batch(verb, self.number + 1, records))
        self.number += len(records)

    def hear(self, verb: bytes) -> Any:
        """Read until the broker says `verb`; return its fields (a number for TAKEN and STORED)."""
        until = time.monotonic() + PATIENCE_S
        while self.dealer.poll(max(0, int((until - time.monotonic()) * 1000))):
            frame = self.dealer.recv()
            if frame[:1] == verb:
                if verb in (protocol.TAKEN, protocol.STORED):
                    return protocol.decode_number(frame)
                return protocol.decode(frame, protocol.BROKER_SAYS)[1]
        raise AssertionError(f"the broker did not say {verb!r}")

    def answered(self, number: int = 9_999) -> None:
        """Wait until the broker has dealt with all that was sent: frames of one connection stay in order."""
        self.say(protocol.SNAPSHOT, id=number, patterns=["no/such/topic"], after="")
        while self.hear(protocol.PAGE)["id"] != number:
            pass

    def _secure(self, sock: zmq.Socket[bytes]) -> None:
        if self._key is not None:
            sock.setsockopt(zmq.CURVE_SERVERKEY, self._key.broker.encode())
            sock.setsockopt(zmq.CURVE_PUBLICKEY, self._key.public.encode())
            sock.setsockopt(zmq.CURVE_SECRETKEY, self._key.secret.encode())

    def subscriber(self, kind: int = zmq.XSUB, *, queue: int = 0) -> zmq.Socket[bytes]:
        """Connect to the fan-out; an XSUB can send any frame."""
        sub = self._context.socket(kind)
        self._secure(sub)
        if queue:
            sub.setsockopt(zmq.RCVHWM, queue)
        sub.setsockopt(zmq.SNDTIMEO, int(PATIENCE_S * 1000))
        sub.connect(self.fanout)
        return sub


def tcp(url: str, data: bytes = b"") -> socket.socket:
    """Connect by TCP and send bytes that need not be ZMTP."""
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    with contextlib.suppress(OSError):  # cut off already: that is what the test hopes for
        connection.sendall(data)
    return connection


def record(topic: bytes, body: bytes = b"\x80", *, flags: int = 0) -> bytes:
    """A message as publishers send it, of any content."""
    return encode_sent(topic, body, time=1, flags=flags)


def fanout_of(url: str) -> str:
    """Ask a broker for the address of its fan-out."""
    with Raw(url) as raw:
        return raw.greet().fanout


def zmtp(url: str, kind: bytes, *frames: bytes) -> socket.socket:
    """Connect as a ZeroMQ socket of `kind` would, by hand, and send short frames of any content."""
    connection = tcp(url, ZMTP_GREETING)
    heard = b""
    while len(heard) < len(ZMTP_GREETING):
        heard += connection.recv(64)
    connection.sendall(ready(kind))
    connection.recv(1024)
    with contextlib.suppress(OSError):
        connection.sendall(b"".join(bytes([0, len(frame)]) + frame for frame in frames))
    return connection


def ready(kind: bytes) -> bytes:
    """The command that ends the handshake of a socket of `kind`."""
    body = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    return bytes([4, len(body)]) + body


def closed_by_peer(connection: socket.socket, *, within: float) -> bool:
    """Whether the other side ends the connection in time."""
    connection.settimeout(0.05)
    until = time.monotonic() + within
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            try:
                if not connection.recv(65536):
                    return True
            except ConnectionError:
                return True
    return False
