"""A real InfluxDB 1 on loopback, in a folder of its own. Knows how it is started and asked, and no sink."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
  max-body-size = {most}
"""


@dataclass(frozen=True)
class Influx:
    """A running server; `user` and `password` are its administrator's, where it asks for one."""

    url: str
    user: str = ""
    password: str = ""

    def query(self, text: str, **more: str) -> list[list[Any]]:
        """Return the rows of a query's first series: of each field and tag asked for, times in nanoseconds."""
        said = urlencode({"q": text, "epoch": "ns", **more}).encode()
        who = {"u": self.user, "p": self.password} if self.user else {}
        with urllib.request.urlopen(f"{self.url}/query?{urlencode(who)}", said, timeout=10) as answer:
            result = json.load(answer)["results"][0]
        if "error" in result:
            raise AssertionError(result["error"])
        rows: list[list[Any]] = [row for series in result.get("series", ()) for row in series["values"]]
        return rows


@contextmanager
def influxd(folder: Path, *, auth: bool = False, most: int = 25_000_000) -> Iterator[Influx]:
    """Start a server that has nothing but the database `house`.

    Args:
        folder: an empty one.
        auth: it asks for user and password; `me` with `pass word` may do all.
        most: bytes of a batch it takes.
    """
    program = shutil.which("influxd")
    if program is None:
        pytest.fail("influxd is not installed; type: sudo apt-get install influxdb")
    for _attempt in range(3):
        port, rpc = free_port(), free_port()
        config = folder / "influxdb.conf"
        config.write_text(_CONFIG.format(rpc=rpc, port=port, folder=folder, auth=str(auth).lower(), most=most))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "run", "-config", config], stdout=log, stderr=log)
        try:
            if not _up(process, port):
                continue
            server = Influx(f"http://127.0.0.1:{port}")
            if auth:
                server.query("CREATE USER me WITH PASSWORD 'pass word' WITH ALL PRIVILEGES")
                server = Influx(server.url, "me", "pass word")
            server.query("CREATE DATABASE house")
            yield server
            return
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait(10)
    pytest.fail(f"influxd does not start: {(folder / 'log').read_text()[-2000:]}")


def _up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it answers, within half a minute; false once it has ended, as where a port was taken meanwhile."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False
