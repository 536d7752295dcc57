"""Receivers of telemetry that fail on purpose: real HTTP servers on loopback that are away, refuse, dawdle and forget.

Each runs in a thread of its own, keeps what it has taken in memory, and never takes a batch with the poison value.
Knows nothing of hearthbus but the lines and the JSON it sends.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

Mood = Literal["up", "down", "failing", "slow", "flapping"]
MOODS: Final[tuple[Mood, ...]] = ("down", "failing", "slow", "flapping")
POISON: Final = 666.0
Point = tuple[str, int, float, str]
"""Series, nanoseconds, value, and the message's id where the protocol has one."""
_FAILURES: Final = ("500 Broken", "503 Busy\r\nRetry-After: 1", "429 Too Many\r\nRetry-After: 1", "408 Slow")


def read_lines(body: bytes) -> Iterable[Point]:
    """Read InfluxDB's lines."""
    for line in body.decode().splitlines():
        series, value, time = line.rsplit(" ", 2)
        yield series, int(time), float(value.partition("=")[2]), ""


def read_messages(body: bytes) -> Iterable[Point]:
    """Read a webhook's JSON."""
    for message in json.loads(body):
        yield message["topic"], int(message["id"].partition("-")[0]), float(message["body"]["value"]), message["id"]


class Receiver:
    """One server.

    Args:
        read: finds the points of a body.
        seed: of what happens at random.
    """

    def __init__(self, read: Callable[[bytes], Iterable[Point]], *, seed: int = 0) -> None:
        self.mood: Mood = "up"
        self.points: dict[str, list[tuple[int, float]]] = {}
        """By series, what is held, in the order it first came."""
        self.keys: dict[str, set[str]] = {}
        """By a message's id, the keys of the batches it came in."""
        self.calls = self.repeated = 0
        self.held = 0
        self.url = ""
        self._read = read
        self._known: set[tuple[str, int]] = set()
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self._ended: asyncio.Event
        self._wires: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._started.set()
        listening, turns = True, 0
        while not self._ended.is_set():
            turns += 1
            away = self.mood == "down" or (self.mood == "flapping" and turns // 10 % 2 == 0)
            if away and listening:
                server.close()
                self._hang_up()
            elif not away and not listening:
                server = await asyncio.start_server(self._talk, "127.0.0.1", port, reuse_address=True)
            listening = not away
            await asyncio.sleep(0.03)
        server.close()
        self._hang_up()
        await asyncio.sleep(0.05)

    def _hang_up(self) -> None:
        for wire in self._wires:
            wire.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wires.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields["content-length"]))
                status = await self._answer(body, fields.get("idempotency-key", ""))
                if not status:
                    return
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._wires.discard(writer)
            writer.close()

    async def _answer(self, body: bytes, key: str) -> str:
        self.calls += 1
        if self.mood == "failing":
            return self._chance.choice(_FAILURES)
        if self.mood == "slow":
            await asyncio.sleep(0.5)
        points = list(self._read(body))
        if any(value == POISON for _, _, value, _ in points):
            return "400 Bad Point"
        for series, time, value, name in points:
            if name:
                self.keys.setdefault(name, set()).add(key)
            if (series, time) in self._known:
                self.repeated += 1
                continue
            self._known.add((series, time))
            self.points.setdefault(series, []).append((time, value))
            self.held += 1
        if self.mood == "flapping" and self._chance.random() < 0.5:
            return ""  # it has them, and its answer is lost
        return "204 Taken"
