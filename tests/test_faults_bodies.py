"""A house whose every service is told nonsense, on every topic it listens to: each goes on, nobody waits in vain."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from conftest import HEARTHBUS
from figures import figure

from hearthbus.cli.demo import demo_house
from hearthbus.config import load
from hearthbus.errors import HandlerError, HearthbusError
from hearthbus.service import On, Serve, bind

if TYPE_CHECKING:
    from conftest import Broker

    from hearthbus.bus import Bus

LONG_S: Final = 60.0
NESTED: Final[dict[str, Any]] = {"value": {"a": [[[[{"b": [None]}]]]]}}
VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 2**63, -(2**63), 1e308, "", "x" * 3_000, "\0\n\x1b[2J", "é\U0001f525", [], [None, [], {}], {},
    {"on": {"on": []}},
)  # fmt: skip
AT_ONCE: Final = 100
"""Requests under way, fewer than the broker lets one client have."""
LONGEST_LINE: Final = 1000
"""Characters: what is refused is not written into the log at length."""
SLOW: Final = {"rfxtrx/remotes"}
"""Reads the whole of a stick, for seconds, whatever it is told."""
KEYS: Final = (
    "value", "on", "rgb", "brightness", "fade_s", "status", "elevation", "place", "node", "button", "faults", "hex",
    "device", "sink", "protocols", "settings", "gateway", "confirmed", "unit",
)  # fmt: skip
BODIES: Final = ({}, NESTED, {"value": "x" * 60_000}, *(dict.fromkeys(KEYS, value) for value in VALUES))


def heard(config: Path) -> tuple[set[str], set[str]]:
    """Return a topic for each pattern the house's services listen to, and for each they answer."""
    listened: set[str] = set()
    served: set[str] = set()
    for name, instance in load(config).services.items():
        for binding in bind(instance.kind, instance.config, name):
            topics = {pattern.replace("+", "x").replace("#", "x") for pattern in binding.patterns}
            if isinstance(binding.mark, On):
                listened |= topics
            elif isinstance(binding.mark, Serve):
                served |= topics
    return listened, served - SLOW


def move_in(broker: Broker, path: str, names: set[str], log: Path) -> subprocess.Popen[bytes]:
    """Run these services of a demonstration, in one process."""
    config = Path(path)
    text = config.read_text().replace("[telemetry.prometheus.metrics]", "[telemetry.prometheus.metrics]\nport = 1\n#")
    config.write_text(text)
    environ = {**os.environ, "HEARTHBUS_URL": broker.url}
    with log.open("wb") as output:
        return subprocess.Popen(
            (*HEARTHBUS, "run", *names, "--config", path), env=environ, stdout=output, stderr=output
        )


async def until_online(bus: Bus, names: set[str]) -> None:
    """Return when all of these services are there, and the stick."""
    async with asyncio.timeout(LONG_S), bus.subscribe("service/+", "rfxtrx/stick") as messages:
        missing = {*(f"service/{name}" for name in names), "rfxtrx/stick"}
        while missing:
            message = await anext(messages)
            if message["status"] == "online":
                missing.discard(message.topic)


async def test_nonsense_ends_no_service(broker: Broker) -> None:
    """Texts for numbers, lists for texts, nothing, too much: all ten are online, in the same process, and answer."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder, demo_house(folder) as path:
        names, log = set(load(path, only=()).tables), Path(folder) / "log"
        listened, served = heard(Path(path))
        house = move_in(broker, path, names, log)
        try:
            async with broker.bus("nonsense") as bus, asyncio.timeout(LONG_S):
                await until_online(bus, names)
                for topic in sorted(listened - served):
                    for body in BODIES:
                        await bus.publish(topic, body)
                turn = asyncio.Semaphore(AT_ONCE)
                asking = [asked(bus, topic, body, turn) for topic in sorted(served) for body in BODIES]
                ended = Counter(await asyncio.gather(*asking))
                await until_online(bus, names)
                alive = await bus.request("light/desk/set", on=True, timeout=10)
        finally:
            code = house.poll()
            house.terminate()
            await asyncio.to_thread(house.wait, 10)
        said = log.read_text()

    assert code is None, said[-2000:]
    assert alive["on"] is True
    assert {"answered", "refused by its handler"} >= ended.keys(), said[-2000:]
    assert len(BODIES) * len(served) == ended.total()
    assert "starting again" not in said
    assert 0 == said.count("Traceback"), said[-2000:]
    assert max(map(len, said.splitlines())) < LONGEST_LINE
    figure(
        12,
        f"{len(BODIES)} bodies on {len(listened)} topics and {len(served)} requests of {len(names)} services: "
        f"{', '.join(f'{count} {how}' for how, count in ended.items())}",
    )


async def asked(bus: Bus, topic: str, body: dict[str, Any], turn: asyncio.Semaphore) -> str:
    """Ask, and return how it ended."""
    try:
        async with turn:
            await bus.request(topic, body, timeout=30)
    except HandlerError:
        return "refused by its handler"
    except HearthbusError as error:
        return f"{type(error).__name__}: {error}"
    return "answered"
