"""Frames that are no subscription, between those that are: ZeroMQ would give one client's subscription to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import zmq

from broker.access import Table
from broker.config import BrokerConfig, Grant
from broker.core import Core
from broker.doors import Doors
from broker.fanout import Fanout
from broker.zap import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"secret/place"


@pytest.fixture
def doors() -> Iterator[Doors]:
    """The sockets of a broker whose loop does not turn by itself."""
    made = Doors(BrokerConfig(address="tcp://127.0.0.1:0", fanout="tcp://127.0.0.1:0"), Gate({}))
    made.bind()
    yield made
    made.close()


def connected(context: zmq.Context[Any], doors: Doors) -> zmq.Socket[bytes]:
    """A subscriber that can send any frame, let in."""
    sub: zmq.Socket[bytes] = context.socket(zmq.XSUB)
    ready = sub.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    sub.connect(doors.addresses[1])
    assert doors.zap.poll(10_000)
    doors.answer()
    assert ready.poll(10_000)
    sub.disable_monitor()
    ready.close(0)
    return sub


def test_nobodys_subscription_is_given_to_another(doors: Doors) -> None:
    """Junk before the subscription of a victim and one of the attacker: the attacker is not given the victim's."""
    core = Core(BrokerConfig(), access=Table({"local": Grant(subscribe=("#",))}), epoch=1)
    barred: list[str] = []
    fanout = Fanout(doors.xpub, core, barred.append)
    context: zmq.Context[Any] = zmq.Context()
    junk, victim, attacker = (connected(context, doors) for _ in range(3))
    for sub, frame in ((junk, b"\2junk"), (victim, b"\1secret/"), (attacker, b"\1mine")):
        sub.send(frame)
        assert not sub.poll(200)  # time to lie before the broker's socket, which nobody reads meanwhile
    assert doors.xpub.poll(10_000)
    fanout.accepted()
    fanout.read()
    fanout.send([SECRET])
    got = attacker.recv() if attacker.poll(500) else b""
    context.destroy(linger=0)
    fanout.monitor.close(0)

    assert b"" == got
    assert {"malformed": 1, "subscriptions gone astray": 2} == core.dropped


def test_a_refused_presence_that_is_taken_back_is_forgotten(doors: Doors) -> None:
    """Whoever holds a service's presence, twice, and takes it back, does not hide the death of the service."""
    core = Core(BrokerConfig(), access=Table({"local": Grant(names=("mine",))}), epoch=1)
    fanout = Fanout(doors.xpub, core, lambda _: None)
    context: zmq.Context[Any] = zmq.Context()
    attacker = connected(context, doors)
    for kind in (b"\1", b"\1", b"\0", b"\1"):
        attacker.send(kind + b"$up/sun\0")
    attacker.send(b"\1$up/mine\0")
    while not core.presence.is_held("mine"):
        assert doors.xpub.poll(10_000)
        fanout.accepted()
        fanout.read()
    begun = core.presence.is_held("sun")
    context.destroy(linger=0)
    while core.presence.is_held("mine"):
        assert doors.xpub.poll(10_000)
        fanout.read()
    fanout.monitor.close(0)

    assert begun
    assert not core.presence.is_held("sun")
    assert 0 == fanout.subscriptions
