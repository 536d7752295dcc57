"""`hearthbus calendar list`: each configured calendar, and whether it answers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json
from hearthbus.cli.check import BAD_CONFIG
from hearthbus.errors import Unavailable
from services.calendar.command import asking

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from services.calendar.command.asking import Asked

_EXAMPLES: Final = """\
examples:
  hearthbus calendar list
  hearthbus calendar list family --json

Exit codes: 0 every calendar answers, 69 one does not, 78 bad configuration."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    asking.add_arguments(parser)
    add_json(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Print a line for each calendar.

    Raises:
        Invalid: there is no such calendar.
    """
    config = asking.configured(args)
    if config is None:
        return BAD_CONFIG
    failed = False
    for asked in asking.ask(config, args.names, days=None):
        failed = failed or asked.fault is not None
        sys.stdout.write((json.dumps(_object(asked)) if args.json else _line(asked)) + "\n")
        sys.stdout.flush()  # a calendar that hangs keeps back what is known of the others otherwise
    return Unavailable.exit_code if failed else 0


def _object(asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = {"calendar": asked.name, "origin": asking.origin(asked.settings)}
    if asked.fault is not None:
        return {**told, "ok": False, "fault": asked.fault.kind, "error": str(asked.fault)}
    return {**told, "ok": True, "events": len(asked.events), "unread": asked.unread, "days": asked.days}


def _line(asked: Asked) -> str:
    head = f"{asked.name} ({asking.origin(asked.settings)}): "
    if asked.fault is not None:
        return f"{head}{asked.fault.kind}: {asked.fault}"
    events = "1 event" if len(asked.events) == 1 else f"{len(asked.events)} events"
    unread = f"; {asked.unread} cannot be understood" if asked.unread else ""
    return f"{head}fine, {events} in {asking.days_text(asked.days)}{unread}"
