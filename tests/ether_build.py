"""Compile the simulator and the nodes' firmware for tests, once for each state of their sources.

What is built lies in a folder named after the sources' content, so that test processes, and two states of the
sources, never meet. Knows no simulator command.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
CACHE = ROOT / ".pytest_cache" / "firmware"
NEEDED = {
    "make": "make",
    "cc": "gcc",
    "avr-g++": "gcc-avr",
    "/usr/lib/avr/include/avr/io.h": "avr-libc",
    "/usr/share/arduino/hardware/arduino/avr": "arduino-core-avr",
    "/usr/include/simavr/sim_avr.h": "libsimavr-dev",
    "/usr/include/libelf.h": "libelf-dev",
}
"""What the build needs: a command or a file, and the Debian package it is in."""

PROBE_FLAGS = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-Os", "-Wall", "-Wextra", "-Werror")
SKETCHES = ("gateway", "led_node", "room_node", "onewire_node")


def build() -> Path:
    """Compile simulator and sketches, once for each state of their sources; return the folder they are in.

    Several test processes may call it at once: the first builds, the others wait.
    """
    for thing in NEEDED:
        there = Path(thing).exists() if thing.startswith("/") else shutil.which(thing)
        assert there, f"{thing} is missing; install it: sudo apt-get install {' '.join(NEEDED.values())}"
    sources = sorted(_sources())
    state = hashlib.sha256()
    for path in sources:
        state.update(str(path.relative_to(FIRMWARE)).encode() + b"\0" + path.read_bytes())
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / state.hexdigest()[:16]
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _forget_old()
            shutil.rmtree(folder, ignore_errors=True)
            for path in sources:
                copy = folder / path.relative_to(FIRMWARE)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
            _compile("make", "-C", str(folder / "simulator"))
            _compile("sh", str(folder / "build"))
            probe = folder / "simulator" / "tests" / "probe.c"
            _compile("avr-gcc", *PROBE_FLAGS, "-o", str(folder / "out" / "probe-none.elf"), str(probe))
            (folder / "done").touch()
    return folder


def _sources() -> Iterator[Path]:
    yield FIRMWARE / "build"
    for part in ("libraries", "simulator", *SKETCHES):
        for path in (FIRMWARE / part).rglob("*"):
            if path.suffix in {".c", ".h", ".cpp", ".ino", ".properties"} or path.name == "Makefile":
                yield path


def _compile(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "MAKEFLAGS": ""})
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def _forget_old(keep: int = 4) -> None:
    """Remove what was built from sources that have changed since."""
    old = sorted((path for path in CACHE.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in old[:-keep]:
        shutil.rmtree(path, ignore_errors=True)
