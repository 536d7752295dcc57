"""Markers on the fan-out: each is answered to whom it is, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq
from keyed import House

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

TOKEN = b"$sub/0123456789abcdef"
LAST = b"$sub/the last word"
ACCESS = '[broker.access.phone]\nsubscribe = ["#"]\n'


def answers(sub: zmq.Socket[bytes], until: bytes) -> list[bytes]:
    """The markers that were answered until this one was."""
    found: list[bytes] = []
    while not found or found[-1] != until:
        assert sub.poll(10_000)
        found.append(sub.recv()[:-8])
    return found


def test_the_marker_of_another_is_not_answered_again(make_broker: Callable[..., Broker]) -> None:
    """Who may read everything sees the markers of others; an answer at his wish would let them begin anew, for ever."""
    house = House(make_broker, ACCESS, keys=("kitchen", "phone"))
    with house.raw(house.key("kitchen")) as kitchen, house.raw(house.key("phone")) as phone:
        mine, theirs = kitchen.greet().subscriber(), phone.greet().subscriber()
        theirs.send(b"\1")
        mine.send(b"\1" + TOKEN)
        seen = [answers(mine, TOKEN)]
        cut = theirs.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        theirs.send(b"\1" + TOKEN)
        ended = bool(cut.poll(10_000))
        mine.send(b"\1" + LAST)
        seen.append(answers(mine, LAST))

    assert ended
    assert [[TOKEN], [LAST]] == seen
