"""Take secrets out of text that comes from outside: a server's reason phrase may repeat the key it refuses.

Covers a secret as it is, and its URL-quoted, base64 and JSON-escaped spellings. Pure; knows neither where secrets are
kept nor what they are for.
"""

from __future__ import annotations

import base64
import json
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN: Final = "***"
"""What stands in a secret's place."""
_SHORTEST: Final = 4
"""Characters below which a secret, or a line of one, is left alone: `***` for every `a` of a text would tell it."""


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `***` for each occurrence of a secret.

    Args:
        text: what a library or a server said.
        secrets: what must not be seen; of a secret of several lines, each line. Less than four characters are no
            secret and are left alone.
    """
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=lambda each: (-len(each), each)):
        text = text.replace(spelling, HIDDEN)
    return text


def in_a_line(text: str, secrets: Iterable[str], *, most: int) -> str:
    """Return what others said fit for a log and a terminal: redacted, in one line, cut.

    Args:
        text: what a library or a server said.
        secrets: as above.
        most: characters that are left.
    """
    hidden = redact(text, secrets)  # before a space in a secret is changed
    return " ".join("".join(char if char.isprintable() else " " for char in hidden).split())[:most].rstrip()


def _spellings(secret: str) -> Iterator[str]:
    """Every way a secret is written, whole and line by line."""
    for part in {secret, secret.strip(), *secret.splitlines()}:
        if len(part.strip()) < _SHORTEST:
            continue
        yield part
        yield part.replace("\n", " ")
        yield from _quoted(part)
        for ascii_only in (True, False):
            escaped = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
            yield from (escaped, escaped.replace("/", "\\/"))
        yield escape(part)
        yield repr(part)[1:-1]
        yield from _in_base64(part.encode(errors="surrogatepass"))


def _quoted(part: str) -> Iterator[str]:
    data = part.encode(errors="surrogatepass")
    for whole in (quote(data, safe=""), quote(data), quote_plus(data), quote(data, safe="@:/")):
        yield whole
        yield whole.replace("%", "%25")
        for code in _escapes(whole):
            whole = whole.replace(code, code.lower())  # noqa: PLW2901 - all its escapes, one after the other
        yield whole


def _escapes(quoted: str) -> set[str]:
    return {quoted[at : at + 3] for at, char in enumerate(quoted) if char == "%"}


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters of base64 that a secret alone decides, wherever it stands in what is encoded.

    Three bytes become four characters, so a secret has three spellings, by what stands before it; the characters
    at its ends are shared with its neighbours and stay.
    """
    for before in range(3):
        bits = 8 * (before + len(data))
        encoded = base64.b64encode(b"\0" * before + data).decode()[-(-8 * before // 6) : bits // 6]
        if len(encoded) >= _SHORTEST:
            yield encoded
            yield encoded.translate(str.maketrans("+/", "-_"))
    yield base64.b64encode(data).decode()
