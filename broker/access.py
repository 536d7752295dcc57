"""Who may do what: the one place where that is decided.

Every publish, subscription, request, answer and look into the past asks `allows` once per client and topic; the answer
is cached with the client, so a message costs no check. Who is not named in the table may do nothing, but for the
clients of this machine: file permissions decide who reaches the local address, and without a table `local` they may
do everything. Nobody speaks in the broker's name. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol

from broker.config import Grant
from broker.zap import LOCAL, is_local
from hearthbus.topics import covers, matcher, overlaps, prefixes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Verb = Literal["publish", "subscribe", "request", "serve", "read"]

RESERVED: Final = ("broker/stats",)
"""Topics only the broker publishes; with service/<name>, the presence of each service."""
_SETTING: Final[Mapping[Verb, str]] = {
    "publish": "publish",
    "subscribe": "subscribe",
    "read": "subscribe",
    "request": "call",
    "serve": "serve",
}
"""Where in a table a verb is granted."""
_NOTHING: Final = Grant()
_presence: Final = matcher("service/+")


class Access(Protocol):
    """The decision on (who, verb, topic or pattern)."""

    def allows(self, who: str, verb: Verb, topic: str) -> bool:
        """Whether `who`, a key's name or a local client, may do `verb` on `topic`."""

    def why_not(self, who: str, verb: Verb, topic: str) -> str:
        """What to change so that it may."""

    def may_hold(self, who: str, prefix: bytes) -> bool:
        """Whether everything that a subscription of `prefix` delivers is for `who` to read."""

    def knows(self, who: str) -> bool:
        """Whether `who` is let in, whatever it may do there."""

    def may_be(self, who: str, name: str) -> bool:
        """Whether `who` may greet as `name`, and be online as that."""

    def grant(self, who: str) -> Grant | None:
        """The limits that hold for `who`; None where only the broker's own do."""


class Open:
    """Everything is allowed but to speak in the broker's name."""

    def allows(self, who: str, verb: Verb, topic: str) -> bool:
        """Whether the client may; `who` does not matter here."""
        del who
        return verb != "publish" or not _is_reserved(topic)

    def why_not(self, who: str, verb: Verb, topic: str) -> str:
        """Only one thing is not allowed."""
        del who, verb
        return f"{topic} is the broker's own to publish"

    def may_hold(self, who: str, prefix: bytes) -> bool:
        """Everything is for everybody."""
        del who, prefix
        return True

    def knows(self, who: str) -> bool:
        """Everybody is."""
        del who
        return True

    def may_be(self, who: str, name: str) -> bool:
        """Every name is free."""
        del who, name
        return True

    def grant(self, who: str) -> Grant | None:
        """No limits."""
        del who
        return None


class Table:
    """The tables `[broker.access.NAME]`, as they were read last."""

    def __init__(self, grants: Mapping[str, Grant], *, keys: Collection[str] = ()) -> None:
        self._open = Open()
        self._rules: dict[str, _Rules] = {}
        self._keys: frozenset[str] = frozenset()
        self.load(grants, keys=keys)

    def load(self, grants: Mapping[str, Grant], *, keys: Collection[str]) -> bool:
        """Decide by `grants` from now on; True where somebody may do less than before. `keys` are the names let in."""
        before = self._rules
        self._rules = {name: _Rules(name, grant) for name, grant in grants.items()}
        self._keys = frozenset(keys)
        if LOCAL in before and LOCAL not in self._rules:
            del before[LOCAL]
        narrowed = any(not self._rule(name).allows_all_of(rules.grant) for name, rules in before.items())
        return narrowed or (LOCAL in self._rules and LOCAL not in before)

    def allows(self, who: str, verb: Verb, topic: str) -> bool:
        """By the table of `who`; below its own presence a service publishes what it likes."""
        if self._is_open(who):
            return self._open.allows(who, verb, topic)
        if verb == "publish":
            if _is_reserved(topic):
                return False
            parts = topic.split("/", 2)
            if len(parts) == 3 and parts[0] == "service" and not is_local(who) and self.may_be(who, parts[1]):
                return True
        return self._rule(who).allows(verb, topic)

    def why_not(self, who: str, verb: Verb, topic: str) -> str:
        """Name the table and what it says now."""
        if self._is_open(who) or (verb == "publish" and _is_reserved(topic)):
            return self._open.why_not(who, verb, topic)
        rules, setting = self._rule(who), _SETTING[verb]
        granted = ", ".join(getattr(rules.grant, setting)) or "nothing"
        if verb == "subscribe" and rules.allows("read", topic):
            begin = prefixes(topic)[0].decode()
            return (
                f"what is live of {topic} comes with all that begins with {begin!r}, and not all of that is granted: "
                f"ask for single topics, or grant {begin}# ([broker.access.{rules.name}] subscribe is {granted})"
            )
        return f"[broker.access.{rules.name}] {setting} is {granted}"

    def may_hold(self, who: str, prefix: bytes) -> bool:
        """Whether everything that begins with `prefix` is within one granted pattern."""
        return self._is_open(who) or self._rule(who).may_hold(prefix)

    def knows(self, who: str) -> bool:
        """Clients of this machine, and the keys that are let in."""
        return is_local(who) or who in self._keys

    def may_be(self, who: str, name: str) -> bool:
        """A key is its own name, what follows that after a dot, or one of `names`.

        A client of this machine is whoever it says, a key too: file permissions are its check. With a table `local` it
        is one of its `names`, or where that names none, anybody without a key.
        """
        if self._is_open(who):
            return True
        names = self._rule(who).grant.names
        if is_local(who):
            return name in names or (not names and name.partition(".")[0] not in self._keys)
        return name == who or name.startswith(f"{who}.") or name in names

    def grant(self, who: str) -> Grant | None:
        """What limits its messages."""
        return None if self._is_open(who) else self._rule(who).grant

    def _is_open(self, who: str) -> bool:
        return LOCAL not in self._rules and is_local(who)

    def _rule(self, who: str) -> _Rules:
        name = LOCAL if is_local(who) else who
        return self._rules.get(name) or _Rules(name, _NOTHING)


class _Rules:
    """One table, compiled."""

    def __init__(self, name: str, grant: Grant) -> None:
        self.name, self.grant = name, grant
        self._publish, self._call = covers(grant.publish), covers(grant.call)
        self._exact = covers(grant.subscribe)
        self._tails = [pattern.split("/")[:-1] for pattern in grant.subscribe if pattern.endswith("#")]

    def allows(self, verb: Verb, topic: str) -> bool:
        if verb == "publish":
            return self._publish(topic)
        if verb == "request":
            return self._call(topic)
        granted = self.grant.serve if verb == "serve" else self.grant.subscribe
        if not any(overlaps(pattern, topic) for pattern in granted):
            return False
        return verb != "subscribe" or all(self.may_hold(prefix) for prefix in prefixes(topic))

    def may_hold(self, prefix: bytes) -> bool:
        try:
            topic, ended, _ = prefix.decode().partition("\0")
        except UnicodeDecodeError:
            return False
        if ended:
            return self._exact(topic)
        *whole, _begun = topic.split("/")
        return any(_is_within(whole, tail) for tail in self._tails)

    def allows_all_of(self, other: Grant) -> bool:
        """Whether this table grants whatever `other` does."""
        grant = self.grant
        for setting in ("publish", "subscribe", "serve", "call"):
            granted = getattr(grant, setting)
            if not all(any(overlaps(outer, inner) for outer in granted) for inner in getattr(other, setting)):
                return False
        if self.name == LOCAL:  # where none is named, all are free
            return grant.names == other.names
        return set(other.names) <= set(grant.names)


def _is_within(whole: list[str], tail: list[str]) -> bool:
    """Whether all topics that begin with the segments `whole` and a bit of one more match `tail`, which `#` follows."""
    if len(whole) < len(tail) and (len(whole) < len(tail) - 1 or tail[-1] != "+"):
        return False
    return all(part in {"+", segment} for part, segment in zip(tail, whole, strict=False))


def _is_reserved(topic: str) -> bool:
    return topic in RESERVED or _presence(topic)
