"""hearthbus as its units expect it, in a test's machine, from this checkout: /opt/hearthbus, user, units, house.

Nothing is downloaded and nothing built: what the tests run on is bound into the machine. How a person installs it is
the business of other tests.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
UNITS = "/usr/local/lib/systemd/system"
PACKAGES = Path(sysconfig.get_path("purelib"))
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
HOUSE = """
[broker]
address = "ipc:///run/hearthbus/bus"
{broker}
[house]
latitude = 51.5
longitude = -0.1
timezone = "Europe/London"
"""
_COMMAND = """#!/opt/hearthbus/bin/python
import sys
from hearthbus.cli.main import main
sys.exit(main())
"""


def house_machine() -> Machine:
    """Return a machine that can have hearthbus, not yet booted."""
    python = Path(f"/usr/bin/python{VERSION}")
    if not python.exists():
        pytest.fail(f"no {python}: a unit cannot use a Python of somebody's home; let .venv be made by Debian's")
    return Machine(binds={ROOT: "/opt/checkout", PACKAGES: "/opt/packages"})


def install(machine: Machine, *tables: str, broker: str = "") -> None:
    """Put hearthbus into a booted machine, with a house that has these tables, and these lines of `[broker]`."""
    machine.run(f"/usr/bin/python{VERSION} -m venv --without-pip /opt/hearthbus")
    machine.put(f"/opt/hearthbus/lib/python{VERSION}/site-packages/checkout.pth", "/opt/checkout\n/opt/packages\n")
    machine.put("/opt/hearthbus/bin/hearthbus", _COMMAND, mode="0755")
    for unit in sorted((ROOT / "deploy/systemd").glob("hearthbus*")):
        machine.put_tree(unit, UNITS)
    for kind, command in (("sysusers", "systemd-sysusers"), ("tmpfiles", "systemd-tmpfiles --create")):
        machine.run(f"cd /etc && mkdir -p {kind}.d && mv {UNITS}/hearthbus.{kind} {kind}.d/hearthbus.conf && {command}")
    machine.put(
        "/etc/hearthbus/hearthbus.toml",
        "\n".join((HOUSE.format(broker=broker), *tables)),
        mode="0640",
        group="hearthbus",
    )
    machine.run("ln -s /opt/hearthbus/bin/hearthbus /usr/local/bin/hearthbus; systemctl daemon-reload")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A booted machine, one for all tests of a module."""
    with house_machine() as machine:
        yield machine
