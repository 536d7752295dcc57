"""One plugin of apprise, without the 130 others.

Apprise looks a service up by importing every plugin it has: 24 MB of memory and 0.4 s (a fast machine), of which one
needs 10 MB and 0.12 s, most of it the HTTP library. A plugin is an ordinary module with a class that names its schemes,
so the module is found by its text and imported alone. All schemes apprise has are found so (a test holds it to that).
Knows nothing of targets; imports apprise only when it is called.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def find(scheme: str) -> Any:
    """Return the class of the plugin for `scheme`, such as `ntfy` of `ntfy://host/topic`; None where there is none."""
    for name in _candidates(scheme):
        with suppress(Exception):  # one that cannot be loaded is none
            for plugin in _plugins(import_module(f"apprise.plugins.{name}")):
                if scheme in plugin.schemas(plugin):
                    return plugin
    return None


def silence() -> None:
    """Keep what apprise and its HTTP library log to themselves: addresses with keys in them."""
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _candidates(scheme: str) -> Iterator[str]:
    """Names of the modules that speak of the scheme, that of the same name first."""
    import apprise.plugins

    (folder,) = (Path(path) for path in apprise.plugins.__path__)
    words = (f'"{scheme}"', f"'{scheme}'")
    for path in sorted(folder.iterdir(), key=lambda each: (each.stem != scheme, each.stem)):
        files = path.glob("*.py") if path.is_dir() else [path] if path.suffix == ".py" else []
        if not path.stem.startswith("_") and path.stem != "base":
            texts = (file.read_text(encoding="utf-8", errors="replace") for file in files)
            if any(word in text for text in texts for word in words):
                yield path.stem


def _plugins(module: Any) -> Iterator[Any]:
    members: dict[str, Any] = vars(module)
    for name, plugin in members.items():
        if name.startswith("Notify") and hasattr(plugin, "app_id"):
            with suppress(AttributeError, TypeError):
                plugin.schemas(plugin)
                yield plugin
