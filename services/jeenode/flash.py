"""`hearthbus flash`: write one of the project's sketches, or any .hex file, to a board, and set its node id.

Asks the gateway service to let go of the port first, where there is a broker and a service that has it, and to take it
again whatever happens. Works without both.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.avr.avrdude import BAUDS, FlashError, Progress, Step, flash
from drivers.avr.hexfile import HexError, parse_hex
from drivers.rf12.commands import STOCK
from drivers.rf12.hearth import BANDS, LIMITS
from hearthbus import Bus, HandlerError, HearthbusError, Invalid, NoResponder, Unavailable
from hearthbus.cli.arguments import add_url, parse
from hearthbus.cli.where import where
from services.jeenode.console import ConsoleError, Wanted, configure
from services.jeenode.images import SKETCHES, find_image

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Sequence

log = logging.getLogger(__name__)
_DESCRIPTION: Final = "write firmware to a board on a serial port, read it back, and set its node id"
_EXAMPLES: Final = """\
examples:
  hearthbus flash gateway --port /dev/ttyUSB0 --id 30 --group 212 --band 868
  hearthbus flash led_node --port /dev/ttyUSB0 --id 2 --radio rfm69
  hearthbus flash my_sketch.hex --port /dev/ttyUSB0

Exit codes: 0 flashed and verified, 64 a mistake in what you typed or in the file, 69 the board or the port."""
RELEASE_S: Final = 300.0
"""How long the service stays away if we are killed before we tell it to come back."""
BROKER_S: Final = 1.0
NODES: Final = dict(STOCK["i"].numbers)["node"]
"""What a board can be told to be: a gateway also 31."""
CONSOLE_BAUD: Final = 57_600
"""What our sketches speak, and RF12demo on a JeeNode."""
_BAR: Final = 30


def main(argv: list[str]) -> int:
    """Flash the board of `argv`.

    Raises:
        Invalid: a mistake in `argv`, or the file is no sound image.
        Unavailable: the port, the board or avrdude.
    """
    args = parse(argv, prog="hearthbus flash", description=_DESCRIPTION, add_arguments=_add_arguments)
    path = find_image(args.sketch, radio=args.radio)
    size = check_image(path)
    _say(f"{path.name}: {size} bytes, sound")
    asyncio.run(_flash(args, path))
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sketch", metavar="SKETCH", help=f"{', '.join(SKETCHES)}, or a .hex file")
    parser.add_argument(
        "--port", metavar="PORT", required=True, type=_absolute, help="serial port, such as /dev/ttyUSB0"
    )
    parser.add_argument(
        "--id",
        metavar="N",
        type=_number("--id", NODES),
        help="then set the node id, 1 to 30 (a gateway also 31)",
    )
    parser.add_argument(
        "--group", metavar="N", type=_number("--group", LIMITS["group"]), help="then set the net group, 1 to 212"
    )
    parser.add_argument("--band", metavar="MHZ", type=_band, help="then set the band: 433, 868 or 915")
    parser.add_argument("--radio", choices=("rfm12b", "rfm69"), default="rfm12b", help="default: rfm12b")
    parser.add_argument(
        "--baud",
        metavar="N",
        type=_number("--baud", range(1_200, 1_000_001)),
        help=f"the boot loader's speed; default: {BAUDS[0]}, then {BAUDS[1]}",
    )
    parser.add_argument("--service", metavar="NAME", default="jeenode", help="who may have the port; default: jeenode")
    add_url(parser)
    parser.epilog = _EXAMPLES


def check_image(path: Path) -> int:
    """Return how many bytes of flash the file fills.

    Raises:
        Invalid: it cannot be read, or is no sound image.
    """
    try:
        return len(parse_hex(path.read_text("ascii")).data)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{path}: no text, so no Intel HEX file") from None
    except HexError as error:
        raise Invalid(f"{path}: {error}") from None


async def _flash(args: argparse.Namespace, path: Path) -> None:
    bauds = (args.baud,) if args.baud else BAUDS
    wanted = Wanted(node=args.id, group=args.group, band_mhz=args.band)
    async with _released(args.port, service=args.service, url=args.url):
        bar = _Bar(tty=sys.stdout.isatty())
        try:
            baud = await flash(port=args.port, image=path, bauds=bauds, tell=bar.show)
        except FlashError as error:
            raise Unavailable(str(error)) from None
        finally:
            bar.end()
        _say(f"{args.port}: written at {baud} baud, read back, the same")
        if wanted != Wanted():
            try:
                config = await configure(args.port, baud=CONSOLE_BAUD, wanted=wanted)
            except ConsoleError as error:
                raise Unavailable(f"the firmware is written, its settings are not: {error}") from None
            _say(f"{args.port}: node {config.node}, group {config.group}, {config.band_mhz} MHz")


@asynccontextmanager
async def _released(port: str, *, service: str, url: str | None) -> AsyncIterator[None]:
    """Have the service let go of `port` for as long as the block runs."""
    address, key = where(url, note=_say)
    async with AsyncExitStack() as stack:
        try:
            bus = await stack.enter_async_context(Bus(address, key=key, connect_timeout=BROKER_S))
            await bus.request(f"{service}/release", port=port, for_s=RELEASE_S)
        except (Unavailable, NoResponder):
            pass  # no broker, no service: nobody has the port
        except HandlerError as error:
            log.debug("%s: %s", service, error)  # the port is none of its own
        else:
            _say(f"{port}: the service {service} has let go of it")
            stack.push_async_callback(_give_back, bus, port, service)
        yield


async def _give_back(bus: Bus, port: str, service: str) -> None:
    try:
        await bus.request(f"{service}/take", port=port)
    except HearthbusError as error:
        _say(f"{port}: {service} takes it again by itself within {RELEASE_S:g} s ({error})")
    else:
        _say(f"{port}: the service {service} has it again")


class _Bar:
    """Progress: a line that grows on a terminal, a line a step elsewhere."""

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._step: Step | None = None

    def show(self, progress: Progress) -> None:
        """Draw it."""
        if self._tty:
            filled = round(progress.done * _BAR)
            bar = "" if progress.step is Step.CONNECT else f" [{'#' * filled:<{_BAR}}] {progress.done:4.0%}"
            self._write(f"\r\x1b[K{progress.step.value}{bar}")
        elif progress.step is not self._step:
            self._write(f"{progress.step.value}\n")
        self._step = progress.step

    def end(self) -> None:
        """Leave the line."""
        if self._tty and self._step is not None:
            self._write("\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's output


def _number(name: str, limits: Sequence[int]) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) in limits):
            raise Invalid(f"flash: {name} {text!r}: write a whole number from {limits[0]} to {limits[-1]}")
        return int(text)

    return read


def _absolute(text: str) -> str:
    """Return a port as the service knows it, which runs in another folder."""
    return str(Path(text).absolute())


def _band(text: str) -> int:
    if text not in map(str, BANDS):
        raise Invalid(f"flash: --band {text!r}: write 433, 868 or 915")
    return int(text)
