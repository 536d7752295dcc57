"""What somebody asked for and has given up is never carried out later, wherever it waited."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
from crowd import POLL_S
from hypothesis import given
from hypothesis import strategies as st
from neighbour import Neighbour
from offline import Desk

from hearthbus import protocol
from hearthbus.client.broker_clock import REMEMBERED, BrokerClock
from hearthbus.errors import NoResponder, Timeout, Unavailable
from hearthbus.message import encode_sent

if TYPE_CHECKING:
    from conftest import Broker

    from hearthbus.bus import Bus

TOPIC = "light/lamp/set"
MOMENTS = st.floats(0, 1e7)


async def _ask_until_answered(caller: Bus, **body: int) -> None:
    """Who was frozen may have been taken for lost, and has to come back first."""
    async with asyncio.timeout(20):
        while True:
            try:
                await caller.request(TOPIC, body, timeout=10)
            except (Unavailable, NoResponder):
                await asyncio.sleep(POLL_S)
            else:
                return


async def test_a_frozen_broker_hands_on_nothing_late(broker: Broker) -> None:
    """A request that waited in the socket of a broker that stood still reaches nobody when it goes on."""
    with Neighbour("serve", broker.url, "lamp", TOPIC) as lamp:
        await lamp.says()
        async with broker.bus("caller") as caller:
            broker.signal(signal.SIGSTOP)
            with pytest.raises((Timeout, Unavailable)):
                await caller.request(TOPIC, n=1, timeout=0.2)
            broker.signal(signal.SIGCONT)
            await _ask_until_answered(caller, n=2)
            done = await lamp.says()

    assert {"done": {"n": 2}} == done


async def test_a_frozen_responder_carries_out_nothing_late(broker: Broker) -> None:
    """A request that waited in the socket of a responder that stood still is not carried out when it goes on."""
    with Neighbour("serve", broker.url, "lamp", TOPIC) as lamp:
        await lamp.says()
        async with broker.bus("caller") as caller:
            lamp.freeze()
            with pytest.raises(Timeout):
                await caller.request(TOPIC, n=1, timeout=0.2)
            lamp.thaw()
            await _ask_until_answered(caller, n=2)
            done = await lamp.says()

    assert {"done": {"n": 2}} == done


@pytest.mark.parametrize("late_ms", [-1, 0, 1])
def test_the_broker_reads_the_deadline(late_ms: int) -> None:
    """A request read at its deadline or later is answered `timeout` and handed to nobody; before, it is handed on."""
    desk = Desk()
    desk.greet(b"\0a", "lamp")
    desk.greet(b"\0b", "caller")
    desk.turn((b"\0a", protocol.encode(protocol.SERVE, id=1, pattern=TOPIC)))
    desk.heard(b"\0b")
    deadline = desk.core.clock_ms - late_ms
    record = encode_sent(TOPIC.encode(), b"\x80", time=0)
    desk.turn((b"\0b", protocol.encode(protocol.REQUEST, id=7, timeout_ms=5_000, deadline=deadline, message=record)))
    handed_on = [fields["timeout_ms"] for verb, fields in desk.heard(b"\0a") if verb == protocol.REQUEST]
    answered = [fields["kind"] for _, fields in desk.heard(b"\0b")]

    assert (([1], []) if late_ms < 0 else ([], ["timeout"])) == (handed_on, answered)


@given(ahead=st.integers(-(10**9), 10**9), moment=MOMENTS, delays=st.lists(st.floats(0, 60), min_size=1, max_size=20))
def test_a_deadline_is_never_later_than_meant(ahead: int, moment: float, delays: list[float]) -> None:
    """However long the broker's word took to arrive; and it is early by the shortest delay of the last few."""
    clock = BrokerClock()
    for delay in delays:
        clock.heard(1_000_000_000_000 + ahead, 1_000_000 + delay)
    true_ms = 1_000_000_000_000 + ahead + (moment - 1_000_000) * 1000
    least_ms = min(delays[-REMEMBERED:]) * 1000

    assert true_ms - least_ms - 1.1 <= clock.deadline(moment) <= true_ms + 0.1


@given(moment=MOMENTS)
def test_there_and_back(moment: float) -> None:
    """A deadline read by the clock it was made with is the moment it was made of, to the millisecond."""
    clock = BrokerClock()
    clock.heard(2**40, 17.5)

    assert abs(moment - clock.moment(clock.deadline(moment))) < 0.0011


def test_without_a_word_there_is_no_deadline() -> None:
    """Before the broker has told its clock nothing can be named by it."""
    clock = BrokerClock()
    clock.heard(5, 1)
    clock.forget()

    assert (0, float("inf")) == (clock.deadline(3), clock.moment(99))
