"""Last wills of services that did not come back after the broker did: said only where their authors still may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from keyed import House
from offline import Desk

from broker.access import Table
from broker.config import Grant
from hearthbus.bus import Bus
from hearthbus.message import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

KITCHEN = b"\0kitchen"
WILL = {"topic": "alert/kitchen", "body": {"active": True}}
WIDE = Grant(publish=("alert/#",), names=("sun",))
QUICK = "beat_ms = 300\nsilence_ms = 2000\n"
ACCESS = '[broker.access.kitchen]\npublish = ["alert/#"]\n'


def restarted(grants: dict[str, Grant], *, keys: set[str], who: str = "kitchen", name: str = "kitchen") -> Desk:
    """A broker that was started again with these tables and keys, and waited in vain for a service with a will."""
    made = Desk(table=Table({"kitchen": WIDE}, keys={"kitchen"}))
    made.who = {KITCHEN: who}
    made.greet(KITCHEN, name, presence=True, will=WILL)
    made.restart(Table(grants, keys=keys))
    made.core.greeting.expect_back()
    made.core.greeting.give_up()
    return made


def body(made: Desk, topic: str) -> dict[str, Any] | None:
    """What is retained on a topic."""
    state = made.core.stream.topics.by_name.get(topic.encode())
    return None if state is None else decode(state.retained).body


@pytest.mark.parametrize(
    ("grants", "keys", "who"),
    [
        ({"kitchen": WIDE}, {"kitchen"}, "kitchen"),
        ({"kitchen": WIDE}, {"kitchen"}, "local:0"),
        ({}, set(), "local:0"),
        ({"local": WIDE}, set(), "local:0"),
    ],
)
def test_a_will_is_said_where_it_may_be(grants: dict[str, Grant], keys: set[str], who: str) -> None:
    """Whose key and table are what they were, or wide enough, is spoken for after a restart, too."""
    made = restarted(grants, keys=keys, who=who, name="sun")

    assert ("lost", {"active": True}) == ((body(made, "service/sun") or {})["status"], body(made, "alert/kitchen"))
    assert {} == made.core.guard.refused


@pytest.mark.parametrize(
    ("grants", "keys", "who", "counted"),
    [
        ({"kitchen": WIDE}, set(), "kitchen", "kitchen"),
        ({}, {"kitchen"}, "kitchen", "kitchen"),
        ({"kitchen": Grant(publish=("sensor/#",), names=("sun",))}, {"kitchen"}, "kitchen", "kitchen"),
        ({"kitchen": Grant(publish=("alert/#",), body_bytes=5)}, {"kitchen"}, "kitchen", "kitchen"),
        ({"local": Grant(publish=("sensor/#",))}, set(), "local:0", "local"),
    ],
)
def test_a_will_is_dropped_where_it_may_not_be(
    grants: dict[str, Grant], keys: set[str], who: str, counted: str
) -> None:
    """Revoked, without a table, narrowed: it is lost as any other, its will is not said, and that is counted."""
    made = restarted(grants, keys=keys, who=who, name="sun")

    assert ("lost", None) == ((body(made, "service/sun") or {})["status"], body(made, "alert/kitchen"))
    assert ({counted: 1}, 1) == (made.core.guard.refused, made.core.stream.refused)


def test_a_goodbye_is_no_refusal() -> None:
    """Who may do less than when it greeted, and says goodbye, had no will to be refused."""
    made = Desk(table=Table({"kitchen": WIDE}, keys={"kitchen"}))
    made.who = {KITCHEN: "kitchen"}
    made.greet(KITCHEN, "kitchen", presence=True, will=WILL)
    assert isinstance(made.core.access, Table)
    made.core.access.load({}, keys={"kitchen"})
    made.turn((KITCHEN, b"G\x80"))

    assert ("offline", None) == ((body(made, "service/kitchen") or {})["status"], body(made, "alert/kitchen"))
    assert {} == made.core.guard.refused


async def test_a_key_revoked_while_the_broker_was_down(make_broker: Callable[..., Broker]) -> None:
    """With processes, sockets and a disk: the presence tells the key, and its will dies with it."""
    house = House(make_broker, QUICK + ACCESS, keys=("kitchen",))
    kitchen = Bus(
        house.url, key=house.path("kitchen"), name="kitchen", presence=True, will=("alert/kitchen", {"active": True})
    )
    async with kitchen, Bus(house.broker.url) as watcher, watcher.subscribe("service/kitchen") as presence:
        (before,) = await watcher.get("service/kitchen")
        await watcher.publish("load/hall", confirm=True)
        house.broker.kill()
        house.keys.revoke("kitchen")
        await asyncio.to_thread(house.broker.start)
        async with asyncio.timeout(20):
            while (await anext(presence))["status"] != "lost":
                pass
        wills = await watcher.get("alert/#")

    assert "kitchen" == before["key"]
    assert [] == wills
