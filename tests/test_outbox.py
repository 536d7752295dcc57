"""The outbox against a broker that dies at any moment: nothing twice, nothing silently gone, nothing late."""

from __future__ import annotations

import itertools
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hearthbus.client.outbox import Entry, Outbox
from hearthbus.errors import HearthbusError, Refused, Unavailable

TOPICS = ("a", "b")
SMALL_QUEUE = 5


class Session(RuleBasedStateMachine):
    """One client and one broker; frames between them arrive in order until the connection ends."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = patch("hearthbus.client.outbox.QUEUE", SMALL_QUEUE)
        self._patch.start()
        self.outbox = Outbox()
        self.now = 0.0
        self.up = False
        self.count = itertools.count()
        self.entries: dict[int, Entry] = {}
        self.settled: dict[int, list[HearthbusError | None]] = {}
        self.wire: list[tuple[int, list[bytes]]] = []
        self.answers: list[tuple[str, int]] = []
        self.number = 0
        """What the broker has taken in."""
        self.stored = 0
        self.got: list[int] = []
        self.got_at: dict[int, float] = {}
        self.on_disk: set[int] = set()

    @initialize()
    def begin(self) -> None:
        """The first greeting."""
        self.greet()

    @rule(topic=st.sampled_from(TOPICS), retain=st.booleans(), confirm=st.booleans(), ttl=st.sampled_from([1.0, 30.0]))
    def publish(self, topic: str, *, retain: bool, confirm: bool, ttl: float) -> None:
        """A message, whether the broker is there or not."""
        number = next(self.count)
        self.settled[number] = []
        settle = self.settled[number].append if confirm else None
        entry = Entry(b"%d" % number, topic, retain, self.now + ttl, settle)
        self.entries[number] = entry
        if self.up:
            self.outbox.add(entry)
        else:
            self.outbox.queue(entry, self.now)

    @precondition(lambda self: self.up)
    @rule()
    def flush(self) -> None:
        """What is fresh goes to the socket."""
        self.wire += [(first, records) for first, records, _ in self.outbox.batches()]

    @rule()
    def arrive(self) -> None:
        """The broker takes in what is on the wire, drops what it has, and answers."""
        for first, records in self.wire:
            new = records[max(0, self.number - first + 1) :]
            self.got += [int(record) for record in new]
            self.got_at.update({int(record): self.now for record in new})
            self.number = max(self.number, first + len(records) - 1)
        if self.wire:
            self.answers.append(("taken", self.number))
        self.wire = []

    @rule()
    def commit(self) -> None:
        """The broker writes to disk, and says so."""
        self.stored = self.number
        self.on_disk = set(self.got)
        self.answers.append(("stored", self.stored))

    @precondition(lambda self: self.up and self.answers)
    @rule()
    def hear(self) -> None:
        """The client hears one answer."""
        kind, number = self.answers.pop(0)
        if kind == "taken":
            self.outbox.take(number)
        else:
            self.outbox.store(number)

    @precondition(lambda self: self.up)
    @rule(arrives=st.integers(0, 3))
    def die(self, arrives: int) -> None:
        """The connection ends; what was on the wire has partly arrived, what was answered is never heard."""
        self.wire = self.wire[:arrives]
        self.arrive()
        self.answers = []
        self.up = False

    @rule(seconds=st.sampled_from([0.5, 2.0, 40.0]))
    def wait(self, seconds: float) -> None:
        """Time passes; the event loop flushes before that, and the wire takes none."""
        if self.up:
            self.flush()
        self.arrive()
        self.now += seconds
        if not self.up:
            self.outbox.expire(self.now)

    @precondition(lambda self: not self.up)
    @rule()
    def greet(self) -> None:
        """The broker is there, and tells what it has."""
        self.up = True
        self.outbox.resume(self.number, self.now)

    @precondition(lambda self: not self.up)
    @rule(count=st.integers(1, 4 * SMALL_QUEUE))
    def flood(self, count: int) -> None:
        """A busy publisher during an outage."""
        for number in range(count):
            self.publish("a", retain=number % 2 == 0, confirm=False, ttl=30.0)

    @invariant()
    def nothing_twice(self) -> None:
        """The broker takes in every message at most once, in order."""
        assert self.got == sorted(set(self.got))

    @invariant()
    def nothing_late(self) -> None:
        """What was not given to a socket in time never arrives; a state may, for it is the newest."""
        late = [n for n, at in self.got_at.items() if at > self.entries[n].expires and not self.entries[n].retain]
        assert [] == late

    @invariant()
    def confirmed_is_on_disk(self) -> None:
        """A confirmation is said once, and only of what is on disk."""
        for number, said in self.settled.items():
            assert len(said) <= 1
            assert said != [None] or number in self.on_disk

    @invariant()
    def bounded(self) -> None:
        """The outbox holds at most its window and its queue, with some room to tidy in."""
        given, states = self.outbox._given, len(TOPICS)
        assert len(self.outbox) <= 2 * (given + SMALL_QUEUE + states) + 1 or self.up

    def teardown(self) -> None:
        """In the end everything has arrived, was superseded by a newer state, or is counted as dropped."""
        self._patch.stop()
        if not self.up:
            self.greet()
        self.flush()
        self.arrive()
        self.commit()
        while self.answers:
            self.hear()
        arrived = set(self.got)
        gone = [number for number in self.entries if number not in arrived]
        counted = [n for n in gone if not (self.entries[n].retain and self.entries[n].settle is None)]
        newest: dict[str, int] = {}
        for number, entry in self.entries.items():
            if entry.retain and entry.settle is None:
                newest[entry.topic] = number

        assert self.outbox.dropped == len(counted)
        assert set(newest.values()) <= arrived
        assert 0 == len(self.outbox)
        for number, entry in self.entries.items():
            if entry.settle is not None:
                assert [number in arrived] == [error is None for error in self.settled[number]]


TestSession = Session.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def _entry(number: int, *, retain: bool = False, said: list[HearthbusError | None] | None = None) -> Entry:
    return Entry(b"%d" % number, "a", retain, 30.0, said.append if said is not None else None)


def test_refusal_of_one_is_not_of_the_others() -> None:
    """A refused message settles with its error; those around it with the disk."""
    outbox, said = Outbox(), [[], [], []]  # type: ignore[var-annotated]  # lists of what settle was told
    for number, one in enumerate(said):
        outbox.add(_entry(number, said=one))
    list(outbox.batches())
    outbox.refuse(2, Refused("no"))
    outbox.store(3)

    assert [[None], ["no"], [None]] == [[error and str(error) for error in one] for one in said]


def test_a_disk_that_takes_nothing_refuses_all_before_it() -> None:
    """When the disk fails, every confirmation up to that number is refused, and the message counts as taken."""
    outbox, said = Outbox(), [[], []]  # type: ignore[var-annotated]  # as above
    for number, one in enumerate(said):
        outbox.add(_entry(number, said=one))
    list(outbox.batches())
    outbox.refuse(2, Unavailable("disk full"))

    assert [["disk full"], ["disk full"]] == [[str(error) for error in one] for one in said]
    assert (2, 0) == (outbox.taken, len(outbox))


def test_the_end_settles_everything() -> None:
    """A client that ends leaves nobody waiting for a confirmation."""
    outbox, said = Outbox(), [[], []]  # type: ignore[var-annotated]  # as above
    for number, one in enumerate(said):
        outbox.add(_entry(number, said=one))
    list(outbox.batches())
    outbox.take(1)
    outbox.give_up("the end")

    assert [["the end"], ["the end"]] == [[str(error) for error in one] for one in said]
    assert 1 == outbox.dropped
