"""`hearthbus log`: print what was published in the past, from the broker's journal, oldest first."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_patterns, add_url, count
from hearthbus.cli.durations import LATEST, local_time, parse_moment
from hearthbus.cli.output import body_text, message_object
from hearthbus.cli.patterns import checked
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.message import Message

EXAMPLES: Final = """\
examples:
  hearthbus log 'sensor/hall/#' --since 2h                      the hall, these two hours
  hearthbus log '#' --since 2026-06-21T22:00 --until 2026-06-22T06:00   a night
  hearthbus log remote/bedroom -C 5                             the last five times somebody pressed it

T is how long ago (90s, 10m, 2h, 3d) or a date or time; a time without an offset or Z is this machine's local time.
Lines show local time; --json shows UTC. `hearthbus sub --since` goes on live after the journal."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_patterns(parser)
    parser.add_argument("--since", metavar="T", help="leave out what is older")
    parser.add_argument("--until", metavar="T", help="leave out what is as old or younger")
    parser.add_argument("-C", "--count", metavar="N", type=count, help="print only the newest N")
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    patterns = checked(args.patterns, verb="log")
    now = time.time_ns()
    since = 0 if args.since is None else parse_moment(args.since, now=now)
    until = LATEST if args.until is None else parse_moment(args.until, now=now)
    if since >= until:
        raise Invalid("log: --since is not before --until: nothing can lie between them")

    from hearthbus.cli.session import run

    return run(
        lambda bus, output: show(bus, patterns, output, since=since, until=until, newest=args.count),
        url=args.url,
        json=args.json,
    )


async def show(
    bus: Bus, patterns: Sequence[str], output: Output, *, since: int, until: int, newest: int | None = None
) -> int:
    """Print the journal between two moments (nanoseconds since 1970 UTC); returns the exit code."""
    kept: deque[Message] = deque(maxlen=newest)
    found = False
    async for message in bus.replay(*patterns, since=since, until=until):
        found = True
        if newest is None:
            _print(message, output)
        else:
            kept.append(message)
    for message in kept:
        _print(message, output)
    if not found:
        output.note(f"the journal has nothing of {', '.join(patterns)} in that time")
    return 0


def _print(message: Message, output: Output) -> None:
    if output.json:
        output.object(message_object(message))
        return
    request = output.paint("faint", "  (request)") if message.is_request else ""
    output.line(
        f"{output.paint('faint', local_time(message.time))}  {output.paint('topic', message.topic)}"
        f" {body_text(message.body)}{request}"
    )
