"""Reading a verb's arguments: a mistake is one line with the next step, never a page of usage.

Options may stand before, between and after the other words. Knows argparse and nothing of the bus.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from hearthbus.cli.spelling import nearest
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are `Invalid`."""

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed."""
        text = message.removeprefix("argument ")
        missing = "the following arguments are required: "
        if text.startswith(missing):
            text = f"{text.removeprefix(missing).split(',')[0]} is missing"
        raise Invalid(f"{self.prog.removeprefix('hearthbus ')}: {text}; see `{self.prog} --help`")


def make_parser(*, prog: str, description: str, add_arguments: Callable[[argparse.ArgumentParser], None]) -> Parser:
    """Return the parser of one verb."""
    parser = Parser(
        prog=prog,
        description=description[0].upper() + description[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser)
    return parser


def parse(
    words: Sequence[str], *, prog: str, description: str, add_arguments: Callable[[argparse.ArgumentParser], None]
) -> argparse.Namespace:
    """Read `words`, or print the help and end.

    Raises:
        Invalid: a mistake in them.
        SystemExit: after `--help`.
    """
    parser = make_parser(prog=prog, description=description, add_arguments=add_arguments)
    args, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        near = nearest(unknown[0].split("=")[0], parser._option_string_actions)  # noqa: SLF001 - no public list
        hint = f"did you mean {near}?" if near else f"see `{prog} --help`"
        raise Invalid(f"{prog.removeprefix('hearthbus ')}: unknown argument {unknown[0]!r}; {hint}")
    return args


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add `--url`: which broker."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="the broker's address; default: HEARTHBUS_URL, else as configured, else tcp://127.0.0.1:7600",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`: output for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, for programs")


def add_patterns(parser: argparse.ArgumentParser) -> None:
    """Add `PATTERN...`: which topics."""
    parser.add_argument(
        "patterns", metavar="PATTERN", nargs="*", help="a topic; + is any one segment, # any tail (quote it: '#')"
    )


def count(text: str) -> int:
    """Read how many: a whole number from 1.

    Raises:
        Invalid: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise Invalid(f"bad count {text!r}: write a whole number from 1")
    return int(text)
