"""Between a client's real subscription and a broker's real core, without sockets: two channels in a test's hand.

What the broker sends waits in a short pipe, and is dropped when it is full; what the client asks waits, too.
Nothing moves unless the test moves it, and the connection can end at any moment.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from hearthbus import protocol
from hearthbus.client.routing import Routing
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from offline import Desk

    from hearthbus.client.subscription import ZmqSubscription

FANOUT_QUEUE = 8
READER = b"\0reader"


class Channel:
    """The client's side of the transport: what `ZmqTransport` is for the real one."""

    name = "reader"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.routing = Routing(token="t")
        self.epoch = 0
        self.emptied = 0
        self.up = asyncio.Event()
        self.listening = False
        self.subscribing: deque[bytes] = deque()
        """On its way to the fan-out: patterns (empty) and markers."""
        self.pipe: deque[bytes] = deque()
        """On its way from the fan-out."""
        self.asking: deque[tuple[bytes, dict[str, Any], asyncio.Future[dict[str, Any]]]] = deque()
        self.answers: deque[tuple[asyncio.Future[dict[str, Any]], dict[str, Any]]] = deque()
        self.beats: deque[dict[str, Any]] = deque()
        self._markers: list[asyncio.Future[int]] = []
        self._sent = 0

    async def add(self, subscription: ZmqSubscription) -> None:
        """Subscribe."""
        if self.routing.add(subscription):
            self.subscribing.append(b"")
        self._watch()

    def remove(self, subscription: ZmqSubscription) -> None:
        """Unsubscribe."""
        self.routing.remove(subscription)

    async def wait_up(self) -> None:
        """Wait for the broker."""
        await self.up.wait()

    async def marker(self) -> int:
        """Ask for a marker."""
        name, answer = self.routing.marker()
        self._markers.append(answer)
        self.subscribing.append(name)
        return await answer

    async def pages(self, verb: bytes, patterns: Sequence[str], **fields: Any) -> AsyncIterator[dict[str, Any]]:
        """Ask for pages."""
        snapshot = verb == protocol.SNAPSHOT
        given = {} if snapshot else {"since": 0, "until": 2**63 - 1, "limit": 3, **fields}
        after: Any = "" if snapshot else fields["after"]
        while True:
            if not self.up.is_set():
                raise Unavailable("no broker")
            answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            self.asking.append((verb, {"id": 1, "patterns": list(patterns), **given, "after": after}, answer))
            page = await answer
            yield page
            if page["end"]:
                return
            after = page["next"] if snapshot else int(page["next"])

    def connect(self) -> None:
        """The broker greets; ZeroMQ repeats the subscriptions."""
        self.desk.greet(READER, "reader")
        self.desk.heard(READER)
        self.epoch = self.desk.core.epoch
        self._sent = len(self.desk.fanout)
        self.subscribing.append(self.routing.watch)
        if self.routing.subscriptions:
            self.subscribing.append(b"")
            self._watch()
        self.up.set()
        self.routing.reconnected()

    def disconnect(self, *, keep: int) -> None:
        """The connection ends; `keep` frames are in the client's own queue already."""
        self.up.clear()
        self.listening = False
        self.subscribing.clear()
        self.pipe = deque(list(self.pipe)[:keep])
        self.beats.clear()
        self.routing.gone()
        self.lose_patience()
        for answer in [*(answer for _, _, answer in self.asking), *(answer for answer, _ in self.answers)]:
            if not answer.done():
                answer.set_exception(Unavailable("gone"))
        self.asking.clear()
        self.answers.clear()

    def broker_hears_subscription(self) -> None:
        """One change of the subscriptions reaches the broker."""
        topic = self.subscribing.popleft()
        self.carry()
        if not topic:
            self.listening = True
        elif len(self.pipe) < FANOUT_QUEUE:
            self.pipe.append(self.desk.subscribed(topic))

    def broker_answers(self) -> None:
        """One question is answered; the answer is on its way."""
        verb, fields, answer = self.asking.popleft()
        self.desk.turn((READER, protocol.encode(verb, **fields)))
        self.carry()
        ((said, page),) = self.desk.heard(READER)
        assert said == protocol.PAGE, page
        self.answers.append((answer, page))

    def hear_answer(self) -> None:
        """The oldest answer arrives."""
        answer, page = self.answers.popleft()
        if not answer.done():
            answer.set_result(page)

    def broker_beats(self) -> None:
        """A heartbeat reaches the broker; its answer waits."""
        self.emptied += not self.pipe
        offset, lost, refilled = self.routing.verified()
        self.desk.turn((READER, protocol.encode(protocol.BEAT, offset=offset, lost=lost, refilled=refilled)))
        self.carry()
        self.beats += [fields for said, fields in self.desk.heard(READER) if said == protocol.BEAT]

    def hear_beat(self) -> None:
        """The answer to a heartbeat arrives."""
        beat = self.beats.popleft()
        self.routing.checked(beat["offset"], beat["changed"], complete=beat["complete"])

    def deliver(self, count: int) -> None:
        """Frames of the fan-out arrive."""
        frames = [self.pipe.popleft() for _ in range(min(count, len(self.pipe)))]
        if not self.pipe:
            self.emptied += 1
        self.routing.messages(frames)

    def lose_patience(self) -> None:
        """Markers that were dropped are not waited for for ever."""
        for answer in self._markers:
            if not answer.done():
                answer.set_exception(Unavailable("the fan-out does not answer"))
        self._markers.clear()

    def carry(self) -> None:
        """What the broker sent goes into the pipe; what finds it full is dropped."""
        new, self._sent = self.desk.fanout[self._sent :], len(self.desk.fanout)
        if self.listening:
            for frame in new:
                if frame.startswith((b"keep/", b"pass/")) and len(self.pipe) < FANOUT_QUEUE:
                    self.pipe.append(frame)

    def _watch(self) -> None:
        self.desk.turn((READER, protocol.encode(protocol.WATCH, id=0, patterns=self.routing.patterns())))
        self.desk.heard(READER)
