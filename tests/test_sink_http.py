"""HTTP sinks: what each fault of a server comes to, how connections are kept, and that no secret is told."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from http_sink import HttpServer, Reply, make_certificate

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge
from services.telemetry.records import Record
from services.telemetry.sinks.connection import Connection
from services.telemetry.sinks.exchange import Answer, Outgoing
from services.telemetry.sinks.influxdb import InfluxDb, InfluxDb2
from services.telemetry.sinks.web import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services.telemetry.sinks import Sink

RECORDS = [Record("sensor/hall/temperature", {"value": 21.5}, 1_764_000_000_000_000_000, 1)]
TOKEN = "hush-3f9a-token"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def influx(url: str, **more: Any) -> Sink:
    return InfluxDb2(url=url, bucket="house", org="home", token=Secret(TOKEN), **more).sink("archive")


async def sent(url: str, *, times: int = 1, **more: Any) -> list[Outcome]:
    """Send one batch so many times, through one sink."""
    sink = influx(url, **more)
    outcomes = [await sink.send(RECORDS) for _ in range(times)]
    await sink.close()
    return outcomes


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Delivered), (202, Delivered), (204, Delivered), (301, Held), (307, Held), (400, Refused), (401, Held),
        (403, Held), (404, Held), (405, Held), (408, Later), (409, Refused), (413, TooLarge), (422, Refused),
        (425, Later), (429, Later), (500, Later), (502, Later), (503, Later), (504, Later),
    ],
)  # fmt: skip
async def test_status(server: HttpServer, status: int, kind: type) -> None:
    """Each class of status has its outcome."""
    server.script(Reply(status))

    assert [kind] == [type(outcome) for outcome in await sent(server.url)]


async def test_a_connection_is_kept(server: HttpServer) -> None:
    """Batches go over one connection."""
    assert [Delivered()] * 3 == await sent(server.url, times=3)
    assert (3, 1) == (len(server.requests), server.connections)


async def test_a_dead_connection_is_made_anew(server: HttpServer) -> None:
    """A server that has closed the kept connection costs a new connection, not an attempt."""
    server.script(Reply(closes=True), Reply(closes=True))

    assert [Delivered()] * 3 == await sent(server.url, times=3)
    assert 3 == server.connections


async def test_a_fresh_connection_is_not_tried_twice(server: HttpServer) -> None:
    """A server that closes without an answer is asked again later, not at once."""
    server.script(Reply(fault="drop"))

    assert [Later(f"localhost:{server.port} broke off")] == await sent(server.url)
    assert 1 == len(server.requests)


async def test_half_an_answer(server: HttpServer) -> None:
    """An answer that ends in its middle is none, whatever its status."""
    server.script(Reply(204 + 0, b""), Reply(200, b"half", fault="half"))

    assert [Delivered(), Later(f"localhost:{server.port} broke off")] == await sent(server.url, times=2)


async def test_no_http() -> None:
    """Something else that listens there is told as such."""
    with HttpServer() as server:
        server.script(Reply(fault="garbage"))
        (outcome,) = await sent(server.url)

    assert isinstance(outcome, Later)
    assert "not HTTP" in outcome.reason


@pytest.mark.parametrize("fault", ["stall", "drip"])
async def test_a_server_that_takes_its_time_is_given_up(server: HttpServer, fault: Any) -> None:
    """Neither silence nor a byte now and then holds a sink beyond its time-out; the next attempt is a fresh one."""
    server.script(Reply(200, b"", fault=fault))
    begun = time.monotonic()
    outcomes = await sent(server.url, times=2, timeout_s=0.4)
    lasted = time.monotonic() - begun

    assert [Later, Delivered] == [type(outcome) for outcome in outcomes]
    assert 0.3 < lasted < 5


async def test_cancelled(server: HttpServer) -> None:
    """A sink that is stopped lets go at once, and can be used again."""
    server.script(Reply(fault="stall"))
    sink = influx(server.url)
    attempt = asyncio.create_task(sink.send(RECORDS))
    while not server.requests:
        await asyncio.sleep(0.01)
    attempt.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    while not server.ended and time.monotonic() - begun < 5:
        await asyncio.sleep(0.01)
    ended = server.ended
    again = await sink.send(RECORDS)
    await sink.close()

    assert Delivered() == again
    assert 1 == ended


def test_an_abandoned_attempt_sends_nothing(server: HttpServer) -> None:
    """An attempt that was given up while it still connected does not deliver after all."""
    connection = Connection(parse_url(server.url), authorities=None, timeout_s=5.0)
    connection.abort()
    with pytest.raises(ConnectionAbortedError):
        connection.exchange(Outgoing("POST", "/write", {}, b"late"))

    assert [] == server.requests


async def test_nobody_listens() -> None:
    """A server that is down is tried again later."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]

    assert [Later(f"nothing listens at 127.0.0.1:{port}")] == await sent(f"http://127.0.0.1:{port}")


async def test_no_such_host() -> None:
    """A name that cannot be looked up is tried again later."""
    (outcome,) = await sent("http://no-such-host.invalid")

    assert isinstance(outcome, Later)


async def test_too_large_told_early(server: HttpServer) -> None:
    """A server that refuses a large batch before it has read it is understood, though sending broke."""
    many = [Record("sensor/hall/temperature", {"value": n * 0.1}, n, n) for n in range(100_000)]
    server.script(Reply(413, b"too much", fault="refuse"))
    sink = influx(server.url)
    outcome = await sink.send(many)
    await sink.close()

    assert TooLarge("it finds the batch too large (HTTP 413: too much)") == outcome


async def test_long_answers_are_cut(server: HttpServer) -> None:
    """Of an answer without end a little is read, and a line of it told."""
    server.script(Reply(400, b"x" * 300_000))
    (outcome,) = await sent(server.url)

    assert isinstance(outcome, Refused)
    assert 220 > len(outcome.reason)


async def test_redirects_are_not_followed(server: HttpServer) -> None:
    """A redirect is told with its host, and nothing is sent there."""
    server.script(Reply(301, headers={"Location": "https://user:pw@new.example/api?token=abc"}))

    assert [
        Held("it sends us on to new.example by https (HTTP 301), and no redirect is followed: mend url")
    ] == await sent(server.url)
    assert 1 == len(server.requests)


async def test_a_secret_in_a_redirect(server: HttpServer) -> None:
    """Nor is a secret told that a redirect has in its host."""
    server.script(Reply(302, headers={"Location": f"https://{TOKEN}.example/"}))
    (outcome,) = await sent(server.url)

    assert TOKEN not in repr(outcome)


async def test_gzip(server: HttpServer) -> None:
    """A batch is packed when asked."""
    await sent(server.url, gzip=True)
    (request,) = server.requests

    assert "gzip" == request.headers["content-encoding"]
    assert b"temperature,kind=sensor,place=hall value=21.5 1764000000000000000\n" == request.body


async def test_tls(tmp_path: Path) -> None:
    """An https server is trusted by the certificate the table names."""
    certificate = make_certificate(tmp_path)
    with HttpServer(certificate=certificate) as server:
        outcomes = await sent(server.url, times=2, ca=certificate)

    assert [Delivered()] * 2 == outcomes
    assert 1 == server.connections


async def test_a_dead_connection_with_tls(tmp_path: Path) -> None:
    """With TLS, too, a server that has closed the kept connection costs no attempt."""
    certificate = make_certificate(tmp_path)
    with HttpServer(certificate=certificate) as server:
        server.script(Reply(closes=True), Reply(closes=True))
        outcomes = await sent(server.url, times=3, ca=certificate)

    assert [Delivered()] * 3 == outcomes
    assert 3 == server.connections


async def test_tls_is_verified(tmp_path: Path) -> None:
    """An https server nobody vouches for, or of another name, gets nothing."""
    certificate = make_certificate(tmp_path)
    with HttpServer(certificate=certificate) as server:
        (unknown,) = await sent(server.url)
        (other_name,) = await sent(server.url.replace("localhost", "127.0.0.1"), ca=certificate)

    assert [Held, Held] == [type(unknown), type(other_name)]
    assert [] == server.requests


async def test_tls_with_a_server_that_has_none(server: HttpServer) -> None:
    """TLS with a plain server ends, as something to try again."""
    (outcome,) = await sent(server.url.replace("http:", "https:"), timeout_s=1.0)

    assert isinstance(outcome, Later)


async def test_a_handshake_that_never_ends() -> None:
    """A port that accepts and says nothing holds a sink with TLS no longer than its time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        (outcome,) = await sent(f"https://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)

    assert isinstance(outcome, Later)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("echo", [b"bad token %s", b'{"message": "unknown token %s"}', b"<h1>Token %s</h1>"])
async def test_no_secret_is_told(server: HttpServer, caplog: pytest.LogCaptureFixture, echo: bytes) -> None:
    """A server that repeats the token does not get it into a reason, a log or what a request shows of itself."""
    caplog.set_level(logging.DEBUG)
    server.script(*(Reply(status, echo % TOKEN.encode()) for status in (400, 401, 413, 429, 500)))
    sink = influx(server.url)
    outcomes = [await sink.send(RECORDS) for _ in range(5)]
    await sink.close()
    told = repr(outcomes) + caplog.text
    shown = repr(Outgoing("POST", "/x", {"Authorization": TOKEN}, TOKEN.encode())) + repr(
        Answer(200, {"x": TOKEN}, TOKEN.encode())
    )

    assert "***" in told
    assert TOKEN not in told + shown
    assert f"Token {TOKEN}" == server.requests[0].headers["authorization"]


async def test_retry_after_on_the_wire(server: HttpServer) -> None:
    """What a server asks for reaches the outcome."""
    server.script(Reply(503, b"overloaded", {"Retry-After": "12"}))

    assert [Later("it fails (HTTP 503: overloaded)", 12.0)] == await sent(server.url)


async def test_no_part_of_a_secret_is_told(server: HttpServer) -> None:
    """A secret at the place where the server's words are cut short is not told in part."""
    server.script(*(Reply(400, b"x" * before + TOKEN.encode() + b"y" * 300) for before in range(130, 165)))
    outcomes = await sent(server.url, times=35)

    assert [] == [outcome for outcome in outcomes if TOKEN[:5] in repr(outcome)]


def test_settings_tell_every_fault(tmp_path: Path) -> None:
    """A table's faults come all at once."""
    with pytest.raises(Invalid) as caught:
        InfluxDb(url="nowhere", database="", user="me", timeout_s=0.0, ca=tmp_path / "none", measurement="{plaec}")

    assert {"url", "database", "user", "timeout_s", "ca", "measurement"} == {
        problem.split()[0].rstrip(":") for problem in caught.value.problems
    }
