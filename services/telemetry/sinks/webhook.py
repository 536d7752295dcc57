"""Any program that takes JSON by HTTP: a list of messages, signed, whole bodies and not only their numbers.

    POST /your/path
    Content-Type: application/json
    Idempotency-Key: 0f4c...                      the same when the same batch comes again
    X-Hearthbus-Timestamp: 1764000000             when it was sent, seconds since 1970
    X-Hearthbus-Signature: sha256=9b1d...         HMAC of timestamp, a dot, and the body as it came

    [{"id": "1763999990123456789-42", "topic": "sensor/hall/temperature",
      "time": "2025-11-24T15:59:50.123456Z", "body": {"value": 21.5, "unit": "°C"}}, ...]

A receiver may get a batch twice, when its answer was lost; `id` tells whether it has a message already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hearthbus.config.secret import Secret
from services.telemetry.outcomes import Delivered, Held, Outcome, TooLarge
from services.telemetry.sinks.exchange import Answer, Outgoing, later, ordinary, told
from services.telemetry.sinks.web import WebSettings, gathered, header_value, parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink
    from services.telemetry.sinks.web import Address

MOST: Final = 1000
"""Records of one call."""
MAX_BODY: Final = 4_000_000
"""Bytes of one call; a batch that is larger is sent in parts."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_BETWEEN: Final = re.compile(r"[\s/?&=;,]+")
_OURS: Final = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "host", "idempotency-key",
        "transfer-encoding", "user-agent", "x-hearthbus-signature", "x-hearthbus-timestamp",
    }
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Webhook(WebSettings):
    """A program of your own, or anybody's.

    [telemetry.webhook.barn]
    url = "https://barn.example/hearthbus"
    key = { file = "secrets/webhook" }
    """

    url: str | Secret
    """Where batches are posted; a secret where the address itself is the key."""
    key: Secret | None = None
    """What batches are signed with; default: they are not."""
    headers: dict[str, str | Secret] = field(default_factory=dict)
    """What else is said in the request's head: `{ Authorization = { file = "secrets/barn" } }`."""
    gzip: bool = False
    """Whether batches are packed on their way; the signature is that of the packed body."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with address and headers."""
        yield from super().faults()
        yield from gathered(self._address)
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
                named = f"headers.{name}" if _TOKEN.fullmatch(name) else "headers: one"
                yield f"{named} is no header of yours"
            yield from gathered(partial(header_value, _plain(value), key=f"headers.{name}"))

    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret of the table, and the parts of one that a server may repeat alone: of a path, a token."""
        whole = [each for each in (self.url, *self.headers.values()) if isinstance(each, Secret)]
        parts = {part for each in whole for part in _BETWEEN.split(each.reveal().partition("://")[2] or each.reveal())}
        host = self._address().host
        return (*super().secrets(), *whole, *(Secret(part) for part in parts if len(part) > 5 and host not in part))

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        headers = {key: _plain(value) for key, value in self.headers.items()}
        return self.carrier(name, MessageFormat(self.key, headers, zipped=self.gzip), self._address())

    def _address(self) -> Address:
        return parse_url(_plain(self.url), query=True)


class MessageFormat:
    """Messages in, any 2xx out."""

    merges = False
    most = MOST

    def __init__(self, key: Secret | None, headers: dict[str, str], *, zipped: bool) -> None:
        self._key = key
        self._headers = headers
        self._zipped = zipped

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write the messages and sign them."""
        said = [
            {"id": record.id, "topic": record.topic, "time": _at(record.time_ns), "body": _sendable(record.body)}
            for record in records
        ]
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        if len(body) > MAX_BODY and len(records) > 1:
            return TooLarge(f"the batch has more than {MAX_BODY:,} bytes")
        ids = "\n".join(record.id for record in records)
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "Idempotency-Key": hashlib.sha256(ids.encode()).hexdigest()[:32],
        }
        outgoing = Outgoing("POST", "", headers, body)
        return self._signed(outgoing.zipped() if self._zipped else outgoing, str(int(now)))

    def judge(self, answer: Answer) -> Outcome:
        """409 is how a receiver says that it has this very batch under way; 410, that it wants no more."""
        if 200 <= answer.status < 300:
            return Delivered()  # a page too: what a receiver has to show is its own affair
        if answer.status == 409:
            return later(answer, told(answer, "it is busy with this batch"))
        if answer.status == 410:
            return Held(told(answer, "it is gone"))
        return ordinary(answer)

    def _signed(self, outgoing: Outgoing, timestamp: str) -> Outgoing:
        headers = {**outgoing.headers, "X-Hearthbus-Timestamp": timestamp}
        if self._key is not None:
            headers["X-Hearthbus-Signature"] = f"sha256={signature(self._key.reveal(), timestamp, outgoing.body)}"
        return Outgoing(outgoing.method, outgoing.path, headers, outgoing.body)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of timestamp, a dot and the body, in hexadecimal."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _sendable(value: Any) -> Any:
    """Return a body as JSON has it: without NaN, infinities and null, which stay only as the place in a list."""
    if isinstance(value, Mapping):
        made = ((str(key), _sendable(item)) for key, item in value.items())
        return {key: item for key, item in made if item is not None}
    if isinstance(value, list | tuple):
        return [_sendable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _at(time_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
