"""The client's conversation with the broker: connections, heartbeats, questions and their answers.

Reconnects for ever. `up` is set while the broker has greeted and answers. Knows verbs; what messages, requests and
heartbeats mean for subscriptions is its `Listener`'s business.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from hearthbus import protocol
from hearthbus.client.broker_clock import BrokerClock
from hearthbus.client.greeting import Greeting
from hearthbus.client.link import Link, reachable
from hearthbus.client.publisher import Publisher
from hearthbus.client.questions import Questions
from hearthbus.errors import Invalid, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hearthbus.client.listener import Listener
    from hearthbus.keys import Key

log = logging.getLogger("hearthbus")

HELLO_AGAIN_S: Final = 0.5
ASK_S: Final = 10.0
UNANSWERED_BEATS: Final = 3


class Conversation:
    """One client's side of the request socket."""

    def __init__(
        self,
        url: str,
        listener: Listener,
        *,
        name: str,
        presence: bool,
        will: tuple[str, Mapping[str, Any]] | None,
        key: Key | None = None,
    ) -> None:
        self.url = url
        self.name = name
        self.link = Link(url, self, key=key)
        self._now = asyncio.get_running_loop().time
        self.publisher = Publisher(self.link)
        self.up = asyncio.Event()
        self.epoch = 0
        self.newest = 0
        """Offset of the newest message the broker has told of."""
        self.answered_at = 0.0
        """Event loop time of the broker's last answer to a heartbeat, or to the greeting."""
        self._clock = BrokerClock()
        self._fanout = ""
        self._listener = listener
        self._greeting = Greeting(name=name, presence=presence, will=will)
        self._presence = presence
        self._questions = Questions()
        self._connected = self._closing = self._hurried = False
        self._unanswered = 0
        self._beat_s = 1.0
        self._task: asyncio.Task[None] | None = None

    async def open(self, timeout: float | None) -> None:
        """Connect and wait for the greeting.

        Raises:
            Unavailable: nobody answered within `timeout`; or the name stayed in use.
            Refused: the broker does not want this client.
        """
        self._hurried = timeout is not None  # then it is told by what is raised
        self.link.open()
        if self._presence:
            self.link.subscribe(protocol.PRESENCE.encode() + self.name.encode() + b"\0")
        self._task = asyncio.create_task(self._keep_talking(), name=f"{self.name}: heartbeats")
        try:
            async with asyncio.timeout(timeout):
                await self._greeting.accepted(self.up)
        except TimeoutError:
            await self._end()
            raise self.why_not or self.link.silent() from None
        except BaseException:
            await self._end()
            raise
        self._hurried = False

    @property
    def why_not(self) -> Refused | None:
        """Why the broker does not want this client, where it said so last."""
        return None if self._greeting.refusal is None else Refused(str(self._greeting.refusal))

    async def close(self) -> None:
        """Send what waits, say goodbye, let go."""
        try:
            await self.publisher.drain()
        finally:
            self._closing = True
            if self.up.is_set():
                self.link.send(protocol.encode(protocol.GOODBYE))
            self.on_down()
            self.up.set()  # whoever waits for the broker is told that it is over
            await self._end(linger_ms=500)

    async def wait_up(self) -> None:
        """Return when the broker answers.

        Raises:
            Refused: the bus was closed meanwhile.
        """
        await self.up.wait()
        if self._closing:
            raise Refused("the bus is closed")

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self.up.is_set() and not self._closing

    async def ask(self, verb: bytes, *, timeout: float = ASK_S, **fields: Any) -> dict[str, Any]:
        """Say a verb and wait for its answer.

        Raises:
            Unavailable: the broker is away, or went away before it answered.
            HearthbusError: the broker's answer is an error.
        """
        if not self.connected:
            raise Unavailable(f"no broker at {self.url} now")
        self.publisher.flush()  # what was published before is there before
        number, answer = self._questions.open()
        try:
            if not self.link.send(protocol.encode(verb, id=number, **fields)):
                await asyncio.sleep(0)  # who asks in a loop must not keep the loop from seeing that the link is down
                raise Unavailable(f"no broker at {self.url} now")
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise Unavailable(f"the broker at {self.url} did not answer within {timeout:g} s") from None
        finally:
            self._questions.close(number)

    def deadline(self, timeout: float) -> int:
        """What the broker's clock will show in `timeout` seconds."""
        return self._clock.deadline(self._now() + timeout)

    def tell(self, verb: bytes, **fields: Any) -> None:
        """Say a verb that has no answer."""
        self.publisher.flush()
        self.link.send(protocol.encode(verb, **fields))

    def on_up(self) -> None:
        """The link has a connection: greet; whoever greeted us did so on another one."""
        if self.up.is_set():
            self.on_down()
        self._connected = True
        self._greet()

    def on_down(self) -> None:
        """The link has none."""
        self._connected = False
        if self.up.is_set():
            self.up.clear()
            if not self._closing:
                log.warning("the broker at %s is away; trying until it is back", self.url)
            self.publisher.lost()
            self._listener.gone()
        gone = f"the broker at {self.url} went away before it answered; it may have acted or not"
        self._questions.all_failed(Unavailable(gone))

    def on_refused(self, error: Refused) -> None:
        """The link is not let in, and tries again."""
        self._greeting.shut_out(error, tell=not self._hurried)

    def on_messages(self, frames: list[bytes]) -> None:
        """Messages came through the fan-out."""
        self._listener.messages(frames)

    def on_answer(self, frame: bytes) -> None:
        """The broker said something on the request socket."""
        verb = frame[:1]
        try:
            if verb == protocol.TAKEN:
                self.publisher.taken(protocol.decode_number(frame))
            elif verb == protocol.STORED:
                self.publisher.stored(protocol.decode_number(frame))
            else:
                verb, fields = protocol.decode(frame, protocol.BROKER_SAYS)
                self._heard(verb, fields)
        except Invalid as error:
            log.warning("the broker said what is not understood: %s", error)

    def _heard(self, verb: bytes, fields: dict[str, Any]) -> None:
        if verb == protocol.WELCOME:
            self._welcomed(fields)
        elif verb == protocol.STRANGER:
            self._strange()
        elif verb == protocol.BEAT:
            self._unanswered = 0
            self.answered_at = self._now()
            self.newest = fields["offset"]
            self._clock.heard(fields["clock"], self._now())
            self._listener.checked(fields["offset"], fields["changed"], complete=fields["complete"])
        elif verb == protocol.REQUEST:
            # whichever is sooner: it may have waited in a socket while this process stood still
            left = min(fields["timeout_ms"] / 1000, self._clock.moment(fields["deadline"]) - self._now())
            self._listener.asked(fields["ticket"], left, fields["message"])
        elif verb == protocol.ERROR:
            self._failed(fields)
        else:
            self._questions.answered(fields["id"], fields)

    def _welcomed(self, fields: dict[str, Any]) -> None:
        fanout = reachable(fields["fanout"], self.url)
        if self.up.is_set():
            if (self.epoch, self._fanout) == (fields["epoch"], fanout):
                return  # greeted twice because the first answer took long
            self.on_down()  # the one before was the last word of a broker that is gone
            self._connected = True
        self._clock.forget()
        self._clock.heard(fields["clock"], self._now())
        self._fanout = fanout
        same = self.epoch in (0, fields["epoch"])
        if self.epoch:
            log.info("the broker at %s is back", self.url)
        self.epoch = fields["epoch"]
        self.newest = fields["offset"]
        self._beat_s = fields["beat_ms"] / 1000
        self._unanswered = 0
        self.answered_at = self._now()
        self._greeting.welcomed()
        self.link.listen(fanout)
        self.up.set()
        self.publisher.greeted(fields["number"], same_history=same)
        self._listener.greeted()

    def _strange(self) -> None:
        """The broker does not know us: it was restarted, or took us for lost."""
        if self.up.is_set():
            self.on_down()
            self._connected = True
        self._greet()

    def _failed(self, fields: dict[str, Any]) -> None:
        error = protocol.error_of(fields["kind"], fields["text"])
        if fields["number"]:
            self.publisher.refused((fields["number"], *fields["more"]), error)
        elif not self._questions.failed(fields["id"], error) and not self.up.is_set():
            self._greeting.refused(error)

    def _greet(self) -> None:
        self.link.send(self._greeting.frame)

    async def _keep_talking(self) -> None:
        """Greet until greeted; then beat, and take a broker for gone that leaves three beats unanswered."""
        while True:
            await asyncio.sleep(self._beat_s if self.up.is_set() else HELLO_AGAIN_S)
            self.publisher.tick()
            if not self.up.is_set():
                if self._connected:
                    self._greet()
                continue
            if self._unanswered >= UNANSWERED_BEATS:
                self._start_over()
                continue
            self._unanswered += 1
            offset, lost, refilled = self._listener.verified()
            self.tell(protocol.BEAT, offset=offset, lost=lost, refilled=refilled)

    def _start_over(self) -> None:
        """A broker that is connected and says nothing is frozen, or the line is: begin with new sockets."""
        self.on_down()
        self.link.close()
        self.link.open()

    async def _end(self, *, linger_ms: int = 0) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.link.close(linger_ms=linger_ms)
