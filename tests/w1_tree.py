"""A folder that looks like the kernel's /sys/bus/w1/devices, for tests: sensors come, fail and go at will.

The texts are those of drivers/w1/slaves/w1_therm.c; a reading costs no time, and no bulk conversion is waited for.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from drivers.onewire import crc8

if TYPE_CHECKING:
    from pathlib import Path

HALL = "28-0316a2794bff"
DEN = "28-041686ee7bff"
OLD = "10-000802be5f2a"

CRC_BAD = "ff ff ff ff ff ff ff ff ff : crc=c9 NO\n53 01 4b 46 7f ff 0d 10 e9 t=-62\n"
POWER_ON = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"
SILENT = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"


def scratchpad(celsius: float) -> bytes:
    """Return the nine bytes of a DS18B20 that has measured `celsius`."""
    raw = round(celsius * 16)
    first = (raw & 0xFFFF).to_bytes(2, "little") + bytes((0x4B, 0x46, 0x7F, 0xFF, 0x10 - (raw & 15), 0x10))
    return first + bytes((crc8(first),))


def w1_slave(celsius: float) -> str:
    """Return what the kernel writes for a whole reading."""
    nine = scratchpad(celsius).hex(" ")
    milli = int(round(celsius * 16) * 1000 / 16)
    return f"{nine} : crc={nine[-2:]} YES\n{nine} t={milli}\n"


class Tree:
    """The folder, with one bus and no sensors."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "bus" / "w1" / "devices"
        self.root.mkdir(parents=True)
        self._devices = folder / "devices" / "w1_bus_master1"
        self._devices.mkdir(parents=True)
        self.bulk = self._devices / "therm_bulk_read"
        (self.root / "w1_bus_master1").symlink_to(self._devices)
        (self._devices / "w1_master_slave_count").write_text("0\n")

    def plug(self, name: str, said: float | str = 20.0) -> None:
        """Put a sensor on the bus."""
        (self._devices / name).mkdir()
        self.say(name, said)
        (self.root / name).symlink_to(self._devices / name)

    def say(self, name: str, said: float | str) -> None:
        """Let a sensor say a temperature, or something else."""
        text = said if isinstance(said, str) else w1_slave(said)
        fresh = self._devices / f".{name}"
        fresh.write_text(text)
        fresh.replace(self._devices / name / "w1_slave")

    def hang(self, name: str) -> None:
        """Let whoever reads a sensor wait until `release`."""
        path = self._devices / name / "w1_slave"
        path.unlink()
        os.mkfifo(path)

    def release(self, name: str, said: float) -> None:
        """Let a reading that hangs end, and the next be one."""
        path = self._devices / name / "w1_slave"
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.close(descriptor)
        self.say(name, said)

    def unplug(self, name: str) -> None:
        """Take a sensor away."""
        (self.root / name).unlink()
        shutil.rmtree(self._devices / name)
