"""Graphite: a line for each number, over TCP, to carbon or whatever takes its plaintext protocol.

    path value seconds NEWLINE

The protocol has no answer, neither for what was taken nor for what was not. All there is to go by is how the
connection ends: a batch has a connection of its own; after its last byte this side says that no more comes, and the
other side's orderly end means that it has read everything. A reset, or silence, means that nobody knows, and the batch
is sent again, which does no harm: a path has one value for a second. What carbon has read and not yet written when it
is killed is lost.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid
from services.checks import host_faults
from services.telemetry.naming import VALUE, Names, Parts, Template, untold
from services.telemetry.outcomes import Delivered, Held, Later, Outcome
from services.telemetry.settings import Common
from services.telemetry.sinks.faults import in_words
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.telemetry.records import Record

LONGEST_NODE: Final = 200
"""Bytes of one part of a path, which is a file or folder of carbon's."""
LONGEST_PATH: Final = 2000
LATEST_S: Final = 2**32 - 1
"""The last second of Whisper's files, in 2106; with a later one carbon loses what it has not written of that path."""
_ESTABLISHED: Final = 1
_CLOSED: Final = 7
"""States of a connection in Linux's <netinet/tcp.h>; one that this side ended first is closed when both have ended."""
_OTHERS: Final = re.compile(r"[^A-Za-z0-9_.-]")
_OUTSIDE: Final = re.compile(r"[^A-Za-z0-9_.;=~-]")


@dataclass(frozen=True, kw_only=True)
class GraphiteSettings(Common):
    """Where carbon is, and what it shall call a series."""

    host: str
    """Carbon's host."""
    port: int = 2003
    """Its port for lines."""
    path: str = "{kind}.{place}.{quantity}.{field}"
    """What a series is called; `{topic}`, `{device}` and `{unit}` are known too; tags follow as `;place={place}`."""
    units: dict[str, str] = field(default_factory=dict)
    """What is converted: by the unit that is published, the unit that is sent."""
    timeout_s: float = 30.0
    """Seconds a batch may take."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with the address, the path and the units."""
        yield from super().faults()
        yield from host_faults(self.host)
        if not 0 < self.port < 65536:
            yield f"port {self.port} is not within 1 to 65535"
        if not 0 < self.timeout_s <= 600:
            yield f"timeout_s {self.timeout_s} is not within 0 to 600"
        try:
            bad = _OUTSIDE.search(Template(self.path, key="path").literals)
        except Invalid as error:
            yield from error.problems
        else:
            if bad:
                yield f"path {self.path!r}: {bad[0]!r} is not allowed; a path is made of A-Z a-z 0-9 _ - and ."
        try:
            check_units(self.units.items())
        except Invalid as error:
            yield from error.problems

    def sink(self, name: str) -> Graphite:
        """Make the sink."""
        del name
        return Graphite(self)


class Lines:
    """Makes the lines of records. Pure.

    Args:
        template: what a series is called.
        units: by the unit that is published, the unit that is sent.
    """

    def __init__(self, template: str, *, units: dict[str, str] | None = None) -> None:
        self._template = Template(template, key="path")
        self._names = Names(self._path, units=units)

    def encode(self, records: Sequence[Record]) -> tuple[bytes, int]:
        """Return the lines, and how many numbers have none: carbon could not store them."""
        lines: list[str] = []
        dropped = 0
        for record in records:
            seconds = record.time_ns // 1_000_000_000
            for path, value in self._names.samples(record):
                if path and seconds <= LATEST_S:
                    lines.append(f"{path} {int(value) if value is True or value is False else value} {seconds}\n")
                else:
                    dropped += 1
        return "".join(lines).encode(), dropped

    def _path(self, parts: Parts) -> str:
        whole, *tags = self._template.fill(parts, _clean).split(";")
        whole += f".{_clean(untold(parts, self._template.placeholders))}"
        nodes = [node for node in whole.split(".") if node not in {"", VALUE}]
        path = ";".join([".".join(nodes), *(tag for tag in tags if all(tag.partition("=")[::2]))])
        fits = nodes and len(path) <= LONGEST_PATH and max(map(len, nodes)) <= LONGEST_NODE
        return path if fits else ""


def _clean(part: str) -> str:
    return _OTHERS.sub("_", part.replace("/", "."))


class Graphite:
    """Sends batches to carbon."""

    merges: Final = True
    """One value for a path and a second."""

    def __init__(self, settings: GraphiteSettings) -> None:
        self._settings = settings
        self._lines = Lines(settings.path, units=settings.units)
        self._where = f"{settings.host}:{settings.port}"

    @property
    def most(self) -> int:
        """As many as the table says."""
        return self._settings.batch

    async def send(self, records: Sequence[Record]) -> Outcome:
        """Deliver `records` on a connection of their own."""
        data, dropped = self._lines.encode(records)
        reason = f"{dropped} values have a path too long or empty, or a time after 2106" if dropped else ""
        if not data:
            return Delivered(dropped, reason)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                answer = await self._talk(data)
        except TimeoutError:
            return Later(f"{self._where} has not read everything within {self._settings.timeout_s:g} s")
        except OSError as error:
            return Later(f"{self._where}: {in_words(error)}")
        if answer:
            return Held(f"{self._where} answers, which carbon never does: host or port is that of something else")
        return Delivered(dropped, reason)

    async def close(self) -> None:
        """Nothing is kept between batches."""

    async def _talk(self, data: bytes) -> bytes:
        """Send everything, and return what comes before the other side's end: nothing, of carbon."""
        reader, writer = await asyncio.open_connection(self._settings.host, self._settings.port, limit=1024)
        try:
            writer.write(data)
            await writer.drain()
            # its end before ours, or a reset behind its end: it stops, or is not what listens there
            _expect(writer, _ESTABLISHED)
            writer.write_eof()
            answer = await reader.read(1)
            if not answer:
                _expect(writer, _CLOSED)
            return answer
        finally:
            writer.transport.abort()


def _expect(writer: asyncio.StreamWriter, state: int) -> None:
    """Raise `ConnectionResetError` when the connection is in another state than this, or had an error since."""
    sock = writer.get_extra_info("socket")
    found = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    if found != state or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise ConnectionResetError(errno.ECONNRESET, "")
