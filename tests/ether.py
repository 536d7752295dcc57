"""A house of nodes on their compiled firmware, for tests: starts the simulator and steers it.

The commands and events are those of firmware/simulator/README.md. In step mode time passes only in `run` and
`until`, so a test does not depend on the machine; with `real_time=True` it passes by itself after `go`, for drivers
that open the gateway's pseudo-terminal. Knows no service and no bus.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ether_build import build

from drivers.rf12.hearth import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LIMIT = 1 << 16
ANSWER_S = 60.0


@dataclass(frozen=True)
class Event:
    """One event of the simulator."""

    ms: float
    kind: str
    node: str
    text: str

    @property
    def fields(self) -> dict[str, str]:
        """The `key=value` words of its text."""
        return dict(word.split("=", 1) for word in self.text.split() if "=" in word)


@dataclass(frozen=True)
class Packet:
    """One transmission, as it was on the air."""

    ms: float
    """When it ended."""
    sender: str
    air_ms: float
    """How long the transmitter was on, its start-up included."""
    data: bytes
    """From the first byte of the preamble to the check."""
    crc: str
    collided: bool
    lost: frozenset[str]
    """Receivers the ether kept it from."""

    @property
    def frame(self) -> bytes:
        """From the group on."""
        return self.data[self.data.index(0x2D) + 1 :]

    @property
    def header(self) -> int:
        """The header byte."""
        return self.frame[1]

    @property
    def payload(self) -> bytes:
        """The payload."""
        return self.frame[3 : 3 + self.frame[2]]


@dataclass
class Ether:
    """A running simulator."""

    process: asyncio.subprocess.Process
    images: Path
    folder: Path
    events: list[Event] = field(default_factory=list)
    _heard: dict[str, int] = field(default_factory=dict)
    """Up to which event `said` has looked, for each node."""
    _answers: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def command(self, *words: object) -> str:
        """Give a command; return what `ok` was followed by."""
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(str(word) for word in words) + "\n").encode())
        await self.process.stdin.drain()
        answer = await asyncio.wait_for(self._answers.get(), ANSWER_S)
        assert answer.startswith("ok"), f"{words}: {answer}"
        return answer[3:]

    async def node(
        self, name: str, sketch: str, *, radio: str = "rfm12b", eeprom: bytes = b"", on: bool = True
    ) -> None:
        """Add a node with the image of `sketch`, and (unless not `on`) switch it on."""
        await self.command("node", name, self.images / f"{sketch}-{radio}.elf", radio)
        if eeprom:
            await self.eeprom_set(name, 0, eeprom)
        if on:
            await self.power(name, on=True)

    async def run(self, ms: float) -> None:
        """Let time pass."""
        await self.command("run", ms)

    async def until(self, kind: str, node: str | None = None, *, within_ms: float = 1000) -> Event:
        """Let time pass up to the next event of that kind, and return it."""
        before = len(self.events)
        answer = await self.command("until", within_ms, kind, *([node] if node else []))
        assert answer == "came", f"no {kind} of {node or 'any node'} in {within_ms} ms; {self.events[before:]}"
        return next(e for e in reversed(self.events) if e.kind == kind and node in (None, e.node))

    async def said(self, node: str, *texts: str, within_ms: float = 1000) -> str:
        """Let time pass until the serial line has said a line with one of `texts` in it; return the line.

        What has been said already counts, from the line on that the last call for this node returned.
        """
        end = await self.time() + within_ms
        while True:
            for at in range(self._heard.get(node, 0), len(self.events)):
                event = self.events[at]
                self._heard[node] = at + 1
                if (event.kind, event.node) == ("uart", node) and any(text in event.text for text in texts):
                    return event.text
            left = end - await self.time()
            if left <= 0 or await self.command("until", left, "uart", node) != "came":
                raise AssertionError(f"{node} did not say {texts} in {within_ms} ms: {self.lines(node)[-10:]}")

    async def came(self, fits: Callable[[Event], bool], *, after: int = 0, within_s: float = 10.0) -> Event:
        """Real-time mode: wait for the first event that fits, of all but the first `after`."""

        def found() -> Event | None:
            return next((event for event in self.events[after:] if fits(event)), None)

        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def go(self) -> None:
        """Real-time mode: let time begin."""
        await self.command("go")

    async def time(self) -> float:
        """Simulated milliseconds so far."""
        return float(await self.command("time"))

    async def power(self, node: str, *, on: bool) -> None:
        """Switch a node's supply."""
        await self.command("power", node, "on" if on else "off")

    async def reset(self, node: str) -> None:
        """Pull its reset line."""
        await self.command("reset", node)

    async def brownout(self, node: str, *, ms: float = 10) -> None:
        """Take the supply of its radio away for a moment."""
        await self.command("brownout", node, ms)

    async def upset(self, node: str) -> None:
        """Let its radio forget its registers without a sign."""
        await self.command("upset", node)

    async def hang(self, node: str, *, deaf: bool = False) -> None:
        """Catch its processor in an endless loop, `deaf` with interrupts off."""
        await self.command("hang", node, *(["deaf"] if deaf else []))

    async def pin(self, node: str, pin: str, level: int) -> None:
        """Hold a pin (`PD7`) at a level."""
        await self.command("pin", node, pin, level)

    async def adc(self, node: str, channel: int, mv: int) -> None:
        """Put a voltage on an analogue pin."""
        await self.command("adc", node, channel, mv)

    async def loss(self, percent: int) -> None:
        """Lose so many packets."""
        await self.command("loss", percent)

    async def link(self, one: str, other: str, dbm: int | None) -> None:
        """Say how loud two nodes hear each other; None: not at all."""
        await self.command("link", one, other, "off" if dbm is None else dbm)

    async def eeprom(self, node: str, at: int, count: int) -> bytes:
        """Read cells."""
        return bytes.fromhex(await self.command("eeprom", node, at, count))

    async def eeprom_set(self, node: str, at: int, data: bytes) -> None:
        """Write cells, from outside."""
        await self.command("eeprom", node, at, "=", data.hex())

    async def duty(self, node: str, *, over_ms: float = 65.536) -> tuple[float, float, float]:
        """Return the mean duties of red, green and blue over the time that passes in this call."""
        await self.command("duty", node)
        await self.run(over_ms)
        red, green, blue = map(float, (await self.command("duty", node)).split())
        return red, green, blue

    async def type(self, node: str, data: bytes) -> None:
        """Put bytes into its serial line."""
        await self.command("type", node, data.hex())

    async def plug(self, node: str) -> str:
        """Give its serial line a pseudo-terminal; return the path."""
        path = self.folder / f"{node}.tty"
        await self.command("plug", node, path)
        return str(path)

    async def speed(self) -> float:
        """Simulated seconds per second of the wall clock so far."""
        words = dict(word.split("=") for word in (await self.command("speed")).split())
        return float(words["simulated"]) / max(float(words["wall"]), 1e-9)

    def packets(self, sender: str | None = None) -> list[Packet]:
        """Every transmission so far, or those of one node."""
        return [_packet(event) for event in self.events if event.kind == "packet" and sender in (None, event.node)]

    def lines(self, node: str) -> list[str]:
        """Every line a node has written to its serial line so far."""
        return [event.text for event in self.events if event.kind == "uart" and event.node == node]

    async def read(self) -> None:
        """Take what the simulator says, until it ends."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode().rstrip("\n"):
            if line.startswith(("ok", "error")):
                self._answers.put_nowait(line)
                continue
            ms, kind, node, text = (line + "   ").split(" ", 3)
            async with self._news:
                self.events.append(Event(float(ms), kind, node, text.rstrip()))
                self._news.notify_all()
        self._answers.put_nowait("error: the simulator has ended")


def _packet(event: Event) -> Packet:
    said = event.fields
    return Packet(
        ms=event.ms,
        sender=event.node,
        air_ms=float(said["air"]),
        data=bytes.fromhex(said["bytes"]),
        crc=said["crc"],
        collided=said["collided"] == "1",
        lost=frozenset(said["lost"].split(",")) - {""},
    )


def settings(*, node: int, group: int = 212, band: int = 8, report_s: int = 300, hold_s: int = 60) -> bytes:
    """Both copies of a node's settings, as they lie at the beginning of its EEPROM."""
    block = Settings(node=node, group=group, band=band, report_s=report_s, hold_s=hold_s, offset=1600)
    return (block.encode() + block.check.to_bytes(2, "little")).ljust(16, b"\xff") * 2


@contextlib.asynccontextmanager
async def ether(*, real_time: bool = False, seed: int = 1) -> AsyncIterator[Ether]:
    """Build what is not built yet, and run a house without nodes; it ends with the block."""
    built = await asyncio.to_thread(build)
    process = await asyncio.create_subprocess_exec(
        built / "simulator" / "build" / "simulator",
        *(["--real-time"] if real_time else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LIMIT,
    )
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        air = Ether(process=process, images=built / "out", folder=Path(folder))
        reader = asyncio.create_task(air.read(), name="ether")
        try:
            await air.command("seed", seed)
            yield air
        except BaseException as error:
            error.add_note("\n".join(f"{e.ms} {e.kind} {e.node} {e.text}" for e in air.events[-40:]))
            raise
        finally:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
            if process.returncode is None:
                process.kill()
            await reader
