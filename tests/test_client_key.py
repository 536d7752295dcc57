"""The client with a key: in, refused, revoked and in again, with nothing lost; and what a person is told."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import pytest
from doorman import Doorman, make_key, write_key

from hearthbus.bus import Bus
from hearthbus.client.entrance import FIRST_S
from hearthbus.client.link import Link
from hearthbus.errors import Invalid, Refused, Unavailable
from hearthbus.keys import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hearthbus.transport import Subscription

TOPIC = "sensor/kitchen/temperature"
SHORT_S = 0.7
"""Longer than the handshake, and than the first wait between two attempts."""


class Told:
    """Whoever owns a link, and counts how often that was refused."""

    def __init__(self) -> None:
        self.refused = 0

    def on_up(self) -> None:
        """Greet nobody."""

    def on_down(self) -> None:
        """Miss nobody."""

    def on_refused(self, error: Refused) -> None:
        """Count."""
        del error
        self.refused += 1

    def on_answer(self, frame: bytes) -> None:
        """Hear nothing."""

    def on_messages(self, frames: list[bytes]) -> None:
        """Read nothing."""


@pytest.fixture
def door() -> Iterator[Doorman]:
    with Doorman() as doorman:
        yield doorman


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """Count the lines of the library's log that hold a text."""
    caplog.set_level(logging.INFO, "hearthbus")
    return lambda text: sum(text in record.getMessage() for record in caplog.records)


async def until(true: Callable[[], bool], *, within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_key_that_is_let_in_opens_both_connections(door: Doorman, tmp_path: Path) -> None:
    """A message goes out through one connection and comes back through the other, and both showed the key."""
    file = door.client_key(tmp_path / "kitchen.key")

    async with Bus(door.url, key=file) as bus, bus.subscribe(TOPIC) as messages:
        await bus.publish(TOPIC, value=20.5, confirm=True)
        async with asyncio.timeout(20):
            message = await anext(messages)

    assert 20.5 == message["value"]
    assert sorted(door.allowed) * 2 == door.asked


async def test_the_environment_names_the_key(door: Doorman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HEARTHBUS_KEY is the key of a client that was given none."""
    monkeypatch.setenv("HEARTHBUS_KEY", door.client_key(tmp_path / "kitchen.key"))

    async with Bus(door.url) as bus:
        assert bus.connected


async def test_a_refused_key_is_named(door: Doorman, tmp_path: Path) -> None:
    """Who comes with a key that is not let in is told which one, and where it lies."""
    file = door.client_key(tmp_path / "kitchen.key", allow=False)

    with pytest.raises(Refused) as caught:
        await Bus(door.url, key=file, connect_timeout=SHORT_S).__aenter__()

    assert f"the broker at {door.url} refuses the key kitchen ({file})" in str(caught.value)
    assert "hearthbus keys list" in str(caught.value)


async def test_without_a_key_it_says_how_to_get_one(door: Doorman) -> None:
    """A broker that wants keys, and a client that has none: the error names the command and the setting."""
    with pytest.raises(Refused) as caught:
        await Bus(door.url, connect_timeout=SHORT_S).__aenter__()

    assert door.url in str(caught.value)
    assert "wants a key" in str(caught.value)
    assert ["hearthbus keys new NAME", "[bus] key", "HEARTHBUS_KEY"] == [
        words for words in ("hearthbus keys new NAME", "[bus] key", "HEARTHBUS_KEY") if words in str(caught.value)
    ]


async def test_a_key_at_an_address_without_keys(tmp_path: Path) -> None:
    """A client with a key does not talk in the clear to whoever answers; it says what to change."""
    with Doorman(curve=False) as door:
        file = door.client_key(tmp_path / "kitchen.key")
        with pytest.raises(Refused, match=r"takes no keys there.* \[broker\] network"):
            await Bus(door.url, key=file, connect_timeout=SHORT_S).__aenter__()

        assert [] == door.asked


async def test_the_key_of_another_broker(door: Doorman, tmp_path: Path) -> None:
    """A key made for another broker shows nothing to this one, and the error says that it is the wrong one."""
    file = write_key(tmp_path / "kitchen.key", make_key("kitchen", broker=make_key("broker").public))

    with pytest.raises(Refused, match="it is another broker than the key kitchen"):
        await Bus(door.url, key=file, connect_timeout=2 * SHORT_S).__aenter__()

    assert [] == door.asked


async def test_one_that_waits_gets_in_when_its_key_is_let_in(
    door: Doorman, tmp_path: Path, said: Callable[[str], int]
) -> None:
    """With no timeout, as services are: said once however often it is refused, and in without a restart."""
    file = door.client_key(tmp_path / "kitchen.key", allow=False)
    bus = Bus(door.url, key=file, connect_timeout=None)
    opening = asyncio.create_task(bus.__aenter__())
    await until(lambda: len(door.asked) == 2)
    door.allowed.add(door.asked[0])

    async with asyncio.timeout(20):
        await opening

    assert bus.connected
    assert 1 == said("refuses the key kitchen")
    await bus.__aexit__(None, None, None)


async def test_revoked_and_in_again_with_nothing_lost(
    door: Doorman, tmp_path: Path, said: Callable[[str], int]
) -> None:
    """What is published while the key is out arrives when it is back in, once each and in order."""
    file = door.client_key(tmp_path / "kitchen.key")
    async with Bus(door.url, key=file) as bus, bus.subscribe("sensor/#") as messages:
        await bus.publish("sensor/kitchen/before", value=0, confirm=True)
        revoked = door.allowed.copy()
        door.allowed.clear()
        door.cut()
        await until(lambda: said("refuses the key kitchen") == 1)
        was_connected = bus.connected
        await bus.publish("sensor/kitchen/state", value=1, retain=True)
        await bus.publish("sensor/kitchen/state", value=2, retain=True)
        for number in range(3):
            await bus.publish(f"sensor/kitchen/event-{number}", value=number)
        with pytest.raises(Unavailable):
            await bus.get("sensor/#")
        await until(lambda: len(door.asked) >= 4)
        door.allowed |= revoked
        await bus.publish("sensor/kitchen/after", value=9, confirm=True)
        async with asyncio.timeout(20):
            seen = [(await anext(messages)).topic for _ in range(6)]

    assert not was_connected
    assert ["before", "state", "event-0", "event-1", "event-2", "after"] == [each.split("/")[2] for each in seen]
    assert seen == [topic.decode() for topic in door.published]
    assert 1 == said("refuses the key kitchen")
    assert 1 == said(f"{door.url} is back")


async def test_the_fanout_alone_refused(door: Doorman, tmp_path: Path, said: Callable[[str], int]) -> None:
    """A fan-out that refused the key while the other connection stayed is tried again: messages come once more."""
    file = door.client_key(tmp_path / "kitchen.key")
    async with Bus(door.url, key=file) as bus, bus.subscribe(TOPIC) as messages:
        await bus.publish(TOPIC, value=1, confirm=True)
        revoked = door.allowed.copy()
        door.allowed.clear()
        door.cut_fanout()
        await until(lambda: said("refuses the key kitchen") == 1)
        door.allowed |= revoked
        still_connected = bus.connected
        asked = len(door.asked)
        await until(lambda: len(door.asked) > asked)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            values = group.create_task(_values(messages, until=9))
            while not values.done():
                await bus.publish(TOPIC, value=9, confirm=True)

    assert still_connected
    assert 1 == values.result()[0]


async def test_a_fresh_key_in_the_same_file(door: Doorman, tmp_path: Path, said: Callable[[str], int]) -> None:
    """A revoked key's file that is replaced by a new one is taken up without a restart."""
    file = door.client_key(tmp_path / "kitchen.key")
    async with Bus(door.url, key=file) as bus:
        door.allowed.clear()
        door.cut()
        await until(lambda: said("refuses the key kitchen") == 1)
        (tmp_path / "kitchen.key").unlink()
        await until(lambda: len(door.asked) >= 4)  # without any file it goes on with what it has
        door.client_key(tmp_path / "kitchen.key")
        await bus.publish(TOPIC, value=1, confirm=True)

    assert [TOPIC.encode()] == door.published


async def test_closing_while_it_is_refused(door: Doorman, tmp_path: Path, said: Callable[[str], int]) -> None:
    """A client that ends between two attempts makes no further one."""
    file = door.client_key(tmp_path / "kitchen.key")
    async with Bus(door.url, key=file):
        door.allowed.clear()
        door.cut()
        await until(lambda: said("refuses the key kitchen") == 1)
    ended = door.asked.copy()
    other = door.client_key(tmp_path / "other.key", "other", allow=False)
    with pytest.raises(Refused):
        await Bus(door.url, key=other, connect_timeout=SHORT_S).__aenter__()

    assert [] == [public for public in door.asked[len(ended) :] if public in ended]


async def test_closing_while_the_fanout_was_refused_twice(door: Doorman, tmp_path: Path) -> None:
    """A new greeting in between tries the fan-out at once; the attempt of before is not left over when it closes."""
    owner = Told()
    link = Link(door.url, owner, key=read_key(door.client_key(tmp_path / "kitchen.key", allow=False)))
    link.listen(door.fanout)
    await until(lambda: owner.refused == 1)
    link.listen(door.fanout)
    await until(lambda: owner.refused == 2)
    link.close()
    asked = len(door.asked)
    await asyncio.sleep(FIRST_S + 0.1)

    assert asked == len(door.asked)


def test_a_key_that_others_can_read(door: Doorman, tmp_path: Path) -> None:
    """A key's file that is open to others is refused, with what to type."""
    file = door.client_key(tmp_path / "kitchen.key")
    os.chmod(file, 0o640)  # noqa: PTH101 - its path is text here

    with pytest.raises(Invalid, match=f"others than its owner can use {file}; type: chmod 600 {file}"):
        Bus(door.url, key=file)


def test_the_brokers_own_key_is_no_clients(door: Doorman, tmp_path: Path) -> None:
    """Whoever copies broker.key instead of his own is told which one to take."""
    file = write_key(tmp_path / "broker.key", door.key)

    with pytest.raises(Invalid, match="is the broker's own key"):
        Bus(door.url, key=file)


def test_a_unix_socket_takes_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ipc:// the key is not even read: the permissions of the file are the check."""
    monkeypatch.setenv("HEARTHBUS_KEY", str(tmp_path / "missing.key"))

    Bus(f"ipc://{tmp_path}/bus")
    with pytest.raises(Invalid, match=r"missing\.key cannot be read"):
        Bus("tcp://127.0.0.1:7600")


def test_the_name_of_a_client_with_a_key(door: Doorman, tmp_path: Path) -> None:
    """A client that is given no name is <key>.<program>-<pid>, and that is never too long."""
    longest = "k" * 40
    short = Bus(door.url, key=door.client_key(tmp_path / "a.key")).name
    long = Bus(door.url, key=door.client_key(tmp_path / "b.key", longest)).name

    assert ["kitchen", str(os.getpid())] == [short.split(".")[0], short.rpartition("-")[2]]
    assert [longest, str(os.getpid())] == [long.split(".")[0], long.rpartition("-")[2]]


async def _values(messages: Subscription, *, until: int) -> list[int]:
    values: list[int] = []
    async for message in messages:
        values.append(message["value"])
        if values[-1] == until:
            break
    return values
