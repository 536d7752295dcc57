"""How a client comes and goes: greeting, welcome, goodbye, loss. Works on the core's tables; pure like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from broker.clients import SMALL, Client
from broker.guard import SHARE, share
from broker.presence import ended, online
from broker.zap import LOCAL, is_local
from hearthbus import protocol
from hearthbus.errors import HearthbusError, Invalid, Refused, Unavailable
from hearthbus.message import MAX_BODY_BYTES, MAX_NAME_BYTES, decode, encode_body
from hearthbus.topics import check_topic

if TYPE_CHECKING:
    from broker.core import Core


PRESENCE_BYTES: Final = 2_048
"""Room that presence needs in its message beside the will."""


class Greeting:
    """Coming and going."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def hello(self, ident: bytes, frame: bytes, who: str) -> None:
        """Check a greeting and take the client in as `who` it is, or say why not."""
        core = self._core
        try:
            _, fields = protocol.decode(frame, protocol.CLIENT_SAYS)
            self._check(ident, fields, who)
        except HearthbusError as error:
            core.drop("refused greeting")
            if isinstance(error, Refused):
                core.guard.note(who, error)
            core.error(ident, error, number=0, request=0)
            return
        before = core.clients.by_session.get(fields["session"])
        if before is not None and before.name != fields["name"]:
            self.leave(before, "offline", "it goes on by another name")
            before = None
        elif before is not None:
            self._forget(before, "it came back on a new connection")
        client = Client(
            ident=ident,
            who=who,
            name=fields["name"],
            session=fields["session"],
            software=fields["software"][:40],
            pid=fields["pid"],
            host=fields["host"][:60],
            presence=fields["presence"],
            will=fields["will"],
            number=core.clients.numbers.get(fields["session"], 0),
            heard=core.mono,
            up=before is not None and before.up,
        )
        self.limit(client)
        core.clients.add(client)
        self.welcome(client)
        if client.presence and core.presence.greeted(client):
            client.up = True
        elif client.presence and not client.up and core.presence.is_held(client.name):
            self.announce(client)

    def limit(self, client: Client) -> None:
        """Give a client the limits of its key, and let it ask for everything anew."""
        core = self._core
        grant = core.access.grant(client.who)
        client.publishes.clear()
        client.budget = core.guard.budget(client.who, grant, core.mono)
        most = core.config.limits.body_bytes
        client.body_bytes = most if grant is None else min(most, grant.body_bytes)
        client.small = min(SMALL, client.body_bytes)

    def held(self, name: str) -> None:
        """`$up/<name>` is held: whoever greeted by that name is there."""
        core = self._core
        core.presence.held(name)
        client = core.clients.named(name)
        if client is not None and not client.up:
            self.announce(client)

    def announce(self, client: Client) -> None:
        """Say that a service is online: from now on its death would show."""
        core = self._core
        client.up = True
        core.presence.came(client.name)
        core.stream.say(f"service/{client.name}", online(client, core.wall), wall=core.wall)
        core.out.notes.append(f"{client.name} is online (pid {client.pid})")

    def welcome(self, client: Client) -> None:
        """Tell a client what it needs to know."""
        core = self._core
        limits = core.config.limits
        core.out.replies.append(
            (
                client.ident,
                protocol.encode(
                    protocol.WELCOME,
                    version=protocol.VERSION,
                    epoch=core.epoch,
                    fanout=core.fanout if is_local(client.who) else core.network_fanout,
                    offset=core.stream.offset,
                    number=client.number,
                    beat_ms=core.config.beat_ms,
                    silence_ms=core.config.silence_ms,
                    clock=core.clock_ms,
                    limits={"body_bytes": client.body_bytes, "subscriptions": limits.subscriptions},
                ),
            )
        )

    def leave(self, client: Client, status: str, reason: str) -> None:
        """Let a client go: `offline` after a goodbye, else `lost`, and then its last will is published."""
        core = self._core
        self._forget(client, reason)
        if status == "lost":
            client.will = self._last_word(client.name, client.will, client.who)
        if client.presence and status == "offline":
            core.presence.leaving(client.name)
        if client.up:
            self.say_ended(client.name, online(client, core.wall), status, reason)
        elif status == "lost" and client.will:
            core.stream.say(client.will["topic"], client.will["body"], wall=core.wall)

    def say_ended(self, name: str, body: dict[str, Any], status: str, reason: str) -> None:
        """Publish the end of a service, and its will if it is lost."""
        core = self._core
        core.stream.say(f"service/{name}", ended(body, status, core.wall, reason), wall=core.wall)
        core.out.notes.append(f"{name} is {status}: {reason}")
        will = body.get("will")
        if status == "lost" and will:
            core.stream.say(will["topic"], will["body"], wall=core.wall)

    def expect_back(self) -> None:
        """After a restart: whoever was online when the broker stopped is awaited."""
        for name, state in self._core.stream.topics.by_name.items():
            parts = name.split(b"/")
            if state.retained and len(parts) == 2 and parts[0] == b"service":
                body = decode(state.retained).body
                if body.get("status") == "online":
                    self._core.presence.expect(parts[1].decode(), body)

    def give_up(self) -> None:
        """Declare lost whoever did not come back."""
        for name, body in self._core.presence.never_came():
            will = self._last_word(name, body.get("will", {}), body.get("key", LOCAL))
            self.say_ended(name, {**body, "will": will}, "lost", "it did not come back after the broker did")

    def _forget(self, client: Client, reason: str) -> None:
        core = self._core
        core.clients.remove(client)
        core.consumers.gone(client)
        for pending in core.requests.gone(client):
            text = f"{client.name} went away before it answered {pending.topic}: {reason}"
            core.reply_error(pending.caller, pending.id, "no_responder", text)

    def _check(self, ident: bytes, fields: dict[str, Any], who: str) -> None:
        """Raise Invalid, Refused or (a name in use) Unavailable for a greeting that cannot be accepted."""
        core = self._core
        if ident[:1] != b"\0":
            raise Refused("a connection may not choose its own routing id: leave ZMQ_ROUTING_ID unset")
        if protocol.VERSION not in fields["versions"]:
            spoken = ", ".join(str(version) for version in fields["versions"][:8] if type(version) is int) or "none"
            raise Refused(
                f"this broker speaks protocol version {protocol.VERSION}, you speak {spoken}; update the older one"
            )
        self._check_number(fields["session"], who)
        name = fields["name"]
        self._check_who(name, fields["session"], who)
        if fields["will"]:
            self._check_will(name, fields["will"], who)
        if fields["presence"]:
            self._check_room(f"service/{name}")
            holder = core.clients.named(name)
            if holder is not None and holder.session != fields["session"]:
                self.welcome(holder)  # says nothing new to one that lives, and shows at once that another is dead
                raise Unavailable(
                    f"the name {name!r} is in use by process {holder.pid} on {holder.host}; "
                    "stop it first, or give this one another name"
                )

    def _check_number(self, session: bytes, who: str) -> None:
        """Who comes back takes the place that he has."""
        core = self._core
        most = core.config.limits.connections
        others = [
            client for client in core.clients.by_ident.values() if client.session not in (session, core.own_session)
        ]
        if len(others) >= most and session != core.own_session:
            raise Refused("too many connections ([broker.limits] connections)")
        if sum(client.who == who for client in others) >= share(most, who):
            raise Refused(f"too many connections with the key {who}: one in {SHARE} of [broker.limits] connections")

    def _check_who(self, name: str, session: bytes, who: str) -> None:
        core = self._core
        if len(name) > MAX_NAME_BYTES or "/" in name:
            raise Invalid(f"bad name {name[:80]!r}")
        check_topic(name)
        if name == "broker":
            raise Refused("the name 'broker' is the broker's own")
        if len(session) != 16:
            raise Invalid("the session is not 16 bytes")
        if session == core.own_session:
            return
        if not core.access.may_be(who, name):
            raise Refused(_not_yours(who, name))
        if not core.clients.may_take_up(session, who):
            raise Refused("the session is another's: make 16 random bytes of your own")

    def _check_room(self, topic: str) -> None:
        """Presence has room of its own: who fills the bus with topics does not keep services from coming."""
        topics = self._core.stream.topics
        if topics.full(spare=self._core.config.limits.connections) and topic.encode() not in topics.by_name:
            raise Refused(f"{topic}: the broker's limit on topics is reached ([broker.limits] topics)")

    def _check_will(self, name: str, will: dict[str, Any], who: str) -> None:
        if set(will) != {"topic", "body"} or type(will["topic"]) is not str or type(will["body"]) is not dict:
            raise Invalid("a will is a topic and a body")
        check_topic(will["topic"])
        if len(encode_body({"will": will})) > MAX_BODY_BYTES - PRESENCE_BYTES:
            raise Refused("the will is too large: it is part of the presence message")
        self._check_room(will["topic"])
        self._check_granted(name, will, who)

    def _last_word(self, name: str, will: dict[str, Any], who: str) -> dict[str, Any]:
        """Return a will where its author may say it still: it may do less by now, or is let in no more."""
        core = self._core
        if not will:
            return {}
        try:
            self._check_granted(name, will, who)
        except Refused as why:
            core.stream.refused += 1
            core.guard.note(who, why)
            return {}
        return will

    def _check_granted(self, name: str, will: dict[str, Any], who: str) -> None:
        access = self._core.access
        if not access.knows(who):
            raise Refused(f"the will of {name} is not published: the key {who} is let in no more")
        if not access.allows(who, "publish", will["topic"]):
            why = access.why_not(who, "publish", will["topic"])
            raise Refused(f"{name} may not publish {will['topic']}, which its will asks for: {why}")
        grant = access.grant(who)
        if grant is not None and len(encode_body(will["body"])) > grant.body_bytes:
            raise Refused(f"the body of the will is larger than {grant.body_bytes} bytes")


def _not_yours(who: str, name: str) -> str:
    if is_local(who):
        return f"a client of this machine may not be {name!r}: that is a key, or not one of [broker.access.local] names"
    return f"the key {who} may not be {name!r}: be {who!r}, {who + '.' + name!r}, or set [broker.access.{who}] names"
