"""One message to people: read from a request's body, cleaned and cut. Pure.

Two spellings are understood: `title`, `message`, `priority`; and of old `subject`, `content`, with `action` and
`targets`, which `notify/send` reads. Nothing in a text is ever interpreted: no HTML, no header, no escape.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
TITLE_CHARS: Final = 200
"""Characters of a title; the rest is cut off."""
MESSAGE_CHARS: Final = 60_000
"""Characters of a message; its target may take fewer."""
MOST_TARGETS: Final = 20
"""Targets one request may name."""
_KEYS: Final = ("title", "message", "priority", "subject", "content", "action", "targets")
_PASSED_OVER: Final = ("event", "timestamp")
"""Keys of the old spelling that say nothing here."""
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BREAKS: Final = re.compile(r"\r\n?|\x85|\u2028|\u2029")
_CUT: Final = "\n[...]"


@dataclass(frozen=True)
class Note:
    """What is said, and how much it matters.

    Args:
        title: one line, may be empty.
        message: never empty.
        priority: urgent passes quiet hours and rate limits.
    """

    title: str
    message: str
    priority: Priority = "normal"

    @property
    def subject(self) -> str:
        """The title, or the beginning of the message where there is none."""
        line = " ".join(self.message.strip().splitlines()[0].split())
        return self.title or (line if len(line) <= 60 else line[:57] + "...")


def read_note(body: Mapping[str, Any]) -> Note:
    """Read the message of a request.

    Raises:
        ValueError: a key that is unknown or of the wrong type, or an empty message; the text says which.
    """
    for key in body:
        if key not in _KEYS and key not in _PASSED_OVER:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ": write title, message, priority"
            raise ValueError(f"{key[:40]!r} is no key of a message{hint}")
    title = _text(body, "title", "subject")
    message = _clean(_text(body, "message", "content"))
    if not message.strip():
        raise ValueError("the message is empty; write message=TEXT")
    priority = body.get("priority", "normal")
    if priority not in PRIORITIES:
        raise ValueError(f"priority {str(priority)[:40]!r} is none of {', '.join(PRIORITIES)}")
    return Note(" ".join(_clean(title).split())[:TITLE_CHARS], message[:MESSAGE_CHARS], priority)


def fit(text: str, most_bytes: int) -> tuple[str, bool]:
    """Return `text` cut to so many bytes of UTF-8, and whether it was cut; `[...]` says so at its end."""
    data = text.encode()
    if len(data) <= most_bytes:
        return text, False
    return data[: most_bytes - len(_CUT)].decode(errors="ignore").rstrip() + _CUT, True


def _text(body: Mapping[str, Any], key: str, of_old: str) -> str:
    name = key if key in body else of_old
    text = body.get(name, "")
    if not isinstance(text, str):
        raise ValueError(f"{name} is {str(text)[:40]!r} and no text; write it in quotes")  # noqa: TRY004 - the caller's value
    return text


def _clean(text: str) -> str:
    """Return it without control characters; any kind of line break becomes one newline."""
    return _NO_TEXT.sub("", _BREAKS.sub("\n", text))
