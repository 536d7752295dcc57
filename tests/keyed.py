"""A broker with keys for tests: its folder of keys, who has which, and raw clients that come with one."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import zmq
from raw import Raw

from hearthbus.keys import ALLOWED, REVOKED, Key, key_text, public_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Broker

SETTINGS = 'network = "tcp://127.0.0.1:0"\nkeys = "keys"\nstats_s = 0.5\n'


class Keys:
    """A folder of keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for inner in (folder, folder / ALLOWED, folder / REVOKED):
            inner.mkdir(mode=0o700)
        self.broker = pair("broker")
        self._write("broker.key", key_text(self.broker))

    def new(self, name: str) -> Key:
        """Make a key and let it in."""
        key = self.stranger(name)
        self.allow(key)
        return key

    def stranger(self, name: str) -> Key:
        """Make a key that is not let in."""
        key = pair(name, broker=self.broker.public)
        self._write(f"{name}.key", key_text(key))
        return key

    def path(self, key: Key) -> Path:
        """The file of a key."""
        return self.folder / f"{key.name}.key"

    def allow(self, key: Key) -> None:
        """Let a key in."""
        self._write(f"{ALLOWED}/.new", public_text(name=key.name, public=key.public))
        (self.folder / ALLOWED / ".new").rename(self.folder / ALLOWED / f"{key.name}.pub")

    def revoke(self, name: str) -> None:
        """Shut a key out."""
        (self.folder / ALLOWED / f"{name}.pub").rename(self.folder / REVOKED / f"{name}.pub")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)


class House:
    """A broker with keys, at a Unix socket for this machine and at a port of its own for those with a key."""

    def __init__(
        self,
        make_broker: Callable[..., Broker],
        access: str = "",
        *,
        keys: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.keys: Keys
        made: list[Keys] = []

        def prepare(folder: Path) -> None:
            made.append(Keys(folder / "keys"))
            self._keys = {name: made[0].new(name) for name in keys}

        self.broker = make_broker(settings=SETTINGS + access, prepare=prepare, prefix=prefix)
        self.keys = made[0]
        found = re.search(r"with keys on (\S+), fan-out on (\S+),", "\n".join(self.broker.lines))
        assert found is not None
        self.url, self.fanout = found[1], found[2]

    def key(self, name: str) -> Key:
        """A key that was let in from the start."""
        return self._keys[name]

    def path(self, name: str) -> Path:
        """The file of such a key."""
        return self.keys.path(self.key(name))

    def configure(self, access: str) -> None:
        """Write another configuration and let the broker read it."""
        self.broker.write(SETTINGS + access)
        self.broker.signal(signal.SIGHUP)

    def raw(self, key: Key | None, **options: bytes) -> Raw:
        """A raw client that comes with a key, by the network's address."""
        return Raw(self.url, name=key.name if key else "stranger", key=key, **options)  # type: ignore[arg-type]


def pair(name: str, *, broker: str = "") -> Key:
    """Make a key of random numbers."""
    public, secret = (part.decode() for part in zmq.curve_keypair())
    return Key(name=name, public=public, secret=secret, broker=broker)
