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


@pytest.mark.parametrize("ahead_s", [7200.0, -7200.0])
def test_wrong_clock(google: FakeGoogle, ahead_s: float) -> None:
    """A signature of another hour is told as what it is, with how far the clock is off; set right, it works at once."""
    asked = source(google)
    google.clock_ahead_s = ahead_s
    found = fault(asked)
    side = "behind" if ahead_s > 0 else "ahead of"

    assert "unreachable" == found.kind
    assert str(found).startswith("the clock of this machine is wrong: ")
    assert f"{side} Google's; set the time (invalid_grant)" in str(found)

    google.clock_ahead_s = 0.0

    assert [] == asked.fetch(WEEK)


def test_clock_that_runs_ahead_a_little(google: FakeGoogle) -> None:
    """A minute does not matter to Google, nor to us."""
    google.clock_ahead_s = -60.0

    assert [] == source(google).fetch(WEEK)


def test_grant_that_is_not_explained(google: FakeGoogle) -> None:
    """An invalid_grant without a word and without a clock to compare names both that it may be."""
    google.tells_time = False
    google.script(Answer(400, b'{"error": "invalid_grant"}'), at=TOKEN)
    found = fault(source(google))

    assert "refused" == found.kind
    assert "the clock of this machine may be wrong, or the grant was revoked" in str(found)


def test_revoked_login(google: FakeGoogle) -> None:
    """A login that was revoked says so, and how to log in again."""
    asked = source(google, google.share(FAMILY, google.login()))
    google.tokens.refresh.clear()
    found = fault(asked)

    assert "refused" == found.kind
    assert "the login was revoked or has run out" in str(found)
    assert "hearthbus calendar login" in str(found)


def test_revoked_while_it_runs(google: FakeGoogle) -> None:
    """A login that is revoked between two fetches: the token is refused, and then the grant."""
    asked = source(google, google.share(FAMILY, google.login()))
    asked.fetch(WEEK)
    google.tokens.refresh.clear()
    google.tokens.expire()

    assert "the login was revoked" in str(fault(asked))


def test_deleted_key(google: FakeGoogle) -> None:
    """A key that Google has deleted, or an account, is told as that."""
    asked = source(google)
    from cryptography.hazmat.primitives.asymmetric import rsa

    google.tokens.keys[ROBOT] = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()

    assert f"the key of {ROBOT} does not hold any more" in str(fault(asked))

    google.tokens.keys.clear()

    assert f"{ROBOT} does not exist any more" in str(fault(asked))


def test_deleted_client(google: FakeGoogle) -> None:
    """A login whose OAuth client is gone names it."""
    asked = source(google, google.share(FAMILY, google.login()))
    google.tokens.client_id = "another"

    assert "Google does not know the client of this login any more" in str(fault(asked))


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (Answer(400, b'{"error": "access_denied"}'), "refused", "said no"),
        (Answer(400, b'{"error": "odd", "error_description": "x"}'), "broken", "no token"),
        (Answer(400, b'{"error": {"deep": 1}}'), "broken", "no token"),
        (Answer(400, b'"text"'), "broken", "no token"),
        (Answer(400, b"<html>"), "broken", "no token"),
        (Answer(200, b"{}"), "broken", "no token"),
        (Answer(200, b"<html>"), "broken", ""),
        (Answer(200, b'{"access_token": "ya29", "expires_in": "soon"}'), "broken", ""),
        (Answer(200, b"\xff"), "broken", ""),
        (Cut(), "unreachable", "broke off"),
    ],
)
def test_token_server(google: FakeGoogle, answer: Scripted, kind: str, text: str) -> None:
    """Whatever the token server says is a fault of its class, never another error."""
    google.script(answer, at=TOKEN)
    found = fault(source(google))

    assert kind == found.kind
    assert text in str(found)


def test_token_server_in_trouble(google: FakeGoogle) -> None:
    """A token server in trouble is asked three times within the fetch, then left alone."""
    google.script(*[Answer(503, b"{}")] * 3, at=TOKEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
        found = fault(source(google))

    assert ("unreachable", "Google's token server has trouble of its own") == (found.kind, str(found))
    assert 3 == sum(asked.path == TOKEN for asked in google.asked)


def test_token_never_accepted(google: FakeGoogle) -> None:
    """A calendar server that refuses every token is not asked for ever."""
    google.script(*[Answer(401, reason="authError")] * 9)
    found = fault(source(google))

    assert ("refused", 3) == (found.kind, len(google.lists()))
    assert f"Google does not accept the credentials of {ROBOT} (HTTP 401)" == str(found)


def test_damaged_key(google: FakeGoogle) -> None:
    """A private key that is damaged is told without any of its letters."""
    info = json.loads(google.robot())
    info["private_key"] = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"
    found = fault(source(google, json.dumps(info)))

    assert "refused" == found.kind
    assert "the private key in the credentials cannot be read: the file is damaged; download a new key" == str(found)


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
