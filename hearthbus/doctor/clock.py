"""Is the clock right? A Pi has no battery: it wakes up in the past, and rules by the sun and the calendar go wrong."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.machine import listed, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

FIRST_YEAR: Final = 2026
"""No hearthbus is older."""
LAST_YEAR: Final = 2060
_UNSYNCHRONISED: Final = 0x40
"""STA_UNSYNC of adjtimex(2)."""
_STATUS: Final = struct.Struct("i")
_AT: Final = 5 * struct.calcsize("l")
"""Place of `status` in struct timex."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the machine's clock is."""

    now: float
    """Seconds since 1970 UTC."""
    synchronised: bool | None = None
    """None where the kernel does not tell."""
    rtc: bool = False
    """There is a clock that runs on a battery."""
    timezone: str = ""
    """Of the machine; empty where none was set."""
    house: str = ""
    """Of the house, as configured."""
    blind: bool = False
    """It cannot be seen what is configured."""


def gather(scene: Scene) -> Facts:
    """Ask the kernel, and look which zone is set."""
    return Facts(
        now=time.time(),
        synchronised=_synchronised(),
        rtc=any(name.startswith("rtc") for name in listed("/sys/class/rtc")),
        timezone=_timezone(),
        house=str(scene.tables.get("house", {}).get("timezone", "")),
        blind=scene.blind,
    )


def judge(facts: Facts) -> Iterator[Finding]:
    """Say whether rules by the clock can be right."""
    year = dt.datetime.fromtimestamp(max(0.0, min(facts.now, 4e9)), dt.UTC).year
    serve = "sudo timedatectl set-ntp true; is there a network?"
    if not FIRST_YEAR <= year <= LAST_YEAR:
        yield bad(f"the clock says {year}", f"{serve} Without one: sudo date -s 'YEAR-MONTH-DAY HOUR:MINUTE'")
    elif facts.synchronised is False:
        rtc = "" if facts.rtc else ", and no battery keeps the time while the machine is off"
        yield warn(f"the clock is not set by a time server{rtc}", serve)
    if not (facts.house or facts.blind) and facts.timezone in {"", "Etc/UTC", "UTC"}:
        yield warn(
            "no time zone is set, neither the machine's nor [house] timezone",
            '[house] timezone = "Europe/London", or sudo timedatectl set-timezone Europe/London',
        )
    told = {True: "set by a time server", False: "not synchronised", None: "synchronised or not: unknown"}
    zone = facts.house or facts.timezone or "UTC"
    moment = dt.datetime.fromtimestamp(max(0.0, min(facts.now, 4e9)), dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield ok(f"{moment}, {told[facts.synchronised]}, zone {zone}, {'with' if facts.rtc else 'without'} a battery")


def _synchronised() -> bool | None:
    buffer = ctypes.create_string_buffer(512)
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
            return None
    except (OSError, AttributeError):
        return None
    (status,) = _STATUS.unpack_from(buffer.raw, _AT)
    return not status & _UNSYNCHRONISED


def _timezone() -> str:
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        target = ""
    if "/zoneinfo/" in target:
        return target.partition("/zoneinfo/")[2]
    return read("/etc/timezone").strip()
