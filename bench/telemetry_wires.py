"""Receivers of telemetry that speak no HTTP: Graphite's carbon, and a real Mosquitto behind a line that fails.

Knows nothing of hearthbus but the names of its topics.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from bench.peers.base import find
from bench.process import Failed, wait_for
from bench.telemetry_receivers import SLOW_S, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from paho.mqtt.client import Client, MQTTMessage

    from bench.telemetry_forms import Point

_CHUNK: Final = 16_384
_EVERYTHING: Final = 1 << 24
"""More than asyncio has read ahead: nothing that was read is left behind untaken."""
_START_S: Final = 10.0
_CONFIG: Final = """\
listener 0 {socket}
allow_anonymous true
persistence false
user root
log_dest stderr
log_type error
max_queued_messages 0
"""


class Carbon(Receiver):
    """Takes each line as it comes and answers nothing; that it has read everything is told by its orderly end.

    It fails as carbon and what stands before it do: it ends at once, or in the middle, in order or by a reset, and has
    what it had read until then; or it takes everything, and a reset comes instead of the end.
    """

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read lines until the other side's end."""
        how = self.chance.choice(("at once", "in order", "reset")) if self.mood == "failing" else ""
        if how == "at once":
            return
        if self.mood == "slow":
            await asyncio.sleep(SLOW_S)
        rest = b""
        while chunk := await reader.read(_EVERYTHING):
            *lines, rest = (rest + chunk).split(b"\n")
            self.take(map(_point, lines))
            if how:
                break
        if how == "reset" or (self.mood == "flapping" and self.chance.random() < 0.5):
            _reset(writer)


class Mqtt(Receiver):
    """Mosquitto, whose subscriber keeps what comes, behind a line that breaks, delays, and swallows answers.

    Args:
        folder: where its configuration is.
        seed: of what happens at random.
    """

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self._folder = folder
        self._socket = folder / "mqtt"
        self._process: subprocess.Popen[bytes] | None = None
        self._ear: Client | None = None

    def __enter__(self) -> Self:
        program = find("mosquitto")
        if not program:
            raise Failed("mosquitto is not installed: sudo apt-get install mosquitto")
        file, log = self._folder / "mosquitto.conf", self._folder / "mosquitto.log"
        file.write_text(_CONFIG.format(socket=self._socket), encoding="utf-8")
        with log.open("ab") as said:
            self._process = subprocess.Popen([program, "-c", str(file)], stdout=said, stderr=said)
        wait_for(lambda: _listens(self._socket), what="mosquitto", watched=self._process, log=log)
        self._ear = _ear(self._socket, lambda message: self.take(_of_message(message)))
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._ear is not None:
            self._ear.disconnect()
            self._ear.loop_stop()
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be the line between a client and Mosquitto."""
        inner, outer = await asyncio.open_unix_connection(self._socket)
        try:
            ways = {asyncio.create_task(each) for each in (self._there(reader, outer), self._back(inner, writer))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            outer.transport.abort()
            writer.transport.abort()

    async def _there(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on what the client says."""
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                await self._dawdle()
                target.write(chunk)
                await target.drain()

    async def _back(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on what Mosquitto answers; a failing line passes the greeting, and breaks instead of what follows."""
        greeted = False
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                await self._dawdle()
                if greeted and self.mood == "failing":
                    await asyncio.sleep(self.chance.uniform(0, SLOW_S))
                    return
                greeted = True
                target.write(chunk)
                await target.drain()

    async def _dawdle(self) -> None:
        if self.mood == "slow":
            await asyncio.sleep(SLOW_S / 5)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _point(line: bytes) -> Point:
    series, value, time = line.decode().split(" ")
    return series, int(time) * 1_000_000_000, float(value), ""


def _of_message(message: MQTTMessage) -> Iterable[Point]:
    if "/sensor/" in message.topic:
        name = dict(getattr(message.properties, "UserProperty", ()))["id"]
        yield message.topic, int(name.partition("-")[0]), float(json.loads(message.payload)["value"]), name


def _listens(path: Path) -> bool:
    """Whether a server takes connections there: its socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as trial, suppress(OSError):
        trial.connect(str(path))
        return True
    return False


def _ear(path: Path, take: Callable[[MQTTMessage], None]) -> Client:
    """Return a client that hears everything from now on."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    hears = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, transport="unix")
    client.on_subscribe = lambda *_: hears.set()
    client.on_message = lambda _client, _data, message: take(message)
    client.connect(str(path))
    client.subscribe("#", qos=1)
    client.loop_start()
    if not hears.wait(_START_S):
        raise RuntimeError("mosquitto takes no subscription")
    return client
