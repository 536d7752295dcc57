"""What the doctor makes of facts: each trouble is said with what to do, and nothing private is said. No machine."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.cli.services import Row
from hearthbus.doctor import clock, configuration, devices, disk, hardware, house, keys, ports, software, units
from hearthbus.doctor.finding import Finding, scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOON = 1_793_534_400.0
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
PORT = devices.Device(
    service="rfxtrx", path="/dev/ttyUSB0", there=True, serial=True, allowed=True, group="dialout", user="hearthbus"
)
LISTENER = ports.Listener(address="port 7600", listens=True, pid=7, name="hearthbus", ours=True)
LAMP = Row(name="lamp", status="online")
BROKER = units.Unit(name=units.BROKER, active="active", sub="running")
GOOD: dict[str, tuple[Callable[[Any], Iterable[Finding]], Any]] = {
    "hardware": (hardware.judge, hardware.Facts(memory_mb=900, available_mb=500, cores=4, model="Raspberry Pi 4")),
    "software": (
        software.judge,
        software.Facts(
            python=(3, 11, 2), hearthbus="1", pyzmq="27", libzmq=(4, 3, 5), curve=True, msgpack="1",
            to_install="type: pip install 'hearthbus[{}]'",
        ),
    ),
    "configuration": (configuration.judge, configuration.Facts(config="/etc/hearthbus/hearthbus.toml")),
    "house": (house.judge, house.Facts(url="x", version="1", ours="1", stats={"version": "1"}, rows=(LAMP,))),
    "ports": (ports.judge, ports.Facts(url="x", listeners=(LISTENER,))),
    "keys": (
        keys.judge, keys.Facts(folder="/k", network="tcp://0.0.0.0:7610", allowed=("pi",), granted=("pi", "local"))
    ),
    "devices": (devices.judge, devices.Facts(devices=(PORT,))),
    "clock": (clock.judge, clock.Facts(now=NOON, synchronised=True, timezone="Europe/London")),
    "disk": (disk.judge, disk.Facts(folder="/var/lib/hearthbus", free_mb=9000, size_mb=30000, journal_mb=3)),
    "units": (units.judge, units.Facts(systemd=True, units=(BROKER,))),
}  # fmt: skip
"""A machine on which all is well, by subject."""
TROUBLES: list[tuple[str, dict[str, Any], str, str]] = [
    ("hardware", {"bits": 32}, "bad", "install the 64-bit Raspberry Pi OS"),
    ("hardware", {"available_mb": 20}, "bad", "ps aux --sort=-rss"),
    ("hardware", {"available_mb": 80}, "warn", "ps aux --sort=-rss"),
    ("hardware", {"killed": ("python3",)}, "warn", "add swap"),
    ("hardware", {"throttled": 0x50005}, "bad", "power supply"),
    ("hardware", {"low_voltage": True}, "bad", "power supply"),
    ("hardware", {"throttled": 0x50000}, "warn", "power supply"),
    ("hardware", {"celsius": 84.0}, "warn", "let air to it"),
    ("hardware", {"load": 9.0}, "warn", "top tells"),
    ("software", {"python": (3, 9, 2)}, "bad", "install Python 3.11"),
    ("software", {"libzmq": (4, 3, 4)}, "bad", "use the pyzmq of PyPI"),
    ("software", {"pyzmq": ""}, "bad", "pip install"),
    ("software", {"msgpack": ""}, "bad", "pip install"),
    ("software", {"curve": False}, "bad", "use the pyzmq of PyPI"),
    ("software", {"missing": {"sun": ("astral",)}}, "warn", "pip install 'hearthbus[sun]'"),
    ("configuration", {"problems": ("/etc/x.toml:3: sun.lat: unknown key",)}, "bad", "hearthbus check /etc/hearthbus"),
    ("configuration", {"shut": True}, "bad", "sudo hearthbus doctor"),
    ("configuration", {"example": True}, "warn", "copy it to"),
    ("house", {"error": "nobody listens at x"}, "bad", "the lines about ports"),
    ("house", {"error": "not this key", "refused": True}, "bad", "the lines about keys"),
    ("house", {"error": "says nothing", "hangs": True}, "bad", "Ctrl-C and hearthbus up"),
    ("house", {"error": "no answer", "local": False}, "bad", "is that machine on"),
    ("house", {"rows": (replace(LAMP, version="0.9"),), "configured": ("lamp",)}, "warn", "hearthbus@lamp, or Ctrl-C"),
    ("house", {"unread": {"the services": "kitchen may not read service/#"}}, "warn", "let this key read them"),
    ("house", {"version": "0.9"}, "warn", "systemctl restart hearthbus-broker"),
    ("house", {"stats": {"journal_error": "disk full"}}, "warn", "the line about the disk"),
    ("house", {"stats": {"strangers": 3}}, "warn", "journalctl -u hearthbus-broker"),
    ("house", {"configured": ("sun",)}, "warn", "enable --now hearthbus@sun"),
    (
        "house",
        {"rows": (replace(LAMP, status="offline"),), "configured": ("lamp",)},
        "warn",
        "enable --now hearthbus@lamp",
    ),
    ("house", {"rows": (replace(LAMP, status="lost"),)}, "bad", "journalctl -u hearthbus@lamp"),
    ("house", {"rows": (replace(LAMP, status="offline", failing=True),)}, "bad", "journalctl -u hearthbus@lamp"),
    ("house", {"rows": (replace(LAMP, remarks=("port is away",)),)}, "warn", "journalctl -u hearthbus@lamp"),
    ("house", {"rows": (replace(LAMP, loop_lag_s=3.0),)}, "warn", "something in it blocks"),
    ("ports", {"listeners": (replace(LISTENER, listens=False, pid=0),)}, "bad", "hearthbus up"),
    (
        "ports",
        {"listeners": (LISTENER, replace(LISTENER, address="port 7610", listens=False, pid=0))},
        "bad",
        "systemctl restart hearthbus-broker",
    ),
    ("ports", {"listeners": (replace(LISTENER, ours=False, name="nginx"),)}, "bad", "give the broker another"),
    ("ports", {"listeners": (replace(LISTENER, allowed=False),)}, "bad", "usermod -aG"),
    ("ports", {"listeners": (replace(LISTENER, listens=False, path=True),)}, "warn", "start the broker"),
    ("ports", {"listeners": (replace(LISTENER, address="/" + "x" * 120),)}, "bad", "a shorter"),
    ("keys", {"faults": ("others can look into /k; type: chmod 700 /k",)}, "bad", "do what it says"),
    ("keys", {"missing": True}, "bad", "keys init"),
    ("keys", {"owner": "hearthbus", "foreign": ("/k/broker.key",)}, "bad", "sudo chown hearthbus /k/broker.key"),
    ("keys", {"allowed": ("pi", "old")}, "warn", "hearthbus keys revoke old"),
    ("keys", {"granted": ("pi", "attic")}, "warn", "hearthbus keys new attic"),
    ("keys", {"key": "k", "matches": False}, "bad", "hearthbus keys new NAME"),
    ("keys", {"key": "k", "let_in": False}, "bad", "hearthbus keys list"),
    ("keys", {"key": "k", "fault": "k cannot be read"}, "bad", "hearthbus keys new NAME"),
    ("devices", {"devices": (replace(PORT, there=False),), "present": ("/dev/ttyACM0",)}, "bad", "/dev/ttyACM0"),
    ("devices", {"devices": (replace(PORT, there=False),)}, "bad", "is it plugged in"),
    ("devices", {"devices": (replace(PORT, serial=False),)}, "bad", "by-id"),
    ("devices", {"devices": (replace(PORT, allowed=False),)}, "bad", "usermod -aG dialout hearthbus"),
    ("devices", {"devices": (replace(PORT, allowed=False, member=True, late=True),)}, "bad", "log out and in again"),
    ("devices", {"devices": (replace(PORT, allowed=False, member=True),)}, "bad", "udev rule"),
    ("devices", {"devices": (replace(PORT, held_by=((7, "minicom", False),)),)}, "bad", "a port has one user"),
    ("devices", {"devices": (replace(PORT, better="/dev/serial/by-id/a"),)}, "warn", "/dev/serial/by-id/a"),
    ("devices", {"meddlers": ("ModemManager",)}, "warn", "apt remove modemmanager"),
    ("clock", {"now": 0.0}, "bad", "timedatectl set-ntp true"),
    ("clock", {"now": 4e9}, "bad", "timedatectl set-ntp true"),
    ("clock", {"synchronised": False}, "warn", "timedatectl set-ntp true"),
    ("clock", {"timezone": ""}, "warn", "set-timezone"),
    ("disk", {"free_mb": 10}, "bad", "--vacuum-size"),
    ("disk", {"free_mb": 300}, "warn", "--vacuum-size"),
    ("disk", {"inodes_free": 3}, "bad", "many small files"),
    ("disk", {"read_only": True}, "bad", "make a backup"),
    ("disk", {"errors": ("mmc0: error -110",)}, "bad", "make a backup today"),
    ("disk", {"aside": ("hearthbus.db.damaged-x",)}, "warn", "remove it when"),
    ("disk", {"unfinished": True}, "bad", "the same hearthbus restore"),
    ("disk", {"journal_mb": 900}, "warn", "was keep_mb lowered"),
    (
        "units",
        {"units": (replace(BROKER, active="failed", result="watchdog"),)},
        "bad",
        "journalctl -u hearthbus-broker",
    ),
    ("units", {"units": (replace(BROKER, active="activating", sub="auto-restart"),)}, "bad", "journalctl -u"),
    ("units", {"units": (replace(BROKER, active="activating", sub="start", restarts=1),)}, "bad", "journalctl -u"),
    ("units", {"units": (replace(BROKER, active="deactivating", result="exit-code"),)}, "bad", "journalctl -u"),
    ("units", {"units": (replace(BROKER, active="inactive"),)}, "warn", "enable --now hearthbus-broker"),
    ("units", {"units": (replace(BROKER, restarts=12),)}, "warn", "journalctl -u"),
    ("units", {"units": (replace(BROKER, enabled=False),)}, "warn", "systemctl enable"),
    (
        "units",
        {"units": (BROKER, replace(BROKER, name=units.TARGET, enabled=False))},
        "warn",
        "systemctl enable hearthbus.target",
    ),
]
"""Subject, what differs from a good machine, how bad that is, and what to do."""


@pytest.mark.parametrize("subject", GOOD)
def test_a_good_machine(subject: str) -> None:
    """Where all is well, that is said in one line, with nothing to do."""
    judge, facts = GOOD[subject]
    found = list(judge(facts))

    assert [("ok", "")] * len(found) == [(each.level, each.do) for each in found]
    assert 1 == len(found) or subject == "house"


@pytest.mark.parametrize(("subject", "differs", "level", "do"), TROUBLES)
def test_a_trouble(subject: str, differs: dict[str, Any], level: str, do: str) -> None:
    """Each trouble is one line more than on a good machine, and says what to do."""
    judge, facts = GOOD[subject]
    found = [each for each in judge(replace(facts, **differs)) if each.level != "ok"]

    assert [level] == [each.level for each in found]
    assert do in found[0].do


def test_a_machine_whose_broker_is_elsewhere() -> None:
    """Units are judged where the broker's own is masked, too."""
    facts = units.Facts(
        systemd=True, units=(replace(BROKER, loaded=False), replace(BROKER, name="hearthbus@a.service"))
    )

    assert ["1 of 1 units are well"] == [each.text for each in units.judge(facts)]


@given(st.text(alphabet=Z85, min_size=40, max_size=40), st.sampled_from(["{}", "the key {}, read", 'x = "{}"', "({})"]))
def test_no_key_is_shown(key: str, sentence: str) -> None:
    """A key of 40 characters, wherever it stands in a line, is cut out of it."""
    if any(not (char.isalnum() or char in "./-:") for char in key) or re.fullmatch(r"(?=.*\d)(?=.*[a-zA-Z])\w+", key):
        assert key not in scrubbed(sentence.format(key))


@pytest.mark.parametrize(
    "line",
    [
        "http://anna:geheim@pi:8086/x", "password = geheim", 'api_key: "geheim"', "token=geheim",
        "Authorization: Bearer geheim",
        "latitude = 51.4769", "at 51.4769, -0.0005", '"secret": "geheim"', "lon: -0.0005",
        "refused: 4f3c2b1a09f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4",
        "https://calendar.example/ical/anna/private-geheim/basic.ics: 404", "tgram://123456:geheim/42/ is refused",
    ],
)  # fmt: skip
def test_nothing_private_is_shown(line: str) -> None:
    """Logins, passwords, tokens and coordinates are cut out."""
    shown = scrubbed(line)

    assert [] == [each for each in ("geheim", "51.4769", "0.0005", "4f3c2b") if each in shown]


@pytest.mark.parametrize(
    "line",
    [
        "/dev/serial/by-id/usb-RFXCOM_RFXtrx433XL_DO3K0XYZ-if00-port0",
        "journalctl -u hearthbus@jeenode-attic-gateway-2 -n 30",
        "/etc/hearthbus/hearthbus.toml:12: sun.latitude: unknown key", "libzmq 4.3.5, Python 3.11.7, 12.5 of 29.7 MB",
        "the broker at ipc:///run/hearthbus/bus or tcp://pi:7600, socket://host:2000/x: http://pi:8086",
        "[broker.access.kitchen-thermostat-and-everything2]",
        "/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0",
    ],
)  # fmt: skip
def test_what_helps_is_shown(line: str) -> None:
    """Names of devices, units, files and versions stay as they are."""
    assert line == scrubbed(line)


def test_requirements_of_an_extra() -> None:
    """What a service needs comes from the package's own metadata, through extras of extras."""
    declared = [
        "pyzmq>=26.0", "astral==3.2; extra == 'sun'", "hearthbus[schedule]; extra == 'ics'",
        "croniter<8,>=7.0; extra == 'schedule'", 'icalendar>=6.0; extra == "ics"',
    ]  # fmt: skip

    assert {"icalendar", "croniter"} == software.requirements("ics", declared)
    assert set() == software.requirements("host", declared)


def test_a_card_that_fails() -> None:
    """What the kernel says of a failing card is known among the rest."""
    bad = (
        "mmcblk0: error -110 sending stop command",
        "I/O error, dev mmcblk0, sector 12",
        "EXT4-fs error (device sda1): x",
    )
    good = "mmc0: new high speed SDHC card at address aaaa", "EXT4-fs (mmcblk0p2): mounted filesystem"

    assert [True, True, True] == [bool(disk._ERRORS.search(line)) for line in (f"mmc0: {bad[0]}", *bad[1:])]
    assert [] == [line for line in good if disk._ERRORS.search(line)]
