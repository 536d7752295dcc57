"""`hearthbus rfxtrx send`: transmit one frame, whatever it is: the way out for a device no verb knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from hearthbus.cli.arguments import add_json, add_url
from hearthbus.cli.output import body_text
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output

TIMEOUT_S: Final = 30.0
"""Longest wait for the stick's answer: other transmissions may be before ours, and blinds take 15 s each."""
_EXAMPLES: Final = """\
examples:
  hearthbus rfxtrx send 0B11000000ABCDEF05010F00
  hearthbus rfxtrx send $(hearthbus rfxtrx encode '{"packet": "chime", "id": "0x2A", "sound": 13}')

Ends when the stick has said that it has transmitted; whether a device heard it nobody knows.
Exit code 1: it has not, and the reason is said."""
NOT_SENT: Final = 1
"""Exit code when the stick did not transmit."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument("frame", metavar="HEX", nargs="+", help="the frame, with its length byte")
    add_json(parser)
    add_url(parser)
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Send it.

    Raises:
        Invalid: it is no frame.
        HearthbusError: the service or the stick refuses it.
    """
    from hearthbus.cli.session import run
    from services.rfxtrx.command.decode import as_bytes

    frame = as_bytes(" ".join(args.frame))
    if len(frame) < 4 or frame[0] != len(frame) - 1:
        says = f"its first byte says {frame[0]} more" if frame else "it is empty"
        raise Invalid(f"rfxtrx send: a frame of {len(frame)} bytes, but {says}; a frame begins with its length")
    return run(partial(send, frame=frame), url=args.url, json=args.json)


async def send(bus: Bus, output: Output, *, frame: bytes) -> int:
    """Have it transmitted, and print what the stick says; returns the exit code."""
    answer = await bus.request("rfxtrx/send", {"hex": frame.hex()}, timeout=TIMEOUT_S)
    if output.json:
        output.object(answer)
    else:
        output.line(body_text(answer))
    return 0 if answer.get("confirmed") is True else NOT_SENT
