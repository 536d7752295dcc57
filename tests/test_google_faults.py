"""What goes wrong between a house and Google, over HTTP: each fault has its class and its text."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

import pytest
from fake_google import FAMILY, TOKEN, Answer, Cut, Drip, Drop, FakeGoogle, Stall
from fake_google_events import timed
from google_source import LONDON, WEEK, fakes, fault, source

from hearthbus import Invalid, Secret
from services.calendar.google.reasons import GRANTS, REASONS
from services.calendar.google.source import GoogleSource

if TYPE_CHECKING:
    from pathlib import Path

    from fake_google import Scripted

ROBOT = "hearthbus@house.iam.gserviceaccount.com"
google = pytest.fixture(fakes)


def page(**fields: object) -> Answer:
    return Answer(200, json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (Answer(403, reason="forbidden"), "refused", f"{ROBOT} may not read the calendar {FAMILY}; share it with"),
        (Answer(403, reason="accessNotConfigured"), "refused", "the Google Calendar API is not switched on"),
        (Answer(403, reason="insufficientPermissions"), "refused", "does not cover calendars"),
        (Answer(403, reason="rateLimitExceeded"), "busy", "Google wants fewer questions"),
        (Answer(403, reason="userRateLimitExceeded"), "busy", "Google wants fewer questions"),
        (Answer(403, reason="quotaExceeded"), "busy", "quota of this day"),
        (Answer(403, reason="dailyLimitExceeded"), "busy", "quota of this day"),
        (Answer(403, reason="somethingNew"), "refused", "(HTTP 403)"),
        (Answer(403, b""), "refused", "(HTTP 403)"),
        (Answer(404, reason="notFound"), "gone", f"there is no calendar {FAMILY}, or it is not shared with {ROBOT}"),
        (Answer(404, b"<html>"), "gone", "(HTTP 404)"),
        (Answer(410, reason="fullSyncRequired"), "unreachable", "asked anew as a whole (HTTP 410)"),
        (Answer(400, reason="keyInvalid"), "refused", "Google does not know this API key"),
        (Answer(400, reason="badRequest"), "broken", "does not understand the question"),
        (Answer(408), "unreachable", "(HTTP 408)"),
        (Answer(429), "busy", "(HTTP 429)"),
        (Answer(500), "unreachable", "trouble of its own (HTTP 500)"),
        (Answer(502, b"<html>Bad Gateway"), "unreachable", "trouble of its own (HTTP 502)"),
        (Answer(503), "busy", "(HTTP 503)"),
        (Answer(504), "unreachable", "(HTTP 504)"),
        (Answer(418), "broken", "(HTTP 418)"),
        (Answer(302, headers={"Location": "http://login.example/"}), "unreachable", "leads elsewhere"),
        (Answer(304, b""), "unreachable", "(HTTP 304)"),
        (Answer(500, b"[" * 100_000), "broken", "nested without end"),
        (Answer(403, b'[{"error": {"message": 5}}]'), "broken", "an error of its reader, AttributeError"),
        (Answer(403, b'{"error": {"errors": [{"reason": 7}, 5], "details": 3}}'), "refused", "(HTTP 403)"),
        (Answer(403, b'{"error": "forbidden"}'), "refused", "(HTTP 403)"),
        (Answer(200, b"<html>Please log in"), "broken", "no list of events; a login page"),
        (Answer(200, b""), "broken", "no list of events"),
        (Answer(200, b"\xff\xfe"), "broken", "not JSON"),
        (Answer(200, b"[" * 100_000), "broken", "nested without end"),
        (Answer(200, b"[]"), "broken", "no list of events"),
        (page(), "broken", "no list of events"),
        (page(items=[]), "broken", "no list of events"),
        (page(kind="calendar#events", items=5), "broken", "no list of events"),
        (Answer(200, b"\x1f\x8b\x08nonsense", headers={"Content-Encoding": "gzip"}), "broken", "cannot be unpacked"),
        (Answer(204, b""), "broken", "no list of events"),
        (Cut(honest=True), "broken", "no list of events"),
        (Cut(), "unreachable", "broke off in the middle"),
    ],
)  # fmt: skip
def test_answer(google: FakeGoogle, answer: Scripted, kind: str, text: str) -> None:
    """Each answer that is none has its class and says what to do; the next fetch works again."""
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z"))
    asked = source(google)
    google.script(answer)
    found = fault(asked)

    assert kind == found.kind
    assert text in str(found)
    assert [1] == [len(asked.fetch(WEEK))]


@pytest.mark.parametrize("said", ["7", "86400000"])
def test_retry_after(google: FakeGoogle, said: str) -> None:
    """Google's own wish for patience is heard, within reason."""
    google.script(Answer(429, headers={"Retry-After": said}))

    assert min(float(said), 6 * 3600.0) == fault(source(google)).after_s


@pytest.mark.parametrize("said", ["", "-5", "soon", "1e9", "٣", "Fri, 20 Nov 2026 16:00:00 GMT"])
def test_odd_retry_after(google: FakeGoogle, said: str) -> None:
    """A wish that cannot be read is none."""
    google.script(Answer(503, headers={"Retry-After": said.encode().decode("latin-1")}))

    assert fault(source(google)).after_s is None


def test_quota_of_the_day(google: FakeGoogle) -> None:
    """A quota that is used up for the day is not asked about every minute."""
    google.script(Answer(403, reason="dailyLimitExceeded"))

    assert 3600.0 == fault(source(google)).after_s


@pytest.mark.parametrize("at", ["/calendar/v3/calendars/", TOKEN])
def test_time_out(google: FakeGoogle, at: str) -> None:
    """A server that says nothing is given up after the time-out."""
    google.script(Stall(), at=at)
    began = time.monotonic()
    found = fault(source(google, timeout_s=0.3))

    assert ("unreachable", "127.0.0.1 did not answer in time") == (found.kind, str(found))
    assert time.monotonic() - began < 5.0


def test_deadline(google: FakeGoogle) -> None:
    """A server that gives a byte now and then, for ever, is given up all the same."""
    google.script(Drip())
    began = time.monotonic()
    found = fault(source(google, deadline_s=0.5))

    assert ("unreachable", "127.0.0.1 gave no whole answer within 0.5 s") == (found.kind, str(found))
    assert 0.4 < time.monotonic() - began < 5.0


def test_dropped_connection(google: FakeGoogle) -> None:
    """A connection that was dropped is tried once more; dropped again and again it is a fault."""
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z"))
    asked = source(google)
    google.script(Drop())

    assert 1 == len(asked.fetch(WEEK))

    google.script(*[Drop()] * 4)

    assert "unreachable" == fault(asked).kind


def test_refused_connection(google: FakeGoogle) -> None:
    """Where nobody listens, the text has the system's own word for it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        found = fault(GoogleSource(calendar=FAMILY, credentials=Secret(google.robot()), api_key=None,
                                   endpoint=endpoint, zone=LONDON))  # fmt: skip

    assert ("unreachable", "127.0.0.1 cannot be reached: connection refused") == (found.kind, str(found))


def test_no_network(google: FakeGoogle) -> None:
    """A name that nobody knows is told as a network that is away."""
    found = fault(GoogleSource(calendar=FAMILY, credentials=None, api_key=Secret(google.tokens.api_key()),
                               endpoint="http://calendar.invalid/", zone=LONDON))  # fmt: skip

    assert "unreachable" == found.kind
    assert "there is no address of calendar.invalid: no network, or no name server" == str(found)


def test_no_tls(google: FakeGoogle) -> None:
    """A server that does not speak TLS where it should is a fault like others."""
    found = fault(GoogleSource(calendar=FAMILY, credentials=None, api_key=Secret(google.tokens.api_key()),
                               endpoint=google.endpoint.replace("http:", "https:"), zone=LONDON))  # fmt: skip

    assert ("unreachable", "127.0.0.1 cannot be reached") == (found.kind, str(found))


def test_unknown_certificate(google: FakeGoogle, tmp_path: Path) -> None:
    """A certificate that nobody vouches for ends the connection before any key is sent; a wrong clock is named."""
    google.encrypt(tmp_path)
    google.calendar(FAMILY).public = True
    found = fault(source(google, api_key=Secret(google.tokens.api_key())))

    assert ("unreachable", []) == (found.kind, google.asked)
    assert "the certificate of 127.0.0.1 is not valid: this machine's clock may be wrong" in str(found)


def test_over_tls(google: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a certificate that is known everything goes over TLS, and the deadline cuts that too."""
    monkeypatch.setattr("httplib2.CA_CERTS", str(google.encrypt(tmp_path)))
    google.put(FAMILY, timed("tea", "2026-11-20T16:00:00Z", "2026-11-20T17:00:00Z"))
    asked = source(google, deadline_s=2.0)

    assert 1 == len(asked.fetch(WEEK))

    google.script(Drip())

    assert "127.0.0.1 gave no whole answer within 2 s" == str(fault(asked))


def test_every_meaning_is_whole() -> None:
    """Each reason's text has a next step or a cause, and nothing that is not filled in."""
    for meaning in (*REASONS.values(), *GRANTS.values()):
        text = meaning.text.replace("{calendar}", "").replace("{account}", "")

        assert "{" not in text
        assert meaning.kind in {"busy", "unreachable", "refused", "gone", "broken"}


def test_bad_credentials_are_refused_at_once(google: FakeGoogle) -> None:
    """A wrong file is told when the source is made, before anybody is asked."""
    with pytest.raises(Invalid, match="client file of a desktop app"):
        source(google, google.client())
