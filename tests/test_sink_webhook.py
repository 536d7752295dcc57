"""Webhooks: whole messages, signed, under a key that stays; and the receiver of the docs, run."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from http_sink import HttpServer, Reply, Request

from hearthbus.config.schema import build
from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge
from services.telemetry.records import Record
from services.telemetry.sinks.exchange import Answer, Outgoing
from services.telemetry.sinks.webhook import MAX_BODY, MessageFormat, Webhook

PAGE = Path(__file__).parent.parent / "docs" / "telemetry-sinks.md"
KEY = "webhook-key-5c1d"
T = 1_764_000_000_123_456_789
MESSAGES = [
    Record("sensor/hall/temperature", {"value": 21.5, "unit": "°C"}, T, 41),
    Record("alert/boiler", {"active": True, "text": 'hot, "very"\n', "seen": [1, None, {"x": None}]}, T + 10**9, 42),
]


async def deliver(url: str | Secret, *records: Record, **more: Any) -> Outcome:
    sink = Webhook(url=url, **more).sink("barn")
    try:
        return await sink.send(records)
    finally:
        await sink.close()


def signed(request: Request, key: str) -> bool:
    said = request.headers["x-hearthbus-timestamp"].encode() + b"." + request.raw
    return request.headers["x-hearthbus-signature"] == "sha256=" + hmac.digest(key.encode(), said, "sha256").hex()


async def test_messages_arrive() -> None:
    """Messages come whole and in order, with id and time, to the path and query of the address."""
    with HttpServer() as server:
        outcome = await deliver(f"{server.url}/in?house=mill", *MESSAGES)
        bare = await deliver(server.url, *MESSAGES)
    request = server.requests[0]

    assert [Delivered(), Delivered()] == [outcome, bare]
    assert ["/in?house=mill", "/"] == [each.target for each in server.requests]
    assert "application/json" == request.headers["content-type"]
    assert [
        {
            "id": f"{T}-41",
            "topic": "sensor/hall/temperature",
            "time": "2025-11-24T16:00:00.123456Z",
            "body": {"value": 21.5, "unit": "°C"},
        },
        {
            "id": f"{T + 10**9}-42",
            "topic": "alert/boiler",
            "time": "2025-11-24T16:00:01.123456Z",
            "body": {"active": True, "text": 'hot, "very"\n', "seen": [1, None, {}]},
        },
    ] == json.loads(request.body)
    assert "x-hearthbus-signature" not in request.headers


@pytest.mark.parametrize("packed", [False, True])
async def test_signature(packed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The body as it came is signed, with the time of sending, which is now."""
    with HttpServer() as server:
        await deliver(server.url, *MESSAGES, key=Secret(KEY), gzip=packed)
    (request,) = server.requests

    assert signed(request, KEY)
    assert not signed(request, "another")
    assert packed == (request.raw != request.body)
    assert abs(int(request.headers["x-hearthbus-timestamp"]) - request.at) < 5


async def test_the_key_of_a_batch_stays() -> None:
    """The same batch has the same key, also from another process; another batch another."""
    with HttpServer() as server:
        for records in (MESSAGES, MESSAGES, MESSAGES[:1]):
            await deliver(server.url, *records)
    first, again, other = (request.headers["idempotency-key"] for request in server.requests)

    assert first == again != other
    assert hashlib.sha256(f"{MESSAGES[0].id}\n{MESSAGES[1].id}".encode()).hexdigest()[:32] == first
    assert not MessageFormat.merges


def test_what_json_cannot_hold() -> None:
    """NaN, infinities and null are not sent; bytes are base64."""
    body = {"value": float("nan"), "deep": {"x": float("inf"), "y": 1}, "none": None, "raw": b"\x00\xff", "n": 2**60}
    outgoing = MessageFormat(None, {}, zipped=False).encode([Record("a/b", body, T, 1)], 0.0)

    assert isinstance(outgoing, Outgoing)
    assert [{"deep": {"y": 1}, "raw": "AP8=", "n": 2**60}] == [each["body"] for each in json.loads(outgoing.body)]


def test_too_much_for_one_call() -> None:
    """A batch above the limit is halved; a single message goes as it is."""
    large = Record("a/b", {"text": "x" * (MAX_BODY // 2)}, T, 1)
    form = MessageFormat(None, {}, zipped=False)

    assert TooLarge is type(form.encode([large, large], 0.0))
    assert Outgoing is type(form.encode([Record("a/b", {"text": "x" * MAX_BODY}, T, 1)], 0.0))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, Delivered), (201, Delivered), (204, Delivered), (409, Later), (410, Held), (422, Refused), (302, Held)],
)
def test_answers(status: int, kind: type) -> None:
    """A receiver that has the batch under way is asked again, one that is gone is told."""
    assert kind is type(MessageFormat(None, {}, zipped=False).judge(Answer(status)))


async def test_headers_and_secrets() -> None:
    """Headers of the table are sent; no secret is told by repr, outcome or error, a secret address neither."""
    with HttpServer() as server:
        url = Secret(f"{server.url}/hooks/T0KEN-in-the-path?auth=t0ken-in-the-query")
        headers: dict[str, str | Secret] = {"Authorization": Secret("Bearer b34rer-1"), "X-House": "mill"}
        settings = Webhook(url=url, key=Secret(KEY), headers=headers)
        sink = settings.sink("barn")
        echo = f"no /hooks/T0KEN-in-the-path, auth t0ken-in-the-query Bearer b34rer-1 b34rer-1 {KEY}".encode()
        server.script(Reply(404, echo), Reply(400, echo), Reply(200, b"half", fault="half"))
        outcomes = [await sink.send(MESSAGES) for _ in range(3)]
        await sink.close()
    told = repr((outcomes, settings))
    (request, *_) = server.requests

    assert ("Bearer b34rer-1", "mill") == (request.headers["authorization"], request.headers["x-house"])
    assert [Held, Refused, Later] == [type(outcome) for outcome in outcomes]
    assert [] == [secret for secret in ("T0KEN", "t0ken", "b34rer", KEY) if secret in told]


def test_tables(tmp_path: Path) -> None:
    """Addresses and headers may be secrets or texts; what cannot be sent is told, and not shown."""
    file = tmp_path / "hook"
    file.write_text("https://barn.example/hooks/s3cret\n")
    file.chmod(0o600)
    made = build(Webhook, {"url": {"file": str(file)}, "headers": {"X-A": "b"}})
    with pytest.raises(Invalid) as caught:
        Webhook(url=Secret("barn.example/s3cret"), headers={"Host": "x", "X-B": Secret("s3cret\nX: y")})

    assert Secret("https://barn.example/hooks/s3cret") == made.url
    assert ["url", "headers.Host", "headers.X-B"] == [problem.split()[0] for problem in caught.value.problems]
    assert "s3cret" not in str(caught.value)


async def test_the_receiver_of_the_docs(tmp_path: Path) -> None:
    """The page's receiver takes what is signed with its key, prints it, and refuses all else."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "webhook").write_text(KEY + "\n")
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with subprocess.Popen(  # noqa: ASYNC220 - it starts in a millisecond, and nothing else runs in this loop
        [sys.executable, "-u", "-c", program.replace("8080", str(port))],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as receiver:
        try:
            _await_listener(port)
            url = f"http://127.0.0.1:{port}/hearthbus"
            refused = await deliver(url, *MESSAGES, key=Secret("another-key"))
            taken = await deliver(url, *MESSAGES, key=Secret(KEY))
            assert receiver.stdout is not None
            lines = [receiver.stdout.readline() for _ in MESSAGES]
        finally:
            receiver.kill()

    assert [Held, Delivered] == [type(refused), type(taken)]
    assert [MESSAGES[0].id, MESSAGES[1].id] == [line.split()[0] for line in lines]
    assert "{'value': 21.5, 'unit': '°C'}" in lines[0]


def _await_listener(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
