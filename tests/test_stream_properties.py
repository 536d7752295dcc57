"""Snapshot and live together are exactly the retained state and the stream, whatever happens in which order.

The broker's core and the client's real subscription are joined by hand: two channels carry frames and questions
between them, and hypothesis decides what moves next, what is dropped, when the connection ends and when the broker
is started again. No socket, no clock.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from channel import FANOUT_QUEUE, Channel
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from offline import Desk

from broker.config import Limits
from hearthbus import protocol
from hearthbus.client.subscription import ZmqSubscription
from hearthbus.message import RETAIN, decode, encode_body, encode_sent

if TYPE_CHECKING:
    from hearthbus.message import Message

JOURNALED = ("keep/a", "keep/b", "keep/b/c")
PASSING = ("pass/a", "pass/b")
"""Topics the broker does not journal: what is dropped of them is lost."""
SMALL_QUEUE = 6
MESSAGES = st.lists(st.tuples(st.sampled_from(JOURNALED + PASSING), st.booleans()), min_size=1, max_size=4)
"""Topics, and whether retained."""
WRITER = b"\0writer"


class House(RuleBasedStateMachine):
    """A broker, a publisher, a reader."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.patches = [
            patch(f"hearthbus.client.{module}.QUEUE", SMALL_QUEUE) for module in ("tracking", "routing", "subscription")
        ]
        for one in self.patches:
            one.start()
        self.desk = Desk(limits=Limits(page_messages=3), journal=("keep/#",), commit_s=0.0)
        self.desk.greet(WRITER, "writer")
        self.channel = Channel(self.desk)
        self.subscription = ZmqSubscription(self.channel, ("keep/#", "pass/#"), retained=True)
        self.truth: list[Message] = []
        self.before: dict[str, int] = {}
        """Newest sequence of each topic when the subscription began."""
        self.states: dict[str, int] = {}
        """Sequence of what was retained then."""
        self.got: list[Message] = []
        self.count = 0
        self.number = 0

    @initialize(live=st.booleans(), messages=MESSAGES)
    def begin(self, messages: list[tuple[str, bool]], *, live: bool) -> None:
        """Some state; and in half of the runs a reader that is live on it, for what is interesting comes then."""
        self.publish(messages)
        if live:
            self.settle()

    @rule(messages=MESSAGES)
    def publish(self, messages: list[tuple[str, bool]]) -> None:
        """Some messages, in one turn of the broker."""
        records = []
        for topic, retain in messages:
            self.count += 1
            body = encode_body({"n": self.count})
            records.append(encode_sent(topic.encode(), body, time=self.count, flags=RETAIN if retain else 0))
        self.desk.turn((WRITER, protocol.encode_batch(protocol.PUBLISH, self.number + 1, records)))
        self.number += len(records)
        self.truth += [decode(frame) for frame in self.desk.fanout[-len(records) :]]
        self.channel.carry()
        self.idle()

    @precondition(lambda self: not self.channel.up.is_set())
    @rule()
    def connect(self) -> None:
        """The broker is reached."""
        self._in_loop(self.channel.connect)

    @precondition(lambda self: not self.subscription._started)
    @rule()
    def subscribe(self) -> None:
        """The reader enters its subscription."""
        self.loop.call_soon(self.subscription._start)
        self.idle()

    @precondition(lambda self: self.channel.subscribing)
    @rule()
    def broker_hears_subscription(self) -> None:
        """A subscription or a marker arrives."""
        self.channel.broker_hears_subscription()
        self.idle()

    @precondition(lambda self: self.channel.asking)
    @rule()
    def broker_answers(self) -> None:
        """A question is answered."""
        self.channel.broker_answers()

    @precondition(lambda self: self.channel.answers)
    @rule()
    def hear_answer(self) -> None:
        """The answer arrives."""
        self._in_loop(self.channel.hear_answer)

    @precondition(lambda self: self.channel.pipe)
    @rule(count=st.integers(1, FANOUT_QUEUE))
    def deliver(self, count: int) -> None:
        """Messages arrive."""
        self._in_loop(lambda: self.channel.deliver(count))

    @precondition(lambda self: any(frame[:1] != b"$" for frame in self.channel.pipe))
    @rule(at=st.integers(0, FANOUT_QUEUE))
    def drop(self, at: int) -> None:
        """A message of the fan-out is dropped on its way."""
        places = [index for index, frame in enumerate(self.channel.pipe) if frame[:1] != b"$"]
        del self.channel.pipe[places[at % len(places)]]

    @precondition(lambda self: self.channel.up.is_set() and len(self.channel.beats) < 2)
    @rule()
    def broker_beats(self) -> None:
        """A heartbeat."""
        self.channel.broker_beats()

    @precondition(lambda self: self.channel.beats)
    @rule()
    def hear_beat(self) -> None:
        """Its answer."""
        self._in_loop(self.channel.hear_beat)

    @precondition(lambda self: self.channel.up.is_set())
    @rule(keep=st.integers(0, 3), restart=st.booleans())
    def disconnect(self, keep: int, *, restart: bool) -> None:
        """The connection ends, perhaps because the broker was killed."""
        self._in_loop(lambda: self.channel.disconnect(keep=keep))
        if restart:
            self.desk.restart()
            self.desk.greet(WRITER, "writer")

    @rule(turns=st.sampled_from([1, 16]))
    def wait(self, turns: int) -> None:
        """Time passes at the broker; both clients are heard."""
        for _ in range(turns):
            self.desk.turn(seconds=2)
            self.desk.core.woke()
        self.channel.carry()
        self._in_loop(self.channel.lose_patience)

    @rule(count=st.integers(1, 10))
    def read(self, count: int) -> None:
        """The reader reads."""
        for _ in range(count):
            if self.subscription.track.ready:
                self.got.append(self.loop.run_until_complete(anext(self.subscription)))
        self.idle()

    def idle(self) -> None:
        """Let the client's tasks go as far as they can."""
        self.loop.run_until_complete(_some_turns())
        track = self.subscription.track
        if track.start and not self.before:
            self.before = {"": 0}
            for message in self.truth:
                if message.offset <= track.start:
                    self.before[message.topic] = message.seq
                    if message.retained:
                        self.states[message.topic] = message.seq

    def settle(self) -> None:
        """Everything arrives, nothing is dropped any more, until nothing moves."""
        if not self.channel.up.is_set():
            self.connect()
        if not self.subscription._started:
            self.subscribe()
        for _ in range(12):
            channel = self.channel
            while (
                channel.subscribing
                or channel.asking
                or channel.answers
                or channel.pipe
                or self.subscription.track.ready
            ):
                if self.channel.subscribing:
                    self.broker_hears_subscription()
                if self.channel.asking:
                    self.broker_answers()
                if self.channel.answers:
                    self.hear_answer()
                if self.channel.pipe:
                    self._in_loop(lambda: self.channel.deliver(FANOUT_QUEUE))
                self.read(10)
            self._in_loop(self.channel.lose_patience)
            self.broker_beats()
            while self.channel.beats:
                self._in_loop(self.channel.hear_beat)

    def teardown(self) -> None:
        """Once each, in order, every gap told; and the newest state has arrived."""
        try:
            self.settle()
            live, lost = self.subscription.track.live, self.subscription.lost
        finally:
            self.subscription.close()
            self.loop.run_until_complete(_some_turns())
            self.loop.close()
            for one in self.patches:
                one.stop()

        missing = 0
        for topic in JOURNALED + PASSING:
            newest = [message for message in self.truth if message.topic == topic][-1:]
            seqs = [message.seq for message in self.got if message.topic == topic]
            after = [message for message in self.got if message.topic == topic]
            seen = self.before.get(topic, 0)
            if topic in self.states:
                changed = any(m.retained and m.seq > seen for m in self.truth if m.topic == topic)
                if after and (self.states[topic], True) == (after[0].seq, after[0].replayed):
                    del after[0]
                else:
                    assert changed, f"{topic}: {seqs} has no state, which nothing replaced"
            for message in after:
                gap = message.seq - seen - 1
                assert gap >= 0, f"{topic}: {seqs} is not in order, or has one twice"
                assert bool(gap) == bool(message.lost), f"{topic}: {seqs} has a gap of {gap}, told were {message.lost}"
                missing += gap
                seen = message.seq
            if topic in JOURNALED and newest:
                assert (newest[0].seq, 0) == (seen, missing), f"{topic}: {seqs} ends too early, or has a gap"
            if newest and newest[0].retained:
                assert newest[0].seq == max([seen, *seqs]), f"{topic}: the newest state has not arrived"
            missing += newest[0].seq - seen if newest else 0
        assert bool(missing) == bool(lost), f"{missing} missing, {lost} reported"
        assert live

    def _in_loop(self, work: Any) -> None:
        async def run() -> None:
            work()

        self.loop.run_until_complete(run())
        self.idle()


def test_what_is_missed_in_an_outage_is_not_taken_for_seen() -> None:
    """A gap is being filled when the connection ends: what was published then and is not journaled is told as lost."""
    house = House()
    house.begin([("keep/a", False)], live=True)
    house.publish([("keep/a", False)])
    house.drop(at=0)
    for _ in range(2):
        house.broker_beats()
        house.hear_beat()
    house.publish([("pass/a", False)])
    house.disconnect(keep=0, restart=False)
    house.teardown()

    assert 1 == house.subscription.lost


async def _some_turns() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


TestHouse = House.TestCase
TestHouse.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
