"""avrdude: write an image through a serial boot loader, read it back, and say plainly what went wrong.

Left alone, avrdude tries a silent port for 56 s (measured). A boot loader answers within a second of the reset, so
`flash` gives each speed a few seconds and then tries the next.

Source of the output's wording: avrdude 7.1 (Debian 12), each line seen with a boot loader behind a pty.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PART: Final = "atmega328p"
BAUDS: Final = (57_600, 115_200)
"""What boot loaders of such boards listen at: Duemilanove and JeeNode, then optiboot."""
ANSWER_S: Final = 8.0
"""Seconds until a boot loader has to have answered; two resets and ten tries of avrdude fit in."""
STALL_S: Final = 10.0
"""Seconds without progress; at work avrdude's bar grows many times a second, at a loss it only complains, for ever."""
READ_AT_ONCE: Final = 256


class Step(Enum):
    """How far it is."""

    CONNECT = "waiting for the boot loader"
    WRITE = "writing"
    VERIFY = "verifying"


@dataclass(frozen=True)
class Progress:
    """A step, and how much of it is done, 0 to 1."""

    step: Step
    done: float


class FlashError(Exception):
    """It did not work; the text says what and what to do next. `silent` where nobody answered at this speed."""

    def __init__(self, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent


FAULTS: Final = (
    (r"signature = (0x\w+)(?: \(probably (\w+)\))?\s*avrdude error: expected signature",
     "the chip is another one: it says {0} ({1}), the image is for an ATmega328P; nothing was written"),
    (r"device (0x\w+) != input (0x\w+) at addr (0x\w+)",
     "read back {0} where {1} was written, at address {2}: the flash is worn or the line is bad; try once more"),
    (r"cannot open port [^\n]*?: No such file",
     "there is no such port; `ls -l /dev/serial/by-id` shows what is plugged in"),
    (r"cannot open port [^\n]*?: Permission denied",
     "you may not use the port; type: sudo adduser $USER dialout    and log in anew"),
    (r"cannot open port [^\n]*?: Device or resource busy",
     "another program has the port; end it first"),
    (r"cannot open port [^\n]*?: ([^\n:]+)\n", "the port does not open: {0}"),
    (r"not in sync|not responding|unable to open programmer", ""),
)  # fmt: skip
"""What avrdude says, and what we say; the empty text is a port where nobody answers."""
_STEPS: Final = (
    (re.compile(r"verifying flash"), Step.VERIFY),
    (re.compile(r"[Ww]riting \|"), Step.WRITE),
)
_BAR: Final = re.compile(r"\|\s*(#*)[ #]*(?:\||$)")
_BAR_WIDTH: Final = 50


def command(*, program: str, port: str, baud: int, image: Path) -> list[str]:
    """Return avrdude's words; it always verifies. `-D`: a boot loader cannot erase the whole chip."""
    return [
        program, "-p", PART, "-c", "arduino", "-P", port, "-b", str(baud), "-D", "-U", f"flash:w:{image}:i",
    ]  # fmt: skip


def progress(said: str) -> Progress:
    """Read how far it is from all avrdude has said until now."""
    for pattern, step in _STEPS:
        found = None
        for found in pattern.finditer(said):  # noqa: B007 - the last one counts
            pass
        if found is not None:
            start = said.rfind("|", found.start(), found.end())
            bar = _BAR.search(said, start if start >= 0 else found.end())
            return Progress(step, min(len(bar[1]) / _BAR_WIDTH, 1.0) if bar else 0.0)
    return Progress(Step.CONNECT, 0.0)


def between(told: Progress, now: Progress) -> list[Progress]:
    """Return what is to be told next: no step is left out, though avrdude's words may come many at once."""
    steps = list(Step)
    passed = steps[steps.index(told.step) + 1 : steps.index(now.step)]
    return [*(Progress(step, 1.0) for step in passed), now]


def fault(said: str, *, port: str, baud: int) -> FlashError:
    """Turn what a failed avrdude said into an error with the next step."""
    for pattern, text in FAULTS:
        found = re.search(pattern, said)
        if found and text:
            return FlashError(f"{port}: {text.format(*(group or 'unknown' for group in found.groups()))}")
        if found:
            return silence(port=port, baud=baud)
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return FlashError(f"{port}: avrdude failed: {last.removeprefix('avrdude: ')}")


def silence(*, port: str, baud: int) -> FlashError:
    """The error where no boot loader answers."""
    return FlashError(f"{port}: no boot loader answers at {baud} baud", silent=True)


async def flash(
    *,
    port: str,
    image: Path,
    bauds: tuple[int, ...] = BAUDS,
    tell: Callable[[Progress], None],
    answer_s: float = ANSWER_S,
    stall_s: float = STALL_S,
) -> int:
    """Write `image` (a checked .hex file) to the board on `port` and verify it; return the speed that worked.

    Raises:
        FlashError: avrdude is not installed, nobody answers, another chip, or what is read back differs.
    """
    program = shutil.which("avrdude")
    if program is None:
        raise FlashError("avrdude is not installed; type: sudo apt install avrdude")
    for baud in bauds:
        try:
            await _flash_at(
                command(program=program, port=port, baud=baud, image=image),
                port=port, baud=baud, tell=tell, answer_s=answer_s, stall_s=stall_s,
            )  # fmt: skip
        except FlashError as error:
            if not error.silent:
                raise
        else:
            return baud
    tried = " and ".join(str(baud) for baud in bauds)
    raise FlashError(
        f"{port}: no boot loader answers at {tried} baud; is the board on this port? Press its reset button "
        f"just as this begins, or give --baud",
        silent=True,
    )


async def _flash_at(
    words: list[str], *, port: str, baud: int, tell: Callable[[Progress], None], answer_s: float, stall_s: float
) -> None:
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None  # noqa: S101 - the pipe asked for above; for the type checker
    loop = asyncio.get_running_loop()
    due = loop.time() + answer_s
    answered = False
    said = ""
    told = Progress(Step.CONNECT, 0.0)
    tell(told)
    try:
        while True:
            try:
                async with asyncio.timeout_at(due):
                    chunk = await process.stderr.read(READ_AT_ONCE)
            except TimeoutError:
                if answered:
                    raise FlashError(f"{port}: the boot loader fell silent; nothing is sure now: try again") from None
                raise silence(port=port, baud=baud) from None
            if not chunk:
                break
            said += chunk.decode(errors="replace")
            now, answers = progress(said), "AVR device initialized" in said
            if now != told or answers != answered:
                due, answered = loop.time() + stall_s, answers
            for report in between(told, now):
                tell(report)
                told = report
        if await process.wait():
            raise fault(said, port=port, baud=baud)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
