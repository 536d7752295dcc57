"""What Linux tells about itself under /proc and /sys: its text in, values out.

The formats are those of proc(5) and of the kernel's sysfs-class-thermal. Field names carry their unit. Reads no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

_KIB = 1024


@dataclass(frozen=True)
class Load:
    """Processes that run or wait for a disk, averaged over 1, 5 and 15 minutes."""

    load_1m: float
    load_5m: float
    load_15m: float


@dataclass(frozen=True)
class CpuTime:
    """Time of all processors since the start, in clock ticks."""

    busy: int
    total: int


@dataclass(frozen=True)
class Memory:
    """Memory and swap; `available` is what programs can still get without swapping, caches given up."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int


@dataclass(frozen=True)
class Traffic:
    """What went through a network interface since it came up; rx is received, tx sent."""

    rx_bytes: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_errors: int
    tx_dropped: int


def parse_loadavg(text: str) -> Load:
    """Read /proc/loadavg.

    Raises:
        Invalid: it is not in that format.
    """
    try:
        one, five, fifteen = map(float, text.split()[:3])
    except ValueError:
        raise _unlike("/proc/loadavg", text) from None
    return Load(one, five, fifteen)


def parse_cpu_time(text: str) -> CpuTime:
    """Read the first line of /proc/stat.

    Raises:
        Invalid: it is not in that format.
    """
    words = text.partition("\n")[0].split()
    try:
        # user nice system idle iowait irq softirq steal; what guests take is in user already
        ticks = [int(word) for word in words[1:9]]
    except ValueError:
        ticks = []
    if words[:1] != ["cpu"] or len(ticks) < 4:
        raise _unlike("/proc/stat", text)
    return CpuTime(busy=sum(ticks) - sum(ticks[3:5]), total=sum(ticks))


def busy_ratio(before: CpuTime, after: CpuTime) -> float:
    """Return which part of the time between two readings the processors worked, 0 to 1."""
    passed = after.total - before.total
    return min(1.0, max(0.0, (after.busy - before.busy) / passed)) if passed > 0 else 0.0


def parse_meminfo(text: str) -> Memory:
    """Read /proc/meminfo.

    Raises:
        Invalid: one of the four figures is missing.
    """
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE))
    try:
        figures = [int(found[key]) * _KIB for key in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")]
    except KeyError:
        raise _unlike("/proc/meminfo", text) from None
    return Memory(*figures)


def parse_uptime(text: str) -> float:
    """Read /proc/uptime: seconds since the start.

    Raises:
        Invalid: it is not in that format.
    """
    try:
        return float(text.split(maxsplit=1)[0])
    except (ValueError, IndexError):
        raise _unlike("/proc/uptime", text) from None


def parse_net_dev(text: str) -> dict[str, Traffic]:
    """Read /proc/net/dev: the traffic of each interface, by its name.

    Raises:
        Invalid: a line is not in that format.
    """
    found: dict[str, Traffic] = {}
    for line in text.splitlines()[2:]:
        name, colon, rest = line.rpartition(":")
        try:
            figures = [int(word) for word in rest.split()]
        except ValueError:
            figures = []
        if not colon or len(figures) < 12:
            raise _unlike("/proc/net/dev", line)
        # receive: bytes packets errs drop fifo frame compressed multicast; transmit: bytes packets errs drop ...
        found[name.strip()] = Traffic(figures[0], figures[2], figures[3], figures[8], figures[10], figures[11])
    return found


def rates(before: Traffic, after: Traffic, seconds: float) -> dict[str, float]:
    """Return bytes a second between two readings; empty where a counter went back, for then nothing is known.

    It went back because the interface was made anew, or because 32 bits were full.
    """
    if seconds <= 0 or after.rx_bytes < before.rx_bytes or after.tx_bytes < before.tx_bytes:
        return {}
    return {
        "rx_bytes_per_s": round((after.rx_bytes - before.rx_bytes) / seconds, 1),
        "tx_bytes_per_s": round((after.tx_bytes - before.tx_bytes) / seconds, 1),
    }


def parse_zones(zones: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Read thermal zones, each the text of its files `type` and `temp`: degrees Celsius by name.

    A zone whose sensor is switched off or tells the impossible is left out; a name that comes again gets a number.
    """
    found: dict[str, float] = {}
    for kind, text in zones:
        if not re.fullmatch(r"-?\d{1,6}\s*", text) or not -100_000 < int(text) < 200_000:
            continue
        name = kind.strip() or "zone"
        number = sum(1 for known in found if known == name or known.startswith(f"{name}-"))
        found[f"{name}-{number + 1}" if number else name] = int(text) / 1000
    return found


def segment(name: str) -> str:
    """Return `name` as one segment of a topic: `eth0.10` stays, `Büro Pi` becomes `b-ro-pi`."""
    return re.sub(r"[^a-z0-9_.-]", "-", name.lower())[:60] or "unnamed"


def _unlike(file: str, text: str) -> Invalid:
    return Invalid(f"{file} holds what this version cannot read: {text[:60]!r}")
