"""`hearthbus doctor`: everything a forum would ask, each with what to do; without a broker too."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator

    from hearthbus.cli.output import Output
    from hearthbus.doctor.finding import Finding

SOMETHING_WRONG: Final = 1
"""Exit code when something is bad."""
_MARGIN: Final = " " * 16
_COLOURS: Final = {"ok": "good", "warn": "warn", "bad": "bad"}

EXAMPLES: Final = """\
examples:
  sudo hearthbus doctor                                  everything; without sudo, what you may see
  hearthbus doctor > doctor.txt                          for a forum: no keys, passwords or coordinates are in it
  hearthbus doctor --json | jq 'select(.level=="bad")'

A line each: ok, warn or bad, the subject, what was found; below it, behind "->", what to do.
Exit code 1: something is bad."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--config", metavar="FILE", help="the configuration; default as for `hearthbus up`")
    add_json(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.cli.output import json_text
    from hearthbus.doctor.checks import examine
    from hearthbus.doctor.scene import look

    _quiet()
    findings = list(examine(look(args.config)))
    lines = (json_text(as_object(*each)) for each in findings) if args.json else text(findings, _painter())
    for line in lines:
        print(line)  # noqa: T201 - what was asked for
    return SOMETHING_WRONG if any(finding.level == "bad" for _, finding in findings) else 0


def as_object(subject: str, finding: Finding) -> dict[str, Any]:
    """Return one finding as `--json` prints it."""
    return {"level": finding.level, "check": subject, "text": finding.text, "do": finding.do}


def text(findings: Iterable[tuple[str, Finding]], output: Output) -> Iterator[str]:
    """Give the lines for a person."""
    counts = {"warn": 0, "bad": 0}
    for subject, finding in findings:
        if finding.level in counts:
            counts[finding.level] += 1
        first, *more = _folded(finding.text, output.width())
        yield f"{output.paint(_COLOURS[finding.level], f'{finding.level:<4}')}  {subject:<8}  {first}"
        yield from (_MARGIN + line for line in more)
        for number, line in enumerate(_folded(finding.do, output.width(), less=3) if finding.do else ()):
            yield f"{_MARGIN}{'   ' if number else '-> '}{line}"
    yield f"{counts['bad']} bad, {counts['warn']} to look at"


def _folded(text: str, width: int | None, *, less: int = 0) -> list[str]:
    """Return a finding's lines for a terminal of that width; one line, for a file or a pipe, where there is none."""
    room = (width or 0) - len(_MARGIN) - less
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) if room > 20 else [text]


def _painter() -> Output:
    import os
    from shutil import get_terminal_size

    from hearthbus.cli.main import complain
    from hearthbus.cli.output import Output, wants_colour

    tty = sys.stdout.isatty()
    return Output(
        line=print,
        note=complain,
        colour=wants_colour(tty=tty, environ=os.environ),
        width=(lambda: get_terminal_size().columns) if tty else lambda: None,
    )


def _quiet() -> None:
    """Let the library say nothing by itself: what it has to say becomes a finding."""
    import logging

    logging.getLogger("hearthbus").setLevel(logging.CRITICAL)
