"""What a failed handshake means, and when the next attempt is made."""

from __future__ import annotations

import sys

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.client.entrance import CUTS, CUTS_WITHIN_S, FIRST_S, LONGEST_S, Entrance
from hearthbus.keys import Key

URL = "tcp://pi:7600"
KEY = Key(name="kitchen", public="p" * 40, secret="s" * 40, broker="b" * 40, path="/etc/hearthbus/kitchen.key")


def event(number: int, value: int = 0) -> tuple[bytes, bytes]:
    """A message of zmq_socket_monitor(3)."""
    return number.to_bytes(2, sys.byteorder) + value.to_bytes(4, sys.byteorder), b"tcp://pi:7600"


CUT = event(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 32)
IN = event(zmq.EVENT_HANDSHAKE_SUCCEEDED)


def test_waits_grow_to_ten_seconds() -> None:
    """The waits double from half a second to ten, and begin anew after a success."""
    entrance = Entrance(URL, KEY)
    waits = [entrance.wait() for _ in range(7)]
    entrance.heard(IN, 0.0)

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] == waits
    assert FIRST_S == entrance.wait()


@given(st.lists(st.sampled_from([IN, CUT, event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400)])))
def test_no_wait_is_too_long(events: list[tuple[bytes, bytes]]) -> None:
    """Whatever happened, the next attempt is made within ten seconds."""
    entrance = Entrance(URL, KEY)
    for at, each in enumerate(events):
        if entrance.heard(each, float(at))[1] is not None:
            assert FIRST_S <= entrance.wait() <= LONGEST_S

    assert FIRST_S <= entrance.wait() <= LONGEST_S


@pytest.mark.parametrize(
    ("key", "failure", "text"),
    [
        (KEY, event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400), "refuses the key kitchen (/etc/hearthbus/kitchen.key)"),
        (None, event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400), "does not let this client in"),
        (KEY, event(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x11000002), "takes no keys there"),
        (None, event(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x11000002), "wants a key"),
        (None, event(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x10000001), "is no broker of hearthbus"),
    ],
)
def test_what_ends_an_attempt(key: Key | None, failure: tuple[bytes, bytes], text: str) -> None:
    """Where ZeroMQ gives up, new sockets are asked for, and the reason names the broker."""
    up, why_not = Entrance(URL, key).heard(failure, 0.0)

    assert not up
    assert text in str(why_not)
    assert URL in str(why_not)


def test_cut_again_and_again_is_another_broker() -> None:
    """Several connections cut in a row, while they greeted: the broker has another key than ours is for."""
    entrance = Entrance(URL, KEY)
    reasons = [entrance.heard(CUT, 0.1 * at)[1] for at in range(CUTS)]

    assert [None] * (CUTS - 1) == reasons[:-1]
    assert "it is another broker than the key kitchen (/etc/hearthbus/kitchen.key) is for" in str(reasons[-1])


def test_cut_now_and_then_is_a_busy_broker() -> None:
    """A connection cut once in a while is left to ZeroMQ, which tries again by itself."""
    entrance = Entrance(URL, KEY)

    assert [None] * 20 == [entrance.heard(CUT, CUTS_WITHIN_S * at)[1] for at in range(20)]


def test_cut_without_a_key_says_how_to_get_one() -> None:
    """Who shows no key where one is wanted may be cut off before he sees that: the way out is the same."""
    entrance = Entrance(URL, None)
    reasons = [entrance.heard(CUT, 0.1 * at)[1] for at in range(CUTS)]

    assert [None] * (CUTS - 1) == reasons[:-1]
    assert "no broker of hearthbus, or one that wants a key; make one there" in str(reasons[-1])


def test_no_secret_in_what_is_said() -> None:
    """Neither a reason nor the key's own text holds the secret."""
    _, why_not = Entrance(URL, KEY).heard(event(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400), 0.0)

    assert KEY.secret not in f"{why_not} {KEY!r} {KEY}"
