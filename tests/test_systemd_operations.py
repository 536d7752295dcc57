"""Every service of the package runs under its unit, and the commands of docs/operations.md work as they are printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from installed import ROOT, house_machine, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machine import Machine

SERVICES = (
    *("calendar", "host", "jeenode", "motion_light", "notify", "onewire"),
    *("rfxtrx", "schedule", "sun", "telemetry", "trigger"),
)
TABLES = """
[host]
[sun]
[onewire]
[schedule.entries.x]
cron = "* * * * *"
[calendar.calendars.bins]
file = "bins.ics"
[telemetry.prometheus.page]
[telemetry.mqtt.elsewhere]
host = "192.0.2.1"
[notify.targets.mail]
kind = "email"
host = "mail.example"
sender = "house@mail.example"
to = ["me@mail.example"]
[jeenode.gateways.attic]
port = "/dev/hearthbus/ftdi-A1014IM4"
[rfxtrx]
port = "/dev/hearthbus/rfxtrx-DO3K0XYZ"
[motion_light.rules.stairs]
place = "stairs"
light = "stairs"
[trigger.rules.desk]
topic = "remote/desk"
request = "light/desk/set"
"""
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hearthbus//test//EN\r\nEND:VCALENDAR\r\n"
STICK = """P: /devices/platform/usb1/1-1
N: bus/usb/001/002
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor={vendor}\\n
A: idProduct={product}\\n
A: manufacturer={maker}\\n
A: product={model}\\n
{numbered}
P: /devices/platform/usb1/1-1/1-1:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceClass=ff\\n
A: bInterfaceNumber=00\\n

P: /devices/platform/usb1/1-1/1-1:1.0/ttyUSB0
E: SUBSYSTEM=usb-serial

P: /devices/platform/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0
N: ttyUSB0
E: SUBSYSTEM=tty
E: DEVNAME=/dev/ttyUSB0
E: MAJOR=188
E: MINOR=0
"""
SUDO = '#!/bin/sh\nexec "$@"\n'


@pytest.fixture(scope="module")
def house() -> Iterator[Machine]:
    """A machine whose house has every service."""
    with house_machine() as machine:
        install(machine, TABLES)
        machine.put("/etc/hearthbus/bins.ics", CALENDAR)
        machine.put("/usr/local/bin/sudo", SUDO, mode="0755")
        machine.run(f"useradd pi; systemctl enable {' '.join(f'hearthbus@{name}' for name in SERVICES)}")
        machine.run("systemctl start hearthbus.target")
        yield machine


def printed() -> list[str]:
    """Return the blocks of commands on the page."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/operations.md").read_text(), re.DOTALL | re.MULTILINE)


def test_every_service_runs_as_hardened_as_its_unit_is(house: Machine) -> None:
    """All reach READY and stay, none is refused anything by the kernel; state goes to the folder of its service."""
    for name in SERVICES:
        house.wait(f"hearthbus@{name}.service", "active")
    online = house.run("cd / && hearthbus status")
    said = house.journal("hearthbus@*") + house.journal("hearthbus-broker")

    assert [] == [name for name in SERVICES if not re.search(rf"^{name} +online", online, re.MULTILINE)]
    assert [] == re.findall(r".*(?:not permitted|ermission denied|Traceback|Bad system call).*", said)
    assert "/var/lib/hearthbus/calendar/bins.json" in house.run("ls /var/lib/hearthbus/calendar/*")
    assert "0" == house.show("hearthbus@calendar.service", "NRestarts")


def test_the_commands_of_the_page_work(house: Machine) -> None:
    """Each block ends well, and the house runs afterwards."""
    blocks = printed()
    for block in blocks:
        house.run(f"set -e; cd /\n{block}")
    for name in SERVICES:
        house.wait(f"hearthbus@{name}.service", "active")

    assert 9 == len(blocks)
    assert "314572800" == house.show("hearthbus@telemetry.service", "MemoryMax")
    assert "correct horse" == house.run("cat /run/credentials/hearthbus@notify.service/mail").strip()
    assert "hearthbus" in house.run("id -nG pi")


@pytest.mark.parametrize(
    ("vendor", "product", "maker", "model", "serial", "name"),
    [
        ("0403", "6001", "FTDI", "FT232R USB UART", "A1014IM4", "ftdi-A1014IM4"),
        ("0403", "6015", "RFXCOM", "RFXtrx433XL", "DO3K0XYZ", "rfxtrx-DO3K0XYZ"),
        ("10c4", "ea60", "Silicon Labs", "CP2102 USB to UART Bridge Controller", "0001", "cp210x-0001"),
        ("10c4", "ea60", "Silicon Labs", "CP2102", "", "cp210x"),
        ("046d", "c52b", "Logitech", "USB Receiver", "1", None),
    ],
)
def test_a_stick_has_a_name_that_stays(  # noqa: PLR0917 - columns of a table
    house: Machine, vendor: str, product: str, maker: str, model: str, serial: str, name: str | None
) -> None:
    """By the rules for udev a serial stick has its name and the group dialout, and ModemManager leaves it alone."""
    house.put_tree(ROOT / "deploy/udev/60-hearthbus.rules", "/etc/udev/rules.d")
    numbered = f"A: serial={serial}\\n\n" if serial else ""
    house.put("/tmp/stick", STICK.format(vendor=vendor, product=product, maker=maker, model=model, numbered=numbered))
    stick = "/sys/devices/platform/usb1/1-1"
    try_it = "rm -rf /run/udev; umockdev-run -d /tmp/stick -- udevadm test --action=add"
    port = house.run(f"{try_it} {stick}/1-1:1.0/ttyUSB0/tty/ttyUSB0")
    device = house.run(f"{try_it} {stick}")

    assert (set() if name is None else {name}) == set(re.findall(r"DEVLINKS=.*/dev/hearthbus/(\S+)", port))
    assert (name is not None, name is not None) == ("ID_MM_PORT_IGNORE=1" in port, "ID_MM_DEVICE_IGNORE=1" in device)
    assert (name is not None) == bool(re.search(r"60-hearthbus.rules:\d+ GROUP 20", port))
    assert [] == re.findall(r"60-hearthbus.rules:\d+ (?:Invalid|Unknown|Failed).*", port + device)


def test_what_is_shipped_for_the_system_is_understood(house: Machine) -> None:
    """journald, sysusers and tmpfiles read what is theirs without a word."""
    house.put_tree(ROOT / "deploy/journald/sd-card.conf", "/etc/systemd/journald.conf.d")
    house.run("systemctl restart systemd-journald")

    assert "" == house.run("journalctl -q -b -o cat | grep -i 'sd-card.conf' || true")
    assert "" == house.run("systemd-sysusers /etc/sysusers.d/hearthbus.conf")
    assert "" == house.run("systemd-tmpfiles --create /etc/tmpfiles.d/hearthbus.conf")
