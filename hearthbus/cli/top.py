"""`hearthbus top`: the live rates by topic, redrawn every second."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_url, count
from hearthbus.cli.durations import age, parse_duration
from hearthbus.cli.output import body_text, table
from hearthbus.cli.rates import Rates, rate_object
from hearthbus.topics import check_pattern

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator, Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.cli.rates import Rate
    from hearthbus.transport import Subscription

    Show = Callable[[Sequence[Rate]], None]

HEAD: Final = ("/s", "1 min", "total", "age", "topic")
RIGHT: Final = frozenset({0, 1, 2, 3})
HEAD_LINES: Final = 3
QUIT: Final = frozenset("qQ\x04")
"""q, and Ctrl-D."""

EXAMPLES: Final = """\
examples:
  hearthbus top                      the whole house, until q or Ctrl-C
  hearthbus top 'sensor/#' -n 1 -d 10s   one count over ten seconds, for a script

/s is the rate of the last turn, "1 min" how many came in the last minute; the newest body ends the line."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("patterns", metavar="PATTERN", nargs="*", help="count only these topics; default '#', all")
    parser.add_argument("-n", "--turns", metavar="N", type=count, help="stop after N turns, with exit code 0")
    parser.add_argument(
        "-d", "--delay", metavar="S", type=parse_duration, default=1.0, help="seconds of a turn, 1 if not given"
    )
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    patterns = tuple(check_pattern(pattern) for pattern in args.patterns) or ("#",)

    from hearthbus.cli.session import run

    async def work(bus: Bus, output: Output) -> int:
        ended = asyncio.Event()
        with _display(bus, output, ended, scripted=args.turns is not None) as show:
            return await watch(bus, patterns, show, turns=args.turns, delay=args.delay, ended=ended)

    return run(work, url=args.url, json=args.json)


async def watch(
    bus: Bus, patterns: Sequence[str], show: Show, *, turns: int | None, delay: float, ended: asyncio.Event
) -> int:
    """Count, and `show` after each turn of `delay` seconds, until `turns` are over or it is `ended`; returns 0."""
    rates = Rates(turn=delay)
    async with bus.subscribe(*patterns, retained=False) as live:
        counting = asyncio.create_task(_count(live, rates), name="count")
        counting.add_done_callback(lambda _: ended.set())
        try:
            shown = 0
            while shown != turns:
                before = time.monotonic()
                if await _set_within(ended, delay):
                    break
                show(rates.turned(time.monotonic() - before))
                shown += 1
            if counting.done():
                counting.result()
        finally:
            counting.cancel()
    return 0


def page(rates: Sequence[Rate], *, now: int) -> list[str]:
    """Return the lines of a turn: a heading, then a line for each topic."""
    cells = [
        (f"{rate.per_second:.1f}", str(rate.last_minute), str(rate.total), age(rate.newest.age(now)), rate.topic)
        for rate in rates
    ]
    heading, *lines = table([HEAD, *cells], right=RIGHT)
    wide = max(map(len, lines), default=0)
    bodies = (body_text(rate.newest.body) for rate in rates)
    return [heading, *(f"{line.ljust(wide)}  {body}" for line, body in zip(lines, bodies, strict=True))]


def summary(rates: Sequence[Rate]) -> str:
    """Return the house in one line."""
    return f"{sum(rate.per_second for rate in rates):.1f} messages a second, topics: {len(rates)}"


async def _count(live: Subscription, rates: Rates) -> None:
    async for message in live:
        if not message.replayed:
            rates.count(message)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


@contextmanager
def _display(bus: Bus, output: Output, ended: asyncio.Event, *, scripted: bool) -> Iterator[Show]:
    """Choose how turns are shown: redrawn on a terminal, one after the other for scripts and pipes."""
    if not scripted and not output.json and wants_screen():
        from hearthbus.cli.screen import screen

        with screen(asyncio.get_running_loop(), pressed=lambda keys: ended.set() if set(keys) & QUIT else None) as draw:
            logging.getLogger("hearthbus").disabled = True  # a line would tear the page; its first line tells outages
            show = partial(_redraw, bus, output, draw)
            show(())
            yield show
    else:
        yield partial(_print, output)


def wants_screen() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _redraw(bus: Bus, output: Output, draw: Callable[[Sequence[str]], None], rates: Sequence[Rate]) -> None:
    columns, lines = shutil.get_terminal_size()
    state = "" if bus.connected else "  the broker is away"
    title = f"{bus.url}  {summary(rates)}{state}  (q quits)"[:columns]
    heading, *rest = (line[:columns] for line in page(rates[: max(1, lines - HEAD_LINES)], now=time.time_ns()))
    draw([output.paint("topic" if bus.connected else "bad", title), "", output.paint("head", heading), *rest])


def _print(output: Output, rates: Sequence[Rate]) -> None:
    if output.json:
        for rate in rates:
            output.object(rate_object(rate))
        return
    output.line(summary(rates))
    for line in page(rates, now=time.time_ns()):
        output.line(line)
    output.line("")
