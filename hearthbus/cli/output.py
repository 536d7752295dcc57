"""How a message, an age and a table look: plain lines for people, JSON for programs.

Control characters that came over the bus are shown and never obeyed: a body cannot move the reader's cursor.
Pure but for `Output`, which holds where lines go to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.durations import ago, iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hearthbus.message import Message

_COLOURS: Final = {"topic": "36", "faint": "2", "bad": "31", "warn": "33", "good": "32", "head": "1"}
"""What is painted -> its ANSI number."""
_PLAIN_LIMIT: Final = 4096
_QUOTED_FIRST: Final = frozenset('"[{')


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a verb prints, and how: the same verb writes to a terminal, a pipe or a test's list."""

    line: Callable[[str], None]
    """Print one line of what was asked for."""
    note: Callable[[str], None]
    """Say one line beside it, on standard error."""
    json: bool = False
    colour: bool = False
    ascii: bool = False
    """Standard output cannot carry more than ASCII."""
    width: Callable[[], int | None] = lambda: None
    """Columns of the terminal now; None where what reads is no person."""

    def paint(self, what: str, text: str) -> str:
        """Return `text` in the colour of `what`, where colours are wanted."""
        return f"\x1b[{_COLOURS[what]}m{text}\x1b[0m" if self.colour and text else text

    def object(self, value: Mapping[str, Any]) -> None:
        """Print one JSON object."""
        self.line(json_text(value, ascii_only=self.ascii))


def wants_colour(*, tty: bool, environ: Mapping[str, str]) -> bool:
    """Whether colours are wanted: on a terminal that has them, and without NO_COLOR (see no-color.org)."""
    return tty and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def message_object(message: Message) -> dict[str, Any]:
    """Return a message as `--json` prints it; `request` and `lost` stand there only where they say something."""
    fields: dict[str, Any] = {
        "topic": message.topic,
        "seq": message.seq,
        "time": iso_utc(message.time),
        "origin": message.origin,
        "retained": message.retained,
        "body": message.body,
    }
    if message.is_request:
        fields["request"] = True
    if message.lost:
        fields["lost"] = message.lost
    return fields


def message_marks(message: Message, *, now: int) -> str:
    """Return what a reader must know beside the body: how old it is if it is not live, and whether it is a request."""
    marks = [ago(message.age(now))] if message.replayed else []
    return ", ".join([*marks, "request"] if message.is_request else marks)


def body_text(body: Mapping[str, Any]) -> str:
    """Return a body as `key=value` words, as `hearthbus pub` takes them; `{}` when it is empty."""
    return " ".join(f"{_word(key)}={value_text(value)}" for key, value in body.items()) or "{}"


def value_text(value: Any) -> str:
    """Return one value of a body: strings bare where that cannot be mistaken, everything else as JSON."""
    return _word(value) if isinstance(value, str) and not _reads_as_json(value) else json_text(value)


def cut(text: str, width: int | None, *, ascii_only: bool = False) -> str:
    """Return `text`, or its beginning and an ellipsis where it has more than `width` characters."""
    if width is None or len(text) <= width:
        return text
    ellipsis = "..." if ascii_only else "…"
    return text[: max(0, width - len(ellipsis))] + ellipsis


def json_text(value: Any, *, ascii_only: bool = False) -> str:
    """Return `value` as JSON in one line, with characters that do not print escaped."""
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(", ", ": "), default=_foreign)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Return `rows` as lines with aligned columns, two spaces apart; the columns in `right` end flush."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def size(count: float) -> str:
    """Return a number of bytes for a person: "13.2 MB"."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _word(text: str) -> str:
    """Return `text` bare if it is one clear word, else in JSON's quotes."""
    bare = text.isprintable() and not any(char in ' "=' for char in text) and len(text) <= _PLAIN_LIMIT
    return text if bare and text else json_text(text)


def _reads_as_json(text: str) -> bool:
    """Whether `pub` would take the bare `text` for another type than a string."""
    if text[:1] in _QUOTED_FIRST:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _foreign(value: Any) -> str:
    """Return what JSON has no form for, the bytes and time stamps of msgpack, as text."""
    return value.hex() if isinstance(value, bytes) else str(value)
