"""The telemetry service on a bus in memory, with one scripted sink called `archive`: what tests of a lane do often."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from telemetry_scripted import SINKS, House, ScriptedSink

if TYPE_CHECKING:
    from pathlib import Path

    from hearthbus.testing import Bench


async def start(bench: Bench, folder: Path, **settings: Any) -> ScriptedSink:
    """Start the service with one sink, `archive`; return what stands for it."""
    await bench.run(House, "telemetry", folder=folder, scripted={"archive": {"every_s": 5.0, **settings}})
    return SINKS["archive"]


async def say(bench: Bench, *values: object, topic: str = "sensor/hall/temperature") -> None:
    """Publish values, one after the other."""
    for value in values:
        await bench.publish(topic, value=value)


async def told(bench: Bench) -> dict[str, Any]:
    """Return what is told of the sink, newly."""
    await bench.advance(10)
    [message] = await bench.bus.get("telemetry/archive")
    return message.body


def dead(folder: Path, sink: str = "archive") -> list[Any]:
    """Return the values in its dead letters."""
    file = folder / f"{sink}.dead.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["body"]["value"] for line in lines]


async def eventually(bench: Bench, wanted: Any, found: Any) -> None:
    """Wait for what a disk takes its time for."""
    async with asyncio.timeout(5):
        while found() != wanted:
            await bench.settle()
            await asyncio.sleep(0.005)


def place(bench: Bench) -> int:
    """Return the place of the sink's subscription."""
    return bench.hub.consumers["telemetry-archive"]
