"""Get the bytes of a calendar, from a file or over HTTP, and not again while they have not changed.

    fetch(place, known) -> Copy(data, validators), or None: it is as it was

Everything is bounded: size, packed and unpacked, redirections, and the time of the whole, however slowly a server
drips. An address may be as good as a password (Google's private iCal address, a share of Nextcloud): errors name its
host and nothing else of it. Knows nothing of calendars.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from services.calendar.ics.http import Answer, get
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.calendar.sources import Class

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_NOT_MODIFIED: Final = 304
_ASKED: Final = {"etag": "If-None-Match", "modified": "If-Modified-Since"}
_TOLD: Final = {"etag": "etag", "modified": "last-modified"}
_CLASSES: Final[Mapping[int, tuple[Class, str]]] = {
    401: ("refused", "it wants a name and a password, or others: https://name:password@host/... in a secret"),
    403: ("refused", "it refuses; has the share been withdrawn, or the private address been renewed?"),
    404: ("gone", "there is no calendar at this address any more"),
    407: ("refused", "the proxy on the way wants a password"),
    408: ("unreachable", "it gave up waiting"),
    410: ("gone", "there is no calendar at this address any more"),
    425: ("busy", "it asks for patience"),
    429: ("busy", "it asks for patience"),
    503: ("busy", "it asks for patience"),
}
_TROUBLE: Final[tuple[Class, str]] = ("unreachable", "it is in trouble")
_STRANGE: Final[tuple[Class, str]] = ("broken", "")
_MOST_AFTER_S: Final = 86_400.0


@dataclass(frozen=True)
class Place:
    """Where a calendar is.

    Args:
        address: a path, or `https://`, `http://`, `webcal://` and the rest.
    """

    address: str = field(repr=False)

    @property
    def url(self) -> str:
        """Return the address over HTTP; empty for a file."""
        scheme, separator, rest = self.address.strip().partition("://")
        scheme = {"webcal": "https", "webcals": "https"}.get(scheme.lower(), scheme.lower())
        return f"{scheme}://{rest}" if separator and scheme in {"https", "http"} else ""

    def __str__(self) -> str:
        return _host(self.url) if self.url else self.address


@dataclass(frozen=True)
class Copy:
    """What was got, and what to show next time so that it is not sent again."""

    data: bytes = field(repr=False)
    validators: Mapping[str, str] = field(default_factory=dict)


def fetch(place: Place, known: Mapping[str, str], *, timeout_s: float, deadline_s: float) -> Copy | None:
    """Return the calendar's bytes, or None where they are those that were got before.

    Args:
        place: where.
        known: the validators of the copy one has; empty for none.
        timeout_s: for a connection, and for each piece of an answer.
        deadline_s: for the whole, redirections included.

    Raises:
        SourceFault: it is not to be had now.
    """
    if place.url:
        return _fetch_url(place.url, known, timeout_s, deadline_s)
    return _fetch_file(place, known)


def _fetch_file(place: Place, known: Mapping[str, str]) -> Copy | None:
    try:
        descriptor = os.open(place.address, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            how = os.fstat(descriptor)
            if not stat.S_ISREG(how.st_mode):
                raise SourceFault("broken", f"{place} is no file")
            validators = {"file": f"{how.st_dev}-{how.st_ino}-{how.st_size}-{how.st_mtime_ns}-{how.st_ctime_ns}"}
            if validators == known:
                return None
            data = _read(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise SourceFault("gone", f"{place} is not there") from None
    except PermissionError:
        raise SourceFault("refused", f"{place} may not be read by this user; type: chmod +r on it") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "bad path"
        raise SourceFault("unreachable", f"{place} cannot be read: {why}") from None
    if len(data) > MOST_BYTES:
        raise _too_large(str(place))
    return Copy(data, validators)


def _read(descriptor: int) -> bytes:
    """Return the file's bytes, and one too many of one that is too large."""
    pieces: list[bytes] = []
    left = MOST_BYTES + 1
    while left > 0 and (piece := os.read(descriptor, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _fetch_url(url: str, known: Mapping[str, str], timeout_s: float, deadline_s: float) -> Copy | None:
    until = time.monotonic() + deadline_s
    asked = {_ASKED[name]: value for name, value in known.items() if name in _ASKED}
    for _ in range(MOST_REDIRECTS + 1):
        left = until - time.monotonic()
        if left <= 0:
            raise SourceFault("unreachable", f"{_host(url)} gave no whole answer within {deadline_s:.0f} s")
        answer = get(url, asked, host=_host(url), timeout_s=min(timeout_s, left), deadline_s=left, most=MOST_BYTES)
        if answer.status not in _REDIRECTS:
            return _judged(answer, url, known)
        url = _redirected(url, answer.headers.get("location", ""))
    raise SourceFault("broken", f"{_host(url)} sends from one address to the next without end")


def _judged(answer: Answer, url: str, known: Mapping[str, str]) -> Copy | None:
    """Return what an answer means.

    Raises:
        SourceFault: not that there is a calendar.
    """
    host, status, headers = _host(url), answer.status, answer.headers
    if status == _NOT_MODIFIED and known:
        return None
    if status != 200:
        kind, why = _CLASSES.get(status, _TROUBLE if status >= 500 else _STRANGE)
        text = f"{host} answers {status}" + (f": {why}" if why else "")
        raise SourceFault(kind, text, after_s=_after(headers.get("retry-after", "")))
    validators = {name: headers[header] for name, header in _TOLD.items() if headers.get(header)}
    packing = headers.get("content-encoding", "").strip().lower()
    if packing in {"", "identity"}:
        return Copy(answer.data, validators)
    if packing not in {"gzip", "x-gzip", "deflate"}:
        raise SourceFault("broken", f"{host} packs the calendar in a way it was not asked for")
    return Copy(_unpacked(answer.data, host), validators)


def _unpacked(data: bytes, host: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=47)
    try:
        plain = unpacker.decompress(data, MOST_BYTES + 1)
    except zlib.error:
        raise SourceFault("broken", f"{host} sends what cannot be unpacked") from None
    if len(plain) > MOST_BYTES:
        raise _too_large(host)
    if not unpacker.eof:
        raise SourceFault("unreachable", f"{host} stopped in the middle")
    return plain


def _redirected(url: str, location: str) -> str:
    """Return where the next request goes; a name and a password go to another host never.

    Raises:
        SourceFault: nowhere good.
    """
    try:
        target = urlsplit(urljoin(url, location))
        before = urlsplit(url)
        same = (target.scheme, target.hostname, target.port) == (before.scheme, before.hostname, before.port)
    except ValueError:
        location = ""
    if not location:
        raise SourceFault("broken", f"{_host(url)} sends elsewhere without saying where")
    if target.scheme not in {"https", "http"} or not target.hostname:
        raise SourceFault("broken", f"{_host(url)} sends to an address that is none of the web")
    if before.scheme == "https" and target.scheme == "http":
        raise SourceFault("broken", f"{_host(url)} sends from https to http, where anybody could read the address")
    if same and before.username is not None and target.username is None:
        return urlunsplit(target._replace(netloc=before.netloc))
    return urlunsplit(target)


def _after(text: str) -> float | None:
    """Return the seconds of a Retry-After: a number, or a date."""
    if not text:
        return None
    if text.strip().isdigit():
        return min(float(text.strip()[:9]), _MOST_AFTER_S)
    from email.utils import parsedate_to_datetime

    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _MOST_AFTER_S)


def _too_large(what: str) -> SourceFault:
    return SourceFault("broken", f"{what} has more than {MOST_BYTES // 1024 // 1024} MB; a smaller calendar is wanted")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"
