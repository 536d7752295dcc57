"""Start and end of the broker process: folder, recovery, sockets, signals. What `hearthbus broker` runs."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

from broker.access import Table
from broker.commits import cannot_write
from broker.core import Core
from broker.disk import Disk
from broker.keyring import Keyring
from broker.loop import Loop
from broker.presence import stamp_of
from broker.recovery import bring_home, find, finish, lock, save
from broker.tail import Tail
from hearthbus.running.notify import notify
from hearthbus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from broker.config import BrokerConfig


UNSOUND: Final = 70
"""Exit code of a broker that would let in anybody, or does not answer itself."""


def main(config: BrokerConfig, reread: Callable[[], BrokerConfig] | None = None) -> int:
    """Run the broker until SIGTERM or SIGINT; return the exit code. SIGHUP takes what `reread` returns.

    Raises:
        Unavailable: the address or the folder is in use.
        Invalid: the folder of keys is not as it must be.
    """
    keyring = Keyring(folder=config.keys if config.network else "")
    keyring.open()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection is a file; half-open ones count too
    wall = time.time_ns()
    folder = config.data_path
    lock_file = lock(folder)
    found = find(folder, stamp=stamp_of(wall).replace(":", ""))
    access = Table(config.access, keys=keyring.allowed.values())
    core = Core(config, access=access, epoch=wall)
    core.begin(time.monotonic(), wall)
    bring_home(core, found, folder, epoch=wall)
    core.commits.error = found.error or save(core, folder)
    if core.commits.error:
        found.notes.append(cannot_write(core.commits.error))
    tail = Tail(folder, epoch=core.epoch, limit=4 * config.limits.memory_journal_bytes)
    tail.open(core.stream.offset)

    def ready() -> None:
        _log(listening(loop.doors.addresses, folder))
        notify("READY=1")

    loop = Loop(
        core,
        disk=Disk(folder, config),
        tail=tail,
        version=VERSION,
        log=_log,
        access=access,
        keyring=keyring,
        reread=reread,
        ready=ready,
    )
    try:
        loop.bind()
        wake, wake_end = os.pipe()
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        signal.signal(signal.SIGHUP, lambda *_: loop.reload.want())
        for note in found.notes:
            _log(note)
        fault = loop.run(wake)
        _log(fault or "stopping")
    finally:
        notify("STOPPING=1")
        loop.end_disk()
        loop.close()
        finish(core, folder, tail)
        if lock_file >= 0:
            os.close(lock_file)
    return UNSOUND if fault else 0


def listening(addresses: Sequence[str], folder: Path) -> str:
    """The line that says where clients are awaited."""
    address, fanout, *network = addresses
    keys = f"; with keys on {network[0]}, fan-out on {network[1]}" if network else ""
    return f"listening on {address}, fan-out on {fanout}{keys}, journal in {folder}"


def _log(text: str) -> None:
    """One line for the journal of the machine."""
    sys.stderr.write(f"broker: {text}\n")
    sys.stderr.flush()
