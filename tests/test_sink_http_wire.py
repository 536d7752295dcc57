"""HTTP sinks: the shapes an answer can have on the wire, and the addresses a server can be at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from http_sink import HttpServer, Reply

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Later, Outcome, Refused
from services.telemetry.records import Record
from services.telemetry.sinks.influxdb import InfluxDb
from services.telemetry.sinks.web import parse_url
from services.telemetry.sinks.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.telemetry.sinks import Sink

RECORDS = [Record("sensor/hall/temperature", {"value": 21.5}, 1_764_000_000_000_000_000, 1)]
TAKEN = b"HTTP/1.1 204 Taken\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad"
REFUSED = Refused("it does not take this (HTTP 400: bad)")


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def influx(url: str) -> Sink:
    return InfluxDb(url=url, database="house").sink("archive")


async def sent(sink: Sink, times: int) -> list[Outcome]:
    outcomes = [await sink.send(RECORDS) for _ in range(times)]
    await sink.close()
    return outcomes


@pytest.mark.parametrize(
    ("raw", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 204 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 2),
        (b"HTTP/1.0 204 No\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 100 Go on\r\n\r\n" + TAKEN, 1),
    ],
    ids=["without body", "chunked", "said to close", "HTTP/1.0 kept", "100"],
)
async def test_answers_that_keep_the_connection_or_not(server: HttpServer, raw: bytes, connections: int) -> None:
    """Whatever shape an answer has, it is one; the connection is kept unless the server says that it closes it."""
    server.script(Reply(raw=raw), Reply(raw=raw))

    assert [Delivered()] * 2 == await sent(influx(server.url), 2)
    assert (2, connections) == (len(server.requests), server.connections)


@pytest.mark.parametrize("raw", [b"HTTP/1.0 200 OK\r\n\r\nok", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["1.0", "no length"])
async def test_answers_ended_by_the_connections_end(server: HttpServer, raw: bytes) -> None:
    """An answer without a length ends with its connection; the next batch has another."""
    server.script(Reply(raw=raw, closes=True), Reply(raw=raw, closes=True))

    assert [Delivered()] * 2 == await sent(influx(server.url), 2)
    assert (2, 2) == (len(server.requests), server.connections)


@pytest.mark.parametrize("status", [100, 102, 103])
async def test_answers_before_the_answer(server: HttpServer, status: int) -> None:
    """What a server says while it is at work is not its answer, and its answer is not that of the next batch."""
    server.script(Reply(raw=f"HTTP/1.1 {status} Wait\r\nLink: x\r\n\r\n".encode() * 2 + BAD))

    assert [REFUSED, Delivered()] == await sent(influx(server.url), 2)
    assert 2 == len(server.requests)


async def test_an_answer_too_many(server: HttpServer) -> None:
    """What a server says unasked is no answer to the next batch."""
    server.script(Reply(), Reply(raw=BAD))
    sink = influx(server.url)
    first = await sink.send(RECORDS)
    server.push(TAKEN)
    second = await sink.send(RECORDS)
    await sink.close()

    assert [Delivered(), REFUSED] == [first, second]


async def test_a_batch_sent_again_at_once_has_its_key(server: HttpServer) -> None:
    """A webhook whose kept connection dies before the answer gets the same request again, which says so itself."""
    server.script(Reply(), Reply(fault="drop"))

    assert [Delivered()] * 2 == await sent(Webhook(url=server.url, key=Secret("hush-key")).sink("barn"), 2)
    assert (3, 2) == (len(server.requests), server.connections)
    assert server.requests[1].headers == server.requests[2].headers
    assert server.requests[1].raw == server.requests[2].raw


async def test_no_proxy(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not asked: what it says of batches nobody knows."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert [Delivered()] == await sent(influx(server.url), 1)


@pytest.mark.parametrize("end", ["", "/", "/db", "/db/"])
async def test_a_path(server: HttpServer, end: str) -> None:
    """A path stands before the protocol's own, with a slash at its end or without."""
    await sent(influx(server.url + end), 1)

    assert f"{end.rstrip('/')}/write" == server.requests[0].path


async def test_ipv6() -> None:
    """An address of IPv6 stands in brackets, in the table and in the request."""
    with HttpServer(host="::1") as server:
        outcomes = await sent(influx(f"http://[::1]:{server.port}"), 1)

        assert [Delivered()] == outcomes
        assert f"[::1]:{server.port}" == server.requests[0].headers["host"]
    assert [Later(f"nothing listens at [::1]:{server.port}")] == await sent(influx(f"http://[::1]:{server.port}"), 1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://user:hush-pass@host", "a password has a key of its own"),
        ("http://user@host", "a password has a key of its own"),
        ("http://:hush-pass@host", "a password has a key of its own"),
        ("http://@host", "a password has a key of its own"),
        ("http://host:0", "port"),
        ("http://host:99999", "is no address"),
        ("http://[::1", "is no address"),
        ("http://[hush-pass]", "is no address"),
        ("ftp://host", "begins with http"),
        ("host:8086", "begins with http"),
        ("http://host/a b?", "a space"),
        ("http://h\tost", "a space"),
        ("http://hö.example", "a space or another sign"),
        ("http://host/x?u=hush-pass", "ends with the path"),
        ("http://host/#hush-pass", "ends with the path"),
    ],
)
def test_no_address(url: str, words: str) -> None:
    """What is no address, or has a secret in it, is refused before the start, and not shown."""
    with pytest.raises(Invalid) as raised:
        parse_url(url)

    assert words in str(raised.value)
    assert "hush-pass" not in str(raised.value)
