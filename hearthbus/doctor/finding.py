"""One line of the doctor's: how it is, and what to do. Pure.

What people paste into a forum must not open their door: keys, passwords and coordinates are cut out of every line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "warn", "bad"]
_CUT: Final = (
    (re.compile(r"(?<=://)[^/@\s]+@"), "…@"),
    (re.compile(r"(?i)\b(https?://[^/\s\"']+/)[^\s\"']+"), r"\1…"),
    (
        re.compile(r"(?i)\b(?!(?:tcp|ipc|inproc|udp|https?|socket|mqtts?|nats|wss?)://)([a-z][a-z0-9+.-]*://)[^\s\"']+"),
        r"\1…",
    ),
    (
        re.compile(r"(?i)\b([\w-]*(?:password|passphrase|passwd|secret|token|api[_-]?key|authorization)[\w-]*[\"']?\s*[=:]\s*)"
                   r"(?:\"[^\"]*\"|'[^']*'|(?:bearer |basic )?\S+)"),
        r"\1…",
    ),
    (re.compile(r"(?i)\b((?:latitude|longitude|lat|lon|lng)\b[\"']?\s*[=: ]\s*)-?\d+(?:\.\d+)?"), r"\1…"),
    (re.compile(r"-?\d{1,2}\.\d{2,}\s*[,/ ]\s*-?\d{1,3}\.\d{2,}"), "…"),
    (
        re.compile(r"(?<![0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#])(?=\S*[^\w/.\s-])"
                   r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40,42}(?![0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#])"),
        "…",
    ),
    (re.compile(r"(?<![/\w.-])(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{32,}(?![/\w-])"), "…"),
)  # fmt: skip
"""What looks like a secret or a place -> what stands there instead: logins in addresses, paths of web pages (whose
address is a calendar's only key, or a chat's), addresses of messengers, values of such names, coordinates, keys of
40 characters, long tokens."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one look found."""

    level: Level
    text: str
    do: str = ""
    """What to do, empty where nothing is."""


def ok(text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(level="ok", text=text)


def warn(text: str, do: str) -> Finding:
    """Return a finding that may become one that is bad."""
    return Finding(level="warn", text=text, do=do)


def bad(text: str, do: str) -> Finding:
    """Return a finding that keeps the house from working."""
    return Finding(level="bad", text=text, do=do)


def scrubbed(text: str) -> str:
    """Return `text` in one line, without what nobody else should see."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    for pattern, instead in _CUT:
        line = pattern.sub(instead, line)
    return line
