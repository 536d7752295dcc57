"""Google's own client, set up for a house: what it may connect to, for how long, and what it never does.

httplib2 waits `timeout_s` for each piece of an answer, which may come in a thousand pieces; `Deadline` ends it all.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Self

import httplib2
from google.api_core.client_options import ClientOptions
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_AGAIN_S: Final = 0.2
"""How often connections are cut once the time is over: httplib2 opens another for one that broke."""


class Http(httplib2.Http):  # type: ignore[misc] # httplib2 has no types
    """Connections of one source. Follows nobody elsewhere, and notes how wrong this machine's clock is."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self.follow_redirects = False
        self.clock_off_s: float | None = None
        """Seconds this machine is ahead of whoever answered last; None before an answer."""

    def __deepcopy__(self, memo: object) -> Self:
        """Refuse: google-auth copies a transport only to ask, in a thread of its own, in which regions of Google's
        cloud the credentials may be used. No house needs to know, and no fake has an answer.
        """
        raise TypeError("these connections belong to one thread")

    def request(self, *args: Any, **kwargs: Any) -> tuple[httplib2.Response, bytes]:
        """As httplib2's."""
        response, content = super().request(*args, **kwargs)
        with suppress(ValueError, TypeError, OverflowError):
            self.clock_off_s = time.time() - parsedate_to_datetime(response["date"]).timestamp()
        return response, content


class Deadline:
    """A block that is over in time: connections that are still open then are cut, and whoever reads them fails.

    A name server that does not answer is waited for as long as the system's resolver does; nothing can cut that.
    """

    def __init__(self, http: Http, seconds: float) -> None:
        self.passed = False
        self._http = http
        self._seconds = seconds
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._cut, name="calendar-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()

    def _cut(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            self.passed = True
            wait = _AGAIN_S
            for connection in list(self._http.connections.values()):
                if isinstance(connection.sock, socket.socket):
                    with suppress(OSError):  # SSLSocket's own shutdown would pull the session from under the reader
                        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def make_service(*, http: Http, credentials: Credentials | None, endpoint: str) -> Any:
    """Return Google's calendar service, version 3, at `endpoint`. Asks nothing over the network.

    The description of the service comes with the package, `static_discovery`.
    """
    # it warns of each refusal with what the server said, which may repeat a key; the fault's own text tells it
    logging.getLogger("googleapiclient.http").setLevel(logging.CRITICAL)
    return build(
        "calendar",
        "v3",
        http=http if credentials is None else AuthorizedHttp(credentials, http=http),
        static_discovery=True,
        cache_discovery=False,
        client_options=ClientOptions(api_endpoint=endpoint.rstrip("/") + "/"),
    )
