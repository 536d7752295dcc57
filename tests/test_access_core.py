"""Clients with a key before the broker's core: what is another's stays that, and what a key may send is limited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from offline import Desk

from broker.access import Table
from broker.config import Grant, Limits
from hearthbus import protocol
from hearthbus.message import encode_body, encode_sent

KITCHEN, PHONE, HERE = b"\0kitchen", b"\0phone", b"\0here"
BODY = encode_body({"value": 1})


def desk(**grant: Any) -> Desk:
    """A broker with two keys, of which kitchen has `grant`; phone may do everything."""
    wide = Grant(publish=("#",), subscribe=("#",), serve=("#",), call=("#",))
    made = Desk(table=Table({"kitchen": Grant(**grant), "phone": wide}, keys={"kitchen", "phone"}))
    made.who = {KITCHEN: "kitchen", PHONE: "phone"}
    return made


def refused(made: Desk, ident: bytes = KITCHEN) -> list[str]:
    """Why a client was refused since the last time it was asked."""
    return [
        fields["text"] for verb, fields in made.heard(ident) if verb == protocol.ERROR and fields["kind"] == "refused"
    ]


def say(made: Desk, verb: bytes, ident: bytes = KITCHEN, **fields: Any) -> None:
    """Let a client say a verb."""
    made.turn((ident, protocol.encode(verb, **fields)))


def publish(made: Desk, *topics: str, first: int = 1, body: bytes = BODY) -> None:
    """Let kitchen publish one message a topic."""
    records = [encode_sent(topic.encode(), body, time=1) for topic in topics]
    made.turn((KITCHEN, protocol.encode_batch(protocol.PUBLISH, first, records)))


@pytest.mark.parametrize(
    ("greeting", "why"),
    [
        ({"name": "phone"}, "may not be 'phone'"),
        ({"name": "phone", "presence": True}, "may not be 'phone'"),
        ({"name": "kitchen2"}, "may not be 'kitchen2'"),
        ({"name": "kitchen", "session": PHONE.rjust(16, b"\1")}, "the session is another's"),
        ({"name": "kitchen", "will": {"topic": "light/a", "body": {}}}, "publish is sensor/#"),
        ({"name": "kitchen", "will": {"topic": "service/phone/x", "body": {}}}, "publish is sensor/#"),
        ({"name": "kitchen", "will": {"topic": "sensor/a", "body": {"x": "x" * 100}}}, "larger than 50 bytes"),
    ],
)
def test_a_greeting_as_another_is_refused(greeting: dict[str, Any], why: str) -> None:
    """Name, presence, session and last will are one's own; who tries is counted by his key."""
    made = desk(publish=("sensor/#",), body_bytes=50)
    made.greet(PHONE, "phone")
    made.greet(KITCHEN, **greeting)
    (text,) = refused(made)

    assert why in text
    assert {"kitchen": 1} == made.core.guard.refused


def test_a_session_is_bound_to_its_key_after_its_end() -> None:
    """The numbers of a session that has published are its key's, also when no connection holds it any more."""
    made = desk()
    made.greet(PHONE, "phone")
    made.turn((PHONE, protocol.encode_batch(protocol.PUBLISH, 1, [encode_sent(b"a", BODY, time=1)])))
    say(made, protocol.GOODBYE, PHONE)
    made.greet(KITCHEN, "kitchen", session=PHONE.rjust(16, b"\1"))

    assert ["the session is another's: make 16 random bytes of your own"] == refused(made)


def test_the_origin_is_the_name_greeted() -> None:
    """A message bears the name its connection was let in as; a second greeting changes nothing."""
    made = desk(publish=("sensor/#",))
    made.greet(KITCHEN, "kitchen.oven")
    made.greet(KITCHEN, "phone")
    publish(made, "sensor/a")

    assert b"\x0ckitchen.oven" in made.fanout[-1]


def test_messages_outside_the_grant_go_nowhere() -> None:
    """What a key may not publish is not sent, not kept and not numbered; the rest of the batch is."""
    made = desk(publish=("sensor/#",))
    made.greet(KITCHEN, "kitchen")
    publish(made, "light/a", "sensor/a", "sensors", "service/phone", "service/phone/x", "broker/stats")

    assert [b"sensor/a"] == [frame[: frame.index(0)] for frame in made.fanout]
    assert [b"sensor/a"] == list(made.core.stream.topics.by_name)
    assert 5 == made.core.guard.refused["kitchen"]


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        (protocol.WATCH, {"patterns": ["sensor/a", "light/a"]}),
        (protocol.WATCH, {"patterns": ["#"]}),
        (protocol.WATCH, {"patterns": ["sensor/+/t"]}),
        (protocol.SNAPSHOT, {"patterns": ["light/a"], "after": ""}),
        (protocol.SNAPSHOT, {"patterns": ["+/a"], "after": ""}),
        (protocol.REPLAY, {"patterns": ["sensor/#", "#"], "after": 0, "since": 0, "until": 2**62, "limit": 9}),
        (protocol.FETCH, {"patterns": ["light/#"], "consumer": "c", "after": 0, "limit": 9, "wait_ms": 0}),
        (protocol.SERVE, {"pattern": "light/+/set"}),
        (protocol.SERVE, {"pattern": "#"}),
        (protocol.REQUEST, {"timeout_ms": 9, "deadline": 0, "message": encode_sent(b"light/b/get", BODY, time=1)}),
        (protocol.REQUEST, {"timeout_ms": 9, "deadline": 0, "message": encode_sent(b"nobody/x", BODY, time=1)}),
    ],
)
def test_what_is_not_granted_is_refused(verb: bytes, fields: dict[str, Any]) -> None:
    """Live, state, journal, durable, serving and calling: each asks the table, and the answer names it."""
    made = desk(subscribe=("sensor/a", "sensor/+/t"), serve=("light/a/set",), call=("light/a/get",))
    made.greet(PHONE, "phone")
    say(made, protocol.SERVE, PHONE, id=1, pattern="light/b/get")
    made.turn((PHONE, protocol.encode_batch(protocol.PUBLISH, 1, [encode_sent(b"light/a", BODY, time=1, flags=1)])))
    made.greet(KITCHEN, "kitchen")
    made.heard(KITCHEN)
    say(made, verb, id=7, **fields)
    ((said, told),) = made.heard(KITCHEN)

    assert (protocol.ERROR, 7, "refused") == (said, told["id"], told["kind"])
    assert "[broker.access.kitchen]" in told["text"]
    assert not [verb for verb, _ in made.heard(PHONE) if verb == protocol.REQUEST]


def test_what_a_plus_cannot_do_live_is_said() -> None:
    """A pattern that is granted and would deliver more is refused with what to write instead."""
    made = desk(subscribe=("sensor/+/t",))
    made.greet(KITCHEN, "kitchen")
    say(made, protocol.WATCH, id=1, patterns=["sensor/+/t"])
    (text,) = refused(made)

    assert "ask for single topics, or grant sensor/#" in text


def test_a_ticket_is_its_responders() -> None:
    """The answer of another than the responder reaches nobody."""
    made = desk()
    made.greet(PHONE, "phone")
    made.greet(HERE, "here")
    made.greet(KITCHEN, "kitchen")
    say(made, protocol.SERVE, PHONE, id=1, pattern="light/a/set")
    request = encode_sent(b"light/a/set", BODY, time=1)
    say(made, protocol.REQUEST, HERE, id=5, timeout_ms=5_000, deadline=0, message=request)
    say(made, protocol.ANSWER, ticket=1, ok=True, body={"forged": True}, text="")
    say(made, protocol.ANSWER, PHONE, ticket=1, ok=True, body={"forged": False}, text="")
    answers = [fields["body"] for verb, fields in made.heard(HERE) if verb == protocol.ANSWER]

    assert [{"forged": False}] == answers


def test_durable_subscriptions_are_their_keys() -> None:
    """Each key has names of its own: nobody reads, moves, forgets or even sees the place of another."""
    made = desk(subscribe=("sensor/#",))
    fetch: dict[str, Any] = {"id": 1, "consumer": "log", "patterns": ["sensor/#"]}
    fetch |= {"after": -1, "limit": 9, "wait_ms": 0}
    for ident, name in ((PHONE, "phone"), (HERE, "here"), (KITCHEN, "kitchen")):
        made.greet(ident, name)
    say(made, protocol.FETCH, PHONE, **fetch)
    say(made, protocol.FETCH, HERE, **fetch)
    say(made, protocol.ACK, id=2, consumer="log", offset=1)
    say(made, protocol.LEAVE, consumer="log")
    say(made, protocol.FORGET, id=3, consumer="log")
    why = refused(made)
    say(made, protocol.FETCH, **fetch)

    assert ["kitchen does not read the durable subscription 'log'", "there is no durable subscription 'log'"] == why
    assert ["kitchen:log", "log", "phone:log"] == sorted(made.core.consumers.offsets)
    assert {PHONE, HERE, KITCHEN} == {fetch.client.ident for fetch in made.core.consumers.waiting.values()}


def test_a_key_takes_a_part_of_the_durable_subscriptions() -> None:
    """One in four of them, and none for nothing: a key that wants all leaves others theirs."""
    made = desk(subscribe=("sensor/#",))
    made.core.config = replace(made.core.config, limits=Limits(consumers=8))
    for ident, name in ((KITCHEN, "kitchen"), (PHONE, "phone")):
        made.greet(ident, name)
    fetch: dict[str, Any] = {"patterns": ["sensor/#"], "after": -1, "limit": 9, "wait_ms": 0}
    say(made, protocol.FETCH, id=1, consumer="nothing", **{**fetch, "patterns": []})
    for number in range(4):
        say(made, protocol.FETCH, id=number, consumer=f"log{number}", **fetch)
    say(made, protocol.FETCH, id=9, consumer="log1", **fetch)
    why = refused(made)
    say(made, protocol.FETCH, PHONE, id=1, consumer="log", **fetch)

    assert ["kitchen:log0", "kitchen:log1", "phone:log"] == sorted(made.core.consumers.offsets)
    assert 2 * ["too many durable subscriptions of the key kitchen: one in 4 of [broker.limits] consumers"] == why


def test_a_key_takes_a_part_of_the_connections() -> None:
    """One in four; who comes back on a new connection is not one more, with a key or without, however full it is."""
    made = desk()
    made.core.config = replace(made.core.config, limits=Limits(connections=8))
    sessions = [bytes([number]) * 16 for number in range(9)]
    for number in range(4):
        made.who[b"\0%d" % number] = "kitchen"
        made.greet(b"\0%d" % number, f"kitchen.{number}", session=sessions[number])
    texts = [*refused(made, b"\0002"), *refused(made, b"\0003")]
    for number in range(2, 9):
        made.greet(b"\0here%d" % number, f"n{number}", session=sessions[number])
    made.who[b"\0again"] = "kitchen"
    made.greet(b"\0again", "kitchen.0", session=sessions[0])

    assert 2 * ["too many connections with the key kitchen: one in 4 of [broker.limits] connections"] == texts
    assert {*sessions[:8]} == {*made.core.clients.by_session}
    assert sessions[0] == made.core.clients.by_ident[b"\0again"].session


def test_a_will_that_is_not_granted_any_more_is_not_said() -> None:
    """Who may do less than when it greeted is not spoken for when it dies."""
    made = desk(publish=("light/#",))
    made.greet(KITCHEN, "kitchen", will={"topic": "light/a", "body": {"on": True}})
    assert isinstance(made.core.access, Table)
    made.core.access.load({"kitchen": Grant(publish=("sensor/#",))}, keys={"kitchen"})
    made.turn(seconds=10)

    assert KITCHEN not in made.core.clients.by_ident
    assert b"light/a" not in made.core.stream.topics.by_name


def test_what_a_key_sends_is_limited() -> None:
    """Two seconds' worth at once, then so many a second, over all its connections; others are not limited by it."""
    made = desk(publish=("#",), messages_per_s=10)
    other = b"\0kitchen2"
    made.who[other] = "kitchen"
    made.greet(KITCHEN, "kitchen")
    made.greet(other, "kitchen.oven")
    publish(made, *["a"] * 15)
    batch = protocol.encode_batch(protocol.PUBLISH, 1, [encode_sent(b"a", BODY, time=1)] * 15)
    made.turn((other, batch))
    sent = made.core.stream.topics.by_name[b"a"].seq
    made.turn(seconds=0.5)
    publish(made, *["a"] * 10, first=16)

    assert (20, 25) == (sent, made.core.stream.topics.by_name[b"a"].seq)
    assert "sends more than 10 messages a second" in refused(made)[-1]
    assert {"kitchen": 15} == made.core.guard.refused


def test_questions_are_limited_too() -> None:
    """Every verb but signs of life counts."""
    made = desk(subscribe=("#",), messages_per_s=1)
    made.greet(KITCHEN, "kitchen")
    for _ in range(5):
        say(made, protocol.SNAPSHOT, id=1, patterns=["#"], after="")
        say(made, protocol.BEAT, offset=0, lost=0, refilled=0)
    verbs = [verb for verb, _ in made.heard(KITCHEN)]

    assert (2, 3, 5) == tuple(verbs.count(verb) for verb in (protocol.PAGE, protocol.ERROR, protocol.BEAT))


@pytest.mark.parametrize(("size", "count"), [(41, 1), (42, 0)])
def test_the_size_of_a_body_is_limited(size: int, count: int) -> None:
    """A body has at most as many bytes as its key's table says."""
    made = desk(publish=("#",), body_bytes=50)
    made.greet(KITCHEN, "kitchen")
    publish(made, "a", body=encode_body({"value": "x" * size}))

    assert count == len(made.fanout)


@pytest.mark.parametrize(
    ("topic", "holds"),
    [
        (b"$up/kitchen\0", True),
        (b"$up/kitchen.oven\0", True),
        (b"$up/phone\0", False),
        (b"$up/kitchen", False),
        (b"$up/", False),
        (b"$sub/12345678", True),
        (b"$sub/", False),
        (b"$", False),
        (b"", False),
        (b"sensor/", False),
    ],
)
def test_words_of_the_bus_on_the_fanout(topic: bytes, *, holds: bool) -> None:
    """A key holds its own presence and markers long enough to be nobody else's."""
    assert holds == desk(subscribe=("sensor/a",)).core.subscribers.began(topic, "kitchen")


def test_the_end_of_a_refused_presence_is_nobodys_death() -> None:
    """Whoever tries to hold the presence of another, and goes, declares nobody lost."""
    made = desk()
    made.greet(PHONE, "phone", presence=True)
    made.core.subscribers.began(b"$up/phone\0", "kitchen")
    made.unsubscribed(b"$up/phone\0")
    made.turn((PHONE, protocol.encode(protocol.BEAT, offset=0, lost=0, refilled=0)), seconds=1)

    assert made.core.clients.named("phone") is not None
