"""What is said of an address where no broker answers: nobody listens there, or somebody does and is silent."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import pytest

from hearthbus.bus import Bus
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

SOON_S = 0.3


async def said_of(url: str) -> str:
    """What a client that does not wait for ever says."""
    with pytest.raises(Unavailable) as caught:
        await Bus(url, key="", connect_timeout=SOON_S).__aenter__()
    return str(caught.value)


async def test_nobody_listens() -> None:
    """Where there is no program at all, one is to be started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"tcp://127.0.0.1:{taken.getsockname()[1]}"

        assert f"no broker answers at {url}; start one with `hearthbus up`" == await said_of(url)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ipc:///run/hearthbus/none", "start it: sudo systemctl start hearthbus.target"),
        ("ipc:///tmp/none-of-hearthbus", "start one with `hearthbus up`"),
        ("tcp://house.invalid:7600", "`hearthbus doctor` there tells"),
    ],
)
async def test_whose_broker_it_is(url: str, what: str) -> None:
    """A broker of systemd's is started by systemd, one of another machine is not started on this one."""
    said = await said_of(url)

    assert said.startswith(f"no broker answers at {url}; ")
    assert what in said


async def test_another_program_listens() -> None:
    """Where a program listens that is no broker, none is to be started beside it: what to do is said."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        said = await said_of(url)

    assert f"what listens at {url} does not answer as a broker does" in said
    assert ["`ss -lntp`", "another port"] == [words for words in ("`ss -lntp`", "another port") if words in said]


@pytest.mark.parametrize("tcp", [True, False])
async def test_a_frozen_broker(make_broker: Callable[..., Broker], *, tcp: bool) -> None:
    """The kernel takes connections for a broker that is stopped: how to see that, and to wake it, is said."""
    broker = make_broker(tcp=tcp)
    broker.signal(signal.SIGSTOP)
    said = await said_of(broker.url)
    broker.signal(signal.SIGCONT)

    assert f"what listens at {broker.url} does not answer as a broker does" in said
    assert ["systemctl status", "`kill -CONT PID`"] == [
        words for words in ("systemctl status", "`kill -CONT PID`") if words in said
    ]
