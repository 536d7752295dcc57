"""`hearthbus doctor` on real machines: with a broker, without one, with whatever configuration; it never stumbles."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import HEARTHBUS, Broker
from ports import free_port

from hearthbus.cli.doctor import text
from hearthbus.cli.key_folder import KeyFolder
from hearthbus.cli.output import Output
from hearthbus.doctor import devices, keys
from hearthbus.doctor.checks import CHECKS, Check, examine
from hearthbus.doctor.finding import bad
from hearthbus.doctor.scene import Scene, look

if TYPE_CHECKING:
    from pathlib import Path

LAMP = """
import asyncio, sys
from hearthbus import Bus
async def main():
    async with Bus(sys.argv[1], name="attic", presence=True):
        print("there", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_a_look_that_stumbles() -> None:
    """One look that fails says so in a line, and the others are told all the same."""

    def stumble(_: Scene) -> int:
        raise ZeroDivisionError("x")

    found = list(examine(Scene(), (Check("broken", stumble, list), *CHECKS[:2])))

    assert ("broken", "bad") == (found[0][0], found[0][1].level)
    assert "a defect of hearthbus: ZeroDivisionError: x" in found[0][1].text
    assert {"broken", "machine", "versions"} == {subject for subject, _ in found}


def run(config: Path, *more: str, **environment: str) -> tuple[int, list[dict[str, str]], str]:
    """Run the command; return its exit code, its findings, and what it said beside them."""
    done = subprocess.run(
        (*HEARTHBUS, "doctor", "--json", "--config", str(config), *more), capture_output=True, text=True, timeout=30,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def of(found: list[dict[str, str]], check: str, level: str = "") -> list[str]:
    return [each["text"] for each in found if each["check"] == check and level in {"", each["level"]}]


async def test_a_running_house(broker: Broker) -> None:
    """With a broker, its version, its socket and its services are told; a service that is there is well."""
    async with broker.bus("lamp", presence=True):
        code, found, said = run(broker.folder / "hearthbus.toml")

    assert "" == said
    assert [] == [each for each in found if each["check"] in {"broker", "ports", "config"} and each["level"] == "bad"]
    assert any("answers, hearthbus" in text for text in of(found, "broker"))
    assert any(re.fullmatch(r"\d+ of \d+ services are online and well", text) for text in of(found, "broker"))
    assert ["ok"] == [each["level"] for each in found if each["check"] == "ports"]
    assert code in {0, 1}


async def test_a_service_that_died(broker: Broker) -> None:
    """A lost service is bad, and so is the exit code."""
    piped = asyncio.subprocess.PIPE
    lamp = await asyncio.create_subprocess_exec(sys.executable, "-c", LAMP, broker.url, stdout=piped)
    assert lamp.stdout is not None
    async with broker.bus("x") as bus, bus.subscribe("service/attic") as presence, asyncio.timeout(30):
        await lamp.stdout.readline()
        lamp.kill()
        async for message in presence:
            if message["status"] == "lost":
                break
        code, found, _ = run(broker.folder / "hearthbus.toml")
    await lamp.wait()

    assert 1 == code
    assert 1 == len([text for text in of(found, "broker", "bad") if text.startswith("attic is lost")])


async def test_a_broker_that_hangs(broker: Broker) -> None:
    """A broker that is there and stands still is told from one that is not, and so is what to do."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        code, found, said = run(broker.folder / "hearthbus.toml")
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    told = [each for each in found if each["check"] == "broker"]

    assert (1, "") == (code, said)
    assert [f"the broker does not answer: somebody listens at {broker.url} and says nothing"] == [
        each["text"] for each in told
    ]
    assert "systemctl restart hearthbus-broker" in told[0]["do"]


def test_a_machine_without_a_key(tmp_path: Path) -> None:
    """Where the broker is another machine's, a house without keys is not said to be for this machine alone."""
    config = tmp_path / "hearthbus.toml"
    config.write_text('[bus]\nurl = "tcp://127.0.0.9:7"\n')
    _, found, _ = run(config)

    assert ["this machine shows no key to the broker at tcp://127.0.0.9:7"] == of(found, "keys")


def test_without_a_broker(tmp_path: Path) -> None:
    """Without a broker everything else is told, soon, and a port that another program has is told with its name."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = other.getsockname()[1]
        config = tmp_path / "hearthbus.toml"
        config.write_text(f'[broker]\naddress = "tcp://127.0.0.1:{port}"\ndata = "{tmp_path}/data"\n')
        begun = time.monotonic()
        code, found, said = run(config)
        took = time.monotonic() - begun

    assert (1, "") == (code, said)
    assert {check.name for check in CHECKS} == {each["check"] for each in found}
    assert any(f"port {port} is taken by" in text for text in of(found, "ports", "bad")) or os.getuid() != 0
    assert 6 > took, "on a busy machine; alone it is under two seconds"


@pytest.mark.parametrize(
    "content",
    [
        "[broker", '[sun]\nlatitude = "here"\n', "[nothing]\n",
        '[broker]\nkeys = "keys"\nnetwork = "tcp://0.0.0.0:7999"\n',
        'include = ["none.toml"]\n',
        '[own]\nservice = "own_service:Own"\n', "\0\1", '[bus]\nurl = "x"\nkey = "no.key"\n',
        '[broker]\naccess = 3\nkeys = 4\ndata = 5\n[house]\ntimezone = 7\n[jeenode]\nport = "/dev/ttyUSB99"\n',
    ],
)  # fmt: skip
def test_whatever_the_configuration_is(tmp_path: Path, content: str) -> None:
    """No configuration, however wrong, ends in anything but findings, one of them about it."""
    config = tmp_path / "hearthbus.toml"
    config.write_text(content)
    (tmp_path / "own_service.py").write_text("raise RuntimeError('of its own')\n")
    found = list(examine(look(str(config))))

    assert [] == [finding.text for _, finding in found if "defect" in finding.text]
    assert [] != [finding for check, finding in found if check in {"config", "keys"} and finding.level == "bad"]


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    """Of what a configuration would name nothing is said where it is no TOML."""
    config = tmp_path / "hearthbus.toml"
    config.write_text("[broker")
    _, found, _ = run(config)

    assert set() == {each["check"] for each in found} & {"keys", "devices"}
    assert [] == [text for text in of(found, "clock") if "no time zone is set" in text]


def test_keys_that_others_can_read(tmp_path: Path) -> None:
    """An open folder of keys is bad; no key of the folder is printed."""
    folder = tmp_path / "keys"
    (folder / "allowed").mkdir(parents=True)
    key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    (folder / "broker.key").write_text(f'name = "broker"\npublic = "{key}"\nsecret = "{key}"\n')
    folder.chmod(0o755)
    config = tmp_path / "hearthbus.toml"
    config.write_text('[broker]\nkeys = "keys"\n')
    code, found, said = run(config)

    assert (1, "") == (code, said)
    assert any("chmod 700" in text for text in of(found, "keys", "bad"))
    assert key not in json.dumps(found)


def test_a_key_that_is_another_s(tmp_path: Path) -> None:
    """A key of the broker's that belongs to somebody else than its folder is named; so is one that is not there."""
    folder = tmp_path / "keys"
    KeyFolder(str(folder)).init()
    if os.geteuid() == 0:
        os.chown(folder / "broker.key", 65534, -1)
    scene = Scene(tables={"broker": {"keys": str(folder)}}, folder=str(tmp_path))
    found = keys.gather(scene)
    (folder / "broker.key").unlink()
    later = keys.gather(scene)

    assert (False, True) == (found.missing, later.missing)
    assert ((str(folder / "broker.key"),) if os.geteuid() == 0 else ()) == found.foreign
    assert ((), ()) == (found.faults, later.faults)


def test_a_port_that_is_not_there() -> None:
    """A serial port of a configured service is looked for, through every depth of its table."""
    scene = Scene(
        kinds={"a": "a"}, tables={"a": {"port": "/dev/none-such", "more": [{"port": "/dev/null"}]}}, user="nobody"
    )
    found = {each.path: each for each in devices.gather(scene).devices}

    assert (False, True, True) == (found["/dev/none-such"].there, found["/dev/null"].there, found["/dev/null"].allowed)


def test_at_eighty_columns() -> None:
    """At a terminal lines are broken between words, below their beginning; in a file they are whole."""
    finding = bad("found " * 30, "sudo systemctl restart hearthbus-broker; " * 4)
    told = list(text([("disk", finding)], Output(line=print, note=print, width=lambda: 80)))
    whole = list(text([("disk", finding)], Output(line=print, note=print)))

    assert 80 >= max(map(len, told))
    assert {" " * 16} == {line[:16] for line in told[1:-1]}
    assert " ".join(whole).split() == " ".join(told).split()
    assert 3 == len(whole)
