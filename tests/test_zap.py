"""Who is let in: the answers to ZeroMQ's questions, and that no answer is no entry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zmq
from keyed import pair
from zmq.utils import z85

from broker.config import BrokerConfig
from broker.doors import Doors
from broker.zap import Gate, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

KITCHEN = bytes(32)
PHONE = bytes([1]) * 32
TCP, UNIX = b"127.0.0.1", b"localhost:1000:1000:4711"


def asked(mechanism: bytes, *credentials: bytes, address: bytes = TCP, domain: bytes = b"hearthbus") -> list[bytes]:
    """A request as ZeroMQ makes it, behind its envelope."""
    return [b"peer", b"", b"1.0", b"7", domain, address, b"", mechanism, *credentials]


@pytest.mark.parametrize(
    ("request_", "who"),
    [
        pytest.param(asked(b"CURVE", KITCHEN), "kitchen", id="an allowed key"),
        pytest.param(asked(b"CURVE", PHONE), "", id="another key"),
        pytest.param(asked(b"CURVE", KITCHEN[:31]), "", id="a part of an allowed key"),
        pytest.param(asked(b"CURVE"), "", id="no key"),
        pytest.param(asked(b"CURVE", KITCHEN, PHONE), "", id="two keys"),
        pytest.param(asked(b"NULL"), "local", id="this machine by TCP"),
        pytest.param(asked(b"NULL", address=UNIX), "local:1000", id="this machine by a Unix socket"),
        pytest.param(asked(b"NULL", address=b"192.168.1.7"), "", id="another machine without a key"),
        pytest.param(asked(b"PLAIN", b"kitchen", b"secret"), "", id="a password"),
        pytest.param(asked(b"CURVE", KITCHEN, domain=b"other"), "", id="another domain"),
    ],
)
def test_answers(request_: list[bytes], who: str) -> None:
    """Each kind of newcomer is answered with who he is, or refused and counted."""
    gate = Gate({KITCHEN: "kitchen"})
    status = b"200" if who else b"400"
    text = b"" if who else b"not allowed"

    assert [b"peer", b"", b"1.0", b"7", status, text, who.encode(), b""] == gate.answer(request_, 0.0)
    assert gate.strangers == (not who)


def test_the_brokers_own_strangers_are_refused_and_not_counted() -> None:
    """A key with which the broker tries its own door is let in no more than another; nobody is told of it."""
    gate = Gate({KITCHEN: "kitchen"})
    gate.own_strangers.add(PHONE)

    assert b"400" == gate.answer(asked(b"CURVE", PHONE), 0.0)[4]
    assert (0, "") == (gate.strangers, gate.last_stranger)


@pytest.mark.parametrize("frames", [[], [b"x"], [b"peer", b""], asked(b"NULL")[:-1]])
def test_what_is_no_request_gets_no_answer(frames: list[bytes]) -> None:
    """Frames of another shape are let lie."""
    assert [] == Gate({}).answer(frames, 0.0)


def test_who_is_barred_comes_in_later() -> None:
    """A key that is barred is refused until its time is over."""
    gate = Gate({KITCHEN: "kitchen"})
    gate.bar("kitchen", 10.0)
    told = [gate.answer(asked(b"CURVE", KITCHEN), now)[4] for now in (9.9, 10.0)]

    assert [b"400", b"200"] == told


def test_only_who_came_in_has_to_be_cut_off() -> None:
    """A key that is taken away is told if it may be connected: it has come in, and the doors were not shut since."""
    gate = Gate({KITCHEN: "kitchen", PHONE: "phone"})
    gate.answer(asked(b"CURVE", KITCHEN), 0.0)
    cut = [gate.take({KITCHEN: "kitchen"}), gate.take({PHONE: "kitchen"})]
    gate.shut()

    assert [set(), {"kitchen"}, set()] == [*cut, gate.take({})]


def test_a_key_is_never_local() -> None:
    """What a key can be named is not taken for a client of this machine."""
    assert [True, True, False, False] == [is_local(who) for who in ("local", "local:0", "local-1", "kitchen")]


BROKER, KEY = pair("broker"), pair("kitchen")


@pytest.fixture
def doors() -> Iterator[Doors]:
    """Both addresses, open, and nobody who answers what ZeroMQ asks."""
    config = BrokerConfig(
        address="tcp://127.0.0.1:0", fanout="tcp://127.0.0.1:0", network="tcp://127.0.0.1:0", keys="keys"
    )
    made = Doors(config, Gate({z85.decode(KEY.public.encode()): "kitchen"}), secret=BROKER.secret)
    made.bind()
    yield made
    made.close()


def knock(context: zmq.Context[Any], doors: Doors, *, keyed: bool) -> zmq.Socket[bytes]:
    """Come to one of the addresses, with the key that is allowed or without, and say something."""
    client: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    if keyed:
        client.curve_serverkey = BROKER.public.encode()
        client.curve_publickey, client.curve_secretkey = KEY.public.encode(), KEY.secret.encode()
    client.connect(doors.addresses[2 if keyed else 0])
    client.send(b"hello")
    return client


@pytest.fixture
def outside() -> Iterator[zmq.Context[Any]]:
    """Where clients live."""
    context: zmq.Context[Any] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.mark.parametrize("keyed", [False, True])
def test_no_answer_is_no_entry(doors: Doors, outside: zmq.Context[Any], *, keyed: bool) -> None:
    """Where the loop does not answer ZeroMQ's question nobody comes in, by either address; once it does, he does."""
    with knock(outside, doors, keyed=keyed):
        asked_for = doors.zap.poll(5_000)
        unanswered = doors.router.poll(500)
        doors.answer()
        answered = doors.router.poll(5_000)

    assert (zmq.POLLIN, 0, zmq.POLLIN) == (asked_for, unanswered, answered)


# a process of its own: with nobody to ask, ZeroMQ does not come to an end either
NOBODY_TO_ASK = """
import os, sys, zmq
from test_zap import doors, knock

context = zmq.Context()
here = next(doors.__wrapped__())
here.zap.unbind("inproc://zeromq.zap.01")
clients = [knock(context, here, keyed=keyed) for keyed in (False, True)]
print(here.router.poll(1_000), flush=True)
os._exit(0)
"""


def test_nobody_to_ask_is_no_entry() -> None:
    """Where the socket that is asked is gone nobody comes in, not even who is allowed: the domain is enforced."""
    command = (sys.executable, "-c", NOBODY_TO_ASK)
    ended = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=30, check=True)

    assert "0" == ended.stdout.strip()
