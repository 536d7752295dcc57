"""One kept connection to an HTTP server: a request out, a bounded answer in. Blocking; one thread at a time.

Knows nothing of records or of what an answer means. What takes too long is cut off from another thread by `abort`.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hearthbus.version import VERSION
from services.telemetry.sinks.exchange import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from services.telemetry.sinks.exchange import Outgoing
    from services.telemetry.sinks.web import Address

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer's body that are read; a connection with more to come is closed."""
CONNECT_S: Final = 10.0
"""Seconds for each address of a host to take the connection."""
_AGENT: Final = f"hearthbus/{VERSION}"
_GONE: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Connection:
    """A connection that is kept between requests and made again where it is gone.

    Args:
        address: where to.
        authorities: file of certificates to trust instead of the machine's.
        timeout_s: seconds without a byte after which a request is given up.
    """

    def __init__(self, address: Address, *, authorities: Path | None, timeout_s: float) -> None:
        self._address = address
        self._authorities = authorities
        self._timeout_s = timeout_s
        self._wire: _Wire | None = None
        self._context: ssl.SSLContext | None = None
        self._aborted = False

    def exchange(self, outgoing: Outgoing) -> Answer:
        """Send a request and return its answer.

        Raises:
            OSError: the network, a time-out, TLS.
            http.client.HTTPException: no HTTP answer, or part of one.
        """
        if self._wire is not None and self._wire.stirs():
            self.close()
        if self._wire is not None:
            try:
                return self._once(self._wire, outgoing)
            except _GONE:
                self.close()
                if self._aborted:
                    raise
        self._wire = wire = _Wire(self._address, self._tls(), self._timeout_s)
        return self._once(wire, outgoing)

    def close(self) -> None:
        """Let go of the connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def abort(self) -> None:
        """Make a request that another thread waits for fail now, and every later one."""
        self._aborted = True
        sock = None if self._wire is None else self._wire.sock
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _once(self, wire: _Wire, outgoing: Outgoing) -> Answer:
        whole = False
        try:
            if wire.sock is None:
                wire.connect()
            if self._aborted:
                raise ConnectionAbortedError
            answer, whole = self._talk(wire, outgoing)
        finally:
            if not whole or self._aborted:
                self.close()
        return answer

    def _talk(self, wire: _Wire, outgoing: Outgoing) -> tuple[Answer, bool]:
        headers = {**outgoing.headers, "User-Agent": _AGENT, "Accept-Encoding": "identity"}
        try:
            wire.request(outgoing.method, self._address.path + outgoing.path, outgoing.body, headers)
        except (BrokenPipeError, ConnectionResetError) as error:
            if wire.sock is None:
                raise
            response = _early(wire, error)
        else:
            response = wire.getresponse()
        body = response.read(MAX_ANSWER)
        if len(body) < MAX_ANSWER and response.length:
            raise http.client.IncompleteRead(body, response.length)
        whole = response.isclosed()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, body, time.time()), whole and not response.will_close

    def _tls(self) -> ssl.SSLContext | None:
        if self._address.secure and self._context is None:
            self._context = ssl.create_default_context(cafile=self._authorities)
        return self._context


class _Final(http.client.HTTPResponse):
    """An answer, and none of those before it: http.client passes over 100, and takes 102 and 103 for the last word."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
        return version, http.client.CONTINUE if 100 <= status < 200 else status, reason


class _Wire(http.client.HTTPConnection):
    """http.client's connection, whose socket can be reached for `abort` from the first moment on."""

    response_class = _Final

    def __init__(self, address: Address, tls: ssl.SSLContext | None, timeout_s: float) -> None:
        super().__init__(address.host, address.port)
        self._tls = tls
        self._timeout_s = timeout_s
        self.auto_open = 0
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        self.sock = socket.create_connection((self.host, self.port), min(CONNECT_S, self._timeout_s))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
        self.sock.settimeout(self._timeout_s)

    def stirs(self) -> bool:
        """Whether something came unasked: the other side's end, or what must not be read as the next answer."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


def _early(wire: _Wire, error: OSError) -> http.client.HTTPResponse:
    """Return what a server said before it closed on a request it did not want to read, as with 413."""
    try:
        return wire.getresponse()
    except (OSError, http.client.HTTPException):
        raise error from None
