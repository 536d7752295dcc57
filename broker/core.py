"""The broker's core: (who, frame) in, actions out on `Out`. No socket, no clock, no file: time comes in with `begin`.

`handle` is given every frame of the request socket, `subscribers` every change on the fan-out, `tick` a chance to
notice silence. The verbs of the conversation are one table, `_VERBS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from broker.calls import Calls
from broker.clients import Client, Clients, Out
from broker.commits import Commits
from broker.consumers import Consumers
from broker.greeting import Greeting
from broker.guard import Guard
from broker.pages import Pages
from broker.presence import Presence
from broker.requests import Requests
from broker.stream import Stream
from broker.subscribers import Subscribers
from broker.zap import LOCAL
from hearthbus import protocol
from hearthbus.errors import HearthbusError, Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from broker.access import Access
    from broker.config import BrokerConfig

_KIND_OF: Final = {error: kind for kind, error in protocol.ERRORS.items()}
_FREE: Final = frozenset((protocol.HELLO, protocol.BEAT, protocol.GOODBYE, protocol.ACK))
"""Verbs that no budget counts: signs of life, and what makes the journal shorter."""
KEPT_SESSIONS: Final = 1_000


class Core:
    """All a broker knows and decides."""

    def __init__(self, config: BrokerConfig, *, access: Access, epoch: int) -> None:
        self.config = config
        self.access = access
        self.epoch = epoch
        self.fanout = config.fanout_address
        """What clients are told to subscribe at; the loop puts the real port in."""
        self.network_fanout = ""
        """The same for those who came with a key."""
        self.own_session = b""
        """Session of the broker's own client, with which it tries itself; it is no client to others."""
        self.own_marker = b"$sub/ "
        """What its markers begin with."""
        self.out = Out()
        self.guard = Guard()
        self.clients = Clients()
        self.stream = Stream(config, access=access, out=self.out, guard=self.guard)
        self.requests = Requests()
        self.presence = Presence()
        self.consumers = Consumers(limit=config.limits.consumers)
        self.pages = Pages(self)
        self.greeting = Greeting(self)
        self.commits = Commits(self)
        self.calls = Calls(self)
        self.subscribers = Subscribers(self)
        self.mono = 0.0
        self.wall = 0
        self.dropped: dict[str, int] = {}
        """Frames dropped, by reason."""
        self._taken: dict[Client, int] = {}
        self._refresh_at = self._generation_at = 0.0
        self.blameless_until = 0.0
        """Until then no client is lost for what its connections do: it was the broker that let them down."""

    def begin(self, mono: float, wall: int) -> None:
        """Start a turn: `mono` in seconds of the monotonic clock, `wall` in nanoseconds since 1970 UTC."""
        self.mono, self.wall = mono, wall
        self.out.clear()
        self.stream.begin()

    @property
    def clock_ms(self) -> int:
        """What the broker tells its clients of its clock, and deadlines of requests are read by."""
        return int(self.mono * 1000)

    def handle(self, ident: bytes, frame: bytes, who: str = LOCAL) -> None:
        """Take one frame of the request socket; `who` matters of a connection's first."""
        client = self.clients.by_ident.get(ident)
        verb = frame[:1]
        if client is None:
            if verb == protocol.HELLO:
                self.greeting.hello(ident, frame, who)
            else:
                self.drop("not greeted")
                self.out.replies.append((ident, protocol.encode(protocol.STRANGER)))
            return
        client.heard = self.mono
        if verb in (protocol.PUBLISH, protocol.STORE):
            self._publish(client, verb, frame)
            return
        try:
            verb, fields = protocol.decode(frame, protocol.CLIENT_SAYS)
        except Invalid as error:
            self.drop("malformed")
            self.error(client.ident, error, number=0, request=0)
            return
        try:
            if client.budget is not None and verb not in _FREE and not client.budget.take(1, self.mono):
                raise client.budget.refusal()
            _VERBS[verb](self, client, fields)
        except HearthbusError as error:
            if isinstance(error, Refused):
                self.stream.refuse(client, error)
            self.error(client.ident, error, number=0, request=fields.get("id", 0))

    def record(self) -> tuple[list[bytes], dict[bytes, int], dict[str, int | None]]:
        """What of this turn is to be in the tail before anything is sent: messages, numbers, places."""
        numbers = {client.session: client.number for client in self._taken}
        places, self.consumers.moved = self.consumers.moved, {}
        return self.out.log, numbers, places

    def end(self) -> None:
        """Finish a turn: acknowledge in bulk, wake consumers that waited for what came."""
        self.stream.written()
        replies = self.out.replies
        slowed = {client: number for client, number in self._taken.items() if self.stream.slows(client)}
        for client, number in self._taken.items():
            if client not in slowed:
                replies.append((client.ident, protocol.encode_number(protocol.TAKEN, number)))
        self._taken = slowed
        if self.consumers.waiting and self.out.log:
            self.pages.wake()

    def tick(self) -> None:
        """Notice silence, requests that are overdue, fetches that waited long enough."""
        patience = self.config.silence_ms / 1000
        if self.mono >= self._refresh_at:
            self._refresh_at = self.mono + patience + 1
            self.stream.refresh()
        if self.mono >= self._generation_at:
            self._generation_at = self.mono + 1
            self.stream.topics.next_generation(self.stream.offset)
        if self.mono >= self.blameless_until:
            self.subscribers.end()
        for client in [client for client in self.clients.by_ident.values() if self.mono - client.heard > patience]:
            self.lose(client, f"silent for {patience:g} s")
        for pending in self.requests.overdue(self.mono):
            text = f"{pending.responder.name} did not answer {pending.topic} in time"
            self.reply_error(pending.caller, pending.id, "timeout", text)
        self.pages.expire()
        self.clients.forget_sessions(KEPT_SESSIONS)

    def woke(self) -> None:
        """The broker itself stood still for a while (frozen, or its machine asleep): nobody else is to blame for it."""
        for client in self.clients.by_ident.values():
            client.heard = self.mono
        # clients that took it for dead have begun new connections; the end of their old ones is what it sees first
        self.blameless_until = self.mono + self.config.silence_ms / 1000

    def cut_off(self) -> None:
        """Every connection was ended by the broker: clients stay what they are while silence lasts, and come back."""
        self.woke()
        self.clients.detach()
        self.commits.forget_waiting()
        self.subscribers.all_ended()

    def lose(self, client: Client, reason: str) -> None:
        """A client is gone without a goodbye: presence `lost`, last will, errors to those who wait for it."""
        self.greeting.leave(client, "lost", reason)

    def unreachable(self, ident: bytes) -> None:
        """A reply could not be sent: the connection is gone, or does not read."""
        client = self.clients.by_ident.get(ident)
        if client is not None and self.mono >= self.blameless_until:
            self.lose(client, "its connection ended, or it does not read its answers")

    def drop(self, reason: str) -> None:
        """Count a frame that is dropped."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def error(
        self, ident: bytes, error: HearthbusError, *, number: int, request: int, more: Sequence[int] = ()
    ) -> None:
        """Answer with an error; `more` are further messages refused for the like of it."""
        kind = _KIND_OF.get(type(error), "refused")
        answer = protocol.encode(
            protocol.ERROR, id=request, number=number, kind=kind, text=str(error)[:1000], more=list(more)
        )
        self.out.replies.append((ident, answer))

    def reply_error(self, client: Client, request: int, kind: str, text: str) -> None:
        """Answer a request with an error of `kind`."""
        self.error(client.ident, protocol.ERRORS[kind](text), number=0, request=request)

    def _publish(self, client: Client, verb: bytes, frame: bytes) -> None:
        try:
            first, records = protocol.decode_batch(frame)
        except Invalid:
            self.drop("malformed")
            return
        last = first + len(records) - 1
        if not 0 < first <= last + 1 < 2**63:
            self.drop("malformed")
            return
        new = records[max(0, client.number - first + 1) :]
        if new:
            self._refuse(client, self._take(client, new), last - len(new) + 1)
            self.clients.remember(client, last)
        self._taken[client] = max(last, client.number)
        if verb == protocol.STORE:
            self.commits.wanted[client.ident] = max(last, self.commits.wanted.get(client.ident, 0))

    def _take(self, client: Client, records: list[bytes]) -> list[tuple[int, HearthbusError]]:
        """Take in as many messages as the client's key may send now; return those refused."""
        if client.budget is None:
            return self.stream.take(client, records)
        room = client.budget.take(len(records), self.mono)
        refused = self.stream.take(client, records[:room]) if room else []
        if room < len(records):
            why = client.budget.refusal()
            self.stream.refuse(client, why, count=len(records) - room)
            refused += [(index, why) for index in range(room, len(records))]
        return refused

    def _refuse(self, client: Client, refused: list[tuple[int, HearthbusError]], first: int) -> None:
        """Tell a publisher of the refused messages of a batch: one answer a kind of error, not one a message."""
        by_kind: dict[type[HearthbusError], list[tuple[int, HearthbusError]]] = {}
        for index, error in refused:
            by_kind.setdefault(type(error), []).append((first + index, error))
        for (number, error), *others in by_kind.values():
            self.error(client.ident, error, number=number, request=0, more=[other for other, _ in others])

    def done(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Say that a verb was carried out."""
        self.out.replies.append((client.ident, protocol.encode(protocol.DONE, id=fields["id"])))


_VERBS: Final[Mapping[bytes, Callable[[Core, Client, Mapping[str, Any]], None]]] = {
    protocol.HELLO: lambda core, client, _: core.greeting.welcome(client),
    protocol.REQUEST: lambda core, client, fields: core.calls.request(client, fields),
    protocol.ANSWER: lambda core, client, fields: core.calls.answer(client, fields),
    protocol.SERVE: lambda core, client, fields: core.calls.serve(client, fields),
    protocol.UNSERVE: lambda core, client, fields: core.calls.unserve(client, fields),
    protocol.WATCH: lambda core, client, fields: core.pages.watch(client, fields),
    protocol.SNAPSHOT: lambda core, client, fields: core.pages.snapshot(client, fields),
    protocol.REPLAY: lambda core, client, fields: core.pages.replay(client, fields),
    protocol.FETCH: lambda core, client, fields: core.pages.fetch(client, fields),
    protocol.ACK: lambda core, client, fields: core.pages.ack(client, fields),
    protocol.LEAVE: lambda core, client, fields: core.pages.leave(client, fields),
    protocol.FORGET: lambda core, client, fields: core.pages.forget(client, fields),
    protocol.BEAT: lambda core, client, fields: core.pages.beat(client, fields),
    protocol.GOODBYE: lambda core, client, _: core.greeting.leave(client, "offline", "said goodbye"),
}
