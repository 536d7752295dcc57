"""Reading a machine without ever failing: files, processes, commands with a deadline. What cannot be had is empty."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S = 1.2
"""Seconds a command may take: the doctor answers within two."""


def read(path: str | Path, limit: int = 65536) -> str:
    """Return a file's text, or nothing."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - /proc, thousands of times
            return file.read(limit).decode(errors="replace").rstrip("\0\n")
    except OSError:
        return ""


def ran(*words: str) -> str:
    """Return what a command prints, or nothing: it is not there, fails, or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, capture_output=True, text=True, errors="replace", timeout=LIMIT_S, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def listed(folder: str | Path) -> list[str]:
    """Return the names in a folder, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names
    except OSError:
        return []


def processes() -> Iterator[int]:
    """Give the ids of all processes."""
    return (int(name) for name in listed("/proc") if name.isdigit())


def name_of(pid: int) -> str:
    """Return what people call a process."""
    return read(f"/proc/{pid}/comm") or "unknown"


def is_ours(pid: int) -> bool:
    """Whether a process is one of hearthbus's."""
    return "hearthbus" in read(f"/proc/{pid}/cmdline")


def open_files(pid: int) -> Iterator[str]:
    """Give what a process has open; nothing where only root may look."""
    folder = f"/proc/{pid}/fd"
    for name in listed(folder):
        with suppress(OSError):
            yield os.readlink(f"{folder}/{name}")  # noqa: PTH115 - as above
