"""The calendar service as a process, killed where it stands, and its source gone: what is in the journal then."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from calendar_process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Broker

    from hearthbus.bus import Bus
    from hearthbus.message import Message

EVENTS = 8
KILLS = 8
SOON_S = 60.0
SOURCE = "calendar/bins/source"
TOPICS = ("calendar/bins/start", "calendar/bins/end")


@pytest.fixture
def process(broker: Broker, tmp_path: Path) -> Iterator[Process]:
    """The service; not running yet."""
    process = Process(tmp_path, broker.url)
    yield process
    process.kill()


async def journal(bus: Bus) -> list[Message]:
    """Return every start and end there was."""
    return [message async for message in bus.replay(*TOPICS)]


def edges(messages: list[Message]) -> Counter[tuple[str, str]]:
    """Count the starts and ends of each event."""
    return Counter((message["uid"], message.topic.rpartition("/")[2]) for message in messages)


async def test_killed_around_starts(broker: Broker, process: Process) -> None:
    """Killed again and again as it tells, the broker too: each start and end is in the journal once, in order."""
    chance = random.Random(5)
    begin = int(time.time()) + 3
    events = [(f"e{number}", begin + number, begin + number + chance.randrange(4)) for number in range(EVENTS)]
    wanted = {(name, edge) for name, _, _ in events for edge in ("start", "end")}
    process.write(events)
    process.start()
    found: set[tuple[str, str]] = set()
    kills = 0
    async with broker.bus("watcher") as bus, bus.subscribe(*TOPICS, SOURCE) as messages, asyncio.timeout(SOON_S):
        while (message := await anext(messages)).topic != SOURCE:
            found |= set(edges([message]))  # on a busy machine the first start is past before the source has answered
        while found != wanted:
            with suppress(TimeoutError):
                message = await asyncio.wait_for(anext(messages), chance.choice((0.7, 1.5, 2.5)))
                found |= set(edges([message])) if message.topic in TOPICS else set()
            if kills < KILLS and chance.random() < 0.8:
                process.kill()
                kills += 1
                if kills == KILLS // 2:
                    broker.kill()
                    broker.start()
                process.start()
        told = await journal(bus)

    assert dict.fromkeys(wanted, 1) == edges(told)
    assert all(before["scheduled"] <= after["scheduled"] for before, after in pairwise(told))
    assert kills >= KILLS // 2


async def test_the_source_is_gone(broker: Broker, process: Process) -> None:
    """What is stored starts all the same, after a kill too; the state and `hearthbus status` say that it is offline."""
    start = int(time.time()) + 5
    process.write([("tea", start, start + 3600)])
    async with broker.bus("watcher") as bus, asyncio.timeout(SOON_S):
        async with bus.subscribe(SOURCE) as states, bus.subscribe("service/calendar/health", *TOPICS) as messages:
            process.start()
            assert "ok" == (await anext(states))["status"]
            process.file.unlink()
            process.kill()
            process.start()
            while (state := await anext(states))["status"] == "ok":
                pass
            seen: set[str] = set()
            async for message in messages:
                if message.topic in TOPICS or message.get("trouble"):
                    seen.add(message.topic)
                if len(seen) == 2:
                    break
        told = await journal(bus)
    memory = process.private_bytes()

    assert memory < 60e6
    assert ("gone", {("tea", "start"): 1}) == (state["kind"], edges(told))
    assert "bins: offline since" in process.status()
