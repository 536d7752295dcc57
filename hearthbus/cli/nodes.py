"""`hearthbus nodes`: every radio node that was heard, and how it is.

Reads the retained `radio/<driver>/node/<node>` of whatever drivers there are; knows no radio.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.bodies import number, seconds_since, text
from hearthbus.cli.durations import age, iso_utc
from hearthbus.cli.output import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.message import Message

PATTERN: Final = "radio/+/node/+"
LOST: Final = 1
"""Exit code when a node is lost."""
HEAD: Final = ("node", "name", "type", "version", "status", "last seen", "battery", "signal", "loss", "remarks")
RIGHT: Final = frozenset({5, 6, 7, 8})
ALWAYS: Final = 2
"""Columns shown even where they are empty."""
COLOUR_OF: Final = {"lost": "bad", "unknown": "faint"}

EXAMPLES: Final = """\
examples:
  hearthbus nodes                                         a table of the nodes
  hearthbus nodes --json | jq 'select(.loss_ratio > 0.1)'  those that are hard to hear, for a program

online: heard of late. lost: silent for three of its intervals. unknown: spoken to, and never heard.
A node without a name has no table in the configuration: its readings are not published.
Exit code 1: a node is lost."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.cli.session import run

    return run(show, url=args.url, json=args.json)


async def show(bus: Bus, output: Output) -> int:
    """Print the nodes; returns the exit code."""
    return report(await bus.get(PATTERN), output, now=time.time_ns())


def report(messages: Sequence[Message], output: Output, *, now: int) -> int:
    """Print what the retained `messages` tell; `now` in nanoseconds since 1970 UTC. Returns the exit code."""
    messages = sorted(messages, key=_order)
    if output.json:
        for message in messages:
            output.object({"id": _id(message), **message.body, "told": iso_utc(message.time)})
    elif messages:
        _print_table(messages, output, now=now)
    else:
        output.note("no node was heard; `hearthbus status` says whether jeenode, which hears them, runs")
    return LOST if any(message.get("status") == "lost" for message in messages) else 0


def _print_table(messages: Sequence[Message], output: Output, *, now: int) -> None:
    cells = [HEAD, *(_cells(message, now=now) for message in messages)]
    used = [at for at in range(len(HEAD)) if at < ALWAYS or any(row[at] for row in cells[1:])]
    right = frozenset(to for to, at in enumerate(used) if at in RIGHT)
    lines = table([[row[at] for at in used] for row in cells], right=right)
    output.line(output.paint("head", lines[0]))
    for message, line in zip(messages, lines[1:], strict=True):
        colour = COLOUR_OF.get(str(message.get("status")))
        output.line(line if colour is None else output.paint(colour, line))


def _cells(message: Message, *, now: int) -> tuple[str, ...]:
    battery, signal, loss = (number(message, key) for key in ("battery_v", "rssi_dbm", "loss_ratio"))
    seen = seconds_since(message, "last_seen", now=now)
    return (
        _id(message),
        text(message, "name"),
        text(message, "kind"),
        text(message, "version"),
        text(message, "status"),
        "" if seen is None else age(seen),
        "" if battery is None else f"{battery:.2f} V",
        "" if signal is None else f"{signal:.0f} dBm",
        "" if loss is None else f"{100 * loss:.0f} %",
        ", ".join(_remarks(message)),
    )


def _remarks(message: Message) -> list[str]:
    missing, given_up = message.get("missing"), number(message, "given_up")
    return [
        *([] if message.get("name") else ["no table"]),
        *([f"no sensor for {', '.join(map(str, missing))}"] if isinstance(missing, list) and missing else []),
        *([f"gave up {given_up:.0f} packets"] if given_up else []),
    ]


def _order(message: Message) -> tuple[str, int, int, str]:
    driver = message.topic.split("/")[1]
    return driver, int(number(message, "group") or 0), int(number(message, "node") or 0), message.topic


def _id(message: Message) -> str:
    _, driver, _, node = message.topic.split("/")
    return f"{driver}/{node}"
