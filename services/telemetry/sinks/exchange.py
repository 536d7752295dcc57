"""What is asked of an HTTP sink, what it answers, and what an answer means unless its protocol says otherwise. Pure.

What HTTP's own statuses mean:

    2xx                       delivered; held where it is a page, as a hotel's network puts it before everything
    3xx                       held: the address in the table is not where the sink is
    401 403 404 405           held: somebody must act
    413                       too large
    408 425 429 5xx           later, with the Retry-After of the answer
    other 4xx                 refused: something in this batch
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.telemetry.records import Record

WORDS: Final = 160
"""Characters of a server's own words that are passed on."""
LONGEST_WAIT_S: Final = 3600.0
"""What a Retry-After beyond it is taken for: a server that means weeks is asked again within the hour."""
_SAYINGS: Final = ("message", "error", "errors", "details", "title", "detail", "code", "error_code")
_MARKUP: Final = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_PAGE: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_GAPS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_HELD: Final = frozenset({401, 403, 404, 405})
_LATER: Final = frozenset({408, 425, 429})
_MEANINGS: Final = {
    401: "it does not accept the key or password",
    403: "it does not allow this",
    404: "there is no such thing at this address",
    405: "this address does not take what is sent",
    408: "it waited too long for the request",
    413: "it finds the batch too large",
    425: "it is not ready",
    429: "it is asked too often",
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request.

    Args:
        method: `POST`, `PUT`.
        path: what is put behind the path of the sink's address, with its query; free of secrets.
        headers: beside Host, Content-Length and User-Agent.
        body: its bytes.
        dropped: values of the batch the protocol has no room for, told with what was delivered.
        reason: why.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    dropped: int = 0
    reason: str = ""

    def zipped(self) -> Outgoing:
        """Return it with its body in gzip."""
        import gzip

        packed = gzip.compress(self.body, compresslevel=5, mtime=0)
        return replace(self, headers={**self.headers, "Content-Encoding": "gzip"}, body=packed)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: its number.
        headers: by lower-case name.
        body: its first 64 KB.
        at: when it came, seconds since 1970.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    at: float = 0.0

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")

    @property
    def said(self) -> Any:
        """The body's JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Format(Protocol):
    """A protocol over HTTP: how records are written, and what its servers mean."""

    @property
    def merges(self) -> bool:
        """As `Sink.merges`."""

    @property
    def most(self) -> int:
        """As `Sink.most`."""

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write `records`; or say at once how the attempt ends, as where there is nothing in them to send."""

    def judge(self, answer: Answer) -> Outcome:
        """Say what an answer means; `ordinary` for what the protocol leaves to HTTP."""


def ordinary(answer: Answer) -> Outcome:
    """Say what a status means by HTTP's own rules."""
    status = answer.status
    if 200 <= status < 300:
        return Held(told(answer, "a page answers in its place")) if _PAGE.match(answer.body) else Delivered()
    if 300 <= status < 400:
        return Held(_moved(answer))
    reason = told(answer, _MEANINGS.get(status, "it fails" if status >= 500 else "it does not take this"))
    if status in _HELD:
        return Held(reason)
    if status in _LATER or not 400 <= status < 500:
        return later(answer, reason)
    return TooLarge(reason) if status == 413 else Refused(reason)


def later(answer: Answer, reason: str) -> Later:
    """Return that it is to be tried again, when the answer says."""
    return Later(reason, retry_after(answer))


def told(answer: Answer, meaning: str) -> str:
    """Return a reason: what it means, the status, and the server's own words."""
    said = words(answer)
    return f"{meaning} (HTTP {answer.status}{': ' + said if said else ''})"


def retry_after(answer: Answer) -> float | None:
    """Return how many seconds the answer asks to wait, by its Retry-After; None where it asks for nothing sensible."""
    wanted = answer.headers.get("retry-after", "").strip()
    if not wanted:
        return None
    if wanted.isascii() and wanted.isdigit():
        seconds = float(wanted[:9])
    else:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(wanted).timestamp() - answer.at
        except (ValueError, OverflowError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def words(answer: Answer) -> str:
    """Return the server's own words in one short line: of JSON what speaks, of a page its text."""
    said = _spoken(answer.said)
    text = said or _MARKUP.sub(" ", answer.text[:4096])
    line = _GAPS.sub(" ", text).strip()
    return line if len(line) <= WORDS else f"{line[: WORDS - 1]}…"


def _spoken(said: Any, depth: int = 0) -> str:
    """Return the texts of a JSON answer that tell what is wrong, joined."""
    if isinstance(said, str):
        return said
    if depth > 3:
        return ""
    if isinstance(said, list):
        return ", ".join(filter(None, (_spoken(each, depth + 1) for each in said[:3])))
    if isinstance(said, dict):
        found = (_spoken(said[key], depth + 1) for key in _SAYINGS if key in said)
        return ": ".join(list(dict.fromkeys(filter(None, found)))[:2])
    return ""


def _moved(answer: Answer) -> str:
    try:
        where = urlsplit(answer.headers.get("location", ""))
        host = where.hostname or "another path"
        scheme = f" by {where.scheme}" if where.scheme in ("http", "https") else ""
    except ValueError:
        host, scheme = "elsewhere", ""
    return f"it sends us on to {host}{scheme} (HTTP {answer.status}), and no redirect is followed: mend url"
