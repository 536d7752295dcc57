"""Doctor, backup and restore on a machine with systemd: as root, on /etc and /var/lib, with the units of hearthbus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from installed import house_machine, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machine import Machine

UNITS = "hearthbus-broker hearthbus@host"
SECRET = "a secret of the house"
DROP_INS = "/etc/systemd/system/hearthbus@host.service.d"


@pytest.fixture(scope="module")
def pi() -> Iterator[Machine]:
    """A machine with a house that runs: broker, one service, a secret that only root may read."""
    with house_machine() as machine:
        install(machine, "[host]", '[own]\nservice = "host"\n')
        machine.put("/etc/hearthbus/secrets/mail", SECRET, mode="0600")
        machine.put("/etc/systemd/system/hearthbus@host.service.d/own.conf", "[Service]\nEnvironment=A=1\n")
        machine.put("/root/passphrase", "four words are good\n", mode="0600")
        machine.run(f"systemctl enable --now {UNITS}")
        for unit in UNITS.split():
            machine.wait(f"{unit}.service", "active")
        yield machine


def findings(pi: Machine) -> list[dict[str, str]]:
    return [json.loads(line) for line in pi.run("hearthbus doctor --json || true").splitlines()]


def test_the_doctor_on_a_pi(pi: Machine) -> None:
    """Run as root, it sees units, socket and services; a unit that failed is told with what it said."""
    well = findings(pi)
    pi.run("systemctl start --no-block hearthbus@nonsense")
    pi.until(lambda: "78" == pi.show("hearthbus@nonsense.service", "ExecMainStatus"), "it has ended")
    sick = findings(pi)
    pi.run("systemctl kill --signal=KILL hearthbus@nonsense; systemctl stop hearthbus@nonsense")

    about = {"config", "broker", "ports", "keys", "disk", "units"}
    assert [] == [each for each in well if each["check"] in about and each["level"] == "bad"]
    assert ["own is configured and was never here"] == [
        each["text"] for each in well if each["check"] == "broker" and each["level"] == "warn"
    ]
    assert any("/run/hearthbus/bus" in each["text"] and each["level"] == "ok" for each in well)
    (told,) = [each for each in sick if "hearthbus@nonsense" in each["text"] and each["level"] != "ok"]
    assert "bad" == told["level"]
    assert "no service 'nonsense'" in told["text"]


def test_who_may_not_look(pi: Machine) -> None:
    """A person without rights is told so, by the doctor and by backup, and not taken to have no house."""
    pi.run("useradd --create-home anna; chmod 750 /etc/hearthbus; chgrp hearthbus /etc/hearthbus")
    found = [json.loads(line) for line in pi.run("runuser -u anna -- hearthbus doctor --json || true").splitlines()]
    said = pi.run("cd /home/anna; runuser -u anna -- hearthbus backup house.backup; ls", check=False)

    assert ["/etc/hearthbus is shut to who asks, so that little can be looked at"] == [
        each["text"] for each in found if each["check"] == "config"
    ]
    assert "usermod -aG hearthbus" in next(each["do"] for each in found if each["check"] == "ports")
    assert "/etc/hearthbus is shut to who asks; type: sudo hearthbus backup FILE" in said
    assert "house.backup" not in said.splitlines()


def test_a_fresh_card(pi: Machine) -> None:
    """Backed up while it runs, lost with everything, restored: the house starts, with state, rights and secrets."""
    pi.run("hearthbus pub --retain --confirm sensor/hall/temperature value=21.5")
    made = pi.run("hearthbus backup /root/house.backup --passphrase-file /root/passphrase")
    modes = "stat -c '%a %U %G %n' /etc/hearthbus/* /etc/hearthbus/secrets/* /var/lib/hearthbus/broker/hearthbus.db"
    before = pi.run(modes)
    pi.run(f"systemctl stop hearthbus-broker 'hearthbus@*'; rm -rf /etc/hearthbus/* /var/lib/hearthbus/* {DROP_INS}")
    said = pi.run("hearthbus restore /root/house.backup --passphrase-file /root/passphrase")
    after = pi.run(modes)
    pi.run(f"systemctl reset-failed; systemctl start {UNITS}")
    value = pi.run("hearthbus get sensor/hall/temperature")

    assert "1 journal, 1 secrets sealed" in made
    assert "next: hearthbus check /etc/hearthbus/hearthbus.toml" in said
    assert "enable --now hearthbus-broker hearthbus@host hearthbus@own" in said
    assert "Environment=A=1" in pi.run(f"cat {DROP_INS}/own.conf")
    assert before == after
    assert SECRET == pi.run("cat /etc/hearthbus/secrets/mail").strip()
    assert "value=21.5" in value
