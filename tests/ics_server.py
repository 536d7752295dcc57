"""A calendar server for tests: real HTTP or HTTPS on loopback, answering as it is told; and texts for it to serve."""

from __future__ import annotations

import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from services.calendar.sources import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def ics(*events: str, head: str = "") -> bytes:
    """Return a calendar of events, each given by its lines."""
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def at(text: str) -> int:
    """Return the second that ISO 8601 text with an offset names."""
    return int(datetime.fromisoformat(text).timestamp())


def window(start: str, end: str) -> Window:
    """Return the window between two days, in UTC."""
    return Window(at(f"{start}T00:00Z"), at(f"{end}T00:00Z"))


@dataclass
class Reply:
    """One answer: its status, headers and bytes, and how it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    whole: bool = True
    """False: the connection ends before the last byte."""
    drip_s: float = 0.0
    """Seconds between two bytes of it."""


@dataclass
class Server:
    """What is served, and what was asked."""

    port: int = 0
    secure: bool = False
    reply: Callable[[Any], Reply] = lambda _request: Reply()
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/cal.ics", host: str = "localhost") -> str:
        """Return the address of a path."""
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{path}"


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """Run a server for a block; with a certificate (and its key beside it) it speaks HTTPS."""
    server = Server(secure=certificate is not None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            reply = server.reply(self)
            with suppress(OSError):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.data) + (not reply.whole)))
                self.end_headers()
                if reply.drip_s:
                    for byte in reply.data:
                        self.wfile.write(bytes((byte,)))
                        if server.stop.wait(reply.drip_s):
                            break
                else:
                    self.wfile.write(reply.data)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as running:
        server.port = running.server_address[1]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            running.shutdown()
            thread.join()


def make_certificate(folder: Path) -> Path:
    """Return a certificate for localhost that nobody has signed but itself; its key is beside it."""
    path = folder / "server.pem"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(path.with_suffix(".key")), "-out", str(path), "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ),
        check=True,
        capture_output=True,
        timeout=30,
    )
    return path
