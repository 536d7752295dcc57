"""The stream: every message gets its sequence number and offset here, becomes state, and goes to journal and fan-out.

Pure: what is to be written and sent is put on `Out`; commits are handed over and reported back. A message costs one
look-up in its client's table of topics, one joining of bytes and a few list appends.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from broker.memory import LATEST, Memory
from broker.rows import Commit, TopicRow
from broker.topics import Topics
from hearthbus.errors import HearthbusError, Invalid, Refused
from hearthbus.message import FLAGS_A_CLIENT_MAY_SET, REQUEST, RETAIN, decode_body, encode_body, encode_sent, split_sent
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from broker.access import Access, Verb
    from broker.clients import Client, Out
    from broker.config import BrokerConfig
    from broker.guard import Guard
    from broker.topics import TopicState

_ORDER: Final = struct.Struct("!QQQ")
_MAPS: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
_EMPTY: Final = frozenset((b"\x80", b"\xde\0\0", b"\xdf\0\0\0\0"))
"""The spellings of a map with nothing in it: it forgets the state of its topic."""
_ORIGIN: Final = b"\x06broker"
_NEVER: Final = 2**63 - 1
COMMIT_BYTES: Final = 1024 * 1024
"""A flood is committed in parts of this size even if nobody asks: memory is bounded before wear is."""


class Stream:
    """The order of all messages."""

    def __init__(self, config: BrokerConfig, *, access: Access, out: Out, guard: Guard) -> None:
        self.topics = Topics(limit=config.limits.topics, journal=config.journal)
        self.memory = Memory(limit=config.limits.memory_journal_bytes)
        self.offset = 0
        self.committed = 0
        """Offset of the newest message on disk."""
        self._oldest, self._newest = _NEVER, 0
        self._noted = 0
        self.received = 0
        self.refused = 0
        self._slowed: set[Client] = set()
        """Who sent large messages in this window."""
        self._all_journaled = "#" in config.journal
        self._access = access
        self._guard = guard
        self._out = out
        self._large_left = self._large_bytes = config.limits.large_bytes

    def take(self, client: Client, records: list[bytes]) -> list[tuple[int, HearthbusError]]:
        """Take in a client's messages in order; return (index, why) of those refused."""
        refused: list[tuple[int, HearthbusError]] = []
        known = client.publishes
        fanout, log = self._out.fanout, self._out.log
        origin, small = client.origin, client.small
        pack, mark = _ORDER.pack, self.topics.mark
        for index, record in enumerate(records):
            try:
                at = record.index(0)
                state = known.get(record[:at])
                if state is None or state.gone:
                    state = self._admit(client, record[:at], "publish")
                if record[at + 10] not in _MAPS:
                    raise Invalid("the body is not a msgpack map")
                if len(record) > small:
                    self._admit_large(client, state.name, len(record) - at - 10)
                flags = record[at + 9]
                if flags:
                    self._check_flags(record, at, flags)
            except (HearthbusError, ValueError, IndexError) as error:
                why = error if isinstance(error, HearthbusError) else Invalid("truncated message")
                self.refuse(client, why)
                refused.append((index, why))
                continue
            self.offset = offset = self.offset + 1
            state.seq += 1
            order = pack(state.seq, offset, state.offset)
            frame = b"%b%b%b%b%b" % (state.head, order, record[at + 1 : at + 10], origin, record[at + 10 :])
            state.offset = offset
            fanout.append(frame)
            if state.mark != mark:
                self.topics.note(state)
            if flags:
                state.retained = b"" if record[at + 10 :] in _EMPTY else frame
            log.append(frame)
        self.received += len(records)
        # a batch comes from one clock, so its first and last message bound the times of all
        self._note_time(records[0])
        self._note_time(records[-1])
        return refused

    def say(self, topic: str, body: dict[str, Any], *, wall: int, retain: bool = True) -> None:
        """Publish a message of the broker itself."""
        record = encode_sent(topic.encode(), encode_body(body), time=wall, flags=RETAIN if retain else 0)
        state = self.topics.by_name.get(topic.encode()) or self.topics.add(topic)
        frame = self._stamp(state, record, len(topic.encode()), RETAIN if retain else 0, _ORIGIN)
        if retain:
            state.retained = frame if body else b""
        self._emit(state, frame)

    def check_request(self, client: Client, record: bytes) -> None:
        """Check a request nobody serves: what is wrong with it matters more than that nobody is there.

        Raises:
            Invalid: a bad topic or body.
            Refused: not allowed.
        """
        name, _, _, body = split_sent(record)
        decode_body(body)
        self.allow(client, "request", _text(name))

    def copy_of_request(self, client: Client, record: bytes) -> tuple[str, bytes]:
        """Stamp a request, show it to observers, and return its topic and frame for the responder.

        Raises:
            Invalid: a bad topic or body.
            Refused: not allowed, or over a limit.
        """
        name, _, _, body = split_sent(record)
        topic = _text(name)
        if len(body) > client.small:
            self._admit_large(client, topic, len(body))
        decode_body(body)
        self.allow(client, "request", topic)
        state = self.topics.by_name.get(name) or self._add(topic)
        frame = self._stamp(state, record, len(name), REQUEST, client.origin)
        self._emit(state, frame)
        return topic, frame

    def allow(self, client: Client, verb: Verb, topic: str) -> None:
        """Ask the access table.

        Raises:
            Refused: it says no.
        """
        if not self._access.allows(client.who, verb, topic):
            why = self._access.why_not(client.who, verb, topic)
            raise Refused(f"{client.name} may not {verb} {topic}: {why}")

    def refuse(self, client: Client, why: HearthbusError, *, count: int = 1) -> None:
        """Count refusals."""
        self.refused += count
        client.refused += count
        self._guard.note(client.who, why, count)

    def written(self) -> None:
        """Put what was logged since the last call into the journal's memory: before it is read, and at a turn's end."""
        if len(self._out.log) > self._noted:
            fresh = self._out.log[self._noted :]
            self._noted = len(self._out.log)
            if not self._all_journaled:
                topics = self.topics.by_name
                fresh = [frame for frame in fresh if topics[frame[: frame.index(0)]].journaled]
            if fresh:
                self.memory.add(fresh)

    def begin(self) -> None:
        """A new turn, with an empty log."""
        self._noted = 0

    def hand_over(
        self, *, consumers: dict[str, int | None], numbers: dict[bytes, int], oldest_needed: int, epoch: int, wall: int
    ) -> Commit:
        """Return everything that is not on disk as one transaction.

        It is as old as `wall`, or newer: a publisher whose clock stands in 1970 must not have its messages deleted.
        """
        rows = [
            TopicRow(name=state.name, seq=state.seq, offset=state.offset, retained=state.retained)
            for state in self.topics.hand_over()
        ]
        oldest, newest = self._oldest, self._newest
        self._oldest, self._newest = _NEVER, 0
        return Commit(
            oldest=oldest,
            newest=max(newest, wall),
            frames=self.memory.hand_over(),
            topics=rows,
            forgotten=self.topics.take_forgotten(),
            consumers=consumers,
            numbers=numbers,
            offset=self.offset,
            epoch=epoch,
            oldest_needed=oldest_needed,
        )

    def restore(self, row: TopicRow) -> None:
        """Take back one topic from the store."""
        self.topics.add(row.name, seq=row.seq, offset=row.offset, retained=row.retained)

    def replay(self, frames: list[bytes]) -> int:
        """Take back messages from the tail that the store does not have yet; return how many."""
        before = self.offset
        for frame in frames:
            at = frame.index(0)
            seq, offset, _ = _ORDER.unpack_from(frame, at + 1)
            if offset <= self.offset:
                continue
            state = self.topics.by_name.get(frame[:at]) or self.topics.add(frame[:at].decode())
            state.seq, state.offset, self.offset = seq, offset, offset
            if frame[at + 33] & RETAIN:
                body_at = at + 35 + frame[at + 34]
                state.retained = b"" if frame[body_at:] in _EMPTY else frame
            self.topics.note(state)
            self._note_time(frame[:at] + b"\0" + frame[at + 25 :])
            if state.journaled:
                self.memory.add([frame])
        return self.offset - before

    def _admit(self, client: Client, name: bytes, verb: Verb) -> TopicState:
        """The slow path of a client's first message on a topic: grammar, access, limit."""
        topic = _text(name)
        self.allow(client, verb, topic)
        state = self.topics.by_name.get(name) or self._add(topic)
        client.publishes[name] = state
        return state

    def take_back(self, commit: Commit) -> None:
        """The disk did not take a commit: it will be part of the next one."""
        self.memory.failed()
        self._oldest, self._newest = min(self._oldest, commit.oldest), max(self._newest, commit.newest)
        self.topics.forgotten.update(name for name in commit.forgotten if name.encode() not in self.topics.by_name)
        for row in commit.topics:
            state = self.topics.by_name.get(row.name.encode())
            if state is not None:
                self.topics.note(state)

    def refresh(self) -> None:
        """Begin a new window for large messages; called when a silent connection of the one before is gone."""
        self._large_left = self._large_bytes
        self._slowed.clear()

    def slows(self, client: Client) -> bool:
        """Whether `client` is to wait for its acknowledgement, because large messages have used up their window."""
        return client in self._slowed and self._large_left <= 0

    def _admit_large(self, client: Client, topic: str, size: int) -> None:
        if size > client.body_bytes:
            raise Refused(f"{topic}: the body is larger than {client.body_bytes} bytes")
        if self._large_left < -self._large_bytes:
            raise Refused(f"{topic}: too many large messages at once ([broker.limits] large_bytes)")
        self._large_left -= size
        self._slowed.add(client)

    def _add(self, topic: str) -> TopicState:
        check_topic(topic)
        if self.topics.full() and not self.topics.forget_quiet(self.committed):
            raise Refused(f"{topic}: the broker's limit on topics is reached ([broker.limits] topics)")
        return self.topics.add(topic)

    @staticmethod
    def _check_flags(record: bytes, at: int, flags: int) -> None:
        """State is kept for others: it is checked wholly at the door. A passing message is checked by its readers."""
        if flags & ~FLAGS_A_CLIENT_MAY_SET:
            raise Invalid(f"flags {flags} are not a client's to set")
        decode_body(memoryview(record)[at + 10 :])

    def _note_time(self, record: bytes) -> None:
        at = record.find(b"\0")
        time = min(int.from_bytes(record[at + 1 : at + 9], "big"), LATEST)
        self._oldest, self._newest = min(self._oldest, time), max(self._newest, time)

    def _stamp(self, state: TopicState, record: bytes, at: int, flags: int, origin: bytes) -> bytes:
        self._note_time(record)
        self.offset += 1
        state.seq += 1
        order = _ORDER.pack(state.seq, self.offset, state.offset)
        state.offset = self.offset
        head = b"%b%b%b" % (state.head, order, record[at + 1 : at + 9])
        return b"%b%b%b%b" % (head, bytes([flags]), origin, record[at + 10 :])

    def _emit(self, state: TopicState, frame: bytes) -> None:
        self._out.fanout.append(frame)
        self.topics.note(state)
        self._out.log.append(frame)


def _text(name: bytes) -> str:
    try:
        return check_topic(name.decode())
    except UnicodeDecodeError:
        raise Invalid("the topic is not UTF-8") from None
