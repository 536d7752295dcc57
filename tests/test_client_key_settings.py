"""Where the key comes from: HEARTHBUS_KEY, [bus] key beside [bus] url; for services and for verbs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from doorman import Doorman

from hearthbus.bus import DEFAULT_URL
from hearthbus.cli.where import where
from hearthbus.config import load
from hearthbus.errors import Invalid
from hearthbus.running.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KITCHEN = '[bus]\nurl = "tcp://pi:7600"\nkey = "kitchen.key"\n'


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write ./hearthbus.toml, with nothing said by the environment."""
    for name in ("HEARTHBUS_URL", "HEARTHBUS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        file = tmp_path / "hearthbus.toml"
        file.write_text(text)
        return file

    return write


def asked(url: str | None = None) -> tuple[str, str, list[str]]:
    """Where a verb goes, and what it notes."""
    notes: list[str] = []
    return (*where(url, note=notes.append), notes)


def test_a_key_lies_beside_the_file_that_names_it(configured: Callable[[str], Path], tmp_path: Path) -> None:
    """[bus] key is relative to the file in which it stands, wherever the process was started."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "bus.toml").write_text(KITCHEN)
    file = configured('include = ["conf.d/*.toml"]\n')

    assert f"{tmp_path}/conf.d/kitchen.key" == load(file, only=()).key


def test_the_environment_s_key_comes_first(configured: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """HEARTHBUS_KEY is stronger than the file, as HEARTHBUS_URL is."""
    file = configured(KITCHEN)
    monkeypatch.setenv("HEARTHBUS_KEY", "/run/credentials/key")

    assert "/run/credentials/key" == load(file, only=()).key
    assert ("tcp://pi:7600", "/run/credentials/key", []) == asked()


def test_a_key_is_for_one_broker(
    configured: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another broker is named, the key that stands beside [bus] url is not shown to it."""
    file = configured(KITCHEN)
    monkeypatch.setenv("HEARTHBUS_URL", "tcp://elsewhere:7600")

    assert "" == load(file, only=()).key
    assert ("tcp://elsewhere:7600", "", []) == asked()
    assert ("tcp://pi:7600", f"{tmp_path}/kitchen.key", []) == asked("tcp://pi:7600")


@pytest.mark.parametrize("url", ["", 'url = "ipc:///run/hearthbus/bus"\n'])
def test_a_key_alone_is_a_slip(configured: Callable[[str], Path], url: str) -> None:
    """A key without the other machine's address, or for a Unix socket, could only fail later."""
    with pytest.raises(Invalid) as caught:
        load(configured(f'[bus]\n{url}key = "kitchen.key"\n'), only=())

    assert 'key is for the broker of another machine: name that too, url = "tcp://HOST:PORT"' in str(
        caught.value.problems
    )


def test_the_folder_of_keys_lies_beside_its_file(configured: Callable[[str], Path], tmp_path: Path) -> None:
    """[broker] keys is relative to the configuration, too."""
    house = load(configured('[broker]\nkeys = "keys"\n'), only=(), broker=True)

    assert f"{tmp_path}/keys" == house.broker.keys


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (KITCHEN, ("tcp://pi:7600", "{folder}/kitchen.key")),
        ('[broker]\naddress = "ipc:///run/hearthbus/bus"\n', ("ipc:///run/hearthbus/bus", "")),
        ("", (DEFAULT_URL, "")),
        ("[sun]\nlatitude = 91\n[nonsense]\nx = 1\n", (DEFAULT_URL, "")),
    ],
)
def test_a_verb_finds_the_broker_of_the_configuration(
    configured: Callable[[str], Path], tmp_path: Path, text: str, found: tuple[str, str]
) -> None:
    """Verbs go where services go, and what else is wrong with the file does not matter to them."""
    configured(text)

    assert (*(part.format(folder=tmp_path) for part in found), []) == asked()


def test_no_configuration_no_key(configured: Callable[[str], Path]) -> None:
    """Where there is no configuration, and whatever the example house says, it is the broker on this machine."""
    del configured

    assert (DEFAULT_URL, "", []) == asked()


def test_a_broken_configuration_is_told_where_it_is_needed(configured: Callable[[str], Path]) -> None:
    """A file that is no TOML ends a verb that has to ask it, and none that was told the address."""
    configured("[bus\n")

    with pytest.raises(Invalid, match=r"hearthbus\.toml:1: no TOML.*name the broker with --url"):
        asked()
    assert ("tcp://pi:7600", "", []) == asked("tcp://pi:7600")


def test_a_wrong_bus_table_is_told(configured: Callable[[str], Path]) -> None:
    """A slip in [bus] is told with its place."""
    configured('[bus]\nulr = "tcp://pi:7600"\n')

    with pytest.raises(Invalid, match=r"hearthbus\.toml:2: bus\.ulr: unknown key; did you mean 'url'\?"):
        asked()


def test_a_verb_shows_the_key(configured: Callable[[str], Path], tmp_path: Path) -> None:
    """`hearthbus pub` in a folder with a configuration comes in with its key and needs no option."""
    with Doorman() as door:
        door.client_key(tmp_path / "kitchen.key")
        configured(f'[bus]\nurl = "{door.url}"\nkey = "kitchen.key"\n')
        done = _hearthbus("pub", "sensor/kitchen/temperature", "value=20.5", cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert [b"sensor/kitchen/temperature"] == door.published


def test_a_verb_that_is_refused_says_so_once(configured: Callable[[str], Path], tmp_path: Path) -> None:
    """One line on standard error that names the key, and the exit code of a refusal."""
    with Doorman() as door:
        door.client_key(tmp_path / "kitchen.key", allow=False)
        configured(f'[bus]\nurl = "{door.url}"\nkey = "kitchen.key"\n')
        done = _hearthbus("get", "sensor/#", cwd=tmp_path)

    assert 5 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"hearthbus: the broker at {door.url} refuses the key kitchen ({tmp_path}/kitchen.key): ")


def test_a_service_shows_the_key(configured: Callable[[str], Path], tmp_path: Path) -> None:
    """`hearthbus run` comes in with the key of its configuration, once it is let in, and does not end before."""
    with Doorman() as door:
        door.client_key(tmp_path / "kitchen.key", allow=False)
        configured(f'[bus]\nurl = "{door.url}"\nkey = "kitchen.key"\n[host]\n')
        with _process("run", "host", cwd=tmp_path) as process:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            refused = next(line for line in lines if "refuses" in line)
            door.allowed |= set(door.asked)
            running = next(line for line in lines if "running on" in line)

    assert f"the broker at {door.url} refuses the key kitchen" in refused
    assert door.url in running


async def test_another_key_is_taken_at_a_reload(configured: Callable[[str], Path]) -> None:
    """A service whose configuration names another key is connected anew by SIGHUP; the same key changes nothing."""
    file = configured(KITCHEN + "[host]\n")
    runner = Runner(load(file), ["host"])
    (keeper,) = runner._keepers
    runner.reload()
    before = keeper._interrupt.is_set()
    configured(KITCHEN.replace("kitchen.key", "attic.key") + "[host]\n")
    runner.reload()

    assert (False, True) == (before, keeper._interrupt.is_set())


def test_no_key_costs_no_import() -> None:
    """A process whose bus needs no key does not load what reads keys."""
    program = "import sys; from hearthbus import Bus; Bus('tcp://127.0.0.1:7600'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert set() == {"hearthbus.keys", "tomllib", "hearthbus.config"} & set(done.stdout.split())


def _hearthbus(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hearthbus", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@contextlib.contextmanager
def _process(*words: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hearthbus", *words]
    process = subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True)
    try:
        with process:
            yield process
            process.terminate()
    finally:
        process.kill()
