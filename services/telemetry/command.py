"""`hearthbus telemetry status|retry|forget`: how each sink stands; what it refused, again; a sink that is no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, add_url, parse
from hearthbus.cli.output import table
from hearthbus.errors import Invalid, NoResponder, Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

_DESCRIPTION: Final = "show how each telemetry sink stands, send again what it refused, or forget one that is no more"
_EXAMPLES: Final = """\
examples:
  hearthbus telemetry status
  hearthbus telemetry status --json | jq 'select(.behind > 1000)'
  hearthbus telemetry retry archive        after its field type was mended
  hearthbus telemetry forget archive       after its table was taken out: the journal keeps nothing for it any more"""
_PAINT: Final = {"held": "bad", "retrying": "warn", "offline": "bad"}
_SHOWN: Final = 90
"""Columns of an error."""


def main(argv: list[str]) -> int:
    """Run the action of `argv`; returns the exit code: 1 where a sink is held or retrying, or nothing runs.

    Raises:
        HearthbusError: a mistake in `argv`, or whatever ended the action.
    """
    args = parse(argv, prog="hearthbus telemetry", description=_DESCRIPTION, add_arguments=_add_arguments)
    if args.action == "status" and args.sink is not None:
        raise Invalid("telemetry: status shows every sink; leave the name out")
    if args.action == "forget" and args.sink is None:
        raise Invalid("telemetry: forget which sink? `hearthbus telemetry status` lists them")
    from hearthbus.cli.session import run

    if args.action == "retry":
        return run(lambda bus, output: again(bus, output, args.service, args.sink), url=args.url, json=args.json)
    if args.action == "forget":
        return run(lambda bus, output: forget(bus, output, args.service, args.sink), url=args.url, json=args.json)
    return run(lambda bus, output: status(bus, output, args.service), url=args.url, json=args.json)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action", metavar="ACTION", choices=("status", "retry", "forget"), help="status, retry or forget"
    )
    parser.add_argument("sink", metavar="SINK", nargs="?", help="which sink; retry: default all")
    parser.add_argument("--service", metavar="NAME", default="telemetry", help="the service's name, if not telemetry")
    add_json(parser)
    add_url(parser)
    parser.epilog = _EXAMPLES


async def status(bus: Bus, output: Output, service: str) -> int:
    """Print a line for each sink.

    Raises:
        NoResponder: no sink has ever told how it stands.
    """
    found = {message.topic.partition("/")[2]: message.body for message in await bus.get(f"{service}/+")}
    if not found:
        raise NoResponder(f"no sink of {service} has told how it stands; is it in the configuration, and running?")
    presence = await bus.get(f"service/{service}")
    runs = bool(presence) and presence[0].get("status") == "online"
    if output.json:
        for name, body in found.items():
            output.object({"sink": name, "running": runs, **body})
    else:
        _print(output, found)
        if not runs:
            output.note(f"{service} does not run: this is how it was")
    return int(not runs or any(body.get("status") in {"held", "retrying"} for body in found.values()))


async def again(bus: Bus, output: Output, service: str, sink: str | None) -> int:
    """Ask for another attempt.

    Raises:
        NoResponder: the service does not run.
    """
    try:
        answer = await bus.request(f"{service}/retry", {} if sink is None else {"sink": sink})
    except NoResponder:
        raise NoResponder(f"{service} does not run, nothing is sent; `hearthbus status` tells more") from None
    if output.json:
        output.object(answer)
    else:
        output.line(f"dead letters that are sent again: {answer.get('queued', 0)}; what waits is tried now")
    return 0


async def forget(bus: Bus, output: Output, service: str, sink: str) -> int:
    """Delete the place of a sink that nobody carries to any more, and what was told of it.

    Raises:
        Refused: there is none, or the service still has it.
    """
    try:
        await bus.forget(f"{service}-{sink}")
    except Refused as error:
        todo = (
            f"take its table out of the configuration and restart {service}; `hearthbus telemetry status` lists sinks"
        )
        raise Refused(f"{sink} is not forgotten: {error}; {todo}") from None
    for topic in (f"{service}/{sink}", f"alert/{service}-{sink}"):
        await bus.publish(topic, {}, retain=True, confirm=True)
    output.line(f"{sink} is forgotten; its dead letters, if any, stay in the service's folder")
    return 0


def _print(output: Output, found: Mapping[str, Mapping[str, Any]]) -> None:
    rows: list[tuple[str, ...]] = [("sink", "status", "lag", "behind", "sent", "rate", "dead", "last error")]
    rows += [(name, *_row(body)) for name, body in found.items()]
    for line, body in zip(table(rows), ({}, *found.values()), strict=True):
        what = "head" if not body else _PAINT.get(str(body.get("status")), "")
        output.line(output.paint(what, line) if what else line)


def _row(body: Mapping[str, Any]) -> tuple[str, ...]:
    said = " ".join(filter(None, (str(body.get("error_at", "")), str(body.get("error", "")))))
    error = "".join(char if char.isprintable() else "?" for char in said)
    return (
        str(body.get("status", "?")),
        _lag(float(body.get("lag_s", 0))),
        str(body.get("behind", 0)),
        str(body.get("sent", 0)),
        f"{body.get('rate_per_s', 0)}/s",
        str(body.get("dead", 0)),
        (error if len(error) <= _SHOWN else error[: _SHOWN - 1] + "…") or "-",
    )


def _lag(seconds: float) -> str:
    from hearthbus.cli.durations import span

    return span(round(seconds)) if seconds >= 1 else "-"
