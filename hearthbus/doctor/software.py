"""Are Python, the libraries and what each service needs there, and new enough?"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hearthbus.doctor.finding import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

OLDEST_PYTHON: Final = (3, 11)
OLDEST_LIBZMQ: Final = (4, 3, 5)
"""4.3.4 lacks a fix that the broker's fan-out needs; older ones have holes that anybody on the network can use."""
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[([a-z0-9_,-]+)\])?.*?;.*extra == ['\"]([a-z0-9_-]+)['\"]")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Versions; empty where something is not there."""

    python: tuple[int, ...] = ()
    hearthbus: str = ""
    pyzmq: str = ""
    libzmq: tuple[int, ...] = ()
    curve: bool = False
    msgpack: str = ""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service -> packages of its extra that are not installed."""
    to_install: str = "pip install"


def gather(scene: Scene) -> Facts:
    """Ask the libraries themselves."""
    from hearthbus.version import VERSION

    pyzmq = msgpack = ""
    libzmq: tuple[int, ...] = ()
    curve = False
    try:
        import zmq

        pyzmq, libzmq, curve = zmq.__version__, zmq.zmq_version_info(), bool(zmq.has("curve"))
    except ImportError:
        pass
    try:
        import msgpack as library

        msgpack = ".".join(map(str, library.version))
    except ImportError:
        pass
    from hearthbus.plugins import to_install

    return Facts(
        python=tuple(sys.version_info[:3]),
        hearthbus=VERSION,
        pyzmq=pyzmq,
        libzmq=libzmq,
        curve=curve,
        msgpack=msgpack,
        missing=_missing(set(scene.kinds.values())),
        to_install=to_install("hearthbus[{}]"),
    )


def judge(facts: Facts) -> Iterator[Finding]:
    """Compare with what hearthbus needs."""
    install = facts.to_install.format
    if facts.python < OLDEST_PYTHON:
        yield bad(
            f"Python {_dotted(facts.python)} is too old", "install Python 3.11 or newer: Raspberry Pi OS of 2023 has it"
        )
    for name, version in (("pyzmq", facts.pyzmq), ("msgpack", facts.msgpack)):
        if not version:
            yield bad(f"the Python package {name} is not installed", install("all"))
    if facts.pyzmq and facts.libzmq < OLDEST_LIBZMQ:
        yield bad(
            f"libzmq {_dotted(facts.libzmq)} is older than {_dotted(OLDEST_LIBZMQ)}",
            "use the pyzmq of PyPI, whose wheel has a newer one, not the distribution's python3-zmq",
        )
    if facts.pyzmq and not facts.curve:
        yield bad("this libzmq has no CURVE: no other machine can come in", "use the pyzmq of PyPI")
    for service, packages in sorted(facts.missing.items()):
        yield warn(f"{service}: not installed: {', '.join(packages)}", f"if it needs them, {install(service)}")
    yield ok(
        f"hearthbus {facts.hearthbus}, Python {_dotted(facts.python)}, pyzmq {facts.pyzmq or 'none'}, "
        f"libzmq {_dotted(facts.libzmq) or 'none'}, msgpack {facts.msgpack or 'none'}"
    )


def requirements(extra: str, declared: list[str]) -> set[str]:
    """Return the packages that an extra needs, with those of the extras it names; `declared` as in the metadata."""
    found: set[str] = set()
    for line in declared:
        match = _REQUIREMENT.fullmatch(line)
        if match and match[3] == extra.replace("_", "-"):
            if match[1] == "hearthbus":
                found = found.union(*(requirements(each, declared) for each in match[2].split(",")))
            else:
                found.add(match[1])
    return found


def _missing(services: set[str]) -> dict[str, tuple[str, ...]]:
    from importlib.metadata import PackageNotFoundError, requires, version

    def there(package: str) -> bool:
        try:
            return bool(version(package))
        except PackageNotFoundError:
            return False

    try:
        declared = requires("hearthbus") or []
    except PackageNotFoundError:
        return {}
    found = {
        name: tuple(package for package in sorted(requirements(name, declared)) if not there(package))
        for name in services
    }
    return {name: packages for name, packages in found.items() if packages}


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
