"""One GET, and its whole answer in bounded time and size. Errors name the host, nothing of the address behind it."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from hearthbus import __version__
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE: Final = 65_536
_SAFE: Final = "%/:=&?~#+!$,;'@()*[]"
"""Of an address: what stays as it is; umlauts, which people paste, do not."""
_AGENT: Final = f"hearthbus/{__version__}"


@dataclass(frozen=True)
class Answer:
    """What a server said; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class _Deadline:
    """Ends a socket's reading and writing when time is up, whatever it waits for."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:  # noqa: PYI034 - never derived from
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.passed = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


def get(url: str, headers: Mapping[str, str], *, host: str, timeout_s: float, deadline_s: float, most: int) -> Answer:
    """Return what the server of `url` answers.

    Args:
        url: `https://` or `http://`; a name and a password in it are sent as such.
        headers: besides those sent always.
        host: what to call the server in errors.
        timeout_s: for each step.
        deadline_s: for the whole.
        most: bytes of the answer.

    Raises:
        SourceFault: no whole answer, or a larger one.
    """
    late = SourceFault("unreachable", f"{host} gave no whole answer within {deadline_s:.0f} s")
    with _Deadline(deadline_s) as deadline:
        try:
            answer = _ask(url, headers, deadline, host=host, timeout_s=timeout_s, most=most)
        except SourceFault as fault:
            raise (late if deadline.passed else fault) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise (late if deadline.passed else _fault(error, host, timeout_s)) from None
        if deadline.passed:  # the end of an answer without a length looks the same
            raise late
        return answer


def _ask(
    url: str, headers: Mapping[str, str], deadline: _Deadline, *, host: str, timeout_s: float, most: int
) -> Answer:
    connection: http.client.HTTPConnection | None = None
    try:
        connection, target = _connect(url, timeout_s, deadline)
        connection.request("GET", target, headers={**_headers(url), **headers})
        with connection.getresponse() as response:
            data = _read(response, most, host) if response.status == 200 else b""
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data)
    finally:
        if connection is not None:
            connection.close()
        if deadline.socket is not None:
            deadline.socket.close()


def _fault(error: Exception, host: str, timeout_s: float) -> SourceFault:
    """Return what happened in words that hold nothing of the address."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"{host} cannot be trusted: {error.verify_message}; a private authority is named with SSL_CERT_FILE"
    elif isinstance(error, ssl.SSLError):
        text = f"no secure connection to {host}"
    elif isinstance(error, TimeoutError):
        text = f"{host} does not answer within {timeout_s:.1f} s"
    elif isinstance(error, socket.gaierror):
        text = f"{host} is not known; is there a network?"
    elif isinstance(error, ValueError | http.client.InvalidURL):
        return SourceFault("broken", f"the address at {host} is none")
    elif isinstance(error, OSError):
        text = f"{host} cannot be reached: {error.strerror or 'the connection was lost'}"
    else:
        text = f"{host} cannot be understood: what it speaks is no HTTP, or it stopped in the middle"
    return SourceFault("unreachable", text)


def _connect(url: str, timeout_s: float, deadline: _Deadline) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection, made step by step so that the deadline has its socket from the first on."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    name = parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
    connection = http.client.HTTPConnection(name, port, timeout=timeout_s)
    deadline.socket = socket.create_connection((name, port), timeout=timeout_s)
    if secure:
        import ssl

        wrapped = ssl.create_default_context().wrap_socket(
            deadline.socket, server_hostname=name, do_handshake_on_connect=False
        )
        deadline.socket = connection.sock = wrapped
        wrapped.do_handshake()
    else:
        connection.sock = deadline.socket
    if deadline.passed:
        raise TimeoutError
    return connection, target


def _headers(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    found = {"User-Agent": _AGENT, "Accept": "text/calendar, */*;q=0.5", "Accept-Encoding": "gzip"}
    found["Host"] = parts.netloc.rpartition("@")[2]
    if parts.username is not None:
        both = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        found["Authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
    return found


def _read(response: http.client.HTTPResponse, most: int, host: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(_PIECE):
        size += len(piece)
        if size > most:
            raise SourceFault(
                "broken", f"{host} sends more than {most // 1024 // 1024} MB; a smaller calendar is wanted"
            )
        pieces.append(piece)
    if response.length:
        raise SourceFault("unreachable", f"{host} stopped in the middle")
    return b"".join(pieces)
