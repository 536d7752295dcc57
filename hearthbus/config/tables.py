"""The tables every house may have beside its services': `[house]` and `[bus]`, and where the broker is.

Values and their rules; reads no configuration.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hearthbus.bus import DEFAULT_URL
from hearthbus.config.problems import nearest
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_URL = re.compile(r"tcp://[^/\s]+:[0-9]{1,5}|ipc://\S+")
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_ANY_ADDRESS = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Place:
    """`[house]`: where the house stands; what a service may take when its own table does not say."""

    latitude: float | None = None
    """Degrees, north positive."""
    longitude: float | None = None
    """Degrees, east positive."""
    timezone: str | None = None
    """IANA name, for example Europe/London."""

    def __post_init__(self) -> None:
        problems: list[str] = []
        if self.latitude is not None and not -90 <= self.latitude <= 90:
            problems.append(f"latitude {self.latitude} is outside -90 to 90")
        if self.longitude is not None and not -180 <= self.longitude <= 180:
            problems.append(f"longitude {self.longitude} is outside -180 to 180")
        if self.timezone is not None and not _is_timezone(self.timezone):
            problems.append(f"timezone {self.timezone!r} is not known{_nearest_timezone(self.timezone)}")
        if problems:
            raise Invalid("; ".join(problems), problems=tuple(problems))

    def shared(self) -> dict[str, Any]:
        """Return what is set."""
        return {name: value for name, value in vars(self).items() if value is not None}


STAND_IN: Mapping[str, Any] = {"latitude": 0.0, "longitude": 0.0, "timezone": "UTC"}
"""What services are checked with where `[house]` has faults of its own, so that these are told once."""


@dataclass(frozen=True)
class BusSettings:
    """`[bus]`: where the broker is."""

    url: str = ""
    """The broker's address, where services find it; default: what `[broker] address` says."""
    key: str = ""
    """File of the key with which services come to a broker on another machine; `hearthbus keys new` makes it."""

    def __post_init__(self) -> None:
        if self.url:
            check_url("url", self.url)
        if self.key and not self.url.startswith("tcp://"):
            raise Invalid('key is for the broker of another machine: name that too, url = "tcp://HOST:PORT"')


def check_url(name: str, url: str) -> None:
    """Refuse what is no address of a broker; `name` is where it stands."""
    if not _URL.fullmatch(url):
        raise Invalid(f"{name} {url!r}: write tcp://HOST:PORT or ipc:///PATH")


def beside(file: str, folder: str) -> str:
    """Return where a file is that the configuration in `folder` names: relative to that folder, ~ is the user's."""
    return os.path.abspath(os.path.join(folder, os.path.expanduser(file)))  # noqa: PTH100, PTH111, PTH118 - as below


def key_for(url: str, bus: BusSettings, *, folder: str) -> str:
    """Return the file of the key to show at `url`: HEARTHBUS_KEY's, else that of `[bus]`; empty for none.

    A key is for one broker: where HEARTHBUS_URL names another one than `[bus] url`, `[bus] key` is not for it.
    """
    own = beside(bus.key, folder) if bus.key and url == bus.url else ""
    return os.environ.get("HEARTHBUS_KEY") or own


def broker_url(address: Any) -> str:
    """Return where clients on this machine reach a broker with that `[broker] address`."""
    if not isinstance(address, str):
        return DEFAULT_URL
    scheme, separator, rest = address.partition("://")
    host, colon, port = rest.rpartition(":")
    return f"{scheme}{separator}{_ANY_ADDRESS.get(host, host)}{colon}{port}" if scheme == "tcp" else address


def _is_timezone(name: str) -> bool:
    if _ZONE.fullmatch(name) and os.path.isfile(f"/usr/share/zoneinfo/{name}"):  # noqa: PTH113 - as below
        return True  # most often so, and zoneinfo and pathlib cost each service process half a megabyte each
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _nearest_timezone(name: str) -> str:
    from zoneinfo import available_timezones

    return nearest(name, available_timezones())
