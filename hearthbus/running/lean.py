"""asyncio without OpenSSL, for processes that never speak TLS through asyncio: 1.5 MB less for each (measured).

asyncio imports `ssl` for TLS connections and does without where Python was built without it. So it is told that there
is none; programs that use `ssl` otherwise (`http.client`, a Google client) find it as ever. A service whose module
imports `ssl`, or a library that does, gets asyncio's TLS back with `restore_tls`. Knows nothing of services.
"""

from __future__ import annotations

import sys
from importlib import import_module, reload
from typing import Final

_USERS: Final = ("asyncio.base_events", "asyncio.selector_events", "asyncio.unix_events")


def import_asyncio() -> None:
    """Import asyncio without TLS, unless it, or `ssl`, is there already."""
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]  # Python's own sign for "cannot be imported"
    try:
        import_module("asyncio")
    finally:
        del sys.modules["ssl"]


def restore_tls() -> None:
    """Give asyncio its TLS back if `ssl` has been imported since; to be called before an event loop is made."""
    ssl = sys.modules.get("ssl")
    protocol = sys.modules.get("asyncio.sslproto")
    if ssl is None or protocol is None or getattr(protocol, "ssl", None) is not None:
        return
    reload(protocol)
    for name in _USERS:
        module = import_module(name)
        if hasattr(module, "ssl"):
            vars(module)["ssl"] = ssl
