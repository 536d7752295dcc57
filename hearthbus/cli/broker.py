"""`hearthbus broker`: the broker alone, in this process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearthbus import plugins
from hearthbus.config import BROKER, load
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

BAD_CONFIG: Final = 78

EXAMPLES: Final = """\
examples:
  hearthbus broker                                      as [broker] in the configuration says
  hearthbus broker --address ipc:///run/hearthbus/bus   at a Unix socket

Its journal is in $STATE_DIRECTORY, else ~/.local/state/hearthbus, unless --data or [broker] data say otherwise.
On SIGHUP it reads its configuration and its keys again.
Exit codes: 0 stopped, 69 the address or the folder is in use, 70 it would let in anybody, 78 bad configuration."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--config", metavar="FILE", help="the configuration; default as for `hearthbus up`")
    parser.add_argument("--address", metavar="URL", help="listen here: tcp://HOST:PORT or ipc:///PATH")
    parser.add_argument("--data", metavar="FOLDER", help="keep the journal here")
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    found = plugins.find(BROKER)
    if "main" not in found:
        raise Invalid("this installation has no broker; type: pip install hearthbus")

    def read() -> Any:
        """Return the configuration as it is now; folders in it are beside its file unless they say otherwise."""
        house = load(args.config, only=(), broker=True)
        written = {name: getattr(house.broker, name) for name in ("data", "keys")}
        folders = {
            name: str(Path(house.path).parent / Path(folder).expanduser()) for name, folder in written.items() if folder
        }
        given = {name: value for name in ("address", "data") if (value := getattr(args, name))}
        return replace(house.broker, **folders | given)

    try:
        code: int = plugins.load("broker", found["main"])(read(), read)
    except Invalid as error:
        from hearthbus.cli.main import complain

        for problem in error.problems:
            complain(problem)
        return BAD_CONFIG
    return code
