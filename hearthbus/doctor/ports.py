"""Who listens where the broker should: nobody, the broker, or somebody else?"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.machine import is_ours, name_of, open_files, processes, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

_LISTEN: Final = "0A"
_LOCAL: Final = re.compile(r"tcp://(?:127\.[0-9.]+|localhost|\[::1\]|0\.0\.0\.0|\*|\[::\]):([0-9]+)")
_LONGEST_PATH: Final = 100
"""Of a Unix socket's path: the kernel takes 107 bytes, and the fan-out's has seven more."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who listens at one address of the broker's."""

    address: str
    listens: bool
    pid: int = 0
    """0 where only root may see whose it is."""
    name: str = ""
    ours: bool = False
    path: bool = False
    """It is a Unix socket whose file is there."""
    allowed: bool = True
    """Who asks may use that file."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The broker's addresses on this machine."""

    url: str
    systemd: bool = False
    user: str = ""
    listeners: tuple[Listener, ...] = ()


def gather(scene: Scene) -> Facts:
    """Look up who listens at the broker's addresses; for a broker elsewhere there is nothing to see."""
    network = getattr(scene.broker, "network", "") if not scene.joins else ""
    addresses = [address for address in (scene.url, network) if address]
    listening = _listening()
    wanted = {port: _inodes(listening, port) for address in addresses for port in _ports(address)}
    owners = _owners({inode for inodes in wanted.values() for inode in inodes})
    found: list[Listener] = []
    for address in addresses:
        if address.startswith("ipc://"):
            found.append(_socket(address[6:]))
        for port in _ports(address):
            pid = next((owners[inode] for inode in wanted[port] if inode in owners), 0)
            found.append(
                Listener(
                    address=f"port {port}",
                    listens=bool(wanted[port]),
                    pid=pid,
                    name=name_of(pid) if pid else "",
                    ours=bool(pid) and is_ours(pid),
                )
            )
    return Facts(url=scene.url, listeners=tuple(found), systemd=scene.systemd, user=scene.user)


def judge(facts: Facts) -> Iterator[Finding]:
    """Say who is where the broker should be."""
    silent = [each.address for each in facts.listeners if each.allowed and not each.listens and not each.path]
    if silent:
        runs = any(each.listens and each.allowed and (each.ours or not each.pid) for each in facts.listeners)
        yield bad(f"nobody listens at {', '.join(silent)}", _start(systemd=facts.systemd, runs=runs))
    for each in facts.listeners:
        if each.address in silent:
            continue
        if len(each.address) > _LONGEST_PATH:
            yield bad(f"{each.address} is too long for a socket", "set a shorter [broker] address")
        elif not each.allowed:
            yield bad(
                f"{each.address} may not be used by who asks",
                f"sudo usermod -aG {facts.user or 'hearthbus'} $USER, then log in again",
            )
        elif each.path and not each.listens:
            yield warn(
                f"{each.address}: the file is there and nobody listens", "start the broker; it takes the file over"
            )
        elif each.pid and not each.ours:
            yield bad(
                f"{each.address} is taken by {each.name} (process {each.pid})",
                "stop it, or give the broker another: [broker] address, network",
            )
        else:
            whose = f"{each.name} (process {each.pid})" if each.pid else "somebody listens"
            yield ok(f"{each.address}: {whose}")
    if not facts.listeners:
        yield ok(f"the broker is not on this machine: {facts.url}")


def _start(*, systemd: bool, runs: bool) -> str:
    if runs:
        return "the broker takes it when it starts: sudo systemctl restart hearthbus-broker, or Ctrl-C and hearthbus up"
    return "start it: hearthbus up" + (", or sudo systemctl start hearthbus.target" if systemd else "")


def _ports(address: str) -> list[int]:
    """Return the port of an address of this machine, and its fan-out's."""
    found = _LOCAL.fullmatch(address)
    return [int(found[1]), int(found[1]) + 1] if found and 0 < int(found[1]) < 65535 else []


def _listening() -> list[list[str]]:
    """Return the rows of the kernel's tables of TCP sockets that listen."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in read(f"/proc/net/{name}", 1 << 20).splitlines()[1:]]
    return [row for row in rows if len(row) > 9 and row[3] == _LISTEN]


def _inodes(rows: list[list[str]], port: int) -> list[str]:
    return [row[9] for row in rows if int(row[1].rpartition(":")[2], 16) == port]


def _owners(inodes: set[str]) -> dict[str, int]:
    """Return the process of each socket, as far as we may see."""
    found: dict[str, int] = {}
    if inodes:
        wanted = {f"socket:[{inode}]": inode for inode in inodes}
        for pid in processes():
            found |= {wanted[target]: pid for target in open_files(pid) if target in wanted}
    return found


def _socket(path: str) -> Listener:
    try:
        there = stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116 - one call
    except PermissionError:
        return Listener(address=path, listens=True, path=True, allowed=False)
    except OSError:
        there = False
    listens = any(line.endswith(f" {path}") for line in read("/proc/net/unix", 1 << 20).splitlines())
    allowed = not there or os.access(path, os.R_OK | os.W_OK)
    return Listener(address=path, listens=there and listens, path=there, allowed=allowed)
