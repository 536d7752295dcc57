"""The folder of keys as `hearthbus keys` changes it: every file written whole, or not at all, and for its owner alone.

    broker.key          the broker's own
    allowed/NAME.pub    who is let in
    revoked/NAME.pub    who was
    NAME.key            a new key, until it was carried to its machine

Root works in it as the owner of the folder, who is the broker: what is made can be read by the broker, and no link that
somebody laid there leads anywhere else. Knows files; says nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hearthbus.durable import sync_folder
from hearthbus.errors import Invalid, Unavailable
from hearthbus.keys import (
    ALLOWED,
    BROKER,
    REVOKED,
    Key,
    check_folder,
    check_key_name,
    key_text,
    public_text,
    read_allowed,
    read_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = "local"
"""Who the clients of the broker's own machine are in its access table: no key's name."""


class KeyFolder:
    """One folder of keys.

    Every method may raise:
        Invalid: the folder or a file in it is not as it must be; the text says what to type.
        Unavailable: it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def init(self, *, owner: tuple[int, int] | None = None) -> bool:
        """Make the folder, for `owner` (user, group) where it is new, and the broker's key; False where it is there."""
        with _writing(self.path):
            if not self.path.exists():
                self.path.mkdir(mode=0o700, parents=True)
                if owner is not None:
                    os.chown(self.path, *owner)
        check_folder(str(self.path))
        with self._as_owner():
            for folder in (self.path / ALLOWED, self.path / REVOKED):
                folder.mkdir(mode=0o700, exist_ok=True)
            if (self.path / f"{BROKER}.key").exists():
                self.broker()
                return False
            _write(self.path / f"{BROKER}.key", key_text(_fresh(BROKER)))
            return True

    def broker(self) -> Key:
        """Return the broker's own key."""
        check_folder(str(self.path))
        file = self.path / f"{BROKER}.key"
        if not file.exists():
            raise Invalid(f"{self.path} holds no key of a broker; make one with `hearthbus keys init`")
        return read_key(str(file))

    def allowed(self) -> list[str]:
        """Return the names that are let in."""
        return sorted(read_allowed(str(self.path)).values())

    def revoked(self) -> list[str]:
        """Return the names that were let in, and are not."""
        with _writing(self.path):
            names = {name.split(".")[0] for name in self._names(REVOKED)}
            return sorted(names - {*self._names(ALLOWED)})

    def carried(self, name: str) -> bool:
        """Whether the secret of a key does not lie here any more."""
        return not (self.path / f"{name}.key").exists()

    def add(self, name: str) -> Path:
        """Make a key and let it in; return the file to carry."""
        check_key_name(name)
        if name in {BROKER, LOCAL}:
            raise Invalid(f"key name {name!r} is taken: it stands for the broker's own machine; choose another")
        broker = self.broker()
        if name in self.allowed():
            raise Invalid(f"{name} has a key; `hearthbus keys revoke {name}` first, or choose another name")
        file, key = self.path / f"{name}.key", _fresh(name, broker=broker.public)
        with self._as_owner():
            _write(file, key_text(key))
            _write(self.path / ALLOWED / f"{name}.pub", public_text(name=name, public=key.public))
        return file

    def revoke(self, name: str) -> None:
        """Let a key in no more; whatever else is wrong with the folder does not matter to that."""
        check_key_name(name)
        kept = self.path / REVOKED / f"{name}.pub"
        with self._as_owner():
            if name not in self._names(ALLOWED):
                how = "was revoked already" if kept.exists() else "is no key that is let in"
                raise Invalid(f"{name} {how}; let in are: {', '.join(self._names(ALLOWED)) or 'none'}")
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            if kept.exists():
                number = sum(1 for _ in kept.parent.glob(f"{name}.*.pub")) + 1
                kept.rename(kept.with_name(f"{name}.{number}.pub"))
            (self.path / ALLOWED / f"{name}.pub").rename(kept)
            sync_folder(kept.parent)
            sync_folder(self.path / ALLOWED)
            (self.path / f"{name}.key").unlink(missing_ok=True)

    def _names(self, folder: str) -> list[str]:
        return sorted(file.name.removesuffix(".pub") for file in (self.path / folder).glob("*.pub"))

    @contextlib.contextmanager
    def _as_owner(self) -> Iterator[None]:
        with _writing(self.path):
            owner = self.path.stat()
            me, mine = os.geteuid(), os.getegid()
            if me != 0 or owner.st_uid == 0:
                yield
                return
            os.setegid(owner.st_gid)
            os.seteuid(owner.st_uid)
            try:
                yield
            finally:
                os.seteuid(me)
                os.setegid(mine)


def _write(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor, not a path
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    part.rename(file)
    sync_folder(file.parent)


def _fresh(name: str, *, broker: str = "") -> Key:
    import zmq

    public, secret = (part.decode() for part in zmq.curve_keypair())
    return Key(name=name, public=public, secret=secret, broker=broker)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise Unavailable(f"{error.filename or folder}: {error.strerror}; do it as its owner, with sudo") from None
    except OSError as error:
        raise Unavailable(f"{error.filename or folder}: {error.strerror}") from None
