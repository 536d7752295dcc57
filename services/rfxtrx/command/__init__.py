"""`hearthbus rfxtrx ACTION`: what frames mean, how they are written, and what a stick is set to.

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
    "decode": Action("services.rfxtrx.command.decode", "say what frames mean"),
    "encode": Action("services.rfxtrx.command.encode", "write frames from what `decode --json` prints"),
    "packets": Action("services.rfxtrx.command.packets", "list the packets there are, their subtypes and fields"),
    "info": Action("services.rfxtrx.command.info", "show the stick: firmware, receiver, protocols, how it is"),
    "modes": Action("services.rfxtrx.command.modes", "show and set which protocols the stick listens to"),
    "send": Action("services.rfxtrx.command.send", "transmit a frame"),
}
_OFFLINE: Final = ("decode", "encode", "packets")
"""Those that need neither stick nor broker."""


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
        hint = f"did you mean `hearthbus rfxtrx {near}`?" if near else f"there is {', '.join(ACTIONS)}"
        raise Invalid(f"rfxtrx: there is no action {name!r}; {hint}")
    module = import_module(ACTIONS[name].module)
    args = parse(
        words, prog=f"hearthbus rfxtrx {name}", description=ACTIONS[name].help, add_arguments=module.add_arguments
    )
    code: int = module.main(args)
    return code


def _overview() -> str:
    def lines(offline: bool) -> list[str]:  # noqa: FBT001 - its only argument
        return [f"  {name:<8} {each.help}" for name, each in ACTIONS.items() if (name in _OFFLINE) == offline]

    return "\n".join(
        [
            "usage: hearthbus rfxtrx ACTION [...]",
            "",
            "Without stick or broker:",
            *lines(offline=True),
            "",
            "Asked of the service `rfxtrx`, which has the stick:",
            *lines(offline=False),
            "",
            "`hearthbus rfxtrx ACTION --help` explains an action; `hearthbus devices` lists what the stick has heard.",
        ]
    )
