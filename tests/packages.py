"""What the tests of installing install: wheels, Debian packages and a clean Debian, made once for all workers of a run.

Wheels of others come from the package index; the machines they are installed on have no network.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from machine import Machine, debian_tree

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
LOWER = "0.0.1"
SLOW_S = 150.0
"""Seconds an installation may take: eight on a computer that has nothing else to do."""
PYTHON = "3.11"
"""Of Debian 12, which the machines run."""
SOURCES = (
    "hearthbus",
    "broker",
    "services",
    "drivers",
    "deploy",
    "firmware/hex",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
"""What a person has cloned, as far as installing needs it."""


@dataclass(frozen=True)
class Wheels:
    """Folders of wheels, each enough to install hearthbus without network."""

    lower: Path
    current: Path
    build: Path
    """What building from a checkout needs."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Wheels of hearthbus in several versions, with those of others."""

    def make(folder: Path) -> None:
        with ThreadPoolExecutor() as others:  # a minute on the network, while pip is there too
            made = others.submit(clean_tree), others.submit(_download, folder / "build", "hatchling>=1.24")
            make_wheels(folder)
        for each in made:
            each.result()

    def make_wheels(folder: Path) -> None:
        run(*PIP, "wheel", "--no-deps", "--wheel-dir", folder / "own", ROOT)
        own = next((folder / "own").glob("hearthbus-*.whl"))
        extras = (ROOT / "deploy/debian/extras").read_text().strip()
        _download(folder / "current", f"{own}[{extras}]")
        shutil.copytree(folder / "current", folder / "lower", ignore=shutil.ignore_patterns("hearthbus-*"))
        _renumber(own, folder / "lower", LOWER)

    folder = _once(tmp_path_factory, "wheels", make)
    return Wheels(*(folder / name for name in ("lower", "current", "build")))


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory, wheels: Wheels) -> tuple[Path, Path]:
    """Packages of a lower version and of this one."""

    def make(folder: Path) -> None:
        for source in (wheels.lower, wheels.current):
            run("sh", ROOT / "scripts/deb", "--from", source, "--to", folder / source.name, architecture())

    folder = _once(tmp_path_factory, "debs", make)
    lower, current = (next((folder / name).glob("hearthbus_*.deb")) for name in ("lower", "current"))
    return lower, current


class Installed:
    """A machine of its own with a clean Debian 12, without network, and the person `pi` who logs in there."""

    def __init__(self) -> None:
        self.machine = Machine(tree=clean_tree())

    def prepare(self) -> None:
        """Add the person, and let services that wait for a time server wait no minute for one that never comes."""
        self.machine.run("useradd -m pi; ln -sf /usr/share/zoneinfo/Pacific/Auckland /etc/localtime")
        for unit, setting in (("clock", "WAIT_S=0"), ("broker", "PAUSE_S=0")):
            drop_in = f"/etc/systemd/system/hearthbus-{unit}.service.d/quick.conf"
            self.machine.put(drop_in, f"[Service]\nEnvironment={setting}\n")
        self.machine.run("systemctl daemon-reload")

    def as_pi(self, command: str, *, check: bool = True) -> str:
        """Run a command as the person does, who has just logged in."""
        return self.machine.run(f"runuser -u pi -- sh -c 'cd && {command}'", check=check)

    def online(self, version: str) -> None:
        """Wait until the services that a new configuration has are online, in this version."""
        wanted = [rf"^{name} +online .* {re.escape(version)} " for name in ("host", "schedule", "sun")]

        def all_of_them() -> bool:
            status = self.as_pi("hearthbus status", check=False)
            return all(re.search(each, status, re.MULTILINE) for each in wanted)

        self.machine.until(all_of_them, f"host, schedule and sun are online in {version}", 60, "hearthbus*")

    def spoil(self, folder: str) -> None:
        """Keep the broker of the software in a folder of /opt from starting."""
        self.machine.run(f"echo 'raise RuntimeError' >/opt/{folder}/lib/python{PYTHON}/site-packages/broker/main.py")

    def leftovers(self) -> str:
        """Return every file, unit, user and group that has the name."""
        return self.machine.run(
            "find / -xdev ( -path /home -o -path /proc -o -path /sys -o -path /root ) -prune -o -name '*hearthbus*' "
            "! -path '/etc/systemd/system/*/quick.conf' -print".replace("(", r"\(").replace(")", r"\)")
            + "; getent passwd hearthbus; getent group hearthbus; systemctl list-units --all --no-legend 'hearthbus*'",
            check=False,
        )


def clean_tree() -> Path:
    """Return the folder of a Debian 12 that has what the package depends on, and no more."""
    folder = Path(tempfile.gettempdir()) / "hearthbus-debian-12"
    return debian_tree(folder, include=("python3-venv", "udev", "tzdata"))


def architecture() -> str:
    """Return what Debian calls this computer's processor."""
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def run(*words: str | Path) -> str:
    """Run a command of this computer in the checkout; return what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-3000:]}"
    return done.stdout


def _download(folder: Path, *requirements: str) -> None:
    tags = ("manylinux2014", "manylinux_2_26", "manylinux_2_28")
    platforms = [word for tag in tags for word in ("--platform", f"{tag}_{os.uname().machine}")]
    options = ("--only-binary", ":all:", "--python-version", PYTHON, *platforms)
    run(*PIP, "download", *options, "--dest", folder, *requirements)


def _renumber(wheel: Path, folder: Path, version: str) -> None:
    """Write `wheel` as another version; pip looks at the names and at METADATA."""
    current = wheel.name.split("-")[1]
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(folder / wheel.name.replace(current, version), "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename.endswith(".dist-info/METADATA"):
                content = content.replace(f"\nVersion: {current}\n".encode(), f"\nVersion: {version}\n".encode())
            elif item.filename.endswith(".dist-info/RECORD"):
                content = content.replace(f"-{current}.dist-info".encode(), f"-{version}.dist-info".encode())
            elif item.filename == "hearthbus/version.py":
                content = content.replace(f'"{current}"'.encode(), f'"{version}"'.encode())
            new.writestr(item.filename.replace(f"-{current}.dist-info", f"-{version}.dist-info"), content)


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of this run's that `make` has filled, in whichever worker came first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = Path(tempfile.mkdtemp(dir=folder.parent))
            make(made)
            made.rename(folder)
    return folder
