"""`hearthbus get`: print the retained values as they are now, with their age and who said them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_patterns, add_url
from hearthbus.cli.durations import age
from hearthbus.cli.granted import granted
from hearthbus.cli.output import body_text, message_object, table
from hearthbus.cli.patterns import checked
from hearthbus.errors import Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

NONE_THERE: Final = 1
"""Exit code when no topic of the pattern has a retained value."""

EXAMPLES: Final = """\
examples:
  hearthbus get 'sensor/hall/#'        all that is known of the hall
  hearthbus get sun/state --json       where the sun is, for a program

The age is the time since the sender said it. Exit codes: 1 nothing is retained there, 5 some of it is not for
this key to read."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_patterns(parser)
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    patterns = checked(args.patterns, verb="get")

    from hearthbus.cli.session import run

    return run(lambda bus, output: show(bus, patterns, output), url=args.url, json=args.json)


async def show(bus: Bus, patterns: Sequence[str], output: Output) -> int:
    """Print the retained messages of `patterns`, of those the broker does not refuse; returns the exit code."""
    messages, refused = await granted(bus, patterns)
    for why in refused.values():
        output.note(str(why))
    code = Refused.exit_code if refused else 0
    if not messages:
        if asked := [pattern for pattern in patterns if pattern not in refused]:
            output.note(f"nothing is retained on {', '.join(asked)}")
        return code or NONE_THERE
    if output.json:
        for message in messages:
            output.object(message_object(message))
        return code
    now = time.time_ns()
    heads = table(
        [(message.topic, age(message.age(now)), message.origin) for message in messages], right=frozenset({1})
    )
    width = max(map(len, heads))
    for message, head in zip(messages, heads, strict=True):
        facts = head.ljust(width)[len(message.topic) :]
        output.line(f"{output.paint('topic', message.topic)}{output.paint('faint', facts)}  {body_text(message.body)}")
    return code
