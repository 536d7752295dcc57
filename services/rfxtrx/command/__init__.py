"""`hearthbus rfxtrx ACTION`: what frames mean, how they are written, and what a stick is set to.

Knows the actions and where each is; an action is imported only when it is asked for.
"""

from __future__ import annotations

from typing import Final

from hearthbus.cli.actions import Action, listed, run_action

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


_OVERVIEW: Final = f"""\
Without stick or broker:
{listed(ACTIONS, _OFFLINE)}

Asked of the service `rfxtrx`, which has the stick; `hearthbus devices` lists what that has heard:
{listed(ACTIONS, [name for name in ACTIONS if name not in _OFFLINE])}"""


def main(argv: list[str]) -> int:
    """Run the action of `argv`; returns the exit code.

    Raises:
        HearthbusError: a mistake in `argv`, or whatever ended the action.
    """
    return run_action("rfxtrx", ACTIONS, argv, overview=_OVERVIEW)
