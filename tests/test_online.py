"""A service is said to be online when its death would show, and its name is free as soon as it is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline import Desk, hello
from raw import Raw

from hearthbus import protocol
from hearthbus.message import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

UP = b"$up/lamp\0"


def _said(desk: Desk) -> list[str]:
    """All that was ever said of the lamp, by its process id."""
    said = [decode(frame) for frame in desk.fanout if frame.startswith(b"service/lamp\0")]
    return [f"{message['pid']} {message['status']}" for message in said]


def _errors(desk: Desk, ident: bytes) -> list[str]:
    return [fields["kind"] for verb, fields in desk.heard(ident) if verb == protocol.ERROR]


def test_a_greeting_is_not_enough() -> None:
    """Online is said once, and only when the subscription whose end shows a death is held."""
    desk = Desk()
    desk.turn((b"\0a", hello(b"\0a", "lamp", presence=True)))
    before = _said(desk)
    desk.subscribed(UP)
    desk.subscribed(UP)

    assert ([], ["1 online"]) == (before, _said(desk))


def test_the_subscription_may_come_first() -> None:
    """A client whose fan-out was faster, or outlived its other connection, is online with its greeting."""
    desk = Desk()
    desk.subscribed(UP)
    desk.turn((b"\0a", hello(b"\0a", "lamp", presence=True)))

    assert ["1 online"] == _said(desk)


def test_who_was_never_online_is_not_lost() -> None:
    """A death before that is told by the will alone."""
    desk = Desk()
    will = {"topic": "alert/lamp", "body": {"active": True}}
    desk.turn((b"\0a", hello(b"\0a", "lamp", presence=True, will=will)))
    desk.turn(seconds=60)

    assert {} == desk.core.clients.by_ident
    assert [] == _said(desk)
    assert b"alert/lamp" in desk.core.stream.topics.by_name


def test_a_dead_holder_shows_when_its_name_is_asked_for() -> None:
    """The holder of a name is told something when another wants it: if it is dead, that fails, and the name is free."""
    desk = Desk()
    desk.turn((b"\0a", hello(b"\0a", "lamp", presence=True)))
    desk.heard(b"\0a")
    desk.turn((b"\0b", hello(b"\0b", "lamp", presence=True, pid=2)))
    refused = _errors(desk, b"\0b")
    probed = [verb for verb, _ in desk.heard(b"\0a")]
    desk.core.unreachable(b"\0a")
    desk.turn((b"\0b", hello(b"\0b", "lamp", presence=True, pid=2)))
    desk.subscribed(UP)

    assert (["unavailable"], [protocol.WELCOME]) == (refused, probed)
    assert ([], ["2 online"]) == (_errors(desk, b"\0b"), _said(desk))


def test_a_goodbye_is_not_its_successors_death() -> None:
    """The end of the subscription of one who said goodbye does not count against who has the name now."""
    desk = Desk()
    desk.greet(b"\0a", "lamp", presence=True)
    desk.turn((b"\0a", protocol.encode(protocol.GOODBYE)))
    desk.turn((b"\0b", hello(b"\0b", "lamp", presence=True, pid=2)))
    desk.unsubscribed(UP)
    desk.turn(seconds=0.25)
    desk.subscribed(UP)
    desk.turn(seconds=0.25)

    assert ["1 online", "1 offline", "2 online"] == _said(desk)


async def test_a_name_is_free_after_a_death_at_birth(make_broker: Callable[..., Broker]) -> None:
    """A process that died between its greeting and its subscription does not hold its name until it would be silent."""
    broker = make_broker(settings="silence_ms = 60000")
    with Raw(broker.url) as dead:
        dead.greet(name="lamp", presence=True)
    async with broker.bus("lamp", presence=True) as lamp:
        (state,) = await lamp.get("service/lamp")

    assert "online" == state["status"]
