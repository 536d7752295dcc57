"""`hearthbus rfxtrx info`: the stick: what it is, how it is, what it listens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.output import table, value_text

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Mapping

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx info
  hearthbus rfxtrx info --json | jq .protocols"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    add_json(parser)
    add_url(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Show the stick.

    Raises:
        HearthbusError: nobody has a stick, or there is no broker.
    """
    from hearthbus.cli.session import run

    return run(show, url=args.url, json=args.json)


async def show(bus: Bus, output: Output) -> int:
    """Print what the service says of its stick."""
    answer = await bus.request("rfxtrx/status", {})
    if output.json:
        output.object(answer)
    else:
        for line in table(list(_rows(answer))):
            output.line(line)
    return 0


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from ((f"{name} {key}".replace("_", " "), _word(each)) for key, each in value.items())
        elif isinstance(value, list):
            yield name.replace("_", " "), ", ".join(map(_word, value)) or "none"
        elif value is not None:
            yield name.replace("_", " "), _word(value)


def _word(value: object) -> str:
    """Return a value for a person: a text without quotes, unless it would move the cursor."""
    return value if isinstance(value, str) and value.isprintable() else value_text(value)
