"""What the machine calls a fault of the network, in few words and the same for every library. Pure."""

from __future__ import annotations

import os


def in_words(error: OSError) -> str:
    """Return what went wrong: `Connection refused`, `Name or service not known`."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
