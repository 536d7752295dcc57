"""Child processes, and what Linux says about them: CPU time, resident and private memory, descendants.

Sources: proc(5) and proc_pid_smaps(5). Knows nothing of buses.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
_TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measurement that could not be taken; the text says what happened and where."""


@contextmanager
def child(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, grace: float = 3.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command from the repository's root for the length of the block, output to `log`; then end that process.

    Raises:
        Failed: the command is not there.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from None
        try:
            yield process
        finally:
            if grace:
                process.terminate()
                try:
                    process.wait(grace)
                except subprocess.TimeoutExpired:
                    process.kill()
            else:
                process.kill()
            process.wait()


def wait_for(
    ready: Callable[[], bool], *, what: str, watched: subprocess.Popen[bytes], log: Path, timeout: float = 20.0
) -> None:
    """Return when `ready()` is true.

    Raises:
        Failed: it was not within `timeout` seconds, or the watched process ended; with the end of its log.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        if watched.poll() is not None:
            raise Failed(f"{what}: ended with code {watched.returncode}: {tail(log)}")
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not ready within {timeout:.0f} s: {tail(log)}")
        time.sleep(0.005)


def tail(log: Path) -> str:
    """Return the last line of a log."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"


def free_port() -> int:
    """Return a loopback port nobody listens on now, with the next one free too."""
    for _attempt in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise Failed("no two neighbouring ports are free on 127.0.0.1")


def listens(port: int) -> bool:
    """Whether somebody accepts connections on loopback at `port`."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process, all its threads (utime and stime of /proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def rss_mb(pid: int) -> float:
    """Return resident memory, MB of 1,000,000 bytes."""
    return _field_kb(Path(f"/proc/{pid}/status").read_text(), "VmRSS") * 1024 / 1e6


def anonymous_mb(pid: int) -> float:
    """Return memory a process has written, resident or swapped out, MB of 1,000,000 bytes: without its files' pages.

    Those of files come and go with what else the machine has to do, and are no leak.
    """
    text = Path(f"/proc/{pid}/status").read_text()
    return (_field_kb(text, "RssAnon") + _field_kb(text, "VmSwap")) * 1024 / 1e6


def private_mb(pid: int) -> float:
    """Return memory that would come back if the process ended (USS), MB of 1,000,000 bytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return (_field_kb(text, "Private_Clean") + _field_kb(text, "Private_Dirty")) * 1024 / 1e6


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, []))
    return found


def _field_kb(text: str, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(match.group(1)) if match else 0
