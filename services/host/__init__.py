"""Tell how the machine itself is: load, memory, temperature, disks, uptime, network.

Everything is retained state under `host/<hostname>/`; what is no longer there (an unplugged network stick) is
forgotten. Read straight from /proc and /sys: a tenth of a millisecond each, and no package to install.
"""

# pathlib, and what it imports, would be a fiftieth of this process's memory
# ruff: noqa: PTH123, PTH207

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from glob import glob
from typing import TYPE_CHECKING, Any

from hearthbus import Invalid, Service, every
from services.checks import refuse
from services.host import proc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Readings = Iterator[tuple[str, dict[str, Any]]]
    """Topics below `host/<hostname>/`, and what to say there."""


class Host(Service):
    """The machine this runs on."""

    @dataclass(frozen=True)
    class Config:
        """What to tell, and how often.

        The patterns of interfaces have `*` and `?`; an interface is told when one of the included matches and none of
        the excluded. `disks` are paths: what is told is the file system each is on. Name disks of this machine: a
        network disk whose server is gone would hold up the service.
        """

        interval_s: float = 30.0
        hostname: str = ""
        include_interfaces: tuple[str, ...] = ("*",)
        exclude_interfaces: tuple[str, ...] = ("lo", "ifb*", "veth*", "docker*", "br-*", "virbr*")
        disks: tuple[str, ...] = ("/",)

        def __post_init__(self) -> None:
            refuse(self._faults())

        def _faults(self) -> Iterator[str]:
            if not self.interval_s >= 1.0:
                yield f"interval_s {self.interval_s} is less than 1 second"
            for path in self.disks:
                if not path.startswith("/"):
                    yield f'disks: {path!r} is not a whole path; write for example "/" or "/home"'

    config: Config

    async def on_start(self) -> None:
        """Learn what an earlier run has told, to forget what is gone."""
        self._root = f"host/{proc.segment(self.config.hostname or socket.gethostname())}"
        self._told = {message.topic for message in await self.get(f"{self._root}/#") if message.origin == self.name}
        self._cpu: proc.CpuTime | None = None
        self._traffic: dict[str, proc.Traffic] = {}
        self._read_at = 0.0
        self._faulty: set[str] = set()
        self._parts: dict[str, Callable[[], Readings]] = {
            "load": self._load,
            "memory": self._memory,
            "temperature": self._temperature,
            "uptime": self._uptime,
            "network": self._network,
            **{f"disk {path}": partial(self._disk, path) for path in self.config.disks},
        }

    @every("{interval_s}")
    async def tell(self) -> None:
        """Read everything once and publish it."""
        readings: dict[str, dict[str, Any]] = {}
        for part, read in self._parts.items():
            readings.update(self._read(part, read))
        for name, body in readings.items():
            await self.publish(f"{self._root}/{name}", body, retain=True)
        told = {f"{self._root}/{name}" for name in readings}
        for topic in self._told - told:
            await self.publish(topic, {}, retain=True)
        self._told = told

    def _read(self, part: str, read: Callable[[], Readings]) -> dict[str, dict[str, Any]]:
        """Read one part; what this machine does not have is said once."""
        try:
            found = dict(read())
        except (OSError, Invalid) as error:
            if part not in self._faulty:
                self.log.warning("no %s: %s", part, error)
            self._faulty.add(part)
            return {}
        self._faulty.discard(part)
        return found

    def _load(self) -> Readings:
        before, self._cpu = self._cpu, proc.parse_cpu_time(_text("/proc/stat"))
        busy = {} if before is None else {"busy_ratio": round(proc.busy_ratio(before, self._cpu), 3)}
        yield "load", {**asdict(proc.parse_loadavg(_text("/proc/loadavg"))), "processors": os.cpu_count() or 1, **busy}

    def _memory(self) -> Readings:
        memory = proc.parse_meminfo(_text("/proc/meminfo"))
        yield "memory", {**asdict(memory), "used_ratio": round(1 - memory.available_bytes / memory.total_bytes, 3)}

    def _temperature(self) -> Readings:
        zones = proc.parse_zones(
            (_text(f"{zone}/type"), _text_if_readable(f"{zone}/temp"))
            for zone in sorted(glob("/sys/class/thermal/thermal_zone*"))
        )
        if zones:
            yield "temperature", {"celsius": max(zones.values()), "zones_celsius": zones}

    def _disk(self, path: str) -> Readings:
        figures = os.statvfs(path)
        used, free = figures.f_blocks - figures.f_bfree, figures.f_bavail
        name = proc.segment(path.strip("/").replace("/", "-")) if path.strip("/") else "root"
        yield (
            f"disk/{name}",
            {
                "path": path,
                "total_bytes": figures.f_blocks * figures.f_frsize,
                "free_bytes": free * figures.f_frsize,
                "used_ratio": round(used / (used + free), 3) if used + free else 0.0,
            },
        )

    def _uptime(self) -> Readings:
        yield "uptime", {"uptime_s": round(proc.parse_uptime(_text("/proc/uptime")))}

    def _network(self) -> Readings:
        before, self._traffic = self._traffic, proc.parse_net_dev(_text("/proc/net/dev"))
        now = self.clock.monotonic()
        passed, self._read_at = now - self._read_at, now
        for name, traffic in self._traffic.items():
            if self._wanted(name):
                rates = proc.rates(before[name], traffic, passed) if name in before else {}
                yield f"network/{proc.segment(name)}", {**asdict(traffic), **rates}

    def _wanted(self, interface: str) -> bool:
        included = any(fnmatchcase(interface, pattern) for pattern in self.config.include_interfaces)
        return included and not any(fnmatchcase(interface, pattern) for pattern in self.config.exclude_interfaces)


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def _text_if_readable(path: str) -> str:
    """Return the file's text; a sensor that is switched off answers with an error instead."""
    try:
        return _text(path)
    except OSError:
        return ""
