"""`hearthbus calendar ACTION`: let hearthbus read a calendar of Google's, and see at once whether it can.

Knows the actions and where each is; an action is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple

from hearthbus.cli.arguments import parse
from hearthbus.cli.spelling import nearest
from hearthbus.errors import Invalid


class Action(NamedTuple):
    """One action: a module with `add_arguments(parser)` and `main(args) -> int`."""

    module: str
    help: str


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
    if not argv or argv[0] in {"-h", "--help"}:
        print(_overview())  # noqa: T201 - what was asked for
        return 0 if argv else Invalid.exit_code
    name, *words = argv
    if name not in ACTIONS:
        near = nearest(name, ACTIONS)
        hint = f"did you mean `hearthbus calendar {near}`?" if near else f"there is {', '.join(ACTIONS)}"
        raise Invalid(f"calendar: there is no action {name!r}; {hint}")
    module = import_module(ACTIONS[name].module)
    args = parse(
        words, prog=f"hearthbus calendar {name}", description=ACTIONS[name].help, add_arguments=module.add_arguments
    )
    code: int = module.main(args)
    return code


def _overview() -> str:
    return "\n".join(
        [
            "usage: hearthbus calendar ACTION [...]",
            "",
            *(f"  {name:<8} {each.help}" for name, each in ACTIONS.items()),
            "",
            "No broker is needed. `hearthbus calendar ACTION --help` explains an action.",
        ]
    )
