"""A broker and the telemetry service as processes, and sensors that publish with times of their own.

Knows how they are started, killed and fed; what is measured or accounted for is told beside it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.telemetry_receivers import POISON
from hearthbus.message import encode_body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hearthbus.bus import Bus

SENSORS: Final = 50
START_S: Final = 30.0
_TURNS_S: Final = 10
"""Seconds in which all sensors have measured."""
_TTL_S: Final = 120.0


class Child:
    """A process of hearthbus whose lines are kept.

    Args:
        arguments: behind `python -m hearthbus`.
        ready: a line with this says that it works.
    """

    def __init__(self, *arguments: str, ready: str) -> None:
        self.lines: list[str] = []
        self.highest_mb = 0.0
        self._arguments = arguments
        self._ready = ready
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; return when it works.

        Raises:
            RuntimeError: it does not; with its last lines.
        """
        process = subprocess.Popen(
            (sys.executable, "-m", "hearthbus", *self._arguments), stderr=subprocess.PIPE, text=True
        )
        self._process = process
        works = threading.Event()
        threading.Thread(target=self._follow, args=(process, works), daemon=True).start()
        if not works.wait(START_S) or process.poll() is not None:
            self.kill()
            raise RuntimeError(f"hearthbus {' '.join(self._arguments)}: {self.lines[-10:]}")

    def rss_mb(self) -> float:
        """Resident memory now."""
        try:
            text = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0.0
        found = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")]
        mb = int(found[0]) / 1024 if found else 0.0
        self.highest_mb = max(self.highest_mb, mb)
        return mb

    def stop(self, *, timeout: float = 10.0) -> float:
        """End it with SIGTERM; return how many seconds that took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.terminate()
        self._process.wait(timeout)
        return time.monotonic() - begun

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _follow(self, process: subprocess.Popen[str], works: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                self.lines.append(line.rstrip())
                if self._ready in line:
                    works.set()
        works.set()


def write_house(folder: Path, tables: str) -> tuple[str, Path]:
    """Write the configuration of a house with `tables` of sinks; return the broker's address and the file."""
    url = f"ipc://{folder}/bus"
    file = folder / "hearthbus.toml"
    head = f'[broker]\naddress = "{url}"\ndata = "{folder}/data"\n\n[telemetry]\nfolder = "{folder}/telemetry"\n\n'
    file.write_text(head + tables, encoding="utf-8")
    return url, file


def broker(file: Path) -> Child:
    """Return the broker of that house."""
    return Child("broker", "--config", str(file), ready="listening on")


def service(file: Path) -> Child:
    """Return its telemetry service."""
    return Child("run", "telemetry", "--config", str(file), ready="running on")


def topic(sensor: int) -> str:
    """Name a sensor."""
    return f"sensor/room{sensor:02d}/temperature"


def measured_at(at: int, sensor: int) -> int:
    """Return when a sensor measures what is published for `at`: not all measure in the same second."""
    return at + sensor % _TURNS_S * 1_000_000_000


def values(count: int, sensor: int) -> list[float]:
    """Return what a sensor measures, one after the other."""
    return [round(15 + sensor / 10 + (number * 37 % 101) / 10, 1) for number in range(count)]


async def publish(
    bus: Bus, times: Sequence[int], *, poison: tuple[int, int] | None = None, each: Callable[[], None] | None = None
) -> None:
    """Publish a value of every sensor for each of `times` (nanoseconds), as fast as the broker takes them.

    Args:
        bus: an open connection.
        times: when they are said to be measured.
        poison: the sensor and the number of the time whose value no receiver takes.
        each: called after each time.
    """
    measured = [values(len(times), sensor) for sensor in range(SENSORS)]
    for number, at in enumerate(times):
        for sensor in range(SENSORS):
            value = POISON if poison == (sensor, number) else measured[sensor][number]
            body = encode_body({"value": value, "unit": "°C"})
            time = measured_at(at, sensor)
            wait = bus._transport.publish(topic(sensor), body, time, False, False, _TTL_S)  # noqa: SLF001 - with a past time
            if wait is not None:
                await wait
        if each is not None:
            each()
    await bus.publish("bench/end", confirm=True, ttl=_TTL_S)
