"""Receivers of telemetry that fail on purpose: servers on loopback that are away, refuse, dawdle and forget.

Each runs in a thread of its own and keeps in memory what it has taken. What comes over HTTP is told by the tables of
`telemetry_forms`; carbon and MQTT are in `telemetry_wires`. Knows nothing of hearthbus.
"""

from __future__ import annotations

import asyncio
import random
import threading
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from bench.telemetry_forms import Form, Point

Mood = Literal["up", "down", "failing", "slow", "flapping"]
MOODS: Final[tuple[Mood, ...]] = ("down", "failing", "slow", "flapping")
POISON: Final = 666.0
"""What no server takes that can refuse."""
SLOW_S: Final = 0.5


class Receiver:
    """One server: when it listens, and what it has.

    Args:
        seed: of what happens at random.
    """

    refuses = False
    """Whether its protocol lets it say no to the poison."""

    def __init__(self, *, seed: int = 0) -> None:
        self.mood: Mood = "up"
        self.points: dict[str, list[tuple[int, float]]] = {}
        """By series, what is held, in the order it first came."""
        self.ids: dict[str, tuple[int, set[str]]] = {}
        """By a message's id, how many had come before it, and the keys of the batches it came in."""
        self.held = self.repeated = self.rewound = 0
        """Points; those that came again; by how many messages a repetition went back, at most."""
        self.port = 0
        self.chance = random.Random(seed)
        self._known: dict[tuple[str, int], float] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self._ended: asyncio.Event
        self._wires: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it is, for who speaks HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("a receiver does not listen")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, until it ends or the server has had enough."""
        raise NotImplementedError

    def take(self, points: Iterable[Point], key: str = "") -> None:
        """Keep points that came in one batch."""
        for series, time, value, name in points:
            if name:
                before, keys = self.ids.setdefault(name, (len(self.ids), set()))
                keys.add(key)
                self.rewound = max(self.rewound, len(self.ids) - before - 1)
            if (series, time) in self._known:
                self.repeated += 1
                continue
            self._known[series, time] = value
            self.points.setdefault(series, []).append((time, value))
            self.held += 1

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        listening, turns = True, 0
        while not self._ended.is_set():
            turns += 1
            away = self.mood == "down" or (self.mood == "flapping" and turns // 10 % 2 == 0)
            if away and listening:
                server.close()
                self._hang_up()
            elif not away and not listening:
                try:
                    server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, reuse_address=True)
                except OSError:
                    away = True  # somebody has been given the port for a connection out: it is free again soon
            listening = not away
            await asyncio.sleep(0.03)
        server.close()
        self._hang_up()
        await asyncio.sleep(0.05)

    def _hang_up(self) -> None:
        for wire in self._wires:
            wire.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wires.add(writer)
        try:
            await self.talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._wires.discard(writer)
            writer.close()


class HttpReceiver(Receiver):
    """A server of a protocol over HTTP, which never takes a batch with the poison in it.

    Args:
        form: the protocol.
        seed: of what happens at random.
    """

    refuses = True

    def __init__(self, form: Form, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self._form = form

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = await reader.readexactly(int(fields["content-length"]))
            answer = await self._answer(body, fields.get("idempotency-key", ""))
            if not answer:
                return
            status, _, said = answer.partition("\n\n")
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\n\r\n{said}".encode())
            await writer.drain()

    async def _answer(self, body: bytes, key: str) -> str:
        if self.mood == "failing":
            return self.chance.choice(self._form.failures)
        if self.mood == "slow":
            await asyncio.sleep(SLOW_S)
        points = list(self._form.read(body))
        if any(value == POISON for _, _, value, _ in points):
            return self._form.no
        self.take(points, key)
        if self.mood == "flapping" and self.chance.random() < 0.5:
            return ""  # it has them, and its answer is lost
        return self._form.yes
