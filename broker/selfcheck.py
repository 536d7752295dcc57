"""The broker tried by itself, from outside: that a stranger is refused, and that a client is heard and hears.

First, where there is a second address for those with keys, a key that nobody knows knocks at both its sockets: only
when both have refused it does the broker say that it is ready. Then a client of its own greets, is greeted, and gets a
marker through the fan-out. Under a watchdog it goes on doing that once a second; otherwise it goes. It is no client to
others.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

import zmq
from zmq.utils import z85

from broker.doors import events_of
from hearthbus import protocol
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.core import Core
    from broker.zap import Gate

PATIENCE_S: Final = 10.0
"""How long the first round may take, on a Pi that is starting everything else at once."""
EVERY_S: Final = 1.0
_ENDINGS: Final = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH


class SelfCheck:
    """The tries of one broker. `sources` are what is to be polled, and change when `changed` is called."""

    def __init__(self, core: Core, gate: Gate, *, public: str, keep_on: bool, changed: Callable[[], None]) -> None:
        self.proved = False
        """The first round is done, and all is well."""
        self.fault = ""
        """Why the broker must not run."""
        self.rounds = 0
        """Rounds that came back."""
        self.sources: dict[object, Callable[[], None]] = {}
        self._core, self._gate, self._changed = core, gate, changed
        self._server, self._keep_on = public.encode(), keep_on
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._strangers: dict[zmq.Socket[bytes], zmq.Socket[bytes]] = {}
        self._dealer: zmq.Socket[bytes] | None = None
        self._sub: zmq.Socket[bytes] | None = None
        self._addresses: tuple[str, ...] = ()
        self._marker = self._heard = b""
        self._greeted = False
        self._until = self._next = 0.0

    def begin(self, addresses: tuple[str, ...], now: float) -> None:
        """Begin to try the addresses the broker is bound to."""
        self._context = zmq.Context()
        *_, request, fanout = (_from_here(address) for address in addresses)
        self._addresses = (request, fanout)
        self._until = now + PATIENCE_S
        if self._server:
            for kind, address in ((zmq.DEALER, request), (zmq.SUB, fanout)):
                self._knock(kind, address)
        else:
            self._come_in()

    def tick(self, now: float) -> bool:
        """Begin the next round where one is due; return whether one has come back since the last time."""
        if self._dealer is None or self._sub is None:
            if not self.proved and now > self._until:
                self.fault = "nobody refused a key that nobody knows: the addresses of this broker do not answer"
            return False
        back = self._greeted and self._heard == self._marker
        if back:
            self._heard = b""
            self.rounds += 1
            self.proved = True
            if not self._keep_on:
                self.close()
                return True
        elif not self.proved and now > self._until:
            self.fault = "the broker does not answer itself: no greeting, or no marker through the fan-out"
        if now >= self._next:
            if self._next:
                self._ask()
            self._next = now + EVERY_S
        return back

    def close(self) -> None:
        """Go, and leave nothing behind."""
        client = self._core.clients.by_session.get(self._core.own_session)
        if client is not None:
            self._core.greeting.leave(client, "offline", "it has seen enough")
        self._gate.own = b""
        self.sources = {}
        self._dealer = self._sub = None
        if self._context is not None:
            self._context.destroy(linger=0)
        self._context = None
        self._changed()

    def _knock(self, kind: int, address: str) -> None:
        """Come as a stranger."""
        pair = zmq.curve_keypair()
        self._gate.own_strangers.add(z85.decode(pair[0]))
        sock = self._socket(kind, pair)
        monitor = events_of(sock, _ENDINGS)
        self._strangers[monitor] = sock
        self.sources[monitor] = lambda: self._answered(monitor)
        sock.connect(address)

    def _answered(self, monitor: zmq.Socket[bytes]) -> None:
        """A stranger was let in or not."""
        event, _ = monitor.recv_multipart(zmq.NOBLOCK)
        if int.from_bytes(event[:2], sys.byteorder) == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.fault = "a key that nobody knows was let in: this broker would keep no secret, and does not start"
            return
        sock = self._strangers.pop(monitor)
        del self.sources[monitor]
        monitor.close(0)
        sock.close(0)
        if not self._strangers:
            self._come_in()
        self._changed()

    def _come_in(self) -> None:
        """Come as a client, by the way that clients of other machines take, if there is one."""
        pair = zmq.curve_keypair()
        if self._server:
            self._gate.own = z85.decode(pair[0])
        self._core.own_session = os.urandom(16)
        self._core.own_marker = b"$sub/" + os.urandom(8).hex().encode()
        self._dealer, self._sub = self._socket(zmq.DEALER, pair), self._socket(zmq.SUB, pair)
        for sock, address in zip((self._dealer, self._sub), self._addresses, strict=True):
            sock.connect(address)
        self.sources = {self._dealer: self._read, self._sub: self._read}
        self._ask()
        self._changed()

    def _socket(self, kind: int, pair: tuple[bytes, bytes]) -> zmq.Socket[bytes]:
        assert self._context is not None  # noqa: S101 - begun
        sock = self._context.socket(kind)
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.RECONNECT_IVL, 100)
        if self._server:
            sock.setsockopt(zmq.CURVE_SERVERKEY, self._server)
            sock.setsockopt(zmq.CURVE_PUBLICKEY, pair[0])
            sock.setsockopt(zmq.CURVE_SECRETKEY, pair[1])
        return sock

    def _ask(self) -> None:
        """Greet, and set a marker."""
        if self._dealer is None or self._sub is None:
            return
        if self._marker:
            self._sub.setsockopt(zmq.UNSUBSCRIBE, self._marker)
        self._marker = self._core.own_marker + os.urandom(4).hex().encode()
        self._sub.setsockopt(zmq.SUBSCRIBE, self._marker)
        self._greeted = False
        greeting = protocol.encode(
            protocol.HELLO,
            versions=[protocol.VERSION],
            name="broker.selfcheck",
            session=self._core.own_session,
            software=VERSION,
            pid=os.getpid(),
            host="",
            presence=False,
            will={},
        )
        with contextlib.suppress(zmq.Again):
            self._dealer.send(greeting, zmq.NOBLOCK)

    def _read(self) -> None:
        """Take what the broker says to its own client."""
        if self._dealer is None or self._sub is None:
            return
        while int(self._dealer.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self._greeted |= self._dealer.recv(zmq.NOBLOCK)[:1] == protocol.WELCOME
        while int(self._sub.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self._heard = self._sub.recv(zmq.NOBLOCK)[:-8]


def _from_here(address: str) -> str:
    return address.replace("tcp://0.0.0.0:", "tcp://127.0.0.1:")
