"""deploy/install.sh on a clean Debian under a real systemd, without network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packages import LOWER, ROOT, SLOW_S, SOURCES, Installed, Wheels, run, wheels

from hearthbus.config import load
from hearthbus.plugins import to_install
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["wheels"]

SHELL = ("deploy/install.sh", "deploy/hearthbus", "deploy/debian/hearthbus-extra", "scripts/deb")
CONFIGURATION = "/etc/hearthbus/hearthbus.toml"
KILL = "[Service]\nExecStopPost=+-/bin/sh -c 'kill -KILL $(cat /run/installer) && rm /run/installer'\n"
"""The installer is killed at the worst moment: everything is stopped, nothing new is there."""
STATE = (
    "find /opt /etc /usr/local /var/lib/hearthbus -not -path '*/broker/*' -printf '%i %m %u %g %s %C@ %p\\n';"
    "systemctl show -P MainPID hearthbus-broker 'hearthbus@*'"
)


@pytest.mark.timeout(600)  # with what is made once for all: a Debian, wheels, packages
def test_an_installation_from_the_first_day_to_the_last(tmp_path: Path, wheels: Wheels) -> None:
    """One command brings the house up; again, it changes nothing; a change keeps all, is finished, or is undone."""
    checkout = tmp_path / "checkout"
    for name in SOURCES:
        copy: Callable[..., object] = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, checkout / name)
    house = Installed()
    with house.machine as machine:
        house.prepare()
        for folder in (checkout, wheels.lower, wheels.current, wheels.build):
            machine.put_tree(folder, "/home/pi")
        machine.run("chmod -R go-rwx /home/pi/checkout")  # who clones with a umask of 077 has this
        online = "PIP_NO_INDEX=1 PIP_FIND_LINKS='/home/pi/current /home/pi/build'"  # for PyPI
        install = f"cd /home/pi && {online} SUDO_USER=pi checkout/deploy/install.sh"

        refused = machine.run(f"{install} --wheels /home 2>&1", check=False)
        stranger = machine.run(f"{install} --user nobody-here 2>&1", check=False)
        machine.put(CONFIGURATION, "[sun\n")
        unfit = machine.run(f"{install} --sd-card 2>&1", check=False, timeout=SLOW_S)
        machine.run(f"rm {CONFIGURATION}; {install} --sd-card", timeout=SLOW_S)
        house.online(VERSION)
        made = machine.run(f"stat -c '%a %U %G' {CONFIGURATION}; sed -n '/Auckland/p; /^latitude/p' {CONFIGURATION}")
        machine.run(f"echo '[schedule.entries.tea]\ncron = \"0 16 * * *\"' >>{CONFIGURATION}")
        kept = machine.run(f"cat {CONFIGURATION}")
        house.as_pi("hearthbus pub sensor/attic/temperature value=20.5 -r --confirm")

        assert "there is no hearthbus-*.whl in /home\nhearthbus: what next: " in refused
        assert "there is no user nobody-here\nhearthbus: what next: " in stranger
        assert "the broker has no key\nhearthbus: what next: mend what is said above, and install again" in unfit
        assert "640 root hearthbus" == made.splitlines()[0]
        assert "latitude = -36.87 " in made
        assert 'timezone = "Pacific/Auckland"' in made

        before = machine.run(STATE)
        again = machine.run(f"{install} --sd-card 2>&1")

        assert before == machine.run(STATE)
        assert "nothing had to be done" in again

        changes(house, install)

        assert kept == machine.run(f"cat {CONFIGURATION}")

        removed = machine.run(f"{install} --uninstall 2>&1")

        assert "These stay: /etc/hearthbus (configuration, keys), /var/lib/hearthbus (journal, state)" in removed
        assert kept == machine.run(f"cat {CONFIGURATION}")
        assert "broker" in machine.run("ls /opt; ls /var/lib/hearthbus")
        assert "" == machine.run("ls /opt; find /usr/local -name '*hearthbus*'")

        machine.run(f"{install} --purge 2>&1")

        assert "" == house.leftovers()


def changes(house: Installed, install: str) -> None:
    """Try a change that is refused, one that is killed and typed again, and one that is undone."""
    machine = house.machine
    machine.run(f"echo '[sun' >>{CONFIGURATION}")
    running = machine.run("systemctl show -P MainPID hearthbus-broker 'hearthbus@*'")
    refused = machine.run(f"{install} --wheels lower 2>&1", check=False, timeout=SLOW_S)
    machine.run(f"sed -i '$d' {CONFIGURATION}")

    assert f"the new version does not take {CONFIGURATION}; nothing was changed" in refused
    assert running == machine.run("systemctl show -P MainPID hearthbus-broker 'hearthbus@*'")

    machine.put("/run/systemd/system/hearthbus-broker.service.d/kill.conf", KILL)
    machine.run("systemctl daemon-reload")
    killed = machine.run(
        "cd /home/pi && sh -c 'echo $$ >/run/installer; exec checkout/deploy/install.sh --wheels lower' 2>&1;"
        "echo exit $?",
        timeout=SLOW_S,
    )
    machine.until(lambda: "inactive" == machine.show("hearthbus-broker", "ActiveState"), "the broker has stopped")
    finished = machine.run(f"{install} --wheels lower 2>&1", timeout=SLOW_S)
    house.online(LOWER)

    assert "exit 137" in killed
    assert "the last installation was broken off; what it stopped is started again" in finished
    assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")

    house.spoil("hearthbus.1")
    failed = machine.run(f"{install} 2>&1; echo exit $?", check=False, timeout=SLOW_S)
    house.online(LOWER)

    assert f"going back to hearthbus {LOWER}" in failed
    assert "what next: journalctl -u hearthbus-broker" in failed
    assert "exit 1" in failed
    assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--wheels"], "--wheels needs a word after it"),
        (["--colour"], "--colour is nothing this knows"),
    ],
)
def test_a_mistake_is_said(words: list[str], said: str) -> None:
    """What cannot be meant ends with 64, the mistake and the usage, before anything is changed."""
    done = subprocess.run(("sh", ROOT / "deploy/install.sh", *words), capture_output=True, text=True, check=False)

    assert 64 == done.returncode
    assert said in done.stderr
    assert "sudo deploy/install.sh --uninstall | --purge" in done.stderr


@pytest.mark.parametrize(
    ("command", "asked", "said"),
    [
        (
            "house_start hearthbus@sun",
            "start hearthbus-broker|start hearthbus-broker|start --no-block hearthbus@sun",
            True,
        ),
        ("export STATE=masked; house_start hearthbus@kitchen", "start --no-block hearthbus@kitchen", False),
        ("house_stop hearthbus-broker.service", "stop hearthbus-broker", False),
        ("house_stop hearthbus@sun hearthbus-broker.service", "stop hearthbus@sun|stop hearthbus-broker", False),
    ],
)
def test_systemd_is_asked_for_what_there_is(tmp_path: Path, command: str, asked: str, said: bool) -> None:  # noqa: FBT001 - a column of a table
    """A broker that takes long is waited for, with a word; one that is masked is not, for the house has it elsewhere; a
    house that is the broker alone can be stopped.
    """
    (tmp_path / "systemctl").write_text(
        '#!/bin/sh\necho "$*" >>"$0.asked"\n[ "$1" != show ] || echo "${STATE:-loaded}"\n[ "$1" != start ] || sleep 1\n'
    )
    (tmp_path / "systemctl").chmod(0o755)
    script = f". {ROOT}/deploy/release.sh; . {ROOT}/deploy/house.sh; patience=0.2; {command}"
    told = run("env", f"PATH={tmp_path}:{os.environ['PATH']}", "sh", "-euc", script)
    words = (tmp_path / "systemctl.asked").read_text().replace(".service", "").splitlines()

    assert asked.split("|") == [line for line in words if line.startswith(("start", "stop"))]
    assert said == ("the broker is not ready yet; it has a minute and a half" in told)


@pytest.mark.parametrize(
    ("zone", "place"),
    [("Pacific/Auckland", (-36.87, 174.77)), ("Europe/Berlin", (52.5, 13.37)), ("Etc/UTC", (51.51, -0.13))],
)
def test_the_new_configuration_is_right_for_its_time_zone(
    tmp_path: Path, zone: str, place: tuple[float, float]
) -> None:
    """The template, with the place filled in, is a configuration without a problem; an unknown place is London."""
    script = f". {ROOT}/deploy/house.sh; house_at_home {zone} <{ROOT}/deploy/hearthbus.toml"
    (tmp_path / "hearthbus.toml").write_text(run("sh", "-c", script))
    house = load(tmp_path / "hearthbus.toml")

    assert place == (house.place.latitude, house.place.longitude)
    assert ("Europe/London" if zone == "Etc/UTC" else zone) == house.place.timezone
    assert ("sun", "schedule", "host") == house.tables
    assert "ipc:///run/hearthbus/bus" == house.url


def test_a_service_that_lacks_something_names_the_way_that_upgrades_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an installation an extra is asked of the installer, with those it has; elsewhere, and all else, of pip."""
    (tmp_path / "made-with").mkdir()
    (tmp_path / "made-with/extras").write_text("house\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    assert "type, in the checkout: sudo deploy/install.sh --extras house,mqtt" == to_install("hearthbus[mqtt]")
    assert to_install("paho-mqtt").endswith("/bin/pip install 'paho-mqtt'")


def test_the_page_says_what_is_true_of_the_jeenode(tmp_path: Path) -> None:
    """What README adds to the new configuration for the first light is a configuration without a problem."""
    section = (ROOT / "README.md").read_text().partition("## On a Raspberry Pi")[2]
    tables = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (tmp_path / "hearthbus.toml").write_text((ROOT / "deploy/hearthbus.toml").read_text() + tables[0])

    assert "jeenode" in load(tmp_path / "hearthbus.toml").services


def test_the_scripts_are_clean() -> None:
    """Shellcheck finds nothing in what runs as root, with what it reads."""
    scripts = [*SHELL, *(f"deploy/debian/{name}" for name in ("preinst", "postinst", "prerm", "postrm"))]
    if shutil.which("shellcheck") is None:
        pytest.fail("shellcheck not found: apt install shellcheck")

    assert "" == run("shellcheck", "--external-sources", "--source-path", ROOT, *scripts)
    assert [] == [name for name in scripts if not os.access(ROOT / name, os.X_OK)]
