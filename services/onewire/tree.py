"""The folder in which a 1-wire bus is seen: the kernel's /sys/bus/w1/devices, or a mount of owfs.

Every call blocks, up to 750 ms a sensor, and may hang with the bus: they are made in a thread. Which of the two a
folder is, its looks tell. Knows where a reading stands; what it means is `drivers.onewire`'s.
"""

# pathlib costs each service process 10 ms and 0.65 MB
# ruff: noqa: PTH118, PTH120, PTH208

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from drivers.onewire import (
    FAMILIES,
    TO_CELSIUS,
    Address,
    Channel,
    Family,
    Fault,
    parse_address,
    parse_owfs,
    parse_temperature,
    parse_w1_slave,
)
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASTER: Final = "w1_bus_master"
_BULK: Final = "therm_bulk_read"
_TRIGGER: Final = b"trigger\n"
"""With its line's end it has the eight bytes that the kernel compares."""
_OWFS_MARKS: Final = frozenset(("settings", "structure", "statistics", "system", "uncached", "alarm", "simultaneous"))
_OWFS_NAME: Final = re.compile(r"[0-9A-F]{2}\.?[0-9A-F]{12}(\.?[0-9A-F]{2})?", re.ASCII)
_LONGEST: Final = 4096
"""Bytes: a file of sysfs has no more."""
_FEW: Final = 2
"""Sensors from which on a conversion of all at once saves time."""


class Tree(Protocol):
    """What a look at the folder has found."""

    @property
    def found(self) -> dict[Address, str]:
        """The sensors that can be read, and the name of each one's folder."""

    @property
    def strange(self) -> frozenset[str]:
        """Names of sensors that cannot."""

    def convert(self) -> None:
        """Let all sensors measure at once, where that is offered: what is read then is there at once."""

    def read(self, address: Address, channel: Channel) -> float:
        """Return what the sensor says.

        Raises:
            Fault: nothing it can be believed.
            FileNotFoundError: it is not there any more.
        """


def look(root: str) -> Tree:
    """Return what is to be seen at `root` now.

    Raises:
        Unavailable: there is no such folder.
    """
    try:
        names = os.listdir(root)
    except OSError as error:
        raise Unavailable(f"no 1-wire bus at {root}: {os.strerror(error.errno or errno.EIO)}") from None
    if _OWFS_MARKS.intersection(names) or any(_OWFS_NAME.fullmatch(name) for name in names):
        return Owfs(root, *_sorted(name for name in names if _OWFS_NAME.fullmatch(name)), scale=_scale(root))
    masters = tuple(name for name in names if name.startswith(_MASTER))
    found, strange = _sorted(name for name in names if "-" in name)
    for address in [address for address in found if not family(address).in_kernel]:
        strange |= {found.pop(address)}
    return Kernel(root, found, strange, masters=masters)


def family(address: Address) -> Family:
    """Return what is known of the sensor's family.

    Raises:
        KeyError: nothing.
    """
    return FAMILIES[address.family]


@dataclass(frozen=True)
class Kernel:
    """/sys/bus/w1/devices."""

    root: str
    found: dict[Address, str]
    strange: frozenset[str] = frozenset()
    masters: tuple[str, ...] = field(default=())

    def convert(self) -> None:
        """Start a conversion on each bus and wait for it; a kernel before 5.10 has none, and it is the superuser's."""
        if len(self.found) < _FEW:
            return
        for master in self.masters:
            with suppress(OSError):
                descriptor = os.open(os.path.join(self.root, master, _BULK), os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.write(descriptor, _TRIGGER)
                finally:
                    os.close(descriptor)

    def read(self, address: Address, channel: Channel) -> float:
        """Return what the sensor says, with its CRC where the kernel shows it.

        Raises:
            Fault: nothing it can be believed.
            FileNotFoundError: it is not there any more.
        """
        folder = os.path.join(self.root, self.found[address])
        try:
            return parse_w1_slave(_text(os.path.join(folder, "w1_slave")), address.family)
        except FileNotFoundError:
            return parse_temperature(_text(os.path.join(folder, channel.file)))


@dataclass(frozen=True)
class Owfs:
    """A mount of owfs."""

    root: str
    found: dict[Address, str]
    strange: frozenset[str] = frozenset()
    scale: str = "C"

    def convert(self) -> None:
        """Nothing: owfs has a cache and a `simultaneous` of its own."""

    def read(self, address: Address, channel: Channel) -> float:
        """Return what the sensor says, in °C whatever owfs is set to.

        Raises:
            Fault: nothing it can be believed.
            FileNotFoundError: it is not there any more.
        """
        value = parse_owfs(_text(os.path.join(self.root, self.found[address], channel.file)))
        if channel.quantity != "temperature":
            return value
        factor, plus = TO_CELSIUS[self.scale]
        return round(value * factor + plus, 4)


def _sorted(names: Iterable[str]) -> tuple[dict[Address, str], frozenset[str]]:
    """Return the sensors of a known family by address, and the names of the others."""
    found: dict[Address, str] = {}
    strange: set[str] = set()
    for name in sorted(names):
        try:
            address = parse_address(name)
        except ValueError:
            strange.add(name)
            continue
        if address.family in FAMILIES:
            found[address] = name
        else:
            strange.add(name)
    return found, frozenset(strange)


def _scale(root: str) -> str:
    """Return the temperature scale owfs is set to; a mount's part, such as bus.0, has the settings beside it."""
    for folder in (root, os.path.dirname(root.rstrip("/"))):
        with suppress(OSError, Fault):
            text = _text(os.path.join(folder, "settings", "units", "temperature_scale")).strip("\0 \n")[:1]
            if text in TO_CELSIUS:
                return text
    return "C"


def _text(path: str) -> str:
    """Return the file's text.

    Raises:
        Fault: the system refuses it.
        FileNotFoundError: there is none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, _LONGEST).decode("ascii", errors="replace")
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in {errno.ENODEV, errno.ENXIO, errno.ENOTDIR}:
            raise FileNotFoundError(path) from None
        raise Fault("read", f"it cannot be read: {os.strerror(error.errno or errno.EIO)}") from None
