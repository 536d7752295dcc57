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
    from collections.abc import AsyncIterator, Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.message import Message

FIRST_WINDOW: Final = 600 * 10**9
"""Nanoseconds."""

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

    async def work(bus: Bus, output: Output) -> int:
        if args.count is None:
            return await show(bus.replay(*patterns, since=since, until=until), output)
        return await show(newest(bus, patterns, args.count, since=since, until=until, now=now), output)

    return run(work, url=args.url, json=args.json)


async def show(messages: AsyncIterator[Message], output: Output) -> int:
    """Print `messages`; returns the exit code."""
    found = False
    async for message in messages:
        found = True
        _print(message, output)
    if not found:
        output.note("the journal has nothing of that")
    return 0


async def newest(
    bus: Bus, patterns: Sequence[str], number: int, *, since: int, until: int, now: int
) -> AsyncIterator[Message]:
    """Find the newest `number` messages between two moments (nanoseconds since 1970 UTC), oldest of them first.

    Looks into the last ten minutes, then ever longer before that: five messages are no reason to read a month.
    """
    found: list[Message] = []
    end, window = until, FIRST_WINDOW
    while len(found) < number and end > since:
        begin = max(since, min(end, now) - window)
        piece: deque[Message] = deque(maxlen=number - len(found))
        async for message in bus.replay(*patterns, since=begin, until=end):
            piece.append(message)
        found = [*piece, *found]
        end, window = begin, window * 6
    for message in found:
        yield message


def _print(message: Message, output: Output) -> None:
    if output.json:
        output.object(message_object(message))
        return
    request = output.paint("faint", "  (request)") if message.is_request else ""
    output.line(
        f"{output.paint('faint', local_time(message.time))}  {output.paint('topic', message.topic)}"
        f" {body_text(message.body)}{request}"
    )
