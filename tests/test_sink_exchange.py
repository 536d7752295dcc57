"""What an HTTP answer means by itself: statuses, Retry-After, a server's own words; and which addresses are none."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held
from services.telemetry.sinks.exchange import Answer, ordinary, retry_after, words
from services.telemetry.sinks.web import Address, parse_url


def test_retry_after() -> None:
    """Seconds or a date; nonsense asks for nothing, and a year is an hour."""
    at = 1_764_000_000.0
    asked = ["7", formatdate(at + 90, usegmt=True), formatdate(at - 90, usegmt=True), "31536000", "soon", "-5", ""]

    assert [7.0, 90.0, 0.0, 3600.0, None, None, None] == [
        retry_after(Answer(503, {"retry-after": text}, at=at)) for text in asked
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", ""),
        (b'{"error": "database not found"}', "database not found"),
        (b'{"code": "invalid", "message": "bad timestamp"}', "bad timestamp: invalid"),
        (b'{"title": "JSON Parser Error", "errors": ["unexpected token"]}', "unexpected token: JSON Parser Error"),
        (b'{"status":"401","error":{"error_code":"error_auth_required","message":"no"}}', "no: error_auth_required"),
        (b"<html><style>p {}</style><h1>502 Bad\nGateway</h1>", "502 Bad Gateway"),
        (b"\xff\x00\x1b[31mred", "\ufffd [31mred"),
        (b"[" * 5000, "[" * 159 + "…"),
    ],
)
def test_words(body: bytes, told: str) -> None:
    """A server's own words are one short line without markup or control characters."""
    assert told == words(Answer(500, {}, body))


def test_every_status_ends_somehow() -> None:
    """Whatever number a server makes up, there is an outcome, with a reason unless it was delivered."""
    for status in range(100, 1000):
        outcome = ordinary(Answer(status))

        assert isinstance(outcome, Delivered) == (200 <= status < 300)
        assert outcome.reason or isinstance(outcome, Delivered)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8086", "ftp://host/", "http:///x", "http://user:pw@host", "http://host/#x", "http://host?x=1",
        "http://host/a b", "http://host:port", "http://[::1", "http://höst",
    ],
)  # fmt: skip
def test_bad_addresses(url: str) -> None:
    """What is no plain address is refused before anything starts, without showing it."""
    with pytest.raises(Invalid) as caught:
        parse_url(url)

    assert url not in str(caught.value)


def test_addresses() -> None:
    """An address is host, port and path; one with a query has a path that can be asked for."""
    v6 = parse_url("http://[fd00::7]:8086/influx/")

    assert Address(secure=False, host="fd00::7", port=8086, path="/influx") == v6
    assert "[fd00::7]:8086" == v6.place
    assert Address(secure=True, host="barn.example", port=443, path="/?x=1") == parse_url(
        "https://barn.example?x=1", query=True
    )


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><h1>Welcome</h1>", b"\n <html>log in</html>", b"\xef\xbb\xbf<HTML>"])
def test_a_page_is_no_success(page: bytes) -> None:
    """A network that puts its log-in page before everything takes no data."""
    assert Held is type(ordinary(Answer(200, {}, page)))
    assert Delivered() == ordinary(Answer(200, {}, b"{}"))
