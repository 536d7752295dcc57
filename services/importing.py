"""`hearthbus import FILE`: another program's configuration as our own, whichever of those we know it is.

The configuration goes to standard output, with a comment for everything a person must look at; how many there are goes
to standard error. Nothing is written anywhere, and no broker is needed. Knows the formats by their looks only.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import parse
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    import argparse
    from collections import Counter

_DESCRIPTION: Final = (
    "print the configuration of emonHub, or the powerconfig.json of 2013, as configuration of hearthbus"
)
_EXAMPLES: Final = """\
examples:
  hearthbus import /etc/emonhub/emonhub.conf >> hearthbus.toml
  hearthbus import powerconfig.json

Look at the comments that begin with LOOK; then `hearthbus check`."""


def main(argv: list[str]) -> int:
    """Print the configuration made of the file in `argv`.

    Raises:
        Invalid: a mistake in `argv`, or the file is none that is known.
        Unavailable: it cannot be read.
    """
    args = parse(argv, prog="hearthbus import", description=_DESCRIPTION, add_arguments=_add_arguments)
    text = _text(args.file)
    begin = text.lstrip("\ufeff \t\r\n\0")
    if not begin:
        raise Invalid(f"import: {args.file} is empty")
    if begin.startswith("{") or args.file.lower().endswith(".json"):
        from services.rfxtrx.powerconfig import convert
    else:
        from services.jeenode.importing import convert
    lines, notes = convert(text, name="standard input" if args.file == "-" else args.file)
    sys.stdout.write("\n".join(lines) + "\n")
    if notes:
        sys.stdout.flush()
        sys.stderr.write(f"hearthbus: {notes} places to look at; they stand as comments beginning with LOOK\n")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an emonhub.conf or a powerconfig.json; - reads standard input")
    parser.epilog = _EXAMPLES


def _text(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise Unavailable(f"import: {name}: {getattr(error, 'strerror', None) or error}") from None
    return data.decode("utf-8", "replace")


def slug(text: str, otherwise: str) -> str:
    """Return a text as one part of a topic."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or otherwise


def unique(name: str, taken: Counter[str]) -> str:
    """Return a name nobody has yet."""
    taken[name] += 1
    return name if taken[name] == 1 else unique(f"{name}-{taken[name]}", taken)


def quote(text: str) -> str:
    """Return a text as TOML writes it."""
    escaped = "".join(f"\\u{ord(char):04x}" if char < " " or char == "\x7f" or char in '"\\' else char for char in text)
    return f'"{escaped}"'


def plain(text: str) -> str:
    """Return a text that cannot end a comment."""
    return "".join(char if char.isprintable() else " " for char in text)
