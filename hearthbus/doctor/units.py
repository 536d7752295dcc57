"""What does systemd say of the units, and what did they say last?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.machine import ran

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

BROKER: Final = "hearthbus-broker.service"
TARGET: Final = "hearthbus.target"
_MANY: Final = 5
"""Starts anew since boot that are worth a word."""
_WORDS: Final = {
    "watchdog": "it hung, and the watchdog ended it",
    "oom-kill": "it was killed for want of memory",
    "signal": "it was killed by a signal",
    "core-dump": "it crashed",
    "exit-code": "it ended with an error",
    "timeout": "it did not start, or stop, in time",
    "start-limit-hit": "it was started too often",
    "resources": "systemd could not give it what its unit asks for",
}
"""systemd's result -> what happened."""
_EXITS: Final = {
    "78": "its configuration is bad: hearthbus check",
    "69": "a port, a folder or a device is not there or in use",
}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit, as systemctl shows it."""

    name: str
    loaded: bool = True
    active: str = ""
    sub: str = ""
    result: str = "success"
    exit_code: str = ""
    restarts: int = 0
    enabled: bool = True
    last: tuple[str, ...] = ()
    """Its last warnings and errors."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All units of the house."""

    systemd: bool = False
    units: tuple[Unit, ...] = ()
    expected: tuple[str, ...] = field(default=())
    """Units of the configured services."""


def gather(scene: Scene) -> Facts:
    """Ask systemctl once for all, and journalctl for those that are not well."""
    if not scene.systemd:
        return Facts()
    expected = tuple(f"hearthbus@{name}.service" for name in scene.kinds)
    shown = ran(
        "systemctl", "show", "--property=Id,LoadState,ActiveState,"
        "SubState,Result,ExecMainStatus,NRestarts,UnitFileState",
        BROKER, TARGET, *expected, "hearthbus@*.service",
    )  # fmt: skip
    units: dict[str, Unit] = {}
    for block in shown.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("Id"):
            units[values["Id"]] = _unit(values)
    found: list[Unit] = []
    for unit in units.values():
        sick = unit.loaded and (unit.active == "failed" or _loops(unit) or unit.restarts >= _MANY)
        found.append(_with_log(unit) if sick and sum(bool(each.last) for each in found) < 2 else unit)
    return Facts(systemd=True, units=tuple(found), expected=expected)


def judge(facts: Facts) -> Iterator[Finding]:
    """Say which units are not well."""
    if not facts.systemd:
        yield ok("systemd is not used here")
        return
    loaded = [unit for unit in facts.units if unit.loaded and unit.name != TARGET]
    if not loaded:
        yield ok("the units of hearthbus are not installed: `hearthbus up` runs the house")
        return
    if any(unit.name == TARGET and not unit.enabled for unit in facts.units):
        yield warn(f"{TARGET} will not start at boot, and with it nothing", f"sudo systemctl enable {TARGET}")
    well = 0
    for unit in loaded:
        told = list(_judged(unit, wanted=unit.name == BROKER or unit.name in facts.expected))
        well += not told
        yield from told
    yield ok(f"{well} of {len(loaded)} units are well")


def _judged(unit: Unit, *, wanted: bool) -> Iterator[Finding]:
    name = unit.name.removesuffix(".service")
    why = _WORDS.get(unit.result, unit.result)
    why = _EXITS.get(unit.exit_code, why) if unit.result in {"exit-code", "success"} else why
    why = f"it was started anew {unit.restarts} times" if why == "success" else why
    log = f"journalctl -u {name} -n 30"
    last = f"; it said: {unit.last[-1]}" if unit.last else ""
    if unit.active == "failed":
        yield bad(f"{name} failed: {why}{last}", f"{log}; then sudo systemctl restart {name}")
    elif _loops(unit):
        yield bad(f"{name} ends again and again: {why}{last}", log)
    elif unit.active not in {"active", "activating", "reloading"} and wanted:
        yield warn(f"{name} is {unit.active or 'unknown'}", f"sudo systemctl enable --now {name}")
    elif unit.restarts >= _MANY:
        yield warn(f"{name} was started anew {unit.restarts} times{last}", log)
    elif wanted and not unit.enabled:
        yield warn(f"{name} will not start at boot", f"sudo systemctl enable {name}")


def _loops(unit: Unit) -> bool:
    """Whether it ends, waits, and is started anew: systemd has a state for each of these, and none for all."""
    ended = unit.active in {"activating", "deactivating"} and unit.result != "success"
    return unit.sub == "auto-restart" or ended or (unit.active == "activating" and unit.restarts > 0)


def _unit(values: Mapping[str, str]) -> Unit:
    restarts = values.get("NRestarts", "0")
    return Unit(
        name=values["Id"],
        loaded=values.get("LoadState") == "loaded",
        active=values.get("ActiveState", ""),
        sub=values.get("SubState", ""),
        result=values.get("Result", "success") or "success",
        exit_code=values.get("ExecMainStatus", ""),
        restarts=int(restarts) if restarts.isdigit() else 0,
        enabled=values.get("UnitFileState", "enabled") != "disabled",
    )


def _with_log(unit: Unit) -> Unit:
    from dataclasses import replace

    said = ran("journalctl", f"_SYSTEMD_UNIT={unit.name}", "-n", "3", "-o", "cat", "-b", "--no-pager", "-q")
    return replace(unit, last=tuple(line for line in said.splitlines() if line.strip())[-3:])
