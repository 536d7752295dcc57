"""1-wire for real: `hearthbus run onewire` on a broker, over a folder like the kernel's, and over a mount of owfs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from conftest import HEARTHBUS
from test_topics_page import faults
from w1_tree import CRC_BAD, DEN, HALL, Tree

from drivers.onewire import parse_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from conftest import Broker

    from hearthbus import Bus, Message

TABLE = """
[onewire]
root = "{root}"
every_s = 0.2
at_least_s = 0.2
alert_after = 3
gone_s = 0.5
timeout_s = 2
"""


class Ear:
    """Everything that is told on a bus."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._fresh = asyncio.Event()

    async def listen(self, bus: Bus) -> None:
        """Hear until cancelled."""
        async for message in bus.subscribe("sensor/#", "onewire/#", "alert/#", "service/onewire/health"):
            self.messages.append(message)
            self._fresh.set()

    async def see(self, topic: str, fits: Callable[[dict[str, Any]], bool], *, after: int = 0) -> Message:
        """Return the first message from `after` on that fits, and wait for it."""
        async with asyncio.timeout(20):
            while True:
                for message in self.messages[after:]:
                    if message.topic == topic and fits(message.body):
                        return message
                self._fresh.clear()
                await self._fresh.wait()


@asynccontextmanager
async def service(broker: Broker, root: Path, more: str = "") -> AsyncIterator[Ear]:
    """Run the real service for a block, and hear it; SIGTERM ends it, with exit code 0."""
    config = broker.folder / "house.toml"
    config.write_text(f'[bus]\nurl = "{broker.url}"\n{TABLE.format(root=root)}{more}')
    log = broker.folder / "log"
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *HEARTHBUS, "run", "onewire", "--config", str(config), stdout=out, stderr=out
        )
        ear = Ear()
        async with broker.bus("test") as bus:
            listening = asyncio.create_task(ear.listen(bus))
            try:
                yield ear
                process.send_signal(signal.SIGTERM)

                assert 0 == await asyncio.wait_for(process.wait(), 10)
            except BaseException as error:
                error.add_note(log.read_text()[-3000:])
                raise
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


async def test_unplugged_damaged_and_back(broker: Broker, tmp_path: Path) -> None:
    """A pulled plug, a bad CRC and power-on values are never readings; each alert ends when the sensor is back."""
    tree = Tree(tmp_path)
    tree.plug(HALL, 20.0)
    async with service(broker, tree.root, f'[onewire.sensors]\nhall = {{ id = "{HALL}" }}\n') as ear:
        await ear.see("sensor/hall/temperature", lambda body: body["value"] == 20.0)
        tree.unplug(HALL)
        await ear.see(f"onewire/{HALL}", lambda body: body["status"] == "gone")
        await ear.see("alert/onewire-hall", lambda body: body["active"])
        mark = len(ear.messages)
        tree.plug(HALL, 21.0)
        await ear.see("alert/onewire-hall", lambda body: not body["active"], after=mark)
        await ear.see("sensor/hall/temperature", lambda body: body["value"] == 21.0)
        tree.say(HALL, CRC_BAD)
        mark = len(ear.messages)
        await ear.see("alert/onewire-hall", lambda body: body["active"] and "CRC" in body["message"], after=mark)
        await ear.see("service/onewire/health", lambda body: "hall" in str(body.get("trouble")), after=mark)
        tree.say(HALL, 22.0)
        await ear.see("sensor/hall/temperature", lambda body: body["value"] == 22.0)
        state = await ear.see(f"onewire/{HALL}", lambda body: body["status"] == "ok", after=mark)
        values = {message["value"] for message in ear.messages if message.topic.startswith("sensor/")}

    assert {20.0, 21.0, 22.0} == values
    assert state["errors"]["crc"] >= 3
    assert not [fault for message in ear.messages for fault in faults(message)]


async def test_a_restart(broker: Broker, tmp_path: Path) -> None:
    """An alert of the run before ends with the first good reading; sensors that are gone for good are forgotten."""
    tree = Tree(tmp_path)
    tree.plug(HALL, CRC_BAD)
    tree.plug(DEN, 18.0)
    named = f'[onewire.sensors]\nhall = {{ id = "{HALL}" }}\n'
    async with service(broker, tree.root, named) as ear:
        since = (await ear.see(f"onewire/{DEN}", lambda body: body["status"] == "ok"))["since"]
        await ear.see("alert/onewire-hall", lambda body: body["active"])
    tree.say(HALL, 20.0)
    async with service(broker, tree.root, named) as ear:
        await ear.see("alert/onewire-hall", lambda body: body.get("active") is False)
        state = await ear.see(f"onewire/{DEN}", lambda body: body["status"] == "ok")
    tree.unplug(DEN)
    async with service(broker, tree.root, named) as ear:
        await ear.see(f"onewire/{DEN}", lambda body: not body)
        await ear.see(f"sensor/{DEN}/temperature", lambda body: not body)

    assert since == state["since"]


@contextmanager
def owfs(folder: Path, sensors: str) -> Iterator[Path]:
    """Mount owfs with made-up sensors for a block."""
    if shutil.which("owfs") is None:
        pytest.fail("this test needs owfs: apt-get install owfs-fuse")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no FUSE on this machine: /dev/fuse cannot be opened")
    mount = folder / "1wire"
    mount.mkdir()
    made = subprocess.run(
        ("owfs", f"--fake={sensors}", str(mount)), capture_output=True, text=True, timeout=20, check=False
    )
    if made.returncode or not os.path.ismount(mount):
        pytest.skip(f"owfs cannot be mounted on this machine: {made.stderr.strip()[:200]}")
    try:
        yield mount
    finally:
        subprocess.run(("fusermount", "-u", "-z", str(mount)), capture_output=True, check=True, timeout=20)


async def test_a_real_mount_of_owfs(broker: Broker, tmp_path: Path) -> None:
    """Its sensors come under the kernel's spelling, named ones by owfs' own; its values are what owfs makes up."""
    with owfs(tmp_path, "10,28,1D") as mount:
        names = {path.name[:2]: path.name for path in mount.iterdir() if path.name[2:3] == "."}
        addresses = {code: str(parse_address(name)) for code, name in names.items()}
        crc = {code: (mount / name / "crc8").read_text() for code, name in names.items()}
        named = f'[onewire.sensors]\nhall = {{ id = "{names["28"]}" }}\n'
        async with service(broker, mount, named) as ear:
            hall = await ear.see("sensor/hall/temperature", lambda _: True)
            other = await ear.see(f"sensor/{addresses['10']}/temperature", lambda _: True)
            await ear.see(f"sensor/{addresses['1D']}-a/count", lambda _: True)

    assert addresses["28"] == hall["device"]
    assert 0 <= other["value"] <= 100
    assert crc == {code: f"{parse_address(name).crc:02X}" for code, name in names.items()}
    assert not [fault for message in ear.messages for fault in faults(message)]


def test_owfs_temperatures_are_in_celsius(tmp_path: Path) -> None:
    """Whatever scale its settings name: a folder laid out as owfs does it, set to Fahrenheit."""
    from drivers.onewire import FAMILIES
    from services.onewire.tree import look

    (tmp_path / "settings" / "units").mkdir(parents=True)
    (tmp_path / "settings" / "units" / "temperature_scale").write_text("F")
    (tmp_path / "28.FF4B79A21603").mkdir()
    (tmp_path / "28.FF4B79A21603" / "temperature").write_text("         185")
    tree = look(str(tmp_path))

    assert 85.0 == tree.read(parse_address(HALL), FAMILIES[0x28].channels[0])
