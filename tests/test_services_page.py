"""docs/services.md: every file on the page is written, every test of it run, every session compared."""

from __future__ import annotations

import asyncio
import configparser
import os
import re
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hearthbus.config import load
from hearthbus.errors import HandlerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Broker

    from hearthbus import Bus

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "services.md").read_text()
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
SESSIONS = re.findall(r"^```console\n\$ hearthbus (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the page's files into a folder, and be there."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delenv("HEARTHBUS_URL", raising=False)
    return tmp_path


def test_the_page_s_tests_pass(folder: Path) -> None:
    """Who copies services and tests from the page sees them pass."""
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(folder))
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)

    assert 0 == ended.returncode, ended.stdout
    assert "4 passed" in ended.stdout


@pytest.mark.parametrize(("words", "printed"), SESSIONS)
def test_sessions_are_as_they_stand(folder: Path, words: str, printed: str) -> None:
    """What the page says a command prints is what it prints."""
    ended = subprocess.run(
        (sys.executable, "-m", "hearthbus", *words.split()),
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip

    assert printed == ended.stdout


def test_every_service_of_the_page_can_be_run(folder: Path) -> None:
    """Each class on the page is one that a configuration can name."""
    modules = {name: text for name, text in FILES.items() if name.endswith(".py") and not name.startswith("test_")}
    classes = {
        name[:-3]: re.findall(r"^class (\w+)\(Service\)", text, re.MULTILINE)[0] for name, text in modules.items()
    }
    needs = {"place": "hall", "sensor": "cellar", "host": "door", "port": 7000, "latitude": 51.5}
    for module, kind in classes.items():
        keys = [key for key in needs if re.search(rf"^        {key}: ", modules[f"{module}.py"], re.MULTILINE)]
        table = [f'service = "{module}:{kind}"', *(f"{key} = {needs[key]!r}".replace("'", '"') for key in keys)]
        (folder / "all.toml").write_text("\n".join([f"[a-{module}]", *table]))

        assert [f"a-{module}"] == list(load(folder / "all.toml").services)


def test_the_front_page_s_service_can_be_run(folder: Path) -> None:
    """README has the page's thermostat, and the three lines that run it."""
    readme = (ROOT / "README.md").read_text()
    (folder / "three.toml").write_text(re.findall(r"^```toml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)[0])

    assert FILES["thermostat.py"] in readme
    assert ["thermostat"] == list(load(folder / "three.toml").services)


def test_an_alert_of_the_page_is_as_the_vocabulary_says(folder: Path) -> None:
    """Whatever publishes an alert gives it all three keys."""
    alerts = re.findall(r'publish\(\s*f"alert/.*?\)', (folder / "watchdog.py").read_text(), re.DOTALL)

    assert [True] == [all(f"{key}=" in alert for key in ("active", "message", "since")) for alert in alerts]


def test_the_other_files_are_sound(folder: Path) -> None:
    """TOML and INI files of the page can be read."""
    package = tomllib.loads((folder / "pyproject.toml").read_text())
    settings = configparser.ConfigParser()
    settings.read(folder / "pytest.ini")

    assert "thermostat:Thermostat" == package["project"]["entry-points"]["hearthbus.services"]["thermostat"]
    assert "auto" == settings["pytest"]["asyncio_mode"]


async def test_the_house_of_the_page_works(broker: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run for real, a cold reading switches the heater on, and a bad request is answered as the page says."""
    monkeypatch.setenv("HEARTHBUS_URL", broker.url)
    with house(folder) as process:
        async with broker.bus() as bus, asyncio.timeout(20):
            await online(bus, "hall-heater")
            await online(bus, "hall-thermostat")
            async with bus.subscribe("switch/hall-heater") as states:
                while not await heated(bus):
                    await bus.publish("sensor/hall/temperature", value=18.0, unit="°C", retain=True)
                state = await anext(states)
            with pytest.raises(HandlerError) as odd:
                await bus.request("switch/hall-heater/set", on="warm")
            with pytest.raises(HandlerError) as missing:
                await bus.request("switch/hall-heater/set")
        process.terminate()
        code = await asyncio.to_thread(process.wait, 10)

    assert ({"on": True, "confirmed": True}, "hall-heater") == (state.body, state.origin)
    assert ("on is 'warm'; write true or false", "'on' is missing") == (str(odd.value), str(missing.value))
    assert 0 == code


@contextmanager
def house(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the services of a folder's house for a block."""
    process = subprocess.Popen((sys.executable, "-m", "hearthbus", "run"), cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def online(bus: Bus, name: str) -> None:
    """Wait until a service is there."""
    async for message in bus.subscribe(f"service/{name}"):
        if message["status"] == "online":
            return


async def heated(bus: Bus) -> bool:
    """Whether the heater has told its state."""
    return bool(await bus.get("switch/hall-heater"))
