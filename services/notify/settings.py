"""The tables [notify.targets.NAME]: what each kind of target needs, and every fault of one said at once.

Knows what can be wrong without asking a server; does not send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, get_args
from urllib.parse import unquote, urlsplit

from hearthbus import Invalid, Secret
from hearthbus.plugins import to_install
from services.checks import check_all, host_faults, refuse
from services.notify.limits import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

Kind = Literal["email", "ntfy", "pushover", "prowl", "telegram", "apprise"]
Tls = Literal["starttls", "tls", "none"]

PORTS: Final[dict[Tls, int]] = {"starttls": 587, "tls": 465, "none": 25}
NTFY: Final = "https://ntfy.sh"
_COMMON: Final = frozenset({"kind", "per_hour", "quiet"})
_NEEDED: Final[dict[Kind, tuple[str, ...]]] = {
    "email": ("host", "sender", "to"),
    "ntfy": ("topic",),
    "pushover": ("user", "token"),
    "prowl": ("key",),
    "telegram": ("bot", "chat"),
    "apprise": ("url",),
}
_ALLOWED: Final[dict[Kind, tuple[str, ...]]] = {
    "email": ("port", "tls", "user", "password"),
    "ntfy": ("server", "token"),
    "pushover": (),
    "prowl": (),
    "telegram": (),
    "apprise": (),
}
_SHAPES: Final[dict[Kind, dict[str, tuple[str, str]]]] = {
    "ntfy": {"topic": (r"[A-Za-z0-9_-]{1,64}", "1 to 64 of A-Z a-z 0-9 _ -")},
    "pushover": {
        "user": (r"[A-Za-z0-9]{30}", "30 letters and digits, at the top of pushover.net when logged in"),
        "token": (r"[A-Za-z0-9]{30}", "30 letters and digits, that of an application made at pushover.net"),
    },
    "prowl": {"key": (r"[A-Fa-f0-9]{40}", "40 hexadecimal digits, made at prowlapp.com/api_settings.php")},
    "telegram": {
        "bot": (r"[0-9]+:[A-Za-z0-9_-]{30,}", "what @BotFather gave, such as 123456:ABC..."),
        "chat": (r"-?[0-9]+|@[A-Za-z0-9_]{5,}", "a number, or the @name of a channel"),
    },
    "apprise": {"url": (r"[a-z0-9]{2,20}://\S+", "an address of apprise, such as discord://ID/TOKEN")},
}
"""What a value must look like, and how that is said; the value itself is never shown."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\Z")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\Z")
"""A name, or an address of IPv4 or IPv6."""
_HERE: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Target:
    """One way to reach somebody."""

    kind: Kind
    """How: email needs nothing else installed, the others `pip install 'hearthbus[notify]'`."""
    host: str | None = None
    """email: the mail server that takes the house's mail."""
    port: int | None = None
    """email: default 587, with `tls = "tls"` 465, with `tls = "none"` 25."""
    tls: Tls = "starttls"
    """email: how the connection is encrypted; the server's certificate is checked, with the authorities of the system
    or of `SSL_CERT_FILE` in the environment."""
    user: str | Secret | None = None
    """email: who logs in; default: nobody does. pushover: the user's or group's key."""
    password: Secret | None = None
    """email: that of `user`."""
    sender: str | None = None
    """email: the address mail comes from."""
    to: tuple[str, ...] = ()
    """email: the addresses it goes to; all see one another."""
    topic: str | Secret | None = None
    """ntfy: the topic; on a public server whoever knows it can read along."""
    server: str = NTFY
    """ntfy: the server."""
    token: Secret | None = None
    """ntfy: an access token, where the server asks for one. pushover: the application's."""
    key: Secret | None = None
    """prowl: the API key."""
    bot: Secret | None = None
    """telegram: the bot's token."""
    chat: str | int | None = None
    """telegram: the chat's number, or `@name` of a channel."""
    url: Secret | None = None
    """apprise: the address of any service apprise knows, in its spelling."""
    per_hour: int = 60
    """Messages an hour; after a silence so many may come at once. 0: no limit. Urgent ones always pass."""
    quiet: str | None = None
    """Hours in which only urgent messages pass, such as `"22:00-07:00"`, in the house's time zone."""

    def __post_init__(self) -> None:
        check_all(
            lambda: refuse(self._misplaced()),
            lambda: refuse(self._misshapen()),
            lambda: refuse(self._email_faults() if self.kind == "email" else self._server_faults()),
            lambda: self.quiet is None or Quiet.parse(self.quiet),
            lambda: refuse([f"per_hour {self.per_hour} is below 0"] if self.per_hour < 0 else ()),
            self._check_installed,
        )

    def secrets(self) -> tuple[str, ...]:
        """Return what must be seen nowhere: for `services.redact`."""
        found = [
            value.reveal() for value in (getattr(self, each.name) for each in fields(self)) if isinstance(value, Secret)
        ]
        if self.url is not None:
            parts = re.split(r"[/:@?&=,#]+", self.url.reveal().partition("://")[2])
            found += [spelling for part in parts for spelling in {part, unquote(part)} if len(part) >= 4]
        return tuple(found)

    def _misplaced(self) -> Iterator[str]:
        known = {*_COMMON, *_NEEDED[self.kind], *_ALLOWED[self.kind]}
        for each in fields(self):
            given = getattr(self, each.name)
            if each.name not in known and given != each.default:
                others = " or ".join(kind for kind in get_args(Kind) if each.name in (*_NEEDED[kind], *_ALLOWED[kind]))
                yield f'{each.name} is for kind = "{others}", not for {self.kind}'
            elif each.name in _NEEDED[self.kind] and given in (None, "", ()):
                yield f'{each.name} is missing; kind = "{self.kind}" needs {", ".join(_NEEDED[self.kind])}'

    def _misshapen(self) -> Iterator[str]:
        for name, (pattern, said) in _SHAPES.get(self.kind, {}).items():
            value = getattr(self, name)
            if value not in (None, "") and not re.fullmatch(pattern, revealed(value)):
                yield f"{name} is not what it should be: {said}"

    def _email_faults(self) -> Iterator[str]:
        for name, address in (("sender", self.sender), *(("to", each) for each in self.to)):
            fault = address_fault(address) if address else ""
            if fault:
                yield f"{name}: {fault}"
        host = (self.host or "")[:255]
        name, _, port = host.rpartition(":")
        if not {"/", "@"}.isdisjoint(host):
            yield from host_faults(host)
        elif name and ":" not in name:
            yield f'host {host[:60]!r} has a port in it; write host = "{name}" and port = {port}'
        elif host and not _HOST.match(host):
            yield f"host {host[:60]!r} is no name of a machine"
        if self.port is not None and not 0 < self.port < 65536:
            yield f"port {self.port} is none of 1 to 65535"
        if (self.user is None) != (self.password is None):
            yield "user and password belong together; set both, or none"
        if self.password is not None and self.tls == "none" and self.host not in _HERE:
            yield 'password would cross the network for all to read; tls = "starttls" or "tls" hides it'

    def _server_faults(self) -> Iterator[str]:
        try:
            parts = urlsplit(self.server)
        except ValueError:
            yield f'server is no address; write server = "{NTFY}"'
            return
        whole = parts.scheme in {"http", "https"} and parts.hostname and not parts.path.strip("/") and not parts.query
        if not whole or not _has_port(parts):
            yield f'server {parts.scheme[:10]}://{(parts.hostname or "")[:60]} is no address; write server = "{NTFY}"'
        elif parts.username or parts.password:
            yield "server holds a password; make an access token and write it as token = { file = ... }"
        elif self.token is not None and parts.scheme == "http" and parts.hostname not in _HERE:
            yield 'token would cross the network for all to read; server = "https://..." hides it'

    def _check_installed(self) -> None:
        if self.kind != "email" and find_spec("apprise") is None:
            raise Invalid(f'kind = "{self.kind}" needs a package; {to_install("hearthbus[notify]")}')


def _has_port(parts: SplitResult) -> bool:
    """Whether the port of an address, if it names one, can be one."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def address_fault(address: str) -> str:
    """Say what is wrong with an e-mail address; empty where nothing is."""
    if _ADDRESS.match(address) and ".." not in address and "=?" not in address:  # nor the code of mail headers
        return ""
    if not address.isascii():
        return f"{address[:80]!r} has characters other than a-z; write its domain as xn--..."
    return f"{address[:80]!r} is no e-mail address; write name@example.org"


def revealed(value: str | int | Secret | None) -> str:
    """Return a value of a table as text, a secret's too."""
    return value.reveal() if isinstance(value, Secret) else "" if value is None else str(value)
