"""Serve the newest values at /metrics, for Prometheus to fetch.

A server of asyncio's: measured, it takes 12 KiB where `http.server` and its thread take 3.2 MiB. It reads one bounded
head, answers and closes; slow readers and crowds are cut off. Knows the bus by a function that subscribes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hearthbus.topics import covers
from services.telemetry.sinks.faults import in_words
from services.telemetry.sinks.prometheus_board import Board
from services.telemetry.sinks.prometheus_own import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hearthbus.transport import Subscription
    from services.telemetry.sinks.prometheus import PrometheusSettings

HEAD_BYTES: Final = 8192
CROWD: Final = 16
"""Requests at one time; more are told to come again."""
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN: Final = "text/plain; charset=utf-8"
_REQUEST: Final = re.compile(rb"([A-Z]{1,16}) (\S{1,2000}) HTTP/1\.[01]\r?\n")
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_log: Final = logging.getLogger(__name__)


class Exporter:
    """One page.

    Args:
        name: the table's.
        settings: what it says.
        patience_s: seconds a client has for its request, and again for taking the answer.
        again_s: seconds after which a port that was not to be had is tried again.
    """

    def __init__(
        self, name: str, settings: PrometheusSettings, *, patience_s: float = 5.0, again_s: float = 30.0
    ) -> None:
        self.board = Board(prefix=settings.prefix, limit=settings.series)
        self._name = name
        self._settings = settings
        self.fault = ""
        """Why nobody can read the page; empty when all is well."""
        self._patience_s = patience_s
        self._again_s = again_s
        self._clients = 0
        self._connected: Callable[[], bool]

    async def run(self, subscribe: Callable[..., Subscription], connected: Callable[[], bool]) -> None:
        """Listen on the bus and on the port until cancelled; the retained state comes first.

        A port that is not to be had is no reason for anything else to stop: it is tried again.

        Args:
            subscribe: makes a subscription of patterns, as `Service.subscribe` does.
            connected: whether the broker answers now.
        """
        self._connected = connected
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(subscribe))
            group.create_task(self._listen())

    async def _hear(self, subscribe: Callable[..., Subscription]) -> None:
        skipped = covers(self._settings.skip)
        async with subscribe(*dict.fromkeys((*self._settings.topics, *TOPICS))) as stream:
            async for message in stream:
                if not message.is_request and not skipped(message.topic):
                    self.board.hear(message.topic, message.body, message.time)

    async def _listen(self) -> None:
        host, port = self._settings.host, self._settings.port
        while True:
            try:
                server = await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES)
            except OSError as error:
                if not self.fault:
                    self.fault = f"{self._name}: {host}:{port}: {in_words(error)}; set another host or port"
                    _log.error("%s", self.fault)
                await asyncio.sleep(self._again_s)
                continue
            self.fault = ""
            if self._settings.public:
                _log.warning("%s: whoever reaches %s:%d reads every value of the house", self._name, host, port)
            async with server:
                await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._clients >= CROWD:
            writer.write(_response(503, "too many at one time\n", more="Retry-After: 1\r\n"))
            writer.close()
            return
        self._clients += 1
        try:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(2 * self._patience_s):
                    writer.write(await self._answer(reader))
                    await writer.drain()
                    writer.write_eof()
                    await reader.read(HEAD_BYTES)
        finally:
            self._clients -= 1
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._patience_s):
                return self._page(await _head(reader))
        except TimeoutError:
            return _response(408, "the request did not come in time\n")
        except asyncio.LimitOverrunError:
            return _response(431, f"a request has {HEAD_BYTES} bytes at most\n")
        except asyncio.IncompleteReadError:
            return _response(400, "not a whole request\n")

    def _page(self, head: bytes) -> bytes:
        found = _REQUEST.match(head)
        if not found:
            return _response(400, "not a request of HTTP/1.1\n")
        method, path = found[1], found[2].partition(b"?")[0]
        bare = method == b"HEAD"
        if path != b"/metrics":
            return _response(404, "the page is /metrics\n", bare=bare)
        if method not in {b"GET", b"HEAD"}:
            return _response(405, "this page is read only\n", more="Allow: GET, HEAD\r\n")
        return _response(200, self.board.page(broker=self._connected()), kind=TEXT, bare=bare)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Read a request's head, however its lines end."""
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        line = await reader.readuntil(b"\n")
        head += line
        if len(head) > HEAD_BYTES:
            raise asyncio.LimitOverrunError("head", len(head))
    return head


def _response(status: int, body: str, *, kind: str = _PLAIN, more: str = "", bare: bool = False) -> bytes:
    data = body.encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
        f"Cache-Control: no-store\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + (b"" if bare else data)
