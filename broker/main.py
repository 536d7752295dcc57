"""Start and end of the broker process: folder, recovery, sockets, signals. What `hearthbus broker` runs."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING

from broker.access import Table
from broker.commits import cannot_write
from broker.core import Core
from broker.disk import Disk
from broker.keyring import Keyring
from broker.loop import Loop
from broker.presence import stamp_of
from broker.recovery import bring_home, find, finish, lock, save
from broker.tail import Tail
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from broker.config import BrokerConfig


def main(config: BrokerConfig) -> int:
    """Run the broker until SIGTERM or SIGINT; return the exit code.

    Raises:
        Unavailable: the address or the folder is in use.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection is a file; half-open ones count too
    wall = time.time_ns()
    folder = config.data_path
    lock_file = lock(folder)
    found = find(folder, stamp=stamp_of(wall).replace(":", ""))
    keyring = Keyring(folder=config.keys if config.network else "")
    keyring.open()
    core = Core(config, access=Table(config.access, keys=keyring.allowed.values()), epoch=wall)
    core.begin(time.monotonic(), wall)
    bring_home(core, found, folder, epoch=wall)
    core.commits.error = found.error or save(core, folder)
    if core.commits.error:
        found.notes.append(cannot_write(core.commits.error))
    tail = Tail(folder, epoch=core.epoch, limit=4 * config.limits.memory_journal_bytes)
    tail.open(core.stream.offset)
    loop = Loop(core, disk=Disk(folder, config), tail=tail, version=VERSION, log=_log, keyring=keyring)
    try:
        addresses = loop.bind()
        wake, wake_end = os.pipe()
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        for note in found.notes:
            _log(note)
        _log(listening(addresses, folder))
        loop.run(wake)
        _log("stopping")
    finally:
        loop.end_disk()
        loop.close()
        finish(core, folder, tail)
        if lock_file >= 0:
            os.close(lock_file)
    return 0


def listening(addresses: Sequence[str], folder: Path) -> str:
    """The line that says where clients are awaited."""
    address, fanout, *network = addresses
    keys = f"; with keys on {network[0]}, fan-out on {network[1]}" if network else ""
    return f"listening on {address}, fan-out on {fanout}{keys}, journal in {folder}"


def _log(text: str) -> None:
    """One line for the journal of the machine."""
    sys.stderr.write(f"broker: {text}\n")
    sys.stderr.flush()
