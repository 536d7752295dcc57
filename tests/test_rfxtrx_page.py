"""docs/rfxtrx-house.md: its tables are configurations, and its commands do what the page says, on a simulated stick."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import HEARTHBUS
from test_rfxtrx_house import scene

from hearthbus.config import load

if TYPE_CHECKING:
    from conftest import Broker

PAGE = (Path(__file__).parent.parent / "docs" / "rfxtrx-house.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ hearthbus (.*)$", PAGE, re.MULTILINE)
TABLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
STICK = """
[rfxtrx]
port = "{folder}/tty"
heard_times = 1
"""


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_page_is_a_configuration(table: str, tmp_path: Path) -> None:
    """As it stands, but for the port where the page leaves it out."""
    port = "" if "port =" in table else '[rfxtrx]\nport = "/dev/ttyUSB0"\n\n'
    (tmp_path / "house.toml").write_text(port + table)

    assert load(str(tmp_path / "house.toml")).services["rfxtrx"].config.port


async def test_the_commands_of_the_page_work(broker: Broker) -> None:
    """One after the other, as somebody reads them; what is watched for ever is watched for one message."""
    async with scene(broker, tables=STICK) as house:
        device: Any = house.house
        device.hear(device.traffic.sources[0].says(0.0))
        house.terminal.wake()
        await house.see("rfxtrx/devices/temperature_humidity.th1.2f01")
        for command in COMMANDS:
            more = ("--count", "1") if command.startswith("sub ") else ()
            process = await asyncio.create_subprocess_exec(
                *HEARTHBUS, *shlex.split(command), *more, "--url", broker.url, stderr=asyncio.subprocess.PIPE
            )
            if more:
                device.hear({**device.traffic.sources[0].says(0.0), "celsius": 12.3})
                house.terminal.wake()
            async with asyncio.timeout(20):
                _, problem = await process.communicate()

            assert (0, "") == (process.returncode, problem.decode()), command
        garden = await house.see("rfxtrx/devices/temperature_humidity.th1.5c02")

    assert "garden" == garden["name"]
    assert "down" == device.receivers["rfy.rfy.012345.1"].command
    assert 7 == len(COMMANDS)
