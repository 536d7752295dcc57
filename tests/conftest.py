"""A real broker for tests: its own process, its own folder, its own address, killed and started again at will."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

hypothesis.settings.register_profile(
    "hearthbus", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("hearthbus")  # a busy machine is slow, which is no fault of the code

HEARTHBUS = (sys.executable, "-m", "hearthbus")
START_S = 20.0


class Broker:
    """One broker of a test; `settings` are lines of its `[broker]` table, `prefix` a command that runs it."""

    def __init__(self, folder: Path, *, address: str, settings: str = "", prefix: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.url = address
        self.settings = settings
        self.prefix = prefix
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._listening = threading.Event()

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and return when it listens."""
        config = self.write(self.settings)
        self._listening.clear()
        self._process = subprocess.Popen(
            (*self.prefix, *HEARTHBUS, "broker", "--config", str(config)), stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if not self._listening.wait(START_S) or self._process.poll() is not None:
            self.kill()
            raise AssertionError(f"the broker did not start: {self.lines}")

    def write(self, settings: str) -> Path:
        """Write the configuration file."""
        config = self.folder / "hearthbus.toml"
        config.write_text(f'[broker]\naddress = "{self.url}"\ndata = "{self.data}"\n{settings}\n')
        return config

    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self, *, timeout: float = 10.0) -> int:
        """End it with SIGTERM; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        return self._process.wait(timeout)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def rss_bytes(self) -> int:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak_rss_bytes(self) -> int:
        """The most resident memory it ever had."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    def bus(self, name: str | None = None, **options: object) -> Bus:
        """Make a client of it."""
        return Bus(self.url, name=name, **options)  # type: ignore[arg-type]  # passed through as given

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                self.lines.append(line.rstrip())
                found = re.search(r"listening on (\S+),", line)
                if found:
                    self.url = found[1]
                    self._listening.set()
        self._listening.set()


@pytest.fixture
def make_broker() -> Iterator[Callable[..., Broker]]:
    """Start brokers, over Unix sockets unless `tcp=True`; all are gone at the end of the test.

    `prepare` may put files into a broker's folder before it starts.
    """
    with _brokers() as make:
        yield make


@pytest.fixture(scope="module")
def make_lasting_broker() -> Iterator[Callable[..., Broker]]:
    """The same, gone at the end of the module."""
    with _brokers() as make:
        yield make


@contextlib.contextmanager
def _brokers() -> Iterator[Callable[..., Broker]]:
    with contextlib.ExitStack() as stack:

        def make(
            *,
            tcp: bool = False,
            settings: str = "",
            prefix: tuple[str, ...] = (),
            prepare: Callable[[Path], object] = lambda _folder: None,
        ) -> Broker:
            folder = Path(tempfile.mkdtemp(prefix="hb-"))  # short: a Unix socket's path has 107 bytes
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            if tcp:
                settings = f'fanout = "tcp://127.0.0.1:0"\n{settings}'
            address = "tcp://127.0.0.1:0" if tcp else f"ipc://{folder}/bus"
            broker = Broker(folder, address=address, settings=settings, prefix=prefix)
            prepare(folder)
            stack.callback(broker.kill)
            broker.start()
            return broker

        yield make


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker with short commits, over Unix sockets."""
    return make_broker()
