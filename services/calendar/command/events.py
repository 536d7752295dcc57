"""`hearthbus calendar events`: what is coming, as the calendars themselves say it, without a broker."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, count
from hearthbus.cli.check import BAD_CONFIG
from hearthbus.cli.main import complain
from hearthbus.cli.output import json_text
from hearthbus.errors import Unavailable
from services.calendar.book import is_wanted
from services.calendar.command import asking

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from services.calendar.command.asking import Asked
    from services.calendar.events import Event

_EXAMPLES: Final = """\
examples:
  hearthbus calendar events
  hearthbus calendar events family --days 3
  hearthbus calendar events --json | jq .title

An event in brackets is one the calendar's table ignores; --json marks it "ignored".
Exit codes: 0 done, 69 a calendar could not be read, 78 bad configuration."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    asking.add_arguments(parser)
    parser.add_argument("--days", metavar="N", type=count, help="how far to look; default: days_ahead of each calendar")
    add_json(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Print the events.

    Raises:
        Invalid: there is no such calendar.
    """
    config = asking.configured(args)
    if config is None:
        return BAD_CONFIG
    failed = False
    for asked in asking.ask(config, args.names, days=args.days):
        if asked.fault is not None:
            failed = True
            complain(f"{asked.name}: {asked.fault}")
            continue
        if asked.unread:
            events = "1 event" if asked.unread == 1 else f"{asked.unread} events"
            complain(f"{asked.name}: {events} cannot be understood")
        for line in _for_programs(asked) if args.json else _for_people(asked):
            sys.stdout.write(line + "\n")
    return Unavailable.exit_code if failed else 0


def _for_programs(asked: Asked) -> Iterator[str]:
    for event in asked.events:
        told: dict[str, Any] = {"calendar": asked.name, **event.body(asked.zone)}
        if not is_wanted(event, asked.settings.ignore):
            told["ignored"] = True
        yield json.dumps(told)


def _for_people(asked: Asked) -> Iterator[str]:
    days = asking.days_text(asked.days)
    yield f"{asked.name}: {asking.origin(asked.settings)}, the next {days} in {asked.zone.key}"
    for event in asked.events:
        text = f"{_when(event, asked.zone)}  {_word(event.title) or '(without a title)'}"
        text += f", {_word(event.where)}" if event.where else ""
        commands = " ".join(f"{key}={json_text(value)}" for key, value in event.commands.items())
        text += f"   #hb {commands}" if commands else ""
        yield f"  {text}" if is_wanted(event, asked.settings.ignore) else f" [{text}]"
    if not asked.events:
        yield "  nothing"


def _when(event: Event, zone: ZoneInfo) -> str:
    """Return when it is, in 28 columns: the day, and the hours or that it is the whole of it."""
    start, end = (datetime.fromtimestamp(at, zone) for at in (event.start, event.end))
    day = f"{start:%a %Y-%m-%d}"
    if event.all_day:
        last = (end - timedelta(seconds=1)).date()
        return f"{day} {'all day' if last <= start.date() else f'to {last:%a %m-%d}':<13}"
    until = f"{end:%H:%M}" if (end - start) < timedelta(days=1) else f"{end:%m-%d}"
    return f"{day} {f'{start:%H:%M} - {until}':<13}"


def _word(text: str) -> str:
    """Return text of a calendar for a terminal: what would move the cursor is shown, not obeyed."""
    return text if text.isprintable() else json_text(text)
