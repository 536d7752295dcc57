"""Find what installed packages offer by entry point: services, the broker's configuration.

    [project.entry-points."hearthbus.services"]
    thermostat = "my_house.thermostat:Thermostat"

Reads the packages' `entry_points.txt` itself: `importlib.metadata` does the same and costs each service process
25 ms and 3.4 MB (measured with Python 3.11). Knows nothing of what is found.
"""

# ruff: noqa: PTH110, PTH118, PTH123, PTH207 - pathlib costs each service process 10 ms and 0.65 MB

from __future__ import annotations

import glob
import os.path
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = ("*.dist-info/entry_points.txt", "*.egg-info/entry_points.txt")


def find(group: str) -> dict[str, str]:
    """Return the entry points of a group: `module:attribute` by name; the first on Python's path wins."""
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path):
        for place in _PLACES:
            for file in sorted(glob.glob(os.path.join(glob.escape(folder or "."), place))):
                with open(file, encoding="utf-8") as stream:
                    for name, target in _entries(stream.read(), group):
                        found.setdefault(name, target)
    return found


def load(name: str, target: str) -> Any:
    """Import what an entry point stands for.

    Args:
        name: what people call it.
        target: `module:attribute`.

    Raises:
        Invalid: it cannot be imported; the text says what is missing or where it fails.
    """
    module, _, attribute = target.partition(":")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if module == missing or module.startswith(f"{missing}."):
            raise Invalid(f"there is no module {module!r}") from None
        install = f"hearthbus[{name}]" if module.startswith("services.") else missing
        raise Invalid(f"{name!r} needs the Python package {missing!r}; {to_install(install)}") from None
    except Exception as error:
        raise Invalid(f"{module} cannot be imported: {_place(error, module)}{type(error).__name__}: {error}") from error
    if not hasattr(found, attribute):
        raise Invalid(f"there is no {attribute!r} in the module {module!r}")
    return getattr(found, attribute)


def to_install(package: str) -> str:
    """Return what to type so that this very Python gets a package: in a virtual environment, its own pip.

    Where hearthbus was installed for good, an extra of its own goes the way that upgrades keep (docs/install.md).
    """
    extra = package.removeprefix("hearthbus[").removesuffix("]")
    if package == f"hearthbus[{extra}]" and os.path.exists(f"{sys.prefix}/made-with/extras"):
        if os.path.exists("/usr/sbin/hearthbus-extra"):
            return f"type: sudo hearthbus-extra {extra}"
        with open(f"{sys.prefix}/made-with/extras", encoding="utf-8") as file:
            return f"type, in the checkout: sudo deploy/install.sh --extras {file.read().strip()},{extra}"
    pip = "pip"
    if sys.prefix != sys.base_prefix:
        pip = os.path.join(sys.prefix, "bin", "pip")
        here = os.path.relpath(pip)
        pip = pip if here.startswith("..") else here
    return f"type: {pip} install '{package}'"


def _place(error: Exception, module: str) -> str:
    """Return `file:line: ` of where in a module its import failed, or nothing where the error says it itself."""
    trace = error.__traceback__
    if trace is None or isinstance(error, SyntaxError):
        return ""
    last = trace
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == module:
            last = trace
        trace = trace.tb_next
    return f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}: "


def _entries(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Read one group of an entry_points.txt: an INI file of `name = module:attribute [extras]`."""
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line.strip() == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()
