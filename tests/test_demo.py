"""`hearthbus up --demo`: a living house in a folder of its own, from one command."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ether_build import build
from ports import free_port
from test_topics_page import faults
from told import Tail

from drivers.rfxtrx import codec
from hearthbus import Bus, Invalid, Message, Unavailable
from hearthbus.cli.demo import FIRMWARE, TRY, demo_house
from hearthbus.config import load
from hearthbus.topics import matches
from services.jeenode.twin.house import ONEWIRE, ROOMS
from services.rfxtrx import naming
from services.rfxtrx.twin.traffic import BUTTONS, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEARTHBUS = (sys.executable, "-m", "hearthbus")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTHBUS_URL", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return an empty folder with a short name: a Unix socket's path has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="hb-") as name:
        yield Path(name)


def furnish(folder: Path, *, firmware: Path | None = None) -> str:
    """Make a demonstration's folder whose broker is its own, so that tests can run beside each other."""
    url = f"ipc://{folder}/bus"
    with demo_house(str(folder), firmware=firmware is not None) as config:
        text = Path(config).read_text().replace("[broker]", f'[broker]\naddress = "{url}"')
        text = text.replace("[telemetry.prometheus.metrics]", f"[telemetry.prometheus.metrics]\nport = {free_port()}")
        if firmware is not None:
            text = text.replace("\n[jeenode-twin]", f'\n[jeenode-twin]\nfirmware = "{firmware}"')
        Path(config).write_text(text)
    return url


def demonstrate(folder: Path) -> subprocess.Popen[bytes]:
    """Start the demonstration in a folder that is ready."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen((*HEARTHBUS, "up", "--demo", "--folder", str(folder)), stdout=log, stderr=log)


def files(folder: Path) -> set[str]:
    """Return the names of what is in a folder."""
    return {path.name for path in folder.iterdir()}


class Watch:
    """What is said in the demonstration."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.messages: list[Message] = []

    async def see(self, pattern: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True) -> Message:
        """Wait for a message."""
        async with asyncio.timeout(30):
            async for message in self.bus.subscribe(pattern):
                if not message.is_request and holds(message.body):
                    return message
        raise AssertionError("the subscription ended")

    async def gather(self) -> None:
        """Note everything."""
        async for message in self.bus.subscribe("#"):
            self.messages.append(message)


async def restarted(watch: Watch, before: int) -> None:
    """Restart a node until it has been heard to: two starts within two seconds count as one."""
    async with asyncio.timeout(30):
        while True:
            await watch.bus.request("jeenode-twin/restart", node=3)
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await watch.see("radio/rf12/node/212-3", lambda body: body["restarts"] > before)
                    return


async def test_a_living_house_from_one_command(folder: Path) -> None:
    """Nodes report, motion switches lights, a colour fades and confirms; every message is as docs/topics.md says."""
    url = furnish(folder)
    up = demonstrate(folder)
    try:
        async with Bus(url, connect_timeout=20) as bus:
            watch = Watch(bus)
            gathering = asyncio.create_task(watch.gather())
            for place in ("kitchen", "hall", "living", "heating-flow", "heating-return"):
                await watch.see(f"sensor/{place}/temperature")
            await watch.see("radio/rf12/node/212-2", lambda body: body["kind"] == "led")
            await watch.see("service/motion_light", lambda body: body["status"] == "online")
            answer = await bus.request("light/kitchen/set", rgb=[255, 120, 20], brightness=1, fade_s=2)
            await watch.see("motion_light/kitchen", lambda body: body["mode"] == "manual")
            await bus.request("jeenode-twin/move", place="hall")
            lit = await watch.see("light/hall", lambda body: body["on"] and body["confirmed"])
            known = await watch.see("radio/rf12/node/212-3", lambda body: body.get("restarts", 0) > 0)
            await restarted(watch, known["restarts"])
            await around_the_stick(watch)
            devices = await in_a_shell("devices", "--url", url)
            shown = await in_a_shell("nodes", "--url", url)
            rows = [json.loads(line) for line in (await in_a_shell("nodes", "--json", "--url", url)).splitlines()]
            gathering.cancel()
    finally:
        up.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(up.wait, 20)

    assert 0 == code, (folder / "log").read_text()
    assert {"on": True, "rgb": [255, 120, 20], "brightness": 1.0, "confirmed": True} == answer
    assert [255, 160, 60] == lit["rgb"]
    assert 6 == len(rows)
    assert "rf12/212-2" in shown
    assert all(name in devices for name in ("garden", "desk", "doorbell", "lighting2.ac.0d5a0e2.2"))
    assert "kitchen-strip" in shown
    assert {"led", "room", "onewire"} == {row["kind"] for row in rows}
    assert not [fault for message in watch.messages for fault in faults(message)]
    assert {"hearthbus.toml", "data", "log"} <= files(folder)


async def around_the_stick(watch: Watch) -> None:
    """Hear a sensor of the simulated stick, dim a light, ring the bell, move."""
    await watch.see("sensor/garden/temperature")
    answer = await watch.bus.request("light/desk/set", brightness=0.5)
    sent = await watch.bus.request("rfxtrx-twin/sent")
    await watch.bus.request("rfxtrx-twin/press", button="doorbell")
    await watch.see("rfxtrx/devices/chime.byron-sx.005a", lambda body: body["heard"] >= 1)
    await watch.bus.request("rfxtrx-twin/press", button="motion")
    moved = await watch.see("sensor/stairs/motion", lambda body: body["value"])

    assert {"on": True, "brightness": 0.5, "confirmed": True} == answer
    assert ("set_level", 7) == tuple(sent["devices"]["lighting2.ac.0d5a0e2.1"][key] for key in ("command", "level"))
    assert moved["value"] is True


async def test_the_same_house_on_real_firmware(folder: Path) -> None:
    """Compiled programs on simulated processors: they report, and a light confirms, through the same services."""
    furnish(folder, firmware=build())
    up = demonstrate(folder)
    try:
        async with Bus(f"ipc://{folder}/bus", connect_timeout=20) as bus:
            watch = Watch(bus)
            await watch.see("radio/rf12/node/212-2", lambda body: body["kind"] == "led")
            answer = await bus.request("light/kitchen/set", rgb=[255, 120, 20])
            reading = await watch.see("sensor/kitchen/temperature")
    finally:
        up.terminate()
        await asyncio.to_thread(up.wait, 20)

    assert answer["confirmed"], (folder / "log").read_text()
    assert 15 < reading["value"] < 25


async def in_a_shell(*words: str) -> str:
    """Run the command and return what it prints."""
    process = await asyncio.create_subprocess_exec(*HEARTHBUS, *words, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode()


async def test_what_to_type_next_is_said(folder: Path) -> None:
    """The greeting names commands that work."""
    url = furnish(folder)
    up = demonstrate(folder)
    try:
        told = Tail(folder / "log")
        await told.until("Ctrl-C stops it all")
        lines = [line for line in told.lines if any(words in line for words in TRY)]
    finally:
        up.terminate()
        await asyncio.to_thread(up.wait, 20)

    assert len(TRY) == len(lines)
    assert all(line.endswith(f" --url {url}") for line in lines)


def test_a_folder_that_nobody_named_is_gone_afterwards() -> None:
    """The demonstration leaves nothing behind, and touches nothing of the user's."""
    with demo_house(None) as config:
        path = Path(config)
        house = load(config, only=())

    assert not path.parent.exists()
    services = (
        "sun", "schedule", "host", "calendar", "telemetry",
        "jeenode-twin", "jeenode", "motion_light", "rfxtrx-twin", "rfxtrx",
    )  # fmt: skip

    assert services == house.tables
    assert tempfile.gettempdir() == str(path.parent.parent)


def test_a_named_folder_keeps_what_is_in_it(folder: Path) -> None:
    """Who has changed the demonstration finds it as it was; odd characters in its name do no harm."""
    home = folder / 'a "demo" house'
    with demo_house(str(home)) as config:
        Path(config).write_text(Path(config).read_text() + "\n# mine\n")
    with demo_house(str(home)) as again:
        text = Path(again).read_text()
        house = load(again)

    assert text.endswith("# mine\n")
    assert f"{home}/gateway" == house.services["jeenode"].config.gateways["attic"].port


def test_the_demonstration_s_nodes_are_those_of_the_twin() -> None:
    """Every simulated node has its table."""
    with demo_house(None) as config:
        nodes = load(config).services["jeenode"].config.nodes

    assert {*ROOMS.values(), *ONEWIRE.values(), 2, 3} == {node.id for node in nodes.values()}


def test_the_demonstration_s_devices_are_those_of_the_stick_s_twin() -> None:
    """Every device that is named is one that speaks, can be pressed, or is told."""
    with demo_house(None) as config:
        devices = load(config).services["rfxtrx"].config.devices
    plain = [source.says(1e9) for source in Traffic().sources] + [plain for _, plain in BUTTONS.values()]
    heard = {naming.key(codec.from_plain(each)) for each in plain}

    assert set() == {device.id for device in devices.values()} - heard


def test_nobody_s_house_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """With HEARTHBUS_URL set the simulated nodes would speak in somebody's real house."""
    monkeypatch.setenv("HEARTHBUS_URL", "tcp://127.0.0.1:7600")

    with pytest.raises(Invalid, match="HEARTHBUS_URL is set"), demo_house(None):
        pass


def test_real_firmware_takes_the_twin_s_place_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same table, another service; where there is none, the text says what is missing."""
    with demo_house(None, firmware=True) as config:
        text = Path(config).read_text()

    assert f'service = "{FIRMWARE}"' in text

    monkeypatch.setattr("hearthbus.cli.demo._SIMULATOR", Path("/nowhere"))

    with pytest.raises(Unavailable, match="--firmware needs the simulator"), demo_house(None, firmware=True):
        pass


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--folder", "x"), "--folder goes with --demo"),
        (("--firmware",), "--firmware goes with --demo"),
        (("--demo", "--config", "x"), "--demo has a configuration of its own"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: tuple[str, ...], complaint: str) -> None:
    """One line, and exit code 64."""
    ended = subprocess.run((*HEARTHBUS, "up", *words), capture_output=True, text=True, check=False)

    assert 64 == ended.returncode
    assert complaint in ended.stderr


def test_patterns_of_nodes_are_topics_of_nodes() -> None:
    """What `hearthbus nodes` asks for is what the service tells."""
    from hearthbus.cli.nodes import PATTERN

    assert matches(PATTERN, "radio/rf12/node/212-5")
