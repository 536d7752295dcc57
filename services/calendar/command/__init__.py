"""`hearthbus calendar ACTION`: let hearthbus read a calendar of Google's, and see at once whether it can.

Knows the actions and where each is; an action is imported only when it is asked for.
"""

from __future__ import annotations

from typing import Final

from hearthbus.cli.actions import Action, listed, run_action

ACTIONS: Final = {
    "login": Action(
        "services.calendar.command.login", "log in to Google, and store the token that the service reads with"
    ),
    "list": Action("services.calendar.command.listing", "ask each configured calendar, and say whether it answers"),
    "events": Action("services.calendar.command.events", "ask the configured calendars, and print what is coming"),
}


def main(argv: list[str]) -> int:
    """Run the action of `argv`; returns the exit code.

    Raises:
        HearthbusError: a mistake in `argv`, or whatever ended the action.
    """
    return run_action("calendar", ACTIONS, argv, overview=f"{listed(ACTIONS)}\n\nNo broker is needed.")
