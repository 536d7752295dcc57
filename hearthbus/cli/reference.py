"""The arguments of every verb as Markdown, from the parsers: `python -m hearthbus.cli.reference docs/commands.md`.

Rewrites what stands between `<!-- options of VERB -->` and `<!-- end -->` and leaves the rest of the page alone.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import make_parser
from hearthbus.cli.main import VERBS

if TYPE_CHECKING:
    from argparse import Action

_BLOCK: Final = re.compile(r"(<!-- options of ([a-z]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def options(verb: str) -> str:
    """Return the arguments of `verb` as a Markdown table, then what its help says below them."""
    module = import_module(VERBS[verb].module)
    parser = make_parser(prog=verb, description=VERBS[verb].help, add_arguments=module.add_arguments)
    rows = [f"| {_form(action)} | {action.help} |" for action in parser._actions if action.dest != "help"]  # noqa: SLF001 - no public list
    return "\n".join(["| argument | meaning |", "|---|---|", *rows, "", "```text", parser.epilog or "", "```", ""])


def refreshed(page: str) -> str:
    """Return `page` with every verb's options as they are now."""
    return _BLOCK.sub(lambda found: found[1] + options(found[2]), page)


def _form(action: Action) -> str:
    value = f" {action.metavar}" if action.metavar else ""
    if action.option_strings:
        return ", ".join(f"`{option}{value}`" for option in action.option_strings)
    return f"`{action.metavar}...`" if action.nargs in {"*", "+"} else f"`{action.metavar}`"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
