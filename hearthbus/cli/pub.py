"""`hearthbus pub`: publish one message, or one for each line of standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_url
from hearthbus.cli.values import STDIN, parse_body, parse_object
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncIterator

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

EXAMPLES: Final = """\
examples:
  hearthbus pub sensor/attic/temperature value=21.5 unit=°C -r       a value that late listeners get too
  hearthbus pub notify/phone '{"title": "Door", "message": "open"}'  a body as JSON
  hearthbus pub sensor/attic/temperature -r                          forget the retained value

Values are read as JSON where they are JSON (21.5, true, null, [255,0,0]), else as strings; id='"007"' stays a string.
To set a light or a switch use `hearthbus call`: it waits for the answer."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("topic", metavar="TOPIC", help="where to")
    parser.add_argument(
        "values",
        metavar="VALUE",
        nargs="*",
        help="key=value words, or one JSON object, or - for one JSON object a line of standard input",
    )
    parser.add_argument("-r", "--retain", action="store_true", help="keep it as the topic's state")
    parser.add_argument("--confirm", action="store_true", help="return only when the broker has it on disk")
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.message import encode_body
    from hearthbus.topics import check_topic

    topic, values = check_topic(args.topic), args.values
    if STDIN in values and len(values) > 1:
        raise Invalid(f"pub: {STDIN} stands alone: the bodies come from standard input")
    body = {} if values == [STDIN] else parse_body(values)
    encode_body(body)

    from hearthbus.cli.session import run

    async def work(bus: Bus, output: Output) -> int:
        if values == [STDIN]:
            from hearthbus.cli.standard_input import lines

            return await publish_lines(bus, topic, lines(), retain=args.retain, confirm=args.confirm)
        await bus.publish(topic, body, retain=args.retain, confirm=args.confirm)
        _advise(topic, body, output, retain=args.retain)
        return 0

    return run(work, url=args.url)


async def publish_lines(bus: Bus, topic: str, lines: AsyncIterator[str], *, retain: bool, confirm: bool) -> int:
    """Publish the JSON object on each line; empty lines are skipped. Returns the exit code.

    Raises:
        Invalid: a bad line, named by its number; those before it are published.
    """
    number = 0
    async for line in lines:
        number += 1
        if line.strip():
            await bus.publish(topic, _on_line(line, number), retain=retain, confirm=confirm)
    return 0


def _on_line(line: str, number: int) -> dict[str, Any]:
    from hearthbus.message import encode_body

    body = parse_object(line, place=f"on line {number} of standard input")
    try:
        encode_body(body)
    except Invalid as error:
        raise Invalid(f"line {number} of standard input: {error}") from None
    return body


def _advise(topic: str, body: dict[str, Any], output: Output, *, retain: bool) -> None:
    if topic.endswith("/set"):
        output.note(f"published; {topic} is a request, and `hearthbus call {topic} ...` would get its answer")
    elif retain and not body:
        output.note(f"the retained value of {topic} is forgotten, since no value was given")
