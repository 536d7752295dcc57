"""Looks into state and past: snapshots, replays, durable fetches, and the check in each heartbeat. Pure.

What is not in memory any more is asked of the store by a `Job`; its result comes back through `result`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.consumers import Fetch
from broker.guard import SHARE, share
from broker.memory import Query, Reading
from broker.zap import is_local
from hearthbus import protocol
from hearthbus.errors import Invalid, Refused
from hearthbus.topics import check_pattern, check_topic, covers, prefixes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.clients import Client
    from broker.core import Core

MAX_CHANGED = 1_000
MAX_WAIT_MS = 60_000
MAX_READS = 16
"""Questions of one client that may wait for the disk: one for each of its subscriptions, and some to spare."""
MAX_COUNT = 2**40
"""More than a client can honestly have lost; the sum over all clients still fits a message."""
LARGEST = 2**63 - 1
"""The largest number SQLite takes."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A page to read from disk; `recent` is what is not there yet, `newest` the offset when it was asked."""

    client: Client
    id: int
    query: Query
    recent: list[bytes]
    newest: int


class Pages:
    """Answers made of many messages, a page at a time: the client asks for the next when it has room."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.jobs: deque[Job] = deque()
        """For the store to read, in order."""

    def watch(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Note what a client subscribes."""
        patterns = self._patterns(client, fields)
        if sum(len(prefixes(pattern)) for pattern in patterns) > self._core.config.limits.subscriptions:
            raise Refused(f"{client.name} subscribes too many patterns ([broker.limits] subscriptions)")
        for pattern in patterns:
            self._core.stream.allow(client, "subscribe", pattern)
        client.patterns = patterns
        self._core.done(client, fields)

    def beat(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Answer a heartbeat: where the stream is, and which of the client's topics have moved since it last asked."""
        client.lost, client.refilled = (max(0, min(fields[key], MAX_COUNT)) for key in ("lost", "refilled"))
        stream = self._core.stream
        changed: list[tuple[str, int]] = []
        complete = True
        if client.patterns and fields["offset"] < stream.offset:
            wanted = covers(client.patterns)
            changed, complete = stream.topics.changed_since(fields["offset"], wanted, MAX_CHANGED)
        answer = protocol.encode(
            protocol.BEAT, offset=stream.offset, changed=changed, complete=complete, clock=self._core.clock_ms
        )
        self._core.out.replies.append((client.ident, answer))

    def snapshot(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Answer with a page of retained state."""
        patterns = self._patterns(client, fields)
        for pattern in patterns:
            self._core.stream.allow(client, "read", pattern)
        limits = self._core.config.limits
        page = self._core.stream.topics.snapshot(
            patterns, fields["after"], messages=limits.page_messages, size=limits.page_bytes
        )
        answer = protocol.encode(
            protocol.PAGE,
            id=fields["id"],
            frames=page.frames,
            next=page.next,
            end=page.end,
            offset=self._core.stream.offset,
            after=0,
            oldest=0,
        )
        self._core.out.replies.append((client.ident, answer))

    def replay(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Answer with a page of the journal."""
        patterns = self._patterns(client, fields)
        for pattern in patterns:
            self._core.stream.allow(client, "read", pattern)
        self._read(client, fields["id"], self._query(patterns, fields, after=fields["after"]))

    def fetch(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Answer a consumer with what comes after its place; wait for something to come where there is nothing."""
        core = self._core
        patterns = self._patterns(client, fields)
        for pattern in patterns:
            core.stream.allow(client, "read", pattern)
        consumer = _of(client, fields["consumer"])
        self._check_new(client, consumer, patterns)
        place = core.consumers.place(consumer, newest=core.stream.offset)
        if place is None:
            raise Refused("too many durable subscriptions ([broker.limits] consumers)")
        other = core.consumers.take(consumer, client)
        if other:
            raise Refused(f"the durable subscription {fields['consumer']!r} is in use by {other}")
        before = core.consumers.waiting.pop(consumer, None)
        if before is not None:
            self._finish(before.client.ident, before.id, before.query, Reading(before.query), newest=before.query.after)
        after = place if fields["after"] < 0 else max(fields["after"], place)
        fetch = Fetch(
            client=client,
            id=fields["id"],
            consumer=consumer,
            query=self._query(patterns, fields, after=after),
            deadline=core.mono + min(fields["wait_ms"], MAX_WAIT_MS) / 1000,
        )
        if after < core.stream.committed:
            self._read(client, fields["id"], fetch.query)
        elif not self._answer_now(fetch):
            core.consumers.waiting[consumer] = fetch

    def _check_new(self, client: Client, consumer: str, patterns: tuple[str, ...]) -> None:
        """A key takes no more than its share of durable subscriptions, and none for nothing."""
        if not patterns:
            raise Invalid("a durable subscription needs a pattern")
        offsets, most = self._core.consumers.offsets, self._core.config.limits.consumers
        if consumer in offsets or is_local(client.who):
            return
        if sum(name.startswith(f"{client.who}:") for name in offsets) >= share(most, client.who):
            raise Refused(
                f"too many durable subscriptions of the key {client.who}: one in {SHARE} of [broker.limits] consumers"
            )

    def ack(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Move a consumer's place."""
        consumers, consumer = self._core.consumers, _of(client, fields["consumer"])
        if consumer not in consumers.offsets or consumers.take(consumer, client):
            raise Refused(f"{client.name} does not read the durable subscription {fields['consumer']!r}")
        consumers.move(consumer, min(fields["offset"], self._core.stream.offset))
        self._core.done(client, fields)

    def leave(self, client: Client, fields: Mapping[str, Any]) -> None:
        """A client does not read a consumer any more."""
        self._core.consumers.leave(_of(client, fields["consumer"]), client)

    def forget(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Delete a consumer that nobody reads."""
        consumers, consumer = self._core.consumers, _of(client, fields["consumer"])
        if consumer not in consumers.offsets:
            raise Refused(f"there is no durable subscription {fields['consumer']!r}")
        if consumers.in_use(consumer):
            raise Refused(f"the durable subscription {fields['consumer']!r} is in use")
        consumers.forget(consumer)
        self._core.done(client, fields)

    def wake(self) -> None:
        """Answer the waiting fetches for which something came."""
        waiting = self._core.consumers.waiting
        for consumer in [name for name, fetch in waiting.items() if self._answer_now(fetch)]:
            del waiting[consumer]

    def expire(self) -> None:
        """Answer the fetches that waited long enough with an empty page."""
        waiting = self._core.consumers.waiting
        for consumer, fetch in list(waiting.items()):
            if fetch.deadline <= self._core.mono:
                del waiting[consumer]
                self._core.stream.written()
                reading = self._core.stream.memory.read(fetch.query)
                self._finish(fetch.client.ident, fetch.id, fetch.query, reading, newest=None)

    def result(self, job: Job, reading: Reading, oldest: int) -> None:
        """The store has read a page."""
        job.client.reads -= 1
        self._finish(job.client.ident, job.id, job.query, reading, newest=job.newest, oldest=oldest)

    def _answer_now(self, fetch: Fetch) -> bool:
        self._core.stream.written()
        reading = self._core.stream.memory.read(fetch.query)
        if not reading.frames:
            return False
        self._finish(fetch.client.ident, fetch.id, fetch.query, reading, newest=None)
        return True

    def _read(self, client: Client, number: int, query: Query) -> None:
        stream = self._core.stream
        stream.written()
        if query.after >= stream.committed:
            self._finish(client.ident, number, query, stream.memory.read(query), newest=None)
        else:
            if client.reads >= MAX_READS:
                raise Refused(f"{client.reads} questions of {client.name} to the journal wait already")
            client.reads += 1
            self.jobs.append(
                Job(client=client, id=number, query=query, recent=stream.memory.copy(), newest=stream.offset)
            )

    def _finish(
        self, ident: bytes, number: int, query: Query, reading: Reading, *, newest: int | None, oldest: int = 0
    ) -> None:
        """Send a page; one that is not full reaches to `newest`, by default the newest of all."""
        newest = self._core.stream.offset if newest is None else newest
        reached = reading.after if reading.full else max(reading.after, newest)
        page = protocol.encode(
            protocol.PAGE,
            id=number,
            frames=reading.frames,
            next=str(reached),
            end=not reading.full,
            offset=newest,
            after=query.after,
            oldest=oldest,
        )
        self._core.out.replies.append((ident, page))

    def _query(self, patterns: tuple[str, ...], fields: Mapping[str, Any], *, after: int) -> Query:
        limits = self._core.config.limits
        return Query(
            patterns=patterns,
            after=max(0, min(after, LARGEST)),
            since=max(0, min(fields.get("since", 0), LARGEST)),
            until=max(0, min(fields.get("until", LARGEST), LARGEST)),
            messages=max(1, min(fields["limit"], limits.page_messages)),
            size=limits.page_bytes,
        )

    def _patterns(self, client: Client, fields: Mapping[str, Any]) -> tuple[str, ...]:
        patterns = fields["patterns"]
        if len(patterns) > self._core.config.limits.subscriptions:
            raise Refused(f"{client.name} subscribes too many patterns ([broker.limits] subscriptions)")
        return tuple(check_pattern(pattern) if isinstance(pattern, str) else check_pattern("") for pattern in patterns)


def _of(client: Client, consumer: str) -> str:
    """The name a durable subscription is stored under: each key has its own, which no name of a local one can be."""
    name = check_topic(consumer)
    return name if is_local(client.who) else f"{client.who}:{name}"
