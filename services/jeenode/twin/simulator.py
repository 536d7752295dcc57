"""The simulator of real firmware as a process: built where it is not, started, steered line by line.

Its commands are those of firmware/simulator/README.md. It is no part of the installed package, being under another
licence: this finds it in hearthbus's source folder. Knows no service and no bus.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from hearthbus import Unavailable

SOURCES: Final = Path(__file__).resolve().parents[3] / "firmware"
"""Where the sources are, unless somebody has them elsewhere."""
SKETCHES: Final = ("gateway", "led_node", "room_node", "onewire_node")
NEEDED: Final = {
    "make": "make",
    "cc": "gcc",
    "avr-g++": "gcc-avr avr-libc arduino-core-avr",
    "/usr/include/simavr/sim_avr.h": "libsimavr-dev libelf-dev",
}
"""What building takes: a command or a file, and the Debian packages that bring it."""
_LIMIT: Final = 1 << 16
_ANSWER_S: Final = 30.0
_END_S: Final = 3.0


async def build(sources: Path) -> None:
    """Compile simulator and firmware, where they are older than their sources.

    Args:
        sources: the folder `firmware` of hearthbus.

    Raises:
        Unavailable: the sources or a compiler are not there, or do not compile.
    """
    missing = await asyncio.to_thread(_missing, sources)
    if missing:
        raise Unavailable(missing)
    await _compile("make", "-C", str(sources / "simulator"))
    if await asyncio.to_thread(_is_old, sources):
        await _compile("sh", str(sources / "build"))


def _missing(sources: Path) -> str:
    """Return what is needed to build and is not there, for people; empty where all is."""
    if not sources.is_dir():
        return f"the firmware's sources are not at {sources}; real firmware runs in hearthbus's source folder"
    for thing, packages in NEEDED.items():
        if not (Path(thing).exists() if thing.startswith("/") else shutil.which(thing)):
            return f"{thing} is missing; install it: sudo apt-get install {packages}"
    return ""


def _is_old(sources: Path) -> bool:
    """Whether an image is not there, or older than any source."""
    images = [image(sources, sketch) for sketch in SKETCHES]
    if not all(image.exists() for image in images):
        return True
    files = (path for part in ("libraries", *SKETCHES) for path in (sources / part).rglob("*") if path.is_file())
    return max(path.stat().st_mtime for path in files) > min(image.stat().st_mtime for image in images)


async def _compile(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    if process.returncode:
        last = out.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(f"{' '.join(command)} failed: {''.join(last)}")


def image(sources: Path, sketch: str) -> Path:
    """Return where the compiled program of a sketch is."""
    return sources / "out" / f"{sketch}-rfm12b.elf"


class Simulator:
    """A running simulator in real time; time begins with the command `go`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._asking = asyncio.Lock()

    @classmethod
    async def start(cls, sources: Path) -> Simulator:
        """Start it, without nodes."""
        program = str(sources / "simulator" / "build" / "simulator")
        process = await asyncio.create_subprocess_exec(
            program, "--real-time", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LIMIT
        )
        return cls(process)

    async def command(self, *words: object) -> str:
        """Give a command; return what its `ok` was followed by.

        Raises:
            Unavailable: it does not answer, or does not take the command.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a PIPE
        text = " ".join(map(str, words))
        async with self._asking:
            try:
                self._process.stdin.write(f"{text}\n".encode())
                await self._process.stdin.drain()
                async with asyncio.timeout(_ANSWER_S):
                    answer = await self._answers.get()
            except (OSError, TimeoutError):
                raise Unavailable(f"the simulator does not answer to `{text}`") from None
        if not answer.startswith("ok"):
            raise Unavailable(f"the simulator does not take `{text}`: {answer}")
        return answer[3:]

    async def read(self) -> None:
        """Take what it says, until it ends; answers go to who waits, what happens is let go by."""
        assert self._process.stdout is not None  # noqa: S101 - as above
        while line := await self._process.stdout.readline():
            if line.startswith((b"ok", b"error")):
                self._answers.put_nowait(line.decode().rstrip())
        raise Unavailable("the simulator has ended")

    async def end(self) -> None:
        """End it: it stops when its input does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
