"""`hearthbus call`: ask the one service that serves a topic, and print its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.durations import parse_duration
from hearthbus.cli.output import body_text
from hearthbus.cli.values import STDIN, parse_body
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

EXAMPLES: Final = """\
examples:
  hearthbus call light/hall/set on=true rgb=[255,180,60]   switch a light on, and see what it says
  hearthbus call switch/heater/set on=false --timeout 20   a slow device gets twenty seconds

Exit codes: 0 answered, 3 nobody serves the topic, 4 no answer in time, 5 the broker refused, 6 the service failed."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    from hearthbus.bus import DEFAULT_TIMEOUT

    parser.add_argument("topic", metavar="TOPIC", help="what to ask")
    parser.add_argument("values", metavar="VALUE", nargs="*", help="key=value words, or one JSON object")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=parse_duration,
        default=DEFAULT_TIMEOUT,
        help=f"seconds to wait for the answer, {DEFAULT_TIMEOUT:g} if not given",
    )
    add_json(parser)
    add_url(parser)
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.message import encode_body
    from hearthbus.topics import check_topic

    topic = check_topic(args.topic)
    if STDIN in args.values:
        raise Invalid("call: a request is one; `hearthbus pub TOPIC -` publishes the lines of standard input")
    body = parse_body(args.values)
    encode_body(body)

    from hearthbus.cli.session import run

    return run(lambda bus, output: ask(bus, topic, body, output, timeout=args.timeout), url=args.url, json=args.json)


async def ask(bus: Bus, topic: str, body: dict[str, Any], output: Output, *, timeout: float) -> int:
    """Ask, print the answer, and return the exit code."""
    answer = await bus.request(topic, body, timeout=timeout)
    if output.json:
        output.object(answer)
    else:
        output.line(body_text(answer))
    return 0
