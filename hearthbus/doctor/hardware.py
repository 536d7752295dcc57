"""Which machine is it, has it memory and power enough, and is it too hot?"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.kernel import messages
from hearthbus.doctor.machine import listed, ran, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

_HOT_C: Final = 80.0
"""From here a Pi slows down."""
_UNDER_VOLTAGE: Final = 0x1
_WAS_UNDER_VOLTAGE: Final = 0x10000
"""Bits of `vcgencmd get_throttled`."""
_KILLED: Final = re.compile(r"Out of memory: Killed process \d+ \((\S+)\)")
_POWER: Final = "use the power supply made for this Pi, a short thick cable, and a hub with its own supply for sticks"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The machine."""

    model: str = ""
    system: str = ""
    kernel: str = ""
    bits: int = 64
    memory_mb: int = 0
    available_mb: int = 0
    load: float = 0.0
    cores: int = 1
    killed: tuple[str, ...] = ()
    """Programs that the kernel killed for want of memory."""
    throttled: int | None = None
    """What vcgencmd says; None where there is none."""
    low_voltage: bool = False
    """What the kernel's sensor says."""
    celsius: float | None = None


def gather(_: Scene) -> Facts:
    """Read /proc and /sys, and ask a Pi's firmware."""
    memory = dict(re.findall(r"^(\w+):\s+(\d+) kB", read("/proc/meminfo"), re.MULTILINE))
    names = dict(re.findall(r'^(\w+)="?([^"\n]*)', read("/etc/os-release"), re.MULTILINE))
    said = re.search(r"throttled=0x([0-9a-fA-F]+)", ran("vcgencmd", "get_throttled"))
    heat = read("/sys/class/thermal/thermal_zone0/temp")
    sensors = [f"/sys/class/hwmon/{name}" for name in listed("/sys/class/hwmon")]
    return Facts(
        model=read("/proc/device-tree/model") or platform.machine(),
        system=names.get("PRETTY_NAME", ""),
        kernel=platform.release(),
        bits=64 if platform.architecture()[0] == "64bit" else 32,
        memory_mb=int(memory.get("MemTotal", 0)) >> 10,
        available_mb=int(memory.get("MemAvailable", 0)) >> 10,
        load=os.getloadavg()[0],
        cores=os.cpu_count() or 1,
        killed=tuple(dict.fromkeys(found[1] for line in messages() or () if (found := _KILLED.search(line)))),
        throttled=int(said[1], 16) if said else None,
        low_voltage=any(read(f"{at}/name") == "rpi_volt" and read(f"{at}/in0_lcrit_alarm") == "1" for at in sensors),
        celsius=int(heat) / 1000 if heat.lstrip("-").isdigit() else None,
    )


def judge(facts: Facts) -> Iterator[Finding]:
    """Say what the machine lacks."""
    if facts.bits != 64:
        yield bad(
            "this is a 32-bit system, for which there is no pyzmq",
            "install the 64-bit Raspberry Pi OS; a Pi 3, 4, 5 and Zero 2 run it",
        )
    if facts.available_mb < 48:
        yield bad(
            f"{facts.available_mb} MB of memory are left",
            "ps aux --sort=-rss | head tells who has it; `hearthbus run a b c` puts services into one process",
        )
    elif facts.available_mb < 100:
        yield warn(f"{facts.available_mb} MB of memory are left", "ps aux --sort=-rss | head tells who has it")
    if facts.killed:
        yield warn(f"the kernel killed for want of memory: {', '.join(facts.killed)}", "free memory, or add swap")
    throttled = facts.throttled or 0
    if throttled & _UNDER_VOLTAGE or facts.low_voltage:
        yield bad("the voltage is too low now: cards and USB sticks fail at random", _POWER)
    elif throttled & _WAS_UNDER_VOLTAGE:
        yield warn("the voltage was too low since the machine started", _POWER)
    if facts.celsius is not None and facts.celsius >= _HOT_C:
        yield warn(f"the processor has {facts.celsius:.0f} °C and slows down", "let air to it")
    if facts.load > 2 * facts.cores:
        yield warn(f"the machine is busy: load {facts.load:.1f} on {facts.cores} cores", "top tells with what")
    heat = f", {facts.celsius:.0f} °C" if facts.celsius is not None else ""
    yield ok(
        f"{facts.model}, {facts.system}, kernel {facts.kernel}, {facts.available_mb} of {facts.memory_mb} MB free{heat}"
    )
