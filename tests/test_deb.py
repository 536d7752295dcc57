"""The Debian package: what is in it, and its life on a clean Debian under a real systemd, without network."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from packages import LOWER, ROOT, SLOW_S, Installed, debs, run, wheels

from hearthbus.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["debs", "wheels"]


@pytest.mark.timeout(600)  # with what is made once for all: a Debian, wheels, packages
def test_a_package_from_the_first_day_to_the_last(debs: tuple[Path, Path]) -> None:
    """`dpkg -i` brings the house up, at each boot too; a change keeps all, or is undone; a purge leaves nothing."""
    lower, current = debs
    house = Installed()
    with house.machine as machine:
        house.prepare()
        machine.put_tree(lower, "/home/pi")
        machine.put_tree(current, "/home/pi")

        machine.run(f"SUDO_USER=pi dpkg -i /home/pi/{lower.name}", timeout=SLOW_S)
        house.online(LOWER)
        machine.run("echo '# mine' >>/etc/hearthbus/hearthbus.toml")
        house.as_pi("hearthbus pub sensor/attic/temperature value=20.5 -r --confirm")

        machine.run(f"dpkg -i /home/pi/{current.name}", timeout=SLOW_S)
        house.online(VERSION)

        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")
        assert "# mine" in machine.run("cat /etc/hearthbus/hearthbus.toml")

        machine.reboot()
        house.online(VERSION)

        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")

        machine.run("mkdir /home/pi/good && cp -r /opt/hearthbus.1/lib/python3*/site-packages/broker /home/pi/good")
        house.spoil("hearthbus.1")
        failed = machine.run(f"dpkg -i /home/pi/{lower.name} 2>&1; echo exit $?", check=False, timeout=SLOW_S)
        house.online(VERSION)

        assert f"going back to hearthbus {VERSION}" in failed
        assert "exit 1" in failed
        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")

        machine.run("cp /home/pi/good/broker/main.py /opt/hearthbus.1/lib/python3*/site-packages/broker/")
        machine.run("dpkg --configure hearthbus", timeout=SLOW_S)
        house.online(LOWER)

        assert "value=20.5" in house.as_pi("hearthbus get sensor/attic/temperature")
        assert "# mine" in machine.run("cat /etc/hearthbus/hearthbus.toml")
        assert "there is no extra calender" in machine.run("hearthbus-extra calender 2>&1", check=False)

        removed = machine.run("dpkg -r hearthbus 2>&1")

        assert "These stay: /etc/hearthbus (configuration, keys), /var/lib/hearthbus (journal, state)" in removed
        assert "# mine" in machine.run("cat /etc/hearthbus/hearthbus.toml")
        assert "broker" in machine.run("ls /var/lib/hearthbus")
        assert "" == machine.run("ls /opt")

        machine.run("dpkg -P hearthbus")

        assert "" == house.leftovers()


def test_lintian_finds_nothing_but_what_is_explained(debs: tuple[Path, Path]) -> None:
    """Each override has its reason above it."""
    if shutil.which("lintian") is None:
        pytest.fail("lintian not found: apt install lintian")
    overrides = (ROOT / "deploy/debian/lintian-overrides").read_text()

    assert "" == run("lintian", "--allow-root", "--fail-on", "error,warning", debs[1])
    assert re.fullmatch(r"((# .+\n)+hearthbus: \S.*\n)+", overrides)


def test_the_changelog_is_the_one_people_read(debs: tuple[Path, Path]) -> None:
    """It is in Debian's form, of this version, and has the first words of CHANGELOG.md."""
    text = run("sh", "-c", f"dpkg-deb --fsys-tarfile {debs[1]} | tar -xO ./usr/share/doc/hearthbus/changelog.gz | zcat")
    first = re.search(r"^- (\S+ \S+ \S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert text.startswith(f"hearthbus ({VERSION}) unstable; urgency=medium\n")
    assert first is not None
    assert f"  * {first[1]}" in text
    assert 78 >= max(len(line) for line in text.splitlines() if not line.startswith(" -- "))


def test_the_package_asks_for_the_pythons_that_it_has_wheels_for(debs: tuple[Path, Path]) -> None:
    """Neither an older nor a newer Python than those of its wheels satisfies what it depends on."""
    depends = run("dpkg-deb", "--field", debs[1], "Depends")

    assert "python3 (>= 3.11), python3 (<< 3.12~)" in depends
