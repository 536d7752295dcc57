"""The broker tried by itself: ready only when a stranger was refused and its own client heard; then the watchdog."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from keyed import SETTINGS, House, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Broker


class Systemd:
    """The socket that systemd listens on."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)

    def heard(self, text: str) -> str:
        """Wait for a message that begins so."""
        while True:
            told = self._socket.recv(1000).decode()
            if told.startswith(text):
                return told

    def fed(self, seconds: float) -> bool:
        """Whether the watchdog is fed within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                if self._socket.recv(1000).startswith(b"WATCHDOG=1"):
                    return True
        return False

    def waiting(self) -> list[str]:
        """What came meanwhile."""
        self._socket.setblocking(False)
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self._socket.recv(1000).decode())
        self._socket.settimeout(20)
        return found

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """A systemd with a watchdog, for the brokers started after this."""
    made = Systemd(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    yield made
    made.close()


@pytest.mark.parametrize("keyed", [False, True])
async def test_what_systemd_is_told(systemd: Systemd, make_broker: Callable[..., Broker], *, keyed: bool) -> None:
    """READY when it answers itself, WATCHDOG after each round, RELOADING and READY at SIGHUP, STOPPING at the end."""
    broker = House(make_broker).broker if keyed else make_broker()
    systemd.heard("READY=1")
    systemd.heard("WATCHDOG=1")
    broker.signal(signal.SIGHUP)
    reloading = systemd.heard("RELOADING=1")
    systemd.heard("READY=1")
    systemd.heard("WATCHDOG=1")
    code = await asyncio.to_thread(broker.stop)
    systemd.heard("STOPPING=1")

    assert "MONOTONIC_USEC=" in reloading
    assert 0 == code


async def test_the_watchdog_is_fed_when_all_connections_began_anew(
    systemd: Systemd, make_broker: Callable[..., Broker]
) -> None:
    """A broker that cut off everybody because of one is heard by its own client again."""
    house = House(make_broker, keys=("kitchen",))
    with house.raw(house.key("kitchen")) as raw:
        raw.greet()
        house.keys.revoke("kitchen")
        async with asyncio.timeout(20):
            while not any("shut out" in line for line in house.broker.lines):
                await asyncio.sleep(0.01)
    systemd.waiting()
    for _ in range(2):
        systemd.heard("WATCHDOG=1")


async def test_its_own_client_is_none_to_others(systemd: Systemd, make_broker: Callable[..., Broker]) -> None:
    """Neither clients nor subscriptions nor strangers count it, and no service appears."""
    house = House(make_broker)
    for _ in range(2):
        systemd.heard("WATCHDOG=1")
    async with house.broker.bus("reader") as bus, asyncio.timeout(20):
        async with bus.subscribe("broker/stats", retained=False) as messages:
            stats = (await anext(messages)).body
        services = await bus.get("service/#")

    assert (1, 0, {}) == (stats["clients"], stats["strangers"], stats["dropped"])
    assert stats["subscriptions"] <= 2
    assert [] == services
    assert not [line for line in house.broker.lines if "stranger" in line]


OPEN_DOOR = """
import sys
from broker import main, zap
from broker.config import BrokerConfig

zap.Gate._who = lambda *_: "local"
sys.exit(main.main(BrokerConfig(address=f"ipc://{sys.argv[1]}/bus", network="tcp://127.0.0.1:0",
                                keys=f"{sys.argv[1]}/keys", data=f"{sys.argv[1]}/data")))
"""
DEAF = OPEN_DOOR.replace('zap.Gate._who = lambda *_: "local"', "zap.Gate.answer = lambda *_: []").replace(
    "from broker.config", "from broker import selfcheck; selfcheck.PATIENCE_S = 1.0\nfrom broker.config"
)

GOES_DEAF = """
import sys
from broker import intake, main, loop, selfcheck
from broker.config import BrokerConfig

selfcheck.EVERY_S = 0.2
read, turns = intake.Intake.read, iter(range(3))

def read_three_times(this):
    if next(turns, None) is None:
        loop.notify("STATUS=deaf")
        intake.Intake.read = lambda _: None
    else:
        read(this)

intake.Intake.read = read_three_times
sys.exit(main.main(BrokerConfig(address=f"ipc://{sys.argv[1]}/bus", data=f"{sys.argv[1]}/data")))
"""


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param(OPEN_DOOR, "a key that nobody knows was let in", id="everybody is let in"),
        pytest.param(DEAF, "nobody refused a key that nobody knows", id="nobody answers"),
    ],
)
def test_a_door_that_does_not_close_ends_the_broker(systemd: Systemd, tmp_path: Path, program: str, why: str) -> None:
    """A broker whose gate lets strangers in, or answers nobody, never says READY: it ends with 70 and one line why."""
    Keys(tmp_path / "keys")
    ended = subprocess.run(
        (sys.executable, "-c", program, str(tmp_path)), capture_output=True, text=True, timeout=30, check=False
    )

    assert 70 == ended.returncode
    assert why in ended.stderr
    assert "listening" not in ended.stderr
    assert not [told for told in systemd.waiting() if told.startswith("READY")]


def test_the_watchdog_is_not_fed_by_a_broker_that_hears_nobody(systemd: Systemd, tmp_path: Path) -> None:
    """A loop that turns and does not read any more is not well: only a round trip through both sockets counts."""
    process = subprocess.Popen((sys.executable, "-c", GOES_DEAF, str(tmp_path)), stderr=subprocess.DEVNULL)
    try:
        systemd.heard("READY=1")
        systemd.heard("STATUS=deaf")
        fed = systemd.fed(1.5)  # rounds are a fifth of a second apart here
    finally:
        process.kill()
        process.wait(10)

    assert not fed


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('network = "tcp://127.0.0.1:0"', "network needs keys"),
        (SETTINGS.replace("127.0.0.1:0", "0.0.0.0:70000"), ""),
        (SETTINGS, "hearthbus keys init"),
    ],
)
def test_no_network_without_keys(tmp_path: Path, settings: str, why: str) -> None:
    """Without keys, or with a folder that is not there, nothing listens: a line tells what to type."""
    config = tmp_path / "hearthbus.toml"
    config.write_text(f'[broker]\naddress = "ipc://{tmp_path}/bus"\ndata = "{tmp_path}/data"\n{settings}\n')
    ended = subprocess.run(
        (sys.executable, "-m", "hearthbus", "broker", "--config", str(config)),
        capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "NOTIFY_SOCKET": ""},
    )  # fmt: skip

    assert ended.returncode in {69, 78}
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr
