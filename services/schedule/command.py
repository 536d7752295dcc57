"""`hearthbus schedule`: when a cron expression fires next, without a broker and without a configuration.

Prints what the service would do, over changes of the clock too; nothing here computes.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, count, parse
from hearthbus.cli.durations import parse_moment, span
from hearthbus.errors import Invalid
from services.instants import LOCAL, find_zone, iso, iso_local
from services.schedule.cron import parse_cron

if TYPE_CHECKING:
    import argparse
    from zoneinfo import ZoneInfo

_DESCRIPTION: Final = "print when a cron expression fires next"
_LAST: Final = 4_102_444_800
"""2100-01-01: nobody knows the rules of a clock so far ahead."""


def main(argv: list[str]) -> int:
    """Print the next firings of `argv`'s expression.

    Raises:
        Invalid: a mistake in `argv`.
    """
    args = parse(argv, prog="hearthbus schedule", description=_DESCRIPTION, add_arguments=_add_arguments)
    zone = find_zone(args.tz)
    cron = parse_cron(_expression(args.cron), zone)
    now = time.time_ns()
    start = now // 10**9 if args.start is None else _moment(args.start, now, zone)
    if not args.json:
        sys.stdout.write(f"{cron.text}   local time in {zone.key}\n")
    for at in islice(cron.fires(start - 1), args.count):
        if at >= _LAST:
            break
        if args.json:
            line = json.dumps({"time": iso(at), "local": iso_local(at, zone)})
        else:
            line = f"  {datetime.fromtimestamp(at, zone):%a %Y-%m-%d %H:%M %Z}   {iso(at)}   in {span(at - start)}"
        sys.stdout.write(line + "\n")
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cron", metavar="EXPRESSION", nargs="+", help="minute hour day month weekday, in quotes: '30 7 * * mon-fri'"
    )
    parser.add_argument("--tz", metavar="ZONE", default=LOCAL, help="time zone, such as Europe/London; default: here")
    parser.add_argument("--from", metavar="TIME", dest="start", help="where to begin; default: now")
    parser.add_argument("-C", "--count", metavar="N", type=count, default=5, help="how many; default: 5")
    add_json(parser)


def _expression(words: list[str]) -> str:
    if len(words) > 1:
        raise Invalid(f"the cron expression came as {len(words)} words; put it in quotes: '30 7 * * mon-fri'")
    return str(words[0])


def _moment(text: str, now: int, zone: ZoneInfo) -> int:
    start = parse_moment(text, now=now, zone=zone) // 10**9
    if start >= _LAST:
        raise Invalid(f"--from {text[:40]!r}: write a time before the year 2100")
    return start
