"""`hearthbus rfxtrx modes`: which protocols a stick listens to, and which it shall.

Each protocol that is on costs the others sensitivity. They are set for as long as the service wants them; only `--save`
writes the stick's own memory.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from drivers.rfxtrx import modes
from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.output import table
from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

SET_S: Final = 30.0
"""Longest wait for the stick to be set."""
WEAR: Final = "the stick's own memory stands some 10,000 writes: save rarely, and never from a script"
_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx modes                              every protocol, and whether it is on
  hearthbus rfxtrx modes --set ac,oregon,lacrosse     these and no others
  hearthbus rfxtrx modes --enable x10 --disable arc   change some
  hearthbus rfxtrx modes --enable rsl --save          and keep it in the stick, for other programs

Without --save the stick forgets them when it loses power, and the service sets them again. A restart of the service
takes `protocols` of its configuration; write there what shall stay."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument("--set", metavar="A,B,...", help="listen to these, and to no others")
    parser.add_argument("--enable", metavar="A,B,...", action="append", default=[], help="listen to these too")
    parser.add_argument("--disable", metavar="A,B,...", action="append", default=[], help="listen to these no more")
    parser.add_argument("--save", action="store_true", help="also write what is on to the stick's own memory")
    add_json(parser)
    add_url(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Show or set the protocols.

    Raises:
        Invalid: a mistake in what was typed.
        HearthbusError: the service or the stick refuses it.
    """
    from hearthbus.cli.session import run

    wanted = None if args.set is None else _words(args.set)
    enable, disable = ([name for words in each for name in _words(words)] for each in (args.enable, args.disable))
    if wanted is not None and (enable or disable):
        raise Invalid("rfxtrx modes: --set says all; it does not go with --enable and --disable")
    if faults := modes.check([*(wanted or ()), *enable, *disable]):
        raise Invalid(f"rfxtrx modes: {faults[0]}", problems=tuple(faults))
    change = wanted is not None or bool(enable or disable) or args.save
    ask = partial(alter, wanted=wanted, enable=enable, disable=disable, save=args.save) if change else show
    return run(ask, url=args.url, json=args.json)


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


async def show(bus: Bus, output: Output) -> int:
    """Print every protocol, and whether it is on."""
    state = await _state(bus)
    report(state, output)
    if state.get("status") != "online":
        output.note(f"the stick is away: {state.get('reason') or 'nobody knows why'}; this is what it listened to")
    return 0


async def alter(
    bus: Bus, output: Output, *, wanted: list[str] | None, enable: list[str], disable: list[str], save: bool
) -> int:
    """Have other protocols on, and print them as they are then."""
    state = await _state(bus)
    receiver = str(state.get("receiver", ""))
    try:
        on = _on(state) if wanted is None else {modes.canonical(name, receiver) for name in wanted}
        on |= {modes.canonical(name, receiver) for name in enable}
        on -= {modes.canonical(name, receiver) for name in disable}
    except ValueError as error:
        raise Invalid(f"rfxtrx modes: {error}") from None
    if save:
        output.note(WEAR)
    answer = await bus.request("rfxtrx/protocols", {"set": sorted(on), "save": save}, timeout=SET_S)
    report({**state, **answer}, output)
    if isinstance(reason := answer.get("reason"), str):
        output.note(reason)
    return 0


async def _state(bus: Bus) -> dict[str, Any]:
    state = await bus.request("rfxtrx/status", {})
    if "receiver" not in state:
        raise Unavailable(f"rfxtrx modes: no stick has answered yet: {state.get('reason') or 'it is away'}")
    return state


def report(state: Mapping[str, Any], output: Output) -> None:
    """Print what a stick listens to, and what is unwise about it."""
    on, receiver = _on(state), str(state.get("receiver", ""))
    every = [name for row in modes.table(receiver) for name in row if name in on or name in modes.PRODUCTS]
    if output.json:
        told = {"receiver": receiver, "on": sorted(on), "off": sorted(set(every) - on)}
        output.object(told | {"warnings": modes.warnings(on)})
        return
    rows = [(name, "on" if name in on else "-", modes.PRODUCTS.get(name, "")) for name in every]
    for (name, *_), line in zip(rows, table(rows), strict=True):
        output.line(line if name in on else output.paint("faint", line))
    for text in modes.warnings(on):
        output.note(text)


def _on(state: Mapping[str, Any]) -> set[str]:
    found = state.get("protocols")
    return {str(name) for name in found} if isinstance(found, list) else set()
