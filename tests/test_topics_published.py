"""A whole house of real processes: everything that is on its bus is as docs/topics.md says."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from test_topics_page import faults

from hearthbus import Bus, Message
from hearthbus.topics import matches

COMMAND = str(Path(sys.executable).with_name("hearthbus"))
HOUSE = Path(__file__).parent.parent / "deploy" / "house.toml"
EXPECTED = (
    "broker/stats", "service/sun", "service/sun/health", "service/host", "service/schedule", "sun/state",
    "schedule/state", "host/+/load", "host/+/memory", "host/+/uptime", "host/+/disk/root",
)  # fmt: skip


async def test_a_real_house_keeps_to_the_page(tmp_path: Path) -> None:
    """The broker, the sun, the schedule and the host of the example house publish what the page says, and all of it."""
    url = f"ipc://{tmp_path}/bus"
    broker = f'[broker]\naddress = "{url}"\ndata = "{tmp_path}/state"\nstats_s = 0.5\n'
    config = tmp_path / "house.toml"
    config.write_text(HOUSE.read_text(encoding="utf-8") + broker, encoding="utf-8")
    up = await asyncio.create_subprocess_exec(
        COMMAND, "up", "--config", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    messages: list[Message] = []
    missing = set(EXPECTED)
    try:
        async with asyncio.timeout(60), Bus(url, connect_timeout=30) as bus:
            async for message in bus.subscribe("#"):
                messages.append(message)
                missing -= {pattern for pattern in missing if matches(pattern, message.topic)}
                if not missing:
                    break
    finally:
        up.terminate()
        await up.wait()

    assert not missing
    assert not [fault for message in messages for fault in faults(message)]
