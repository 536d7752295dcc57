"""Find what installed packages offer by entry point: services, the broker's configuration.

    [project.entry-points."hearthbus.services"]
    thermostat = "my_house.thermostat:Thermostat"

Reads the packages' `entry_points.txt` itself: `importlib.metadata` does the same and costs each service process
25 ms and 3.4 MB (measured with Python 3.11). Knows nothing of what is found.
"""

# ruff: noqa: PTH118, PTH123, PTH207 - pathlib costs each service process 10 ms and 0.65 MB

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

    Raises:
        Invalid: it cannot be imported; the text says what to install.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if module == missing or module.startswith(f"{missing}."):
            raise Invalid(f"{name!r} is announced as {target}, and there is no such module") from None
        install = f"hearthbus[{name}]" if module.startswith("services.") else missing
        raise Invalid(f"{name!r} needs the Python package {missing!r}; type: pip install '{install}'") from None
    except AttributeError as error:
        raise Invalid(f"{name!r} is announced as {target}: {error}") from None


def _entries(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Read one group of an entry_points.txt: an INI file of `name = module:attribute [extras]`."""
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line.strip() == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()
