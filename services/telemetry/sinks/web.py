"""What the tables of all HTTP sinks have in common, and the address they name. Opens no connection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the configuration's reader asks for it
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hearthbus.errors import Invalid
from services.telemetry.settings import Common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from services.telemetry.sinks import Sink
    from services.telemetry.sinks.exchange import Format

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: an URL taken apart. `path` ends without a slash and may be empty."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Host and port, for a person."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class WebSettings(Common):
    """What every HTTP sink can be told."""

    timeout_s: float = 30.0
    """Seconds after which a call that has not been answered whole is given up, and repeated later."""
    ca: Path | None = None
    """File of the certificates to trust, where those of an https server are your own; default: the machine's."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with time-out and certificates."""
        yield from super().faults()
        if not 0.1 <= self.timeout_s <= 600:
            yield f"timeout_s {self.timeout_s} is not within 0.1 to 600"
        if self.ca is not None and not self.ca.is_file():
            yield f"ca: there is no file {self.ca}"

    def carrier(self, name: str, form: Format, address: Address) -> Sink:
        """Make what sends what `form` writes to `address`."""
        from services.telemetry.sinks.http import HttpSink

        return HttpSink(
            form,
            name=name,
            address=address,
            secrets=[secret.reveal() for secret in self.secrets()],
            timeout_s=self.timeout_s,
            authorities=self.ca,
        )


def gathered(*checks: Callable[[], object]) -> Iterator[str]:
    """Run checks that raise `Invalid`, and tell what they found."""
    for check in checks:
        try:
            check()
        except Invalid as error:
            yield from error.problems


def parse_url(url: str, *, key: str = "url", query: bool = False) -> Address:
    """Take the address of a server apart. The error tells what is wrong, not the URL: it may hold a token.

    Args:
        url: `http://host:port/path` or `https://...`.
        key: what the configuration calls it.
        query: whether it may end in `?...`; that becomes part of the path.

    Raises:
        Invalid: what a sink cannot be reached by, or a user name, which would be shown with the address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid(f"{key} is no address; write for example http://192.168.1.5:8086") from None
    if parts.scheme not in _PORTS or not host:
        raise Invalid(f"{key} begins with http:// or https:// and a host")
    if port == 0:
        raise Invalid(f"{key} has port 0, which nobody listens at")
    if parts.username is not None or parts.password is not None:
        raise Invalid(f"{key} has a user name in it; a password has a key of its own, and is a secret")
    if parts.fragment or (parts.query and not query):
        raise Invalid(f"{key} ends with the path; what follows ? or # is not for here")
    if not all(" " < char < "\x7f" for char in url):
        raise Invalid(f"{key} has a space or another sign that an address cannot have; write it %20 and so on")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if query else parts.path.rstrip("/")
    return Address(parts.scheme == "https", host, port or _PORTS[parts.scheme], path)


def header_value(text: str, *, key: str) -> str:
    """Return `text` where it can stand in a header. The error does not show it: it may be a secret.

    Raises:
        Invalid: another sign than those of ASCII, or a line's end.
    """
    if not text.strip() or not all(" " <= char <= "\x7e" for char in text):
        raise Invalid(f"{key} is empty or holds what no header can: it is ASCII text of one line")
    return text
