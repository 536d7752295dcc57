"""A real HTTP/1.1 server on loopback for the sinks of telemetry, with faults by script. Knows no sink.

    with HttpServer() as server:
        server.script(Reply(503, headers={"Retry-After": "7"}), Reply(fault="stall"))
        ...
        server.requests[0].body

Each request takes the next reply of the script; without one, what `server.answer` makes of it.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Fault = Literal["", "stall", "drop", "half", "drip", "refuse", "garbage"]


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Args:
        status: the number.
        body: the body.
        headers: beside Content-Length.
        fault: `stall` says nothing; `drop` closes without a word; `half` closes in the middle of the body; `drip` sends
            the body a byte at a time, for ever; `refuse` answers before it has read the body, and resets the
            connection; `garbage` speaks no HTTP.
        closes: the connection is closed after the answer, as an idle server does, without having said so.
        raw: sent as it is, in place of all of that but `closes`.
    """

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault = ""
    closes: bool = False
    raw: bytes = b""


@dataclass(frozen=True)
class Request:
    """What was asked. `raw` is the body as it came, `body` without gzip; names of headers are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes
    at: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @property
    def form(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


class HttpServer:
    """The server; `connections` counts those it has accepted, `ended` those that are over.

    Args:
        answer: what is replied where the script says nothing.
        certificate: file of certificate and key, as `make_certificate` writes it; None: no TLS.
        host: address to listen on.
    """

    def __init__(
        self,
        answer: Callable[[Request], Reply] = lambda _request: Reply(),
        *,
        certificate: Path | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = self.ended = 0
        self._script: deque[Reply] = deque()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def script(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self._script.extend(replies)

    def push(self, data: bytes) -> None:
        """Say on every open connection what nobody has asked for."""
        with self._lock:
            for sock in self._open:
                sock.sendall(data)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, what: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=what, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        raw = sock
        with self._lock:
            self._open.add(raw)
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as stream:
                while not self._stop.is_set() and self._exchange(sock, stream):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            sock.close()
            with self._lock:
                self._open.discard(raw)
                self.ended += 1

    def _exchange(self, sock: socket.socket, stream: BinaryIO) -> bool:
        """Answer one request; false where the connection ends with it."""
        line = stream.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = dict(_headers(stream))
        early = bool(self._script) and self._script[0].fault == "refuse"
        raw = b"" if early else stream.read(int(headers.get("content-length", "0")))
        request = Request(line[0], line[1], headers, raw, time.time())
        with self._lock:
            self.requests.append(request)
            reply = self._script.popleft() if self._script else None
        return self._reply(sock, stream, self.answer(request) if reply is None else reply)

    def _reply(self, sock: socket.socket, stream: BinaryIO, reply: Reply) -> bool:
        if reply.raw:
            sock.sendall(reply.raw)
            return not reply.closes
        if reply.fault == "stall":
            stream.read(1)  # until the other side has had enough
            return False
        if reply.fault == "drop":
            return False
        if reply.fault == "garbage":
            sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            return False
        length = {"half": len(reply.body) + 10, "drip": 1_000_000}.get(reply.fault, len(reply.body))
        said = {"Content-Length": str(length), **reply.headers}
        head = f"HTTP/1.1 {reply.status} So\r\n" + "".join(f"{name}: {value}\r\n" for name, value in said.items())
        sock.sendall(head.encode() + b"\r\n" + reply.body)
        while reply.fault == "drip" and not self._stop.wait(0.02):
            sock.sendall(b".")
        return not reply.fault and not reply.closes


def _headers(stream: BinaryIO) -> list[tuple[str, str]]:
    found = []
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        found.append((name.lower(), value.strip()))
    return found


def make_certificate(folder: Path) -> Path:
    """Write the certificate of `localhost`, which is its own authority, and its key; return the file."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
