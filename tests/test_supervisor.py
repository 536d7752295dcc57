"""The supervisor of `hearthbus up`: the broker first, services while it answers, and the way back."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from told import Told

from hearthbus.running.supervisor import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

UP = (sys.executable, "-m", "hearthbus", "up")
FOR_EVER = "import signal; print('up', flush=True); signal.pause()"


def python(code: str) -> tuple[str, ...]:
    """Return the command line of a small program."""
    return (sys.executable, "-I", "-c", code)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearthbus.running.backoff.FIRST", 0.01)
    for name in ("HEARTHBUS_URL", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


def supervisor(told: Told, url: str, broker: str | None, **services: str) -> Supervisor:
    """Make a supervisor of small programs."""
    return Supervisor(
        url=url,
        broker=None if broker is None else python(broker),
        services={name: python(code) for name, code in services.items()},
        say=told.say,
        paint=lambda number, text: f"{number}{text}",
        greeting=["welcome"],
        url_from="[bus] url",
    )


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Return an address nobody has."""
    return f"ipc://{tmp_path}/bus"


LISTENING = """
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with socket.socket(socket.AF_UNIX) as server:
    server.bind({path!r})
    print("listening", flush=True)
    server.listen()
    while True:
        signal.pause()
"""


async def test_services_start_when_the_broker_answers_and_end_before_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is broker and greeting, services; and back: services, then broker; and the exit code is 0."""
    told = Told()
    path = address.removeprefix("ipc://")
    ending = "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye\\n'), sys.exit(0)));"  # print may be at work
    service = f"import os, signal, sys; {ending} print('up', os.path.exists({path!r}), flush=True); signal.pause()"
    broker = LISTENING.format(path=path).replace("sys.exit(0)", "(os.write(1, b'bye\\n'), sys.exit(0))")
    monkeypatch.setattr("hearthbus.running.supervisor._WONDER", 60)  # a busy machine takes its time
    house = supervisor(told, address, broker, sun=service, host=service)
    running = asyncio.create_task(house.run())
    await told.until("up True", times=2)
    house.stop()
    code = await asyncio.wait_for(running, 30)

    assert 0 == code
    assert {"0broker | listening", "welcome"} == set(told.lines[:2])  # a pipe may be read after a socket is seen
    assert {"1sun    | up True", "2host   | up True"} == set(told.lines[2:4])
    assert ["stopping", {"1sun    | bye", "2host   | bye"}, "0broker | bye"] == [
        told.lines[4],
        set(told.lines[5:7]),
        told.lines[7],
    ]


@pytest.mark.parametrize("code", [64, 69, 78, 1])
async def test_a_broker_that_does_not_start_ends_everything(address: str, code: int) -> None:
    """No loop: its line is told, its exit code is ours, and no service is started."""
    told = Told()
    house = supervisor(told, address, f"print('because'); raise SystemExit({code})", sun=FOR_EVER)

    assert code == await asyncio.wait_for(house.run(), 30)
    assert "0broker | because" == told.lines[0]
    assert f"the broker did not start: exit code {code}; its last line says why" in told.lines
    assert "welcome" not in told.lines


async def test_an_address_in_use_is_told_before_anything_starts() -> None:
    """Another broker at the address: a line, exit code 69, no process."""
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        code = await supervisor(told, url, FOR_EVER, sun=FOR_EVER).run()

    assert 69 == code
    assert [f"{url} is in use: another broker runs there; stop it, or join it with `hearthbus run`"] == told.lines


async def test_a_house_may_join_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the broker is another's, the services are all there is to start and stop."""
    monkeypatch.setattr("hearthbus.running.supervisor._WONDER", 60)
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as server:
        house = supervisor(told, f"tcp://127.0.0.1:{server.getsockname()[1]}", None, sun=FOR_EVER)
        running = asyncio.create_task(house.run())
        await told.until("sun    . up")
        house.stop()
        code = await asyncio.wait_for(running, 30)

    assert (0, ["welcome", "1sun    | up", "stopping"]) == (code, told.lines)


async def test_a_joined_house_is_up_when_its_broker_answers(address: str) -> None:
    """Until then it says for which broker it waits, and which setting names that."""
    told = Told()
    house = supervisor(told, address, None, sun=FOR_EVER)
    running = asyncio.create_task(house.run())
    await told.until("sun    . up")
    waited = told.lines.copy()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.removeprefix("ipc://"))
        server.listen()
        await told.until("welcome")
    house.stop()
    await asyncio.wait_for(running, 30)

    assert {f"waiting for the broker at {address}, set by [bus] url; nothing answers there yet", "1sun    | up"} == set(
        waited
    )


async def test_a_broker_that_never_answers_can_be_stopped(address: str) -> None:
    """Ctrl-C is heard while the broker starts."""
    told = Told()
    house = supervisor(told, address, FOR_EVER, sun=FOR_EVER)
    running = asyncio.create_task(house.run())
    await told.until("broker . up")
    house.stop()

    assert 0 == await asyncio.wait_for(running, 30)


async def test_for_whom_the_house_waits_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not end soon is named while the house waits for it."""
    monkeypatch.setattr("hearthbus.running.supervisor._WONDER", 0.01)
    told = Told()
    deaf = f"import signal; signal.signal(signal.SIGTERM, lambda *_: None)\nwhile 1: {FOR_EVER}"
    house = supervisor(told, address, LISTENING.format(path=address.removeprefix("ipc://")), sun=deaf, host=FOR_EVER)
    running = asyncio.create_task(house.run())
    await told.until("up", times=2)
    house.stop()
    await told.until("still waiting for sun")
    house._interrupted()  # the second Ctrl-C
    await asyncio.wait_for(running, 30)
