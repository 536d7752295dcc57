"""A verb that has actions of its own, `hearthbus rfxtrx decode`: finds the action, reads its words, runs it.

An action is imported only when it is asked for. Knows no verb and no action.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from hearthbus.cli.arguments import parse
from hearthbus.cli.spelling import nearest
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Action(NamedTuple):
    """One action: a module with `add_arguments(parser)` and `main(args) -> int`."""

    module: str
    help: str


def run_action(verb: str, actions: Mapping[str, Action], argv: list[str], *, overview: str) -> int:
    """Run the action of `argv`; return the exit code.

    Args:
        verb: the word before it.
        actions: by name.
        argv: the words after the verb; none, or --help, prints the overview.
        overview: what stands between the usage and how an action is explained; `listed` makes its lines.

    Raises:
        HearthbusError: a mistake in `argv`, or whatever ended the action.
    """
    if not argv or argv[0] in {"-h", "--help"}:
        explained = f"`hearthbus {verb} ACTION --help` explains an action."
        print(f"usage: hearthbus {verb} ACTION [...]\n\n{overview}\n\n{explained}")  # noqa: T201 - what was asked for
        return 0 if argv else Invalid.exit_code
    name, *words = argv
    if name not in actions:
        near = nearest(name, actions)
        hint = f"did you mean `hearthbus {verb} {near}`?" if near else f"there is {', '.join(actions)}"
        raise Invalid(f"{verb}: there is no action {name!r}; {hint}")
    action = actions[name]
    module = import_module(action.module)
    args = parse(words, prog=f"hearthbus {verb} {name}", description=action.help, add_arguments=module.add_arguments)
    code: int = module.main(args)
    return code


def listed(actions: Mapping[str, Action], names: Iterable[str] | None = None) -> str:
    """Return a line for each action, or for those of `names`."""
    return "\n".join(f"  {name:<8} {actions[name].help}" for name in (actions if names is None else names))
