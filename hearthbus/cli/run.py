"""`hearthbus run`: one service, or several in one process, until SIGTERM. What a systemd unit calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES: Final = """\
examples:
  hearthbus run sun                  one service in a process of its own
  hearthbus run sun schedule host    three in one process, for a machine with little memory
  hearthbus run                      every service of the configuration in one process

Waits for the broker for ever. SIGTERM and Ctrl-C let handlers finish, SIGHUP reads the configuration again.
Exit codes: 0 stopped, 78 bad configuration."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="a service, by its table's name; default: all")
    parser.add_argument("--config", metavar="FILE", help="default: ./hearthbus.toml, then the user's, then /etc's")
    parser.add_argument("-v", "--verbose", action="store_true", help="log everything")
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.running import lean

    lean.import_asyncio()
    from hearthbus.cli.check import BAD_CONFIG, checked

    house = checked(args.config, only=tuple(dict.fromkeys(args.names)) or None)
    if house is None:
        return BAD_CONFIG
    lean.restore_tls()
    names = args.names or list(house.services)

    import asyncio

    from hearthbus.running import logs
    from hearthbus.running.runner import Runner

    logs.set_up(alone=names[0] if len(names) == 1 else None, verbose=args.verbose)
    asyncio.run(Runner(house, list(dict.fromkeys(names))).run())
    return 0
