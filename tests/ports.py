"""Ports for servers that cannot choose one by themselves: each worker of pytest has a range of its own.

A port that was bound to 0 and let go again may be another's a moment later; these are below the range from which the
kernel takes (32768), and no two workers share one.
"""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

_FIRST: Final = 20_000
_EACH: Final = 400
_count = itertools.count(os.getpid() % _EACH)  # two runs beside each other begin at different places


def free_port() -> int:
    """Return a TCP port of this worker's on which nobody listens."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 30
    for _ in range(_EACH):
        port = _FIRST + worker * _EACH + next(_count) % _EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers of a closed one is no listener
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no port is free from {_FIRST + worker * _EACH} to {_FIRST + (worker + 1) * _EACH - 1}")
