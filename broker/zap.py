"""Who is let in: the answers to what ZeroMQ asks of each new connection (ZAP, RFC 27). Pure: frames in, frames out.

    request    version id domain address identity mechanism credentials...      behind the asker's envelope
    reply      version id status text user metadata

A connection without a key (NULL) comes through the local addresses only, so it is this machine's: who it is depends on
file permissions, and its user id is `local`, with `:UID` where the kernel tells it. A connection with a key (CURVE) is
let in if the key is among those allowed, and its user id is the key's name. ZeroMQ puts the user id on every frame:
nobody can change it. No answer is no entry: the sockets enforce their domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOMAIN: Final = b"hearthbus"
LOCAL: Final = "local"
"""Who a client of this machine is; the name of its table of access, too, and so of no key."""
_VERSION: Final = b"1.0"
_LOOPBACK: Final = ("127.", "::1", "localhost:", "::ffff:127.")
"""What the addresses of this machine's clients begin with; over a Unix socket it is `localhost:UID:GID:PID`."""


class Gate:
    """The keys that are allowed, and what came of those who asked."""

    def __init__(self, allowed: Mapping[bytes, str]) -> None:
        self.allowed = dict(allowed)
        """The public key, 32 bytes, of each who is let in, and his name."""
        self.own = b""
        """The key the broker uses to try its own door; known to nobody else."""
        self.own_strangers: set[bytes] = set()
        """Keys with which the broker tries that nobody is let in who is not allowed: their refusal is none to count."""
        self.entered: set[str] = set()
        """Names that came in since `shut`: their connections may still be there."""
        self.strangers = 0
        """Connections refused."""
        self._barred: dict[str, float] = {}
        self.last_stranger = ""
        """Where the last of them came from."""

    def bar(self, who: str, until: float) -> None:
        """Let nobody in as `who` before `until`, in seconds of the monotonic clock."""
        self._barred[who] = until

    def answer(self, frames: Sequence[bytes], now: float) -> list[bytes]:
        """Return the reply to one request, envelope and all; empty for what is no request, which gets none."""
        try:
            at = frames.index(b"") + 1
        except ValueError:
            return []
        envelope, request = frames[:at], frames[at:]
        if len(request) < 6:
            return []
        version, number, domain, address, _, mechanism, *credentials = request
        who = self._who(address.decode(errors="replace"), mechanism, credentials)
        if version != _VERSION or domain != DOMAIN or self._barred.get(who, now) > now:
            who = ""
        if not who and self.own_strangers.isdisjoint(credentials):
            self.strangers += 1
            self.last_stranger = address.decode(errors="replace")
        status, text = (b"200", b"") if who else (b"400", b"not allowed")
        return [*envelope, _VERSION, number, status, text, who.encode(), b""]

    def take(self, allowed: Mapping[bytes, str]) -> set[str]:
        """Let in others from now on; return the names that may still be connected and are not to be."""
        revoked = {name for key, name in self.allowed.items() if allowed.get(key) != name}
        self.allowed = dict(allowed)
        return revoked & self.entered

    def shut(self) -> None:
        """Every connection was ended: whoever comes back asks again."""
        self.entered.clear()

    def _who(self, address: str, mechanism: bytes, credentials: Sequence[bytes]) -> str:
        """The user id of a connection; empty for a stranger."""
        if mechanism == b"NULL" and not credentials and address.startswith(_LOOPBACK):
            kind, _, rest = address.partition(":")
            return f"{LOCAL}:{rest.split(':')[0]}" if kind == "localhost" else LOCAL
        if mechanism == b"CURVE" and len(credentials) == 1:
            if self.own and credentials[0] == self.own:
                return LOCAL
            name = self.allowed.get(credentials[0], "")
            if name:
                self.entered.add(name)
            return name
        return ""


def is_local(who: str) -> bool:
    """Whether a user id is that of a client of this machine."""
    return who == LOCAL or who.startswith(f"{LOCAL}:")
