"""`hearthbus sub`: print messages as they come, beginning with the retained state or with the journal."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_patterns, add_url, count
from hearthbus.cli.durations import parse_duration, parse_moment
from hearthbus.cli.output import body_text, cut, message_marks, message_object
from hearthbus.cli.patterns import checked
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncGenerator

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.message import Message

WAIT_OVER: Final = 27
"""Exit code when the time of -W is over, as mosquitto_sub has it."""

SHOWN: Final = 20
"""Characters of a body that are shown on the narrowest terminal."""

EXAMPLES: Final = """\
examples:
  hearthbus sub '#' -v                            everything in the house, with topics
  hearthbus sub sensor/+/temperature -C 1 -W 60   the next temperature; exit 27 if none comes in a minute
  hearthbus sub 'alert/#' --since 2h --json       alerts of the last two hours, then live, for a program

Without -v a line is the body alone. With -v a message that is not live says how old it is, and on a
terminal a long body is cut to the width; --json and a pipe have it whole.
Messages that were lost, and a broker that goes away or comes back, are told on standard error."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to print, and when to stop."""

    patterns: tuple[str, ...]
    verbose: bool = False
    count: int | None = None
    wait: float | None = None
    """Seconds."""
    live_only: bool = False
    retained_only: bool = False
    since: int | None = None
    """Nanoseconds since 1970 UTC."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_patterns(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="print the topic before the body")
    parser.add_argument("-C", "--count", metavar="N", type=count, help="stop after N messages, with exit code 0")
    parser.add_argument(
        "-W", "--wait", metavar="S", type=parse_duration, help="stop after S seconds (or 10m, 2h), with exit code 27"
    )
    parser.add_argument("-R", "--live-only", action="store_true", help="leave out retained and other old messages")
    parser.add_argument("--retained-only", action="store_true", help="print the retained messages, and stop")
    parser.add_argument("--since", metavar="T", help="begin with the journal: 10m, 2h, 3d ago, or a date and time")
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    wish = Wish(
        patterns=checked(args.patterns, verb="sub"),
        verbose=args.verbose,
        count=args.count,
        wait=args.wait,
        live_only=args.live_only,
        retained_only=args.retained_only,
        since=None if args.since is None else parse_moment(args.since, now=time.time_ns()),
    )
    if sum((wish.live_only, wish.retained_only, wish.since is not None)) > 1:
        raise Invalid("sub: only one of -R, --retained-only and --since can be had")

    from hearthbus.cli.session import run

    return run(lambda bus, output: follow(bus, wish, output), url=args.url, json=args.json)


async def follow(bus: Bus, wish: Wish, output: Output) -> int:
    """Print what `wish` asks for; returns the exit code."""
    try:
        async with asyncio.timeout(wish.wait) as deadline:
            await _print(bus, wish, output)
    except TimeoutError:
        if deadline.expired():
            return WAIT_OVER
        raise
    return 0


async def _print(bus: Bus, wish: Wish, output: Output) -> None:
    printed = 0
    async with aclosing(_messages(bus, wish)) as messages:
        async for message in messages:
            if message.lost:
                output.note(f"{message.lost} lost on {message.topic}, before number {message.seq}")
            if wish.live_only and message.replayed:
                continue
            _show(message, wish, output)
            printed += 1
            if printed == wish.count:
                return


async def _messages(bus: Bus, wish: Wish) -> AsyncGenerator[Message, None]:
    if wish.retained_only:
        for message in await bus.get(*wish.patterns):
            yield message
        return
    since = wish.since
    async with bus.subscribe(*wish.patterns, retained=since is None and not wish.live_only) as live:
        shown: dict[str, int] = {}
        if since is not None:
            async for message in bus.replay(*wish.patterns, since=since):
                shown[message.topic] = message.offset
                yield message
        async for message in live:
            if message.offset > shown.get(message.topic, 0):
                yield message


def _show(message: Message, wish: Wish, output: Output) -> None:
    if output.json:
        fields = message_object(message)
        output.object({**fields, "replayed": True} if message.replayed else fields)
        return
    text = body_text(message.body)
    if wish.verbose:
        marks = message_marks(message, now=time.time_ns())
        marks = f"  ({marks})" if marks else ""
        width = output.width()
        room = None if width is None else max(SHOWN, width - len(message.topic) - 1 - len(marks))
        text = cut(text, room, ascii_only=output.ascii)
        text = f"{output.paint('topic', message.topic)} {text}{output.paint('faint', marks)}"
    output.line(text)
