"""What went wrong with a question to Google, told as a `SourceFault` in our own words.

Nothing of what a library or a server said is passed on, only what the tables know: its texts may hold the address with
a key, a token, or what a server echoed. Pure: the clock's error comes in.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from ssl import SSLCertVerificationError, SSLError
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import RefreshError, TransportError
from googleapiclient.errors import HttpError, InvalidJsonError
from httplib2 import FailedToDecompressContent, HttpLib2Error, ServerNotFoundError

from hearthbus.cli.durations import span
from hearthbus.errors import Invalid
from services.calendar.google.reasons import (
    CLOCK_OR_REVOKED,
    GRANT_MEANINGS,
    GRANT_WORDS,
    GRANTS,
    ODD,
    REASONS,
    REDIRECTED,
    SERVER_TROUBLE,
    STATUSES,
    Meaning,
)
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.calendar.sources import Class

_LONGEST_WAIT_S: Final = 6 * 3600.0
_CLOCK_OFF_S: Final = 120.0
"""Google takes a signature for a few minutes around its own time."""


_CONNECTION: Final[tuple[tuple[type[Exception], Class, str], ...]] = (
    (ServerNotFoundError, "unreachable", "there is no address of {host}: no network, or no name server"),
    (
        SSLCertVerificationError,
        "unreachable",
        "the certificate of {host} is not valid: this machine's clock may be wrong, or somebody stands between",
    ),
    (TimeoutError, "unreachable", "{host} did not answer in time"),
    (IncompleteRead, "unreachable", "{host} broke off in the middle of its answer"),
    (OSError, "unreachable", "{host} cannot be reached"),
    (HTTPException, "unreachable", "{host} closed the connection, or does not speak HTTP"),
    (FailedToDecompressContent, "broken", "{host} gave an answer that cannot be unpacked"),
    (HttpLib2Error, "unreachable", "{host} cannot be asked"),
    (InvalidJsonError, "broken", "{host} gave an answer that is not JSON"),
    (ValueError, "broken", "{host} gave an answer that is not JSON"),
    (RecursionError, "broken", "{host} gave an answer that is nested without end"),
)
"""What is raised when there is no answer, or none to be read; the first that fits counts."""


@dataclass(frozen=True)
class Asked:
    """Who asked whom for what, as far as an error's text may say it."""

    calendar: str
    account: str
    host: str
    clock_off_s: float | None = None
    """How far this machine's clock is ahead of the server's, where it answered; negative: behind."""


def fault_of(error: Exception, asked: Asked) -> SourceFault:
    """Return what `error`, which any of Google's packages raised, means; every error means something."""
    if isinstance(error, TransportError):  # its argument is what happened
        inner = error.args[0] if error.args else None
        error = inner if isinstance(inner, Exception) else OSError()
    if isinstance(error, SourceFault):
        return SourceFault(error.kind, str(error), after_s=error.after_s)  # afresh, without what stood behind it
    if isinstance(error, Invalid):
        return SourceFault("refused", str(error))
    if isinstance(error, HttpError):
        return _of_answer(error, asked)
    if isinstance(error, RefreshError):
        return _of_refresh(error, asked)
    return _of_connection(error, asked.host)


def _of_answer(error: HttpError, asked: Asked) -> SourceFault:
    status = int(error.status_code)
    reason, meaning = _meaning(error.content, status)
    code = f"{status} {reason}".rstrip()
    waits = _retry_after(error.resp.get("retry-after"))
    if waits is None:
        waits = meaning.after_s
    return SourceFault(meaning.kind, f"{_filled(meaning.text, asked)} (HTTP {code})", after_s=waits)


def _meaning(content: object, status: int) -> tuple[str, Meaning]:
    for reason in _reasons(content):
        if reason in REASONS:
            return reason, REASONS[reason]
    if status in STATUSES:
        return "", STATUSES[status]
    if 300 <= status < 400:
        return "", REDIRECTED
    return "", SERVER_TROUBLE if status >= 500 else ODD


def _reasons(content: object) -> Iterator[str]:
    """Yield the reasons of an error body, the most exact first."""
    try:
        body = json.loads(content) if isinstance(content, bytes | str) else None
    except (ValueError, RecursionError):
        return
    error: Any = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return
    for key in ("details", "errors"):
        for entry in error[key] if isinstance(error.get(key), list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("reason"), str):
                yield entry["reason"]


def _retry_after(value: object) -> float | None:
    """Read `Retry-After`'s seconds; Google sends no dates there."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), _LONGEST_WAIT_S)
    return None


def _of_refresh(error: RefreshError, asked: Asked) -> SourceFault:
    answer = error.args[1] if len(error.args) > 1 else None
    answer = answer if isinstance(answer, dict) else {}
    code = answer.get("error")
    if code == "invalid_grant":
        return _of_grant(answer.get("error_description"), asked)
    if isinstance(code, str) and code in GRANTS:
        return SourceFault(GRANTS[code].kind, f"{_filled(GRANTS[code].text, asked)} ({code})")
    if error.retryable:
        return SourceFault("unreachable", "Google's token server has trouble of its own")
    return SourceFault("broken", "Google's token server gave an answer that is no token")


def _of_grant(description: object, asked: Asked) -> SourceFault:
    said = description.lower() if isinstance(description, str) else ""
    what = next((what for words, what in GRANT_WORDS if words in said), "unknown")
    meaning = GRANT_MEANINGS[what]
    text = _filled(meaning.text, asked)
    if asked.clock_off_s is None:
        text = text if what in {"clock", "key", "account"} else f"{CLOCK_OR_REVOKED}; {text}"
    elif abs(asked.clock_off_s) > _CLOCK_OFF_S:
        side = "ahead of" if asked.clock_off_s > 0 else "behind"
        meaning = GRANT_MEANINGS["clock"]
        text = f"the clock of this machine is wrong: {span(abs(asked.clock_off_s))} {side} Google's; set the time"
    return SourceFault(meaning.kind, f"{text} (invalid_grant)")


def _of_connection(error: Exception, host: str) -> SourceFault:
    for type_, kind, text in _CONNECTION:
        if isinstance(error, type_):
            return SourceFault(kind, text.replace("{host}", host) + _why(error))
    return SourceFault("broken", f"{host} gave an answer that ended in an error of its reader, {type(error).__name__}")


def _why(error: Exception) -> str:
    """Return what the system says of it: nothing that a library made up, for such errors have no number."""
    if not isinstance(error, OSError) or isinstance(error, SSLError | TimeoutError) or not error.errno:
        return ""
    return f": {os.strerror(error.errno).lower()}"


def _filled(text: str, asked: Asked) -> str:
    return text.replace("{calendar}", asked.calendar).replace("{account}", asked.account)
