"""Graphite: what its lines say, and when a batch counts as taken."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ports import free_port

from hearthbus import Invalid
from services.telemetry.outcomes import Delivered, Held, Later, Outcome
from services.telemetry.records import Record
from services.telemetry.sinks.graphite import Graphite, GraphiteSettings, Lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SECOND = 1_000_000_000
NOW = 1_700_000_000
TEMPLATE = "{kind}.{place}.{quantity}.{field}"
LINE = re.compile(rb"(?P<path>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*) (?P<value>\S+) (?P<at>[0-9]+)\n")
"""What carbon's own reader takes: three words, the path without empty parts."""


def record(topic: str, *, at: float = NOW, **body: Any) -> Record:
    return Record(topic, body, int(at * SECOND), 1)


def encode(*records: Record, template: str = TEMPLATE, **units: str) -> str:
    return Lines(template, units=units).encode(records)[0].decode()


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def send(port: int, records: Sequence[Record], **settings: Any) -> Outcome:
    sink = Graphite(GraphiteSettings(host="127.0.0.1", port=port, **settings))
    return await sink.send(records)


@pytest.mark.parametrize(
    ("topic", "body", "line"),
    [
        ("sensor/hall/temperature", {"value": 21.5}, "sensor.hall.temperature 21.5 1700000000\n"),
        ("sensor/hall/motion", {"value": True}, "sensor.hall.motion 1 1700000000\n"),
        ("light/desk", {"on": False}, "light.desk.on 0 1700000000\n"),
        ("host/pi/memory", {"used": 3}, "host.pi.memory.used 3 1700000000\n"),
        ("host/pi/disk/root", {"used": 3}, "host.pi.disk.root.used 3 1700000000\n"),
        ("doorbell", {"value": 1e-9}, "doorbell 1e-09 1700000000\n"),
        ("sensor/..a../x", {"value": 1}, "sensor.a.x 1 1700000000\n"),
        ("host/pi/load", {"größe ½;a b": 1}, "host.pi.load.gr__e___a_b 1 1700000000\n"),
        ("sensor/hall/temperature", {"value": None}, ""),
        ("sensor/hall/temperature", {"value": float("nan")}, ""),
    ],
)
def test_line(topic: str, body: dict[str, Any], line: str) -> None:
    """A line is the path without what is empty or `value`, the number, and the second it was measured in."""
    assert line == encode(record(topic, at=NOW + 0.999, **body))


def test_tags() -> None:
    """Tags follow the path, those without a value are left out."""
    template = "{quantity};place={place};device={device}"

    assert "power;place=hall 5 1700000000\n" == encode(record("sensor/hall/power", value=5), template=template)


def test_numbers_of_one_message() -> None:
    """Of several numbers in a message each has a path, whatever the template leaves out."""
    disk, lamp = record("host/pi/disk/root", used=3, free=4), record("light/desk", on=True, level=2)

    assert "root.used;place=pi.disk 3 1700000000\nroot.free;place=pi.disk 4 1700000000\n" == encode(
        disk, template="{quantity};place={place}"
    )
    assert "desk.on 1 1700000000\ndesk.level 2 1700000000\n" == encode(lamp, template="{place}")


def test_conversion() -> None:
    """A unit is converted where the table says so."""
    found = encode(record("sensor/hall/temperature", value=100.0, unit="°C"), **{"°C": "°F"})

    assert "sensor.hall.temperature 212.0 1700000000\n" == found


def test_path_too_long() -> None:
    """A key too long for a file name of carbon's is not sent, and counted."""
    lines, dropped = Lines(TEMPLATE).encode([record("host/pi/load", **{"x" * 201: 1, "y": 2})])

    assert (b"host.pi.load.y 2 1700000000\n", 1) == (lines, dropped)


def test_a_time_carbon_has_not() -> None:
    """What a clock centuries ahead has dated is not sent, and counted: carbon would lose others of its path by it."""
    batch = [record("a/b/c", at=2**32, value=1), record("a/b/c", at=2**32 - 1, value=2)]
    lines, dropped = Lines(TEMPLATE).encode(batch)

    assert (b"a.b.c 2 4294967295\n", 1) == (lines, dropped)


@given(
    st.text("ab.-_/", min_size=1, max_size=20).filter(lambda text: "//" not in f"/{text}/"),
    st.dictionaries(st.text(max_size=8), st.floats() | st.booleans() | st.integers(-(2**63), 2**64 - 1), max_size=4),
    st.integers(0, 2**63),
)
def test_lines_are_read_back(topic: str, body: dict[str, Any], time_ns: int) -> None:
    """Every line is three words that give the number and the second again, whatever a message holds."""
    data, dropped = Lines(TEMPLATE).encode([Record(topic, body, time_ns, 1)])
    read = list(LINE.finditer(data))
    values = [body["value"]] if "value" in body else list(body.values())
    finite = [float(value) for value in values if abs(value) < float("inf")]

    assert data == b"".join(found[0] for found in read)
    assert len(finite) == len(read) + dropped
    assert dropped or finite == [float(found["value"]) for found in read]
    assert {time_ns // SECOND} >= {int(found["at"]) for found in read}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"path": "{plase}"}, r"\{plase\} is unknown; did you mean \{place\}"),
        ({"path": "my house.{place}"}, "' ' is not allowed"),
        ({"units": {"°C": "°X"}}, "units: '°X' is not known"),
        ({"port": 0}, "port 0 is not within"),
        ({"timeout_s": 0.0}, "timeout_s 0.0 is not within"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    """What is wrong with the table is told before anything starts."""
    with pytest.raises(Invalid, match=words):
        GraphiteSettings(host="localhost", **settings)


async def test_delivered_after_the_end() -> None:
    """A batch is taken once the other side has read it all and ended in order."""
    got = bytearray()

    async def carbon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read())
        writer.close()

    async with serving(carbon) as port:
        outcome = await send(port, [record("sensor/hall/power", value=5)])

    assert Delivered() == outcome
    assert b"sensor.hall.power 5 1700000000\n" == got


async def test_reset_is_later() -> None:
    """A connection that is reset may have lost what was on it: the batch is kept."""

    async def dying(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with serving(dying) as port:
        outcome = await send(port, [record("sensor/hall/power", value=5)] * 2000)

    assert isinstance(outcome, Later)


async def test_an_early_end_is_later() -> None:
    """Who ends before everything was said is no carbon that has read it: it stops, or a tunnel to nowhere."""
    over = asyncio.Event()

    async def nowhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        with contextlib.suppress(OSError):
            await reader.read()
        writer.transport.abort()
        over.set()

    async with serving(nowhere) as port:
        outcome = await send(port, [record("sensor/hall/power", value=5)] * 300_000)
        await over.wait()

    assert Later(f"127.0.0.1:{port}: Connection reset by peer") == outcome


@pytest.mark.parametrize("count", [1, 20_000])
async def test_an_end_nobody_has_looked_at_yet_is_later(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has ended before the first byte reads none: a proxy whose carbon is away. The kernel knows before asyncio."""
    connect = asyncio.open_connection
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def end_early() -> None:
            wire, _ = server.accept()
            with wire:
                wire.shutdown(socket.SHUT_WR)
                ended.set()
                with contextlib.suppress(OSError):
                    while wire.recv(65536):
                        pass

        async def connect_and_be_left(*where: Any, **how: Any) -> Any:
            wire = await connect(*where, **how)
            assert ended.wait(10)
            return wire

        monkeypatch.setattr(asyncio, "open_connection", connect_and_be_left)
        thread = threading.Thread(target=end_early)
        thread.start()
        port = server.getsockname()[1]
        outcome = await send(port, [record("sensor/hall/power", value=5)] * count, batch=10_000)
        await asyncio.to_thread(thread.join, 10)

    assert Later(f"127.0.0.1:{port}: Connection reset by peer") == outcome


async def test_silence_is_later() -> None:
    """A server that takes the bytes and never ends does not hold a batch for ever."""
    done = asyncio.Event()

    async def hanging(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with serving(hanging) as port:
        outcome = await send(port, [record("sensor/hall/power", value=5)], timeout_s=0.2)
        done.set()

    assert Later(f"127.0.0.1:{port} has not read everything within 0.2 s") == outcome


async def test_nobody_is_later() -> None:
    """A carbon that is not there gets the batch when it is."""
    port = free_port()

    assert Later(f"127.0.0.1:{port}: Connection refused") == await send(port, [record("sensor/hall/power", value=5)])


async def test_something_else_is_held() -> None:
    """Carbon never answers; who does is something else, and a person must look."""

    async def web(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with serving(web) as port:
        outcome = await send(port, [record("sensor/hall/power", value=5)])

    assert isinstance(outcome, Held)
    assert "host or port is that of something else" in outcome.reason


async def test_nothing_to_send_needs_no_carbon() -> None:
    """Records without a number are done without a connection."""
    assert Delivered() == await send(free_port(), [record("sensor/hall/text", value="warm")])
