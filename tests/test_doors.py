"""The broker's addresses, shut while it has hardly a file descriptor left, and opened again."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from keyed import pair

from broker import doors
from broker.config import BrokerConfig
from broker.zap import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[doors.Doors]:
    """Doors on a network, of a process that has hardly a file descriptor left."""
    config = BrokerConfig(
        address="tcp://127.0.0.1:0", fanout="tcp://127.0.0.1:0", network="tcp://127.0.0.1:0", keys="keys"
    )
    made = doors.Doors(config, Gate({}), secret=pair("broker").secret)
    made.bind()
    monkeypatch.setattr(doors, "_open_files", lambda: 10**9)
    yield made
    made.close()


def another(address: str) -> socket.socket:
    """Whoever takes an address as soon as it is free."""
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_server(_parts(address))
        except OSError:
            assert time.monotonic() < until


def answered(address: str) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return not probe.connect_ex(_parts(address))


def test_an_address_that_another_took_is_taken_later(opened: doors.Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """One port of the network that is not free at once is tried again, and keeps the other from nothing."""
    first = opened.mind()
    with another(opened.addresses[2]) as one, another(opened.addresses[3]) as other:
        monkeypatch.setattr(doors, "_open_files", lambda: 0)
        one.close()
        opened.mind()
        opened.mind()
        seen = [answered(opened.addresses[2])]
        other.close()
        opened.mind()
        seen.append(answered(opened.addresses[3]))

    assert first
    assert [True, True] == seen


def test_doors_that_are_shut_can_be_made_anew(opened: doors.Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that change at such a moment find the same addresses, open again."""
    opened.mind()
    monkeypatch.setattr(doors, "_open_files", lambda: 0)
    for address in opened.addresses[2:]:
        another(address).close()
    opened.renew()

    assert [True] * 4 == [answered(address) for address in opened.addresses]


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return host, int(port)
