"""Tell systemd how the process is: the sd_notify protocol, one datagram a message (man 3 sd_notify).

Without systemd ($NOTIFY_SOCKET is not set) everything here does nothing. Knows no service.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(*assignments: str) -> None:
    """Send `READY=1`, `STATUS=...` and the like; a systemd that does not listen is no error."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        channel.sendto("\n".join(assignments).encode(), address)


def watchdog_seconds() -> float | None:
    """Return how often systemd wants to hear `WATCHDOG=1` at the least, or None if it does not."""
    period = os.environ.get("WATCHDOG_USEC", "")
    if not period.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(period) / 1e6
