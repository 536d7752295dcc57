"""The calendar service as a process of its own, with an iCalendar file and a real broker. Knows no pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

HEARTHBUS: Final = (sys.executable, "-m", "hearthbus")


def icalendar(events: Iterable[tuple[str, int, int]]) -> str:
    """Return an iCalendar file of events: name, first second, first second after."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for name, start, end in events:
        lines += [
            "BEGIN:VEVENT", f"UID:{name}", f"SUMMARY:{name}", "DTSTAMP:20260101T000000Z",
            f"DTSTART:{_stamp(start)}", f"DTEND:{_stamp(end)}", "END:VEVENT",
        ]  # fmt: skip
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


class Process:
    """A calendar `bins`, read of a file in `folder`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.file = folder / "bins.ics"
        self._config = folder / "house.toml"
        self._url = url
        self._running: subprocess.Popen[bytes] | None = None
        self._config.write_text(
            f'[house]\nlatitude = 51.5\nlongitude = -0.1\ntimezone = "Europe/London"\n[bus]\nurl = "{url}"\n'
            f'[calendar]\nfolder = "{folder}/state"\n'
            f'[calendar.calendars.bins]\nfile = "{self.file}"\nevery_s = 1.0\n'
        )

    def write(self, events: Iterable[tuple[str, int, int]]) -> None:
        """Replace the file."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(icalendar(events))
        fresh.replace(self.file)

    def start(self) -> None:
        """Start the service."""
        command = [*HEARTHBUS, "run", "calendar", "--config", str(self._config)]
        self._running = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(10)

    def private_bytes(self) -> int:
        """Return the memory that is its alone."""
        assert self._running is not None
        text = Path(f"/proc/{self._running.pid}/smaps_rollup").read_text()
        rows = [line.split() for line in text.splitlines() if line.startswith("Private_")]
        return sum(int(row[1]) for row in rows) * 1024

    def status(self) -> str:
        """Return what `hearthbus status` prints."""
        ended = subprocess.run(
            [*HEARTHBUS, "status"], env={**os.environ, "HEARTHBUS_URL": self._url}, capture_output=True, text=True,
            timeout=30, check=False,
        )  # fmt: skip
        return ended.stdout


def _stamp(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"
