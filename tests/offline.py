"""A broker without sockets, files and clocks: its core, turned by hand.

`Desk` is what the loop is for the real one: it gives frames to the core, takes what comes out, commits at once or when
told to. A test shuttles the frames itself, and may drop some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack

from broker.access import Open
from broker.config import BrokerConfig, Limits
from broker.core import Core
from broker.memory import Reading
from broker.rows import TopicRow
from broker.stats import Stats
from broker.zap import LOCAL
from hearthbus import protocol
from hearthbus.message import order_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.access import Access
    from broker.rows import Commit

YEAR_2026 = 1_767_225_600 * 10**9


class Desk:
    """The loop, the disk and the sockets of a core, for as long as one test."""

    def __init__(self, *, limits: Limits | None = None, table: Access | None = None, **config: Any) -> None:
        self.config = BrokerConfig(limits=limits or Limits(), **config)
        self.core = Core(self.config, access=table or Open(), epoch=1)
        self.who: dict[bytes, str] = {}
        """Whose key a connection has come with; the others are this machine's."""
        self.mono = 100.0
        self.wall = YEAR_2026
        self.fanout: list[bytes] = []
        """Everything that was sent to subscribers."""
        self.replies: list[tuple[bytes, bytes]] = []
        """Everything that was said to clients and not taken yet with `heard`."""
        self.journal: list[bytes] = []
        """What is on disk."""
        self.stats: dict[str, Any] = {}
        self._stats = Stats(started=self.mono)

    def turn(self, *frames: tuple[bytes, bytes], disk: str | None = "", seconds: float = 0.0) -> None:
        """Run one turn: (identity, frame) of each client that spoke; `disk` is its error, None while it is slow."""
        core = self.core
        self.mono += seconds
        self.wall += int(seconds * 1e9)
        core.begin(self.mono, self.wall)
        for ident, frame in frames:
            core.handle(ident, frame, self.who.get(ident, LOCAL))
        if seconds:
            core.tick()
            self.stats = self._stats.body(core, version="test", rss_bytes=0, subscriptions=0)
            core.stream.say("broker/stats", self.stats, wall=core.wall)
        self._finish(disk)

    def subscribed(self, topic: bytes) -> bytes:
        """A subscription on the fan-out; return the answer if it is a marker."""
        self.core.begin(self.mono, self.wall)
        self.core.subscribers.began(topic)
        answer = self.core.subscribers.marker(topic)
        self._finish("")
        return answer

    def unsubscribed(self, topic: bytes) -> None:
        """A subscription ended."""
        self.core.begin(self.mono, self.wall)
        self.core.subscribers.ended(topic)
        self._finish("")

    def restart(self, table: Access | None = None) -> None:
        """Kill the broker and start another one on what the first has left: nothing is missing."""
        old = self.core
        self.core = Core(self.config, access=table or Open(), epoch=old.epoch)
        self.core.begin(self.mono, self.wall)
        for state in old.stream.topics.by_name.values():
            row = TopicRow(name=state.name, seq=state.seq, offset=state.offset, retained=state.retained)
            self.core.stream.restore(row)
        self.journal += old.stream.memory.frames
        stream = self.core.stream
        stream.offset = stream.committed = old.stream.offset
        stream.topics.start_at(stream.offset)
        self.core.clients.numbers = dict(old.clients.numbers)

    def greet(self, ident: bytes, name: str = "somebody", **fields: Any) -> None:
        """Greet as a client would, and be there."""
        self.turn((ident, hello(ident, name, **fields)))
        if fields.get("presence"):
            self.subscribed(protocol.PRESENCE.encode() + name.encode() + b"\0")

    def heard(self, ident: bytes) -> list[tuple[bytes, Any]]:
        """What a client was told since the last time: verb and fields (a number for TAKEN and STORED)."""
        mine = [frame for who, frame in self.replies if who == ident]
        self.replies = [(who, frame) for who, frame in self.replies if who != ident]
        return [_read(frame) for frame in mine]

    def _finish(self, disk: str | None) -> None:
        core = self.core
        frames, numbers, places = core.record()
        msgpack.packb((frames, numbers, places))
        self.fanout += core.out.fanout
        core.end()
        while core.pages.jobs:
            job = core.pages.jobs.popleft()
            reading = Reading(job.query)
            if reading.feed(self.journal):
                reading.feed(job.recent)
            core.pages.result(job, reading, 0)
        self.replies += core.out.replies
        commit = core.commits.due()
        if commit is not None and disk is not None:
            if not disk:
                self._write(commit)
            core.out.replies = []
            core.commits.done(disk)
            self.replies += core.out.replies

    def _write(self, commit: Commit) -> None:
        self.journal += commit.frames


def hello(ident: bytes, name: str, **fields: Any) -> bytes:
    """A sound greeting; `fields` replace its own."""
    given = {
        "versions": [protocol.VERSION],
        "name": name,
        "session": ident.rjust(16, b"\1")[:16],
        "software": "test",
        "pid": 1,
        "host": "here",
        "presence": False,
        "will": {},
    }
    return protocol.encode(protocol.HELLO, **{**given, **fields})


def offsets(frames: Iterable[bytes]) -> list[int]:
    """Offsets of stamped frames."""
    return [order_of(frame, frame.find(b"\0"))[1] for frame in frames]


def _read(frame: bytes) -> tuple[bytes, Any]:
    if frame[:1] in (protocol.TAKEN, protocol.STORED):
        return frame[:1], protocol.decode_number(frame)
    return protocol.decode(frame, protocol.BROKER_SAYS)
