"""`hearthbus up`: the broker and every configured service, each a process of its own, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from hearthbus.config import House

EXAMPLES: Final = """\
examples:
  hearthbus up                       the whole house of ./hearthbus.toml, or the example house
  hearthbus up sun host              the broker and these services alone
  hearthbus up --config house.toml
  hearthbus up --demo                a simulated house: nodes that report, motion that switches lights
  hearthbus up --demo --folder DIR   the same, kept in a folder of its own to look into and to change

Where [bus] url or HEARTHBUS_URL names another broker than [broker] makes, `up` starts the services alone.
A process that dies is started again, after 1, 2, 4, ... 60 seconds. Ctrl-C stops the services, then the broker.
Exit codes: 0 stopped, 69 the broker's address is in use, 78 bad configuration."""
_COLOURS: Final = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="a service, by its table's name; default: all")
    parser.add_argument("--config", metavar="FILE", help="default: ./hearthbus.toml, then the user's, then /etc's")
    parser.add_argument("--demo", action="store_true", help="run a simulated house, which leaves yours alone")
    parser.add_argument("--folder", metavar="DIR", help="with --demo: keep its files there; default: until it ends")
    parser.add_argument("--firmware", action="store_true", help="with --demo: simulate the processors of its nodes")
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    names = tuple(dict.fromkeys(args.names))
    if not args.demo:
        if args.folder or args.firmware:
            raise Invalid(f"up: {'--folder' if args.folder else '--firmware'} goes with --demo")
        return _run(args.config, names)
    if args.config:
        raise Invalid("up: --demo has a configuration of its own; leave out --config")
    from hearthbus.cli.demo import demo_house

    with demo_house(args.folder, firmware=args.firmware) as config:
        return _run(config, names, demo=True)


def _run(config: str | None, names: tuple[str, ...], *, demo: bool = False) -> int:
    from hearthbus.cli.check import BAD_CONFIG, checked

    if not _checked_apart(config, names):
        return BAD_CONFIG
    house = checked(config, only=())
    if house is None:
        return BAD_CONFIG

    import asyncio

    from hearthbus.cli.output import wants_colour

    colour = wants_colour(tty=sys.stdout.isatty(), environ=os.environ)
    return asyncio.run(_up(house, names or house.tables, colour=colour, demo=demo))


async def _up(house: House, names: Sequence[str], *, colour: bool, demo: bool) -> int:
    from hearthbus.running.supervisor import Supervisor

    def paint(number: int, text: str) -> str:
        return f"\x1b[{_COLOURS[number % len(_COLOURS)]}m{text}\x1b[0m" if colour else text

    printer = Printer()
    command = (sys.executable, "-m", "hearthbus")
    config = ("--config", str(house.path))
    supervisor = Supervisor(
        url=house.url,
        broker=None if house.joins else (*command, "broker", *config),
        url_from=house.url_from,
        services={name: (*command, "run", name, *config) for name in names},
        say=printer.say,
        paint=paint,
        greeting=greeting(house, names, program=_program(), demo=demo),
    )
    printer.gone = supervisor.stop
    code = await supervisor.run()
    if printer.closed:
        raise BrokenPipeError
    return code


class Printer:
    """Prints lines; where nobody reads them any more it says so once, and goes on in silence."""

    def __init__(self) -> None:
        self.closed = False
        self.gone: Callable[[], None] = lambda: None

    def say(self, line: str) -> None:
        """Print a line."""
        if self.closed:
            return
        try:
            print(line, flush=True)  # noqa: T201 - the command's output
        except BrokenPipeError:
            self.closed = True
            self.gone()
        except OSError:
            pass  # a full disk under the log is no reason to stop a house


def greeting(house: House, names: Sequence[str], *, program: str, demo: bool = False) -> list[str]:
    """Say what runs, where, and what to type next, a line each."""
    from hearthbus.bus import default_url

    url = "" if house.url == default_url() else f" --url {house.url}"
    what = f"services: {', '.join(names)}" if names else "no services yet; a table [sun] or [host] makes one"
    broker = (
        f"it joins the broker at {house.url}, set by {house.url_from}" if house.joins else f"the broker on {house.url}"
    )
    lines = [f"The house is up: {broker}; {what}.", f"Its configuration is {house.path}."]
    if house.example:
        lines[1:] = [f"No hearthbus.toml was found, so this is the example house; copy {house.path} to make it yours."]
    more = []
    if demo:
        from hearthbus.cli.demo import TRY

        more = [f"  {program} {words}{url}" for words in TRY]
    return [
        *lines,
        "Type in a second terminal:",
        f"  {program} sub '#' -v{url}",
        f"  {program} status{url}",
        *more,
        "Ctrl-C stops it all.",
    ]


def _checked_apart(path: str | None, names: Sequence[str]) -> bool:
    """Check the configuration in a short-lived process, so that this long-lived one need not import every service."""
    pid = os.fork()
    if pid == 0:
        from hearthbus.cli.check import checked

        good = checked(path) is not None and (not names or checked(path, only=names) is not None)
        sys.stderr.flush()
        os._exit(0 if good else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _program() -> str:
    """Return how this command is typed here: `hearthbus` if that is on the PATH, else its path."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and os.access(Path(folder, "hearthbus"), os.X_OK):
            return "hearthbus"
    beside = Path(sys.executable).with_name("hearthbus")
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)
