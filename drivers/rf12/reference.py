"""The packets of our nodes and the commands of a gateway, as Markdown, in pages that are named.

    python -m drivers.rf12.reference docs/firmware.md docs/gateway.md

The classes and tables are the source: a payload's docstring and its size, a command's letter, numbers and purpose.
Rewrites what stands between `<!-- packets -->` or `<!-- commands -->` and `<!-- end -->`.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Final

from drivers.rf12.commands import HEARTH, STOCK, Command
from drivers.rf12.hearth import PAYLOADS

_BLOCK: Final = re.compile(r"(<!-- (packets|commands) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def packets() -> str:
    """Return every payload: its name and length, what it is for, and its diagram."""
    parts = []
    for kind in PAYLOADS:
        first, _, diagram = (inspect.getdoc(kind) or "").partition("\n\n")
        text = " ".join(first.split()).replace("`Room`", "`room`").replace("`Commit`", "`commit`")
        said = diagram.replace("`Room`", "room").replace("`Announce`", "announce").rstrip()
        parts.append(f"**{kind.__name__.lower()}**, {kind.layout.size} bytes: {text}\n\n```\n{said}\n```\n")
    return "\n".join(["", *parts, ""])


def commands() -> str:
    """Return every command: how it is typed, what it does, and who knows it."""
    rows = [
        f"| `{_typed(command)}` | {command.does} | {who} |"
        for table, who in ((STOCK, "RF12demo"), (HEARTH, "ours"))
        for command in table.values()
    ]
    return "\n".join(["", "| typed | does | known to |", "|---|---|---|", *rows, "", ""])


def _typed(command: Command) -> str:
    words = [f"<{name}>" for name, _ in command.numbers]
    if command.data:
        words = [*words, "<bytes>"] if command.letter == ">" else ["<bytes>", *words]
    return ",".join(words) + command.letter


def refreshed(page: str) -> str:
    """Return `page` with both as they are now."""
    blocks = {"packets": packets, "commands": commands}
    return _BLOCK.sub(lambda found: found[1] + blocks[found[2]](), page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
