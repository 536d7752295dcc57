"""`hearthbus check`: validate the configuration, every file and table of it, connecting to nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from hearthbus.config import House, load
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Collection

PROBLEMS: Final = 20
"""So many are told one by one: more than a screen helps nobody."""
BAD_CONFIG: Final = 78
"""Exit code: EX_CONFIG of sysexits.h."""

EXAMPLES: Final = """\
examples:
  hearthbus check                    the configuration `hearthbus up` would take
  hearthbus check new.toml

Prints one line for each problem, of the first 20: file, line, key, what is wrong and what to write.
Exit codes: 0 all fine, 78 a problem."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="default: ./hearthbus.toml, then the user's, then /etc's, then the example",
    )
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    house = checked(args.file)
    if house is None:
        return BAD_CONFIG
    for line in summary(house):
        print(line)  # noqa: T201 - what was asked for
    return 0


def checked(path: str | None, *, only: Collection[str] | None = None) -> House | None:
    """Load a configuration; if it is bad say on standard error what is wrong, a line each, and return None."""
    try:
        return load(path, only=only)
    except Invalid as error:
        told = [str(problem) for problem in error.problems[:PROBLEMS]]
        if len(error.problems) > PROBLEMS:
            told.append(f"and {len(error.problems) - PROBLEMS} more problems; mend these first")
        for line in told:
            print(f"hearthbus: {line}", file=sys.stderr)  # noqa: T201 - the command's voice
        return None


def summary(house: House) -> list[str]:
    """Say what a good configuration holds, a line each."""
    example = " (the example house: no hearthbus.toml of yours was found)" if house.example else ""
    lines = [f"{house.path}{example}: fine"]
    lines += [f"{file}: fine" for file in house.files[1:]]
    lines.append(f"broker: {house.url}")
    for instance in house.services.values():
        of = "" if instance.name == instance.service else f" ({instance.service})"
        lines.append(f"service: {instance.name}{of}")
    if not house.services:
        lines.append("no services; a table [sun], [schedule] or [host] makes one")
    return lines
