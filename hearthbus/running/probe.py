"""Whether a program listens at an address. Knows no protocol: what listens may be anything."""

from __future__ import annotations

import socket


def answers(url: str) -> bool:
    """Whether a program listens at a tcp:// or ipc:// address on this machine."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rpartition(":")
    family = socket.AF_UNIX if scheme == "ipc" else socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    place = rest.replace("@", "\0", 1) if scheme == "ipc" and rest.startswith("@") else rest
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(place if scheme == "ipc" else (host.strip("[]"), int(port)))
        except OSError:
            return False
        return True
