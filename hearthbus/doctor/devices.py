"""Are the serial ports of the configured services there, free, allowed, and called by a name that stays?"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.machine import is_ours, listed, name_of, open_files, processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

BY_ID: Final = "/dev/serial/by-id"
MEDDLERS: Final = ("ModemManager", "brltty")
"""Programs that take every new serial port and talk to it."""
_PORTS: Final = ("ttyUSB", "ttyACM", "ttyAMA", "ttyS0", "serial0", "hearthbus-")


@dataclass(frozen=True, kw_only=True)
class Device:
    """One port that a service wants."""

    service: str
    path: str
    there: bool = False
    serial: bool = False
    allowed: bool = False
    """The user of the services may read and write it."""
    group: str = ""
    user: str = ""
    member: bool = False
    """That user is in the group."""
    late: bool = False
    """He was put into the group after he logged in."""
    better: str = ""
    """A name of the same port that stays."""
    held_by: tuple[tuple[int, str, bool], ...] = ()
    """Process, its name, and whether it is hearthbus's."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The ports, and who meddles with ports."""

    devices: tuple[Device, ...] = ()
    present: tuple[str, ...] = ()
    """Serial ports that are there, by their best names."""
    meddlers: tuple[str, ...] = ()


def gather(scene: Scene) -> Facts:
    """Look at each port that a table names, and at who has it open."""
    wanted = [(name, path) for name in scene.kinds for path in _paths(scene.tables[name])]
    stable = {os.path.realpath(f"{BY_ID}/{name}"): f"{BY_ID}/{name}" for name in listed(BY_ID)}
    found = {path for name in listed("/dev") if name.startswith(_PORTS) for path in (f"/dev/{name}",)}
    present = {stable.get(os.path.realpath(path), path) for path in found}
    real = {os.path.realpath(path) for _, path in wanted}
    holders: dict[str, list[tuple[int, str, bool]]] = {}
    if wanted:
        for pid in processes():
            for target in set(open_files(pid)) & real:
                holders.setdefault(target, []).append((pid, name_of(pid), is_ours(pid)))
    meddlers = {name_of(pid) for pid in processes()} & set(MEDDLERS) if wanted else set()
    devices = tuple(
        _device(service, path, scene.user, stable, tuple(holders.get(os.path.realpath(path), ())))
        for service, path in wanted
    )
    return Facts(devices=devices, present=tuple(sorted(present)), meddlers=tuple(sorted(meddlers)))


def judge(facts: Facts) -> Iterator[Finding]:
    """Say what keeps each port from its service."""
    for each in facts.devices:
        troubles = list(_troubles(each, facts.present))
        yield from troubles
        if not troubles:
            yield ok(f"{each.service}: {each.path} is there, and {each.user} may use it")
    for name in facts.meddlers:
        yield warn(
            f"{name} runs: it takes serial ports and talks to what is plugged in",
            f"sudo apt remove {name.lower()}; or keep it off with the udev rules of hearthbus",
        )
    if not facts.devices:
        there = f"; there are {', '.join(facts.present)}" if facts.present else ""
        yield ok(f"no service names a serial port{there}")


def _troubles(each: Device, present: tuple[str, ...]) -> Iterator[Finding]:
    who = f"{each.service}: {each.path}"
    if not each.there:
        choice = (
            f"there are: {', '.join(present)}"
            if present
            else "no serial port is there: is it plugged in? try another cable"
        )
        yield bad(f"{who} is not there", choice)
        return
    if not each.serial:
        yield bad(f"{who} is no serial port", "name one below /dev/serial/by-id")
        return
    others = [(pid, name) for pid, name, ours in each.held_by if not ours]
    if others:
        yield bad(
            f"{who} is used by {', '.join(f'{name} (process {pid})' for pid, name in others)}",
            "stop it: a port has one user",
        )
    if not each.allowed:
        if each.late:
            yield bad(
                f"{who}: {each.user} is in the group {each.group}, but was not at the login",
                "log out and in again, or reboot",
            )
        elif not each.member and each.group:
            yield bad(
                f"{who} is for the group {each.group}, and {each.user} is not in it",
                f"sudo usermod -aG {each.group} {each.user}, then log in again or reboot",
            )
        else:
            yield bad(
                f"{who}: {each.user} may not read and write it", "ls -l tells for whom it is; a udev rule changes it"
            )
    if each.better and each.better != each.path:
        yield warn(f"{who} may be called otherwise after a reboot", f'write: port = "{each.better}"')


def _device(
    service: str, path: str, user: str, stable: Mapping[str, str], held_by: tuple[tuple[int, str, bool], ...]
) -> Device:
    try:
        status = os.stat(path)  # noqa: PTH116 - one call
    except OSError:
        return Device(service=service, path=path)
    group = ""
    try:
        group = grp.getgrgid(status.st_gid).gr_name
        account = pwd.getpwnam(user)
        member = account.pw_gid == status.st_gid or user in grp.getgrgid(status.st_gid).gr_mem
    except KeyError:
        return Device(
            service=service, path=path, there=True, serial=stat.S_ISCHR(status.st_mode), group=group, user=user
        )
    mode = status.st_mode
    allowed = (
        account.pw_uid == 0
        or (account.pw_uid == status.st_uid and mode & 0o600 == 0o600)
        or (member and mode & 0o060 == 0o060)
        or mode & 0o006 == 0o006
    )
    late = account.pw_uid == os.getuid() and member and status.st_gid not in {*os.getgroups(), os.getgid()}
    temporary = path.removeprefix("/dev/").startswith(("ttyUSB", "ttyACM"))
    return Device(
        service=service,
        path=path,
        there=True,
        serial=stat.S_ISCHR(mode),
        allowed=allowed and not (late and account.pw_uid != 0),
        group=group,
        user=user,
        member=member,
        late=late,
        better=stable.get(os.path.realpath(path), "") if temporary else "",
        held_by=held_by,
    )


def _paths(value: Any) -> Iterator[str]:
    """Give every text of a table that names a device."""
    if isinstance(value, str) and value.startswith("/dev/"):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _paths(each)
