"""A Google for tests: a real HTTP server on loopback with tokens and calendars, that the unmodified client talks to.

    with FakeGoogle() as google:
        google.share(FAMILY, google.robot())        # a service account that may read the calendar
        google.put(FAMILY, timed("tea", "2026-11-20T16:00:00+00:00", "2026-11-20T17:00:00+00:00"))
        google.script(Answer(503), Drop())          # what the next two questions for events get instead

What it does follows the API's own description and Google's guides. Its rules on events are in fake_google_events,
those on tokens in fake_google_tokens.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from fake_google_events import Calendar, Refusal, fields_of, list_events
from fake_google_tokens import Tokens, certify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from pathlib import Path

FAMILY = "family1234@group.calendar.google.com"
EVENTS = "/calendar/v3/calendars/"
TOKEN, AUTH = "/token", "/o/oauth2/auth"


@dataclass(frozen=True)
class Asked:
    """One question that came in."""

    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """Give this answer."""

    status: int = 200
    body: bytes | None = None
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str | None = None

    def content(self) -> bytes:
        """Return what goes over the wire: Google's form of an error where nothing else is said."""
        if self.body is not None:
            return self.body
        entry = {"domain": "calendar", "reason": self.reason or "backendError", "message": "the fake says so"}
        error = {"code": self.status, "message": "the fake says so", "errors": [entry]}
        return json.dumps({"error": error}).encode()


@dataclass(frozen=True)
class Drop:
    """Close the connection without a word."""


@dataclass(frozen=True)
class Stall:
    """Say nothing until the test is over."""


@dataclass(frozen=True)
class Drip:
    """Begin a right answer and give a byte of it now and then, without end."""

    every_s: float = 0.05


@dataclass(frozen=True)
class Cut:
    """Give half of a right answer and close; `honest` says the half's length, so that only its JSON is broken."""

    honest: bool = False


Scripted = Answer | Drop | Stall | Drip | Cut


class FakeGoogle:
    """The server; a context manager. Everything may be changed while it runs."""

    def __init__(self) -> None:
        self.clock_ahead_s = 0.0
        """How far Google's clock is ahead of this machine's."""
        self.tells_time = True
        """Whether an answer has a date."""
        self.calendars: dict[str, Calendar] = {}
        self.tokens = Tokens(self.now)
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._scheme = "http"
        self._script: dict[str, deque[Scripted]] = {EVENTS: deque(), TOKEN: deque()}
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def encrypt(self, folder: Path) -> Path:
        """Speak TLS from now on, with a certificate that nobody knows; returns its file."""
        certificate, key = certify(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self._scheme = "https"
        return certificate

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoint(self) -> str:
        """The address of the calendar API, as `[calendar] endpoint` names it."""
        return f"{self.url}/calendar/v3/"

    def now(self) -> float:
        """Google's own time."""
        return time.time() + self.clock_ahead_s

    def script(self, *answers: Scripted, at: str = EVENTS) -> None:
        """Let the next questions for events, or at TOKEN, get these."""
        self._script[at].extend(answers)

    def put(self, calendar: str, *events: dict[str, Any]) -> None:
        """Store events, replacing those of the same id, each with a new etag."""
        self.calendar(calendar).put(*events)

    def calendar(self, name: str) -> Calendar:
        """Return the calendar, made where there is none."""
        return self.calendars.setdefault(name, Calendar())

    def share(self, calendar: str, credentials: str, *, level: str = "reader") -> str:
        """Let the account of some credentials read a calendar; returns the credentials."""
        self.calendar(calendar).readers[self.tokens.account_of(credentials)] = level
        return credentials

    def robot(self, name: str = "hearthbus@house.iam.gserviceaccount.com") -> str:
        """Return the credentials file of a service account."""
        return self.tokens.robot(name, f"{self.url}{TOKEN}")

    def login(self, name: str = "ann@example.org") -> str:
        """Return a token file, as `hearthbus calendar login` writes it."""
        return self.tokens.login(name, f"{self.url}{TOKEN}")

    def client(self, kind: str = "installed") -> str:
        """Return the file of an OAuth client."""
        return self.tokens.client(kind, auth_uri=f"{self.url}{AUTH}", token_uri=f"{self.url}{TOKEN}")

    def lists(self) -> list[Asked]:
        """Return the questions for events so far."""
        return [asked for asked in self.asked if asked.path.startswith(EVENTS)]

    def scripted(self, path: str) -> Scripted | None:
        """Take what a question gets instead of a right answer."""
        script = self._script.get(EVENTS if path.startswith(EVENTS) else path)
        return script.popleft() if script else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler], google: FakeGoogle) -> None:
        super().__init__(address, handler)
        self.google = google

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms each time without it
    server: _Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def date_time_string(self, timestamp: float | None = None) -> str:
        google = self.server.google
        return super().date_time_string(google.now() if timestamp is None else timestamp) if google.tells_time else ""

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def _answer(self, body: bytes) -> None:
        google, parts = self.server.google, urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        asked = Asked(unquote(parts.path), query, self.headers, body)
        google.asked.append(asked)
        scripted = google.scripted(asked.path)
        if isinstance(scripted, Answer):
            self._send(scripted.status, scripted.content(), scripted.headers, scripted.phrase)
        elif isinstance(scripted, Stall):
            google.over.wait()
            self.close_connection = True
        elif isinstance(scripted, Drop):
            self.close_connection = True
        else:
            status, content, headers = self._right(asked)
            if isinstance(scripted, Cut):
                self.close_connection = True
                half = content[: len(content) // 2]
                self._send(status, half, headers, length=len(half) if scripted.honest else len(content))
            elif isinstance(scripted, Drip):
                self._drip(content, scripted.every_s)
            else:
                self._send(status, content, headers)

    def _right(self, asked: Asked) -> tuple[int, bytes, Mapping[str, str]]:
        google = self.server.google
        if asked.path == TOKEN:
            status, answer = google.tokens.grant(parse_qs(asked.body.decode()), asked.headers.get("Authorization", ""))
            return status, json.dumps(answer).encode(), {}
        if asked.path == AUTH:
            return 302, b"", {"Location": google.tokens.consent(asked.query)}
        try:
            name = asked.path.removeprefix(EVENTS).removesuffix("/events")
            reader = google.tokens.reader(asked.headers, asked.query)
            page = list_events(google.calendars.get(name), reader, asked.query)
        except Refusal as refusal:
            return refusal.status, Answer(refusal.status, reason=refusal.reason).content(), {}
        return 200, json.dumps(fields_of(page, asked.query.get("fields"))).encode(), {}

    def _send(
        self,
        status: int,
        content: bytes,
        headers: Mapping[str, str],
        phrase: str | None = None,
        *,
        length: int | None = None,
    ) -> None:
        self.send_response(status, phrase)
        for name, value in {"Content-Type": "application/json; charset=UTF-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def _drip(self, content: bytes, every_s: float) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for at in range(1_000_000):
            self.wfile.write(content[at : at + 1] or b" ")
            self.wfile.flush()
            if self.server.google.over.wait(every_s):
                break
        self.close_connection = True
