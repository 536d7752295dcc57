"""deploy/install.sh on a clean Debian under a real systemd, without network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packages import HIGHER, LOWER, ROOT, SLOW_S, SOURCES, Installed, Wheels, run, wheels

from hearthbus.config import load
from hearthbus.plugins import to_install
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["wheels"]

SHELL = ("deploy/install.sh", "deploy/hearthbus", "deploy/debian/hearthbus-extra", "scripts/deb")
CONFIGURATION = "/etc/hearthbus/hearthbus.toml"
STATE = (
    "find /opt /etc /usr/local /var/lib/hearthbus -not -path '*/broker/*' -printf '%i %m %u %g %s %C@ %p\\n';"
    "systemctl show -P MainPID hearthbus-broker 'hearthbus@*'"
)


@pytest.mark.timeout(600)  # with what is made once for all: a Debian, wheels, packages
def test_an_installation_from_the_first_day_to_the_last(tmp_path: Path, wheels: Wheels) -> None:
    """One command brings the house up; again, it changes nothing; upgrades keep all, and one that fails is undone."""
    checkout = tmp_path / "checkout"
    for name in SOURCES:
        copy: Callable[..., object] = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, checkout / name)
    house = Installed()
    with house.machine as machine:
        house.prepare()
        for folder in (checkout, wheels.lower, wheels.current, wheels.broken, wheels.build):
            machine.put_tree(folder, "/home/pi")
        install = "cd /home/pi && SUDO_USER=pi checkout/deploy/install.sh"

        refused = machine.run(f"{install} --wheels /home 2>&1", check=False)
        machine.run(f"{install} --wheels lower --sd-card", timeout=SLOW_S)
        house.online(LOWER)
        made = machine.run(f"stat -c '%a %U %G' {CONFIGURATION}; sed -n '/Auckland/p; /^latitude/p' {CONFIGURATION}")
        machine.run(f"echo '[schedule.entries.tea]\ncron = \"0 16 * * *\"' >>{CONFIGURATION}")
        kept = machine.run(f"cat {CONFIGURATION}")
        house.as_pi("hearthbus pub sensor/attic/temperature value=20.5 -r --confirm")

        assert "there is no hearthbus-*.whl in /home\nhearthbus: what next: " in refused
        assert "640 root hearthbus" == made.splitlines()[0]
        assert "latitude = -36.87 " in made
        assert 'timezone = "Pacific/Auckland"' in made

        before = machine.run(STATE)
        again = machine.run(f"{install} --wheels lower --sd-card 2>&1")

        assert before == machine.run(STATE)
        assert "nothing had to be done" in again

        machine.run(
            f"export PIP_NO_INDEX=1 PIP_FIND_LINKS='/home/pi/current /home/pi/build'; {install}", timeout=SLOW_S
        )
        house.online(VERSION)

        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")
        assert kept == machine.run(f"cat {CONFIGURATION}")

        failed = machine.run(f"{install} --wheels broken 2>&1; echo exit $?", check=False, timeout=SLOW_S)
        house.online(VERSION)

        assert f"going back to hearthbus {VERSION}" in failed
        assert "what next: journalctl -u hearthbus-broker" in failed
        assert "exit 1" in failed
        assert HIGHER not in house.as_pi("hearthbus --version")
        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")

        removed = machine.run(f"{install} --uninstall 2>&1")

        assert "These stay: /etc/hearthbus (configuration, keys), /var/lib/hearthbus (journal, state)" in removed
        assert kept == machine.run(f"cat {CONFIGURATION}")
        assert "broker" in machine.run("ls /opt; ls /var/lib/hearthbus")
        assert "" == machine.run("ls /opt; find /usr/local -name '*hearthbus*'")

        machine.run(f"{install} --purge 2>&1")

        assert "" == house.leftovers()


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
