"""Fetching calendars: files, real HTTP and HTTPS servers, what they do wrong, and that no address is ever told."""

from __future__ import annotations

import gzip
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from ics_server import Reply, Server, ics, make_certificate, serving, window

from hearthbus import Secret
from services.calendar.ics.source import IcsSource
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONDON = ZoneInfo("Europe/London")
SPRING = window("2026-03-20", "2026-04-04")
EVENT = "UID:e\nSUMMARY:tea\nDTSTART:20260321T100000Z"
TOKEN = "private-4f9d2b7c1e"
PATH = f"/calendar/ical/ann%40example.org/{TOKEN}/basic.ics?key={TOKEN}"


@pytest.fixture
def server() -> Iterator[Server]:
    """Speak plain HTTP."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate nobody else trusts."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Speak HTTPS, trusted through SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as server:
        yield server


def source(address: str | Secret, **options: Any) -> IcsSource:
    """Return a source that does not wait long."""
    return IcsSource(address=address, zone=LONDON, **{"timeout_s": 5.0, "deadline_s": 10.0, **options})


def titles(of: IcsSource) -> list[str]:
    """Fetch, and return what the events are called."""
    return [event.title for event in of.fetch(SPRING)]


def fault(of: IcsSource) -> SourceFault:
    """Return why there is nothing; whatever it says, it does not say the address."""
    with pytest.raises(SourceFault) as raised:
        of.fetch(SPRING)

    assert TOKEN not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r} {of.__dict__}"
    assert raised.value.__suppress_context__
    return raised.value


def test_https(secure: Server) -> None:
    """With a certificate that is trusted; the answer is packed."""
    secure.reply = lambda _: Reply(headers={"Content-Encoding": "gzip"}, data=gzip.compress(ics(EVENT)))

    assert ["tea"] == titles(source(Secret(secure.url(PATH))))
    assert PATH == secure.asked[0][0]
    assert "gzip" == secure.asked[0][1]["accept-encoding"]


def test_webcal_is_https(secure: Server) -> None:
    """As telephones write it."""
    secure.reply = lambda _: Reply(data=ics(EVENT))

    assert ["tea"] == titles(source(secure.url().replace("https", "webcal")))


def test_a_certificate_that_nobody_trusts(certificate: Path) -> None:
    """It is refused, and the text says how a private authority is named."""
    with serving(certificate) as server:
        found = fault(source(Secret(server.url(PATH))))

    assert "unreachable" == found.kind
    assert "localhost cannot be trusted" in str(found)
    assert "SSL_CERT_FILE" in str(found)


def test_not_modified(server: Server) -> None:
    """What was read is kept, and told again; the server is shown what it said."""
    server.reply = lambda request: (
        Reply(304)
        if request.headers.get("If-None-Match") == '"7"'
        else Reply(headers={"ETag": '"7"', "Last-Modified": "Sat, 21 Mar 2026 10:00:00 GMT"}, data=ics(EVENT))
    )
    calendar = source(server.url("/für alle.ics"))

    assert ["tea"] == titles(calendar) == titles(calendar)
    assert "/f%C3%BCr%20alle.ics" == server.asked[0][0]
    assert "Sat, 21 Mar 2026 10:00:00 GMT" == server.asked[1][1]["if-modified-since"]


def test_a_change_is_seen_and_a_fault_forgets_nothing(server: Server) -> None:
    """After a broken answer the next one is asked for whole."""
    answers = [Reply(data=ics(EVENT)), Reply(data=b"<html>"), Reply(data=ics(EVENT.replace("tea", "cake")))]
    server.reply = lambda _: answers.pop(0)
    calendar = source(server.url())
    first = titles(calendar)
    page = fault(calendar)

    assert ("broken", ["tea"], ["cake"]) == (page.kind, first, titles(calendar))
    assert "a web page" in str(page)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "refused"), (403, "refused"), (404, "gone"), (410, "gone"), (429, "busy"), (500, "unreachable"),
     (502, "unreachable"), (503, "busy"), (204, "broken"), (418, "broken"), (304, "broken")],
)  # fmt: skip
def test_what_a_server_refuses(server: Server, status: int, kind: str) -> None:
    """Each by its class; the text has the host and the number."""
    server.reply = lambda _: Reply(status, data=b"" if status in {204, 304} else TOKEN.encode())
    found = fault(source(Secret(server.url(PATH))))

    assert kind == found.kind
    assert f"localhost answers {status}" in str(found)


@pytest.mark.parametrize(
    ("value", "seconds"), [("120", 120.0), ("99999999999999", 86400.0), ("soon", None), ("-5", None)]
)
def test_retry_after(server: Server, value: str, seconds: float | None) -> None:
    """What the server asks for is passed on, and not more than a day."""
    server.reply = lambda _: Reply(429, {"Retry-After": value})

    assert seconds == fault(source(server.url())).after_s


def test_redirections_are_followed_and_counted(server: Server) -> None:
    """To another path, with the password only where it belongs; never without end."""
    server.reply = lambda request: (
        Reply(302, {"Location": "/moved"}) if request.path != "/moved" else Reply(data=ics(EVENT))
    )
    address = server.url(PATH).replace("localhost", "ann:pass%20word@localhost")

    assert ["tea"] == titles(source(Secret(address)))
    assert ["Basic YW5uOnBhc3Mgd29yZA=="] * 2 == [headers["authorization"] for _, headers in server.asked]
    server.reply = lambda _: Reply(302, {"Location": "/again"})
    assert "without end" in str(fault(source(Secret(address))))


def test_a_password_goes_to_no_other_host(server: Server) -> None:
    """A redirection elsewhere takes the address, and no more."""
    with serving() as other:
        other.reply = lambda _: Reply(data=ics(EVENT))
        server.reply = lambda _: Reply(301, {"Location": other.url(host="127.0.0.1")})

        assert ["tea"] == titles(source(Secret(server.url().replace("localhost", "ann:secret@localhost"))))
        assert "authorization" not in other.asked[0][1]


@pytest.mark.parametrize("location", ["http://localhost:1/", "file:///etc/passwd", "ftp://localhost/", "", "http://["])
def test_where_no_redirection_goes(secure: Server, location: str) -> None:
    """From https to http, to a file, or nowhere."""
    secure.reply = lambda _: Reply(302, {"Location": location})

    assert "broken" == fault(source(Secret(secure.url(PATH)))).kind


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(data=b"x" * (10 * 1024 * 1024 + 1)), "broken", "more than 10 MB"),
        (Reply(data=gzip.compress(bytes(40 << 20)), headers={"Content-Encoding": "gzip"}), "broken", "more than 10 MB"),
        (Reply(data=b"nonsense", headers={"Content-Encoding": "gzip"}), "broken", "unpacked"),
        (Reply(data=b"x", headers={"Content-Encoding": "br"}), "broken", "not asked for"),
        (Reply(data=gzip.compress(ics(EVENT))[:-9], headers={"Content-Encoding": "gzip"}), "unreachable", "middle"),
        (Reply(data=ics(EVENT), whole=False), "unreachable", "middle"),
    ],
    ids=["large", "bomb", "no gzip", "brotli", "half gzip", "half"],
)
def test_answers_that_are_none(server: Server, reply: Reply, kind: str, said: str) -> None:
    """Too large, packed or unpacked; packed wrongly; not whole."""
    server.reply = lambda _: reply
    found = fault(source(Secret(server.url(PATH)), timeout_s=1.0))

    assert kind == found.kind
    assert said in str(found)


def test_a_server_that_drips(server: Server) -> None:
    """A byte now and then keeps every time-out away; the deadline ends it."""
    server.reply = lambda _: Reply(data=ics(EVENT), drip_s=0.1)
    begin = time.monotonic()
    found = fault(source(Secret(server.url(PATH)), timeout_s=5.0, deadline_s=0.5))

    assert "unreachable" == found.kind
    assert "no whole answer within" in str(found)
    assert 3 > time.monotonic() - begin


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing(scheme: str) -> None:
    """It takes the connection and hangs: a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}{PATH}"
        found = fault(source(Secret(address), timeout_s=0.3))

    assert "unreachable" == found.kind
    assert "does not answer" in str(found)


def test_a_server_that_speaks_something_else() -> None:
    """What it says is in no text."""
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"220 {TOKEN} ESMTP\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        found = fault(source(Secret(f"http://127.0.0.1:{odd.getsockname()[1]}{PATH}")))
        thread.join()

    assert "unreachable" == found.kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (f"http://127.0.0.1:1/{TOKEN}", "unreachable"),
        (f"https://no-such-host.invalid/{TOKEN}", "unreachable"),
        (f"https://localhost:99999/{TOKEN}", "broken"),
        (f"http://local host/{TOKEN}", "broken"),
        (f"http://localhost:1/{TOKEN}\r\nX: y", "broken"),
        (f"https:///{TOKEN}", "broken"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, kind: str) -> None:
    """Refused, unknown, or none at all."""
    assert kind in {fault(source(Secret(address))).kind, "broken"}


def test_http_is_warned_of_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """When the source is made, and without its address."""
    caplog.set_level(logging.WARNING)
    server.reply = lambda _: Reply(data=ics(EVENT))
    calendar = source(Secret(server.url(PATH)))
    calendar.fetch(SPRING)
    calendar.fetch(SPRING)

    assert 1 == len(caplog.records)
    assert "localhost is asked over http" in caplog.text
    assert TOKEN not in caplog.text


def test_a_file(tmp_path: Path) -> None:
    """Read again when it has changed, also where only its content has."""
    path = tmp_path / "bins.ics"
    path.write_bytes(ics(EVENT))
    calendar = source(str(path))
    first = titles(calendar)
    path.write_bytes(ics(EVENT.replace("tea", "bin")))

    assert (["tea"], ["bin"]) == (first, titles(calendar))


def test_files_that_are_none(tmp_path: Path) -> None:
    """Missing, a folder, a pipe nobody writes to, too large: told by their paths."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    kinds = {name: fault(source(str(tmp_path / name))).kind for name in ("missing", "pipe", "large", ".")}
    told = str(fault(source(str(tmp_path / "missing"))))

    assert {"missing": "gone", "pipe": "broken", "large": "broken", ".": "broken"} == kinds
    assert f"{tmp_path}/missing is not there" == told


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """`unread` says how many events could not be understood."""
    path = tmp_path / "some.ics"
    path.write_bytes(ics(EVENT, "UID:bad\nDTSTART:never"))
    calendar = source(str(path))

    assert ["tea"] == titles(calendar)
    assert 1 == calendar.unread
