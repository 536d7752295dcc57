"""Graphite's carbon-cache for tests: Debian's program with a folder and ports of its own, and what its files hold."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

SOON_S = 30.0
_CONFIG = """\
[cache]
STORAGE_DIR = {folder}
LOCAL_DATA_DIR = {folder}/whisper
CONF_DIR = {folder}
LOG_DIR = {folder}/log
PID_DIR = {folder}
USER =
MAX_UPDATES_PER_SECOND = 5000
MAX_CREATES_PER_MINUTE = {creates}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = 0
CARBON_METRIC_INTERVAL = 0
WHISPER_AUTOFLUSH = True
"""
_SCHEMAS = "[all]\npattern = .*\nretentions = 1s:1h,60s:30d\n"
_READ = """\
import json, sys, whisper
(start, end, step), values = whisper.fetch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
print(json.dumps([[at, value] for at, value in zip(range(start, end, step), values) if value is not None]))
"""


class Carbon:
    """One carbon-cache of a test."""

    def __init__(self, folder: Path, *, creates: str = "inf") -> None:
        self.folder = folder
        self.port = free_port()
        self._creates = creates
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it listens."""
        program = shutil.which("carbon-cache")
        assert program, "carbon-cache is missing: apt-get install graphite-carbon, or scripts/test, which does"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "log").mkdir(exist_ok=True)
        config = self.folder / "carbon.conf"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, creates=self._creates))
        (self.folder / "storage-schemas.conf").write_text(_SCHEMAS)
        log = (self.folder / "output").open("ab")
        arguments = (program, f"--config={config}", f"--pidfile={self.folder}/pid", "--nodaemon", "start")
        with log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + SOON_S
        while not self._listens():
            assert self._process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, "carbon-cache does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            (self.folder / "pid").unlink(missing_ok=True)

    def points(self, path: str, *, start: int, end: int, count: int = 1) -> dict[int, float]:
        """Return what is kept of a path after `start` until `end`, seconds, once there are `count` points."""
        file = self.folder / "whisper" / (path.replace(".", "/") + ".wsp")
        deadline = time.monotonic() + SOON_S
        found: dict[int, float] = {}
        while len(found) < count:
            assert time.monotonic() < deadline, f"{path}: {len(found)} of {count} points came"
            time.sleep(0.05)
            if file.exists():
                found = self._read(file, start, end)
        return found

    def paths(self) -> set[str]:
        """Return every path there is a file of."""
        root = self.folder / "whisper"
        return {".".join(file.relative_to(root).with_suffix("").parts) for file in root.rglob("*.wsp")}

    @staticmethod
    def _read(file: Path, start: int, end: int) -> dict[int, float]:
        arguments = ("/usr/bin/python3", "-c", _READ, str(file), str(start - 1), str(end))
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=20)
        return {int(at): value for at, value in json.loads(done.stdout)} if done.returncode == 0 else {}

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
