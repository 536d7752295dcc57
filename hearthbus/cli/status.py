"""`hearthbus status`: which services are there, and how they and the broker are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.durations import age, span
from hearthbus.cli.granted import granted
from hearthbus.cli.output import body_text, size, table
from hearthbus.cli.services import STATS, rows
from hearthbus.errors import Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.cli.services import Row
    from hearthbus.message import Message

SOMETHING_WRONG: Final = 1
"""Exit code when a service is lost, or fails and waits to be started again, or the broker cannot write its journal."""

HEAD: Final = (
    "service", "status", "for", "memory", "queue", "lag", "handled", "errors", "last value", "version", "pid",
    "remarks",
)  # fmt: skip
RIGHT: Final = frozenset({2, 3, 4, 5, 6, 7, 8, 10})
COLOUR_OF: Final = {"online": "good", "lost": "bad", "offline": "faint"}
SLOW: Final = 1.0
"""Seconds a service's timers may be late before that is worth telling."""
OLD_FIGURES: Final = 15.0
"""Seconds after which the broker's figures are shown with their age; it sends them every ten seconds."""
FIRST_STATS: Final = 1.5
"""Seconds within which a broker that has started says its first figures."""
ALWAYS: Final = 2
"""Columns shown even where they are empty."""
FIGURES: Final[Mapping[str, Callable[[float], str]]] = {
    "uptime_s": lambda seconds: f"up {span(seconds)}",
    "clients": "clients: {}".format,
    "topics": "topics: {}".format,
    "messages_per_s": "{} messages a second".format,
    "rss_bytes": size,
}
"""Key of broker/stats -> how it is said."""
TROUBLES: Final = {
    "refused": "publishes refused",
    "subscribers_lost": "messages lost by slow subscribers",
    "journal_dropped": "messages missing in the journal",
    "journal_error": "(the journal's disk)",
}

EVERYTHING: Final = "#"
SERVICES: Final = "service/+"
PARTS: Final = {SERVICES: "the services", "service/+/health": "their figures", STATS: "the broker's figures"}
"""What is asked for by a key that may not read everything, and how it is called."""

EXAMPLES: Final = """\
examples:
  hearthbus status                                  a table of the services
  hearthbus status --json | jq 'select(.errors)'    those that had errors, for a program

online: it is there. offline: it said goodbye. lost: it died, or its machine did. "last value" is the age of the newest
state it published. "queue", shown where there is one: messages that wait for a handler; "lag": how late the service's
timers were. "failing": it cannot start, or broke, and is tried again.
A key sees what its table lets it read, and a line says what else there is. Exit codes: 1 something is lost or
failing, or the broker's disk does not take its journal, 5 the services are not for this key to see."""


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
    """Print the services and the broker's figures; returns the exit code."""
    messages, refused = await granted(bus, (EVERYTHING,))
    missing: dict[str, Refused] = {}
    if refused:
        messages, missing = await granted(bus, tuple(PARTS))
        left_out = [*(PARTS[part] for part in missing), "the age of last values"]
        output.note(f"not shown: {', '.join(left_out)}; {refused[EVERYTHING]}")
    old = next((message for message in messages if message.topic == STATS and _is_old(message, time.time_ns())), None)
    fresh = None if old is None else await _next_stats(bus)
    if fresh is not None:
        messages = [fresh if message is old else message for message in messages]
    code = report(messages, output, now=time.time_ns(), complete=SERVICES not in missing)
    return Refused.exit_code if SERVICES in missing else code


async def _next_stats(bus: Bus) -> Message | None:
    """Return what a broker says that has just started, whose retained figures are those of one that is gone."""
    import asyncio

    try:
        async with asyncio.timeout(FIRST_STATS), bus.subscribe(STATS) as figures:
            async for message in figures:
                if not message.replayed:
                    return message
    except TimeoutError:
        pass
    return None


def _is_old(stats: Message, now: int) -> bool:
    return stats.age(now) > OLD_FIGURES


def report(messages: Sequence[Message], output: Output, *, now: int, complete: bool = True) -> int:
    """Print what the retained `messages` tell; returns the exit code.

    Args:
        messages: presence, health and figures, and whatever else the services retained.
        output: where to.
        now: nanoseconds since 1970 UTC.
        complete: where no service is among them, there is none.
    """
    services = rows(messages, now=now)
    stats = next((message for message in messages if message.topic == STATS), None)
    if output.json:
        for row in services:
            output.object(row.as_object(now))
        if stats is not None:
            output.object({"service": "broker", "status": "online", "stats": stats.body})
    else:
        if services:
            _print_table(services, output, now=now)
        elif complete:
            output.note("no service has been here; `hearthbus up` starts the configured ones")
        if stats is not None:
            output.line("")
            ago = stats.age(now)
            old = f", figures of {span(ago)} ago" if _is_old(stats, now) else ""
            line = f"broker  {stats_text(stats.body, ago=ago)}{old}"
            output.line(output.paint("bad", line) if _writes_nothing(stats) else line)
    lost = any(row.status == "lost" or row.failing for row in services)
    return SOMETHING_WRONG if lost or _writes_nothing(stats) else 0


def _writes_nothing(stats: Message | None) -> bool:
    """Whether the disk does not take the broker's journal."""
    return stats is not None and bool(stats.get("journal_error"))


def stats_text(stats: Mapping[str, Any], *, ago: float) -> str:
    """Return the broker's figures, said `ago` seconds before, in one line: troubles only where there are any."""
    if isinstance(stats.get("uptime_s"), int | float):
        stats = {**stats, "uptime_s": stats["uptime_s"] + max(0.0, ago)}
    told = [form(stats[key]) for key, form in FIGURES.items() if isinstance(stats.get(key), int | float)]
    told += [f"{stats[key]} {words}" for key, words in TROUBLES.items() if stats.get(key)]
    return ", ".join(told) or body_text(stats)


def _print_table(services: list[Row], output: Output, *, now: int) -> None:
    cells = [HEAD, *(_cells(row, now=now) for row in services)]
    used = [at for at in range(len(HEAD)) if at < ALWAYS or any(row[at] for row in cells[1:])]
    lines = table(
        [[row[at] for at in used] for row in cells], right=frozenset(to for to, at in enumerate(used) if at in RIGHT)
    )
    output.line(output.paint("head", lines[0]))
    for row, line in zip(services, lines[1:], strict=True):
        colour = "bad" if row.failing else "warn" if row.troubled else COLOUR_OF.get(row.status)
        output.line(line if colour in {None, "good"} else output.paint(colour, line))


def _cells(row: Row, *, now: int) -> tuple[str, ...]:
    seconds = row.seconds_since(now)
    return (
        row.name,
        row.status,
        "" if seconds is None else span(max(0.0, seconds)),
        "" if row.rss_bytes is None else size(row.rss_bytes),
        "" if not row.queue else str(row.queue),
        "" if row.loop_lag_s is None or row.loop_lag_s < SLOW else f"{row.loop_lag_s:.1f} s",
        "" if row.handled is None else str(row.handled),
        "" if row.errors is None else str(row.errors),
        "" if row.last_message is None else age((now - row.last_message) / 1e9),
        row.version,
        "" if row.pid is None else str(row.pid),
        ", ".join(row.remarks),
    )
