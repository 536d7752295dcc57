"""What the kernel has said since the machine started; only root may ask on most machines."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

_MOST: Final = 20_000


def messages() -> list[str] | None:
    """Return the kernel's messages, oldest first; None where who asks may not read them."""
    try:
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    lines: list[str] = []
    try:
        for _ in range(_MOST):
            with suppress(BrokenPipeError):  # a message was overwritten before it was read
                record = os.read(descriptor, 8192).decode(errors="replace")
                lines.append(record.partition(";")[2].partition("\n")[0])
    except OSError:
        pass  # there is no more
    finally:
        os.close(descriptor)
    return lines
