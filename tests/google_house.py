"""A configuration whose calendars are at the fake Google, and the command that reads it; for tests of the verb."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from fake_google import FAMILY

if TYPE_CHECKING:
    from pathlib import Path

    from fake_google import FakeGoogle


def secret(folder: Path, name: str, text: str, *, mode: int = 0o600) -> Path:
    """Store a secret."""
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def house(folder: Path, google: FakeGoogle, *calendars: str, keys: str = "") -> Path:
    """Write a configuration: `calendars` are lines of tables; without any there is the calendar `family`."""
    path = folder / "hearthbus.toml"
    tables = calendars or (f'[calendar.calendars.family]\ngoogle = "{FAMILY}"',)
    lines = [
        "[house]", "latitude = 51.5", "longitude = -0.1", 'timezone = "Europe/London"', "[calendar]",
        keys or 'credentials = { file = "google.json" }', f'endpoint = "{google.endpoint}"',
        f'folder = "{folder / "state"}"', *tables,
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def calendar(*words: str) -> tuple[int, str, str]:
    """Run `hearthbus calendar`; returns its exit code, its output, and what it said beside it."""
    ended = subprocess.run(
        [sys.executable, "-m", "hearthbus", "calendar", *words], capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr
