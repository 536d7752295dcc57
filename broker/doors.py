"""The broker's addresses: its sockets, made, bound, and closed to be bound anew.

Two sockets: ROUTER takes what clients say, XPUB fans out. Each is bound for this machine, and, where `network` is set,
a second time for those who have a key. A third socket, within the process, is asked by ZeroMQ about every new
connection (`broker.zap`). ZeroMQ takes a socket's options for an endpoint when that is bound: so first the one without
keys, then the keys, then the one with them.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import zmq

from broker.replies import QUEUE
from broker.zap import DOMAIN
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from broker.config import BrokerConfig
    from broker.zap import Gate

REQUEST_QUEUE: Final = 32
"""Frames of one client that wait for their turn; the rest waits at the client. At 1 MiB a frame, 32 MiB at most."""
HANDSHAKE_MS: Final = 3_000
ANSWERS_PER_TURN: Final = 100
"""Newcomers let in at once: a house that comes back after a power cut is there in a few turns."""
CLOSED_S: Final = 2.0
"""How long the end of a listening socket may take before the address is given up."""
SPARE_FILES: Final = 24
"""File descriptors kept for the journal, and for clients of this machine."""
_ZAP: Final = "inproc://zeromq.zap.01"
_NUMBERS: Final = count(1)


class Doors:
    """The sockets of the running broker. `router` and `xpub` are others after `renew`."""

    def __init__(self, config: BrokerConfig, gate: Gate, *, secret: str = "") -> None:
        self._config, self._gate, self._secret = config, gate, secret.encode()
        self._context = zmq.Context()
        self.zap = self._context.socket(zmq.ROUTER)
        self.zap.setsockopt(zmq.LINGER, 0)
        self.zap.bind(_ZAP)
        self.router, self.xpub = self._sockets()
        self._shut: list[tuple[zmq.Socket[bytes], str]] = []
        """Addresses of the network that are to be taken again."""
        self.addresses: tuple[str, ...] = ()
        """As they are bound, ports resolved: request socket, fan-out, and both once more for those with keys."""

    def bind(self) -> None:
        """Take the addresses.

        Raises:
            Unavailable: one is in use or not this machine's.
        """
        config = self._config
        wanted = [config.address, config.fanout_address]
        if config.network:
            wanted += [config.network, config.network_fanout]
        self.addresses = self._bind(wanted)

    def renew(self) -> None:
        """End every connection and take the same addresses again.

        Raises:
            Unavailable: another process took one in the moment between.
        """
        for sock in (self.router, self.xpub):
            self._close(sock)
        self.router, self.xpub = self._sockets()
        self._shut = []
        self._bind(self.addresses)

    def mind(self) -> bool:
        """Shut the network's addresses while the process has hardly a file descriptor left; True when that begins.

        ZeroMQ spends all of a processor on trying to take in a connection for which there is none. Who is within stays,
        who has shown no key goes after `HANDSHAKE_MS`, and then they are opened again.
        """
        if not self._config.network:
            return False
        most, used = resource.getrlimit(resource.RLIMIT_NOFILE)[0], _open_files()
        if not self._shut and most - used < SPARE_FILES:
            self._shut = list(zip((self.router, self.xpub), self.addresses[2:], strict=True))
            for sock, address in self._shut:
                sock.unbind(address)
            return True
        if used < most * 3 // 4:
            with contextlib.suppress(zmq.ZMQError):  # not free yet, or another's for now: it is tried again
                while self._shut:
                    sock, address = self._shut[0]
                    sock.bind(address)
                    del self._shut[0]
        return False

    def answer(self) -> None:
        """Answer what ZeroMQ asks about new connections."""
        for _ in range(ANSWERS_PER_TURN):
            try:
                frames = self.zap.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            reply = self._gate.answer(frames, time.monotonic())
            if reply:
                self.zap.send_multipart(reply, zmq.NOBLOCK)

    def close(self) -> None:
        """Say nothing more, let go of the addresses."""
        self._context.destroy(linger=200)

    def _sockets(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        limits = self._config.limits
        router, xpub = self._socket(zmq.ROUTER), self._socket(zmq.XPUB)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.setsockopt(zmq.SNDHWM, QUEUE)
        # no heartbeats here: libzmq 4.3.5 aborts when one is due on a connection that ended while its queue was full.
        # Clients say that they live, and their own heartbeats have a time to live, after which ZeroMQ closes for them
        router.setsockopt(zmq.RCVHWM, REQUEST_QUEUE)
        router.setsockopt(zmq.MAXMSGSIZE, max(1024 * 1024, 4 * limits.body_bytes))
        xpub.setsockopt(zmq.XPUB_MANUAL, 1)
        xpub.setsockopt(zmq.SNDHWM, limits.fanout_queue)
        xpub.setsockopt(zmq.MAXMSGSIZE, 1024)
        # a subscriber that does not read must be cut off soon, for what it costs; and as heartbeats and a full inner
        # queue make libzmq 4.3.5 abort (see above), the queue of subscriptions, small as they are, is never full
        xpub.setsockopt(zmq.HEARTBEAT_IVL, 1000)
        xpub.setsockopt(zmq.HEARTBEAT_TIMEOUT, self._config.silence_ms)
        xpub.setsockopt(zmq.HEARTBEAT_TTL, self._config.silence_ms)
        xpub.setsockopt(zmq.RCVHWM, 0)
        return router, xpub

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        sock = self._context.socket(kind)
        sock.setsockopt(zmq.LINGER, 200)
        sock.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        # every connection is asked about, and no answer is no entry. It refuses ZMTP 1, too, which has no handshake
        # that could take too long: any byte but 255 would hold a connection open
        sock.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        sock.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        sock.setsockopt(zmq.TCP_KEEPALIVE, 1)
        return sock

    def _bind(self, wanted: list[str] | tuple[str, ...]) -> tuple[str, ...]:
        pair = (self.router, self.xpub)
        found = [_bound(sock, wanted[at], setting="address") for at, sock in enumerate(pair)]
        if wanted[2:]:
            for sock in pair:
                sock.setsockopt(zmq.CURVE_SERVER, 1)
                sock.setsockopt(zmq.CURVE_SECRETKEY, self._secret)
            found += [_bound(sock, wanted[2 + at], setting="network") for at, sock in enumerate(pair)]
        return tuple(found)

    def _close(self, sock: zmq.Socket[bytes]) -> None:
        """Close a socket, and return when its addresses are free: ZeroMQ closes in a thread of its own."""
        addresses = [each for each in self.addresses[(sock is self.xpub) :: 2] if (sock, each) not in self._shut]
        monitor = events_of(sock, zmq.EVENT_CLOSED)
        for address in addresses:
            sock.unbind(address)
        until = time.monotonic() + CLOSED_S
        closed = 0
        while closed < len(addresses) and monitor.poll(max(0, int((until - time.monotonic()) * 1000))):
            monitor.recv_multipart(zmq.NOBLOCK)
            closed += 1
        monitor.close(0)
        sock.close(0)


def events_of(sock: zmq.Socket[bytes], events: int) -> zmq.Socket[bytes]:
    """Return a socket that tells what happens to the connections of `sock`, in place of the one before.

    pyzmq names such a pair by a file descriptor, which a later socket can have while the old name is still taken.
    """
    name = f"inproc://events.{next(_NUMBERS)}"
    sock.monitor(name, events)
    pair: zmq.Socket[bytes] = sock.context.socket(zmq.PAIR)
    pair.setsockopt(zmq.LINGER, 0)
    pair.connect(name)
    return pair


def _bound(sock: zmq.Socket[bytes], address: str, *, setting: str) -> str:
    in_use = f"{address} is in use: is another broker running? Stop it, or set [broker] {setting}"
    if address.startswith("ipc://") and _is_answered(address[6:]):
        raise Unavailable(in_use)
    try:
        sock.bind(address)
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise Unavailable(in_use) from None
        fault = os.strerror(error.errno or 0)
        raise Unavailable(f"cannot listen on {address}: {fault}; set [broker] {setting}") from None
    return sock.getsockopt_string(zmq.LAST_ENDPOINT)


def _open_files() -> int:
    """How many file descriptors this process has; where it cannot look for want of one, more than it may."""
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:
        return sys.maxsize


def _is_answered(path: str) -> bool:
    """Whether somebody listens at a Unix socket; ZeroMQ would take it away from him without a word."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True
