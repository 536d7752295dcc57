"""What a number is called by a sink that has one name for a series, and rules for its letters. Pure."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from services.telemetry.naming import untold

if TYPE_CHECKING:
    import re

    from services.telemetry.naming import Parts, Template


def full_name(template: Template, parts: Parts) -> str:
    """Fill a template; one of several numbers in a message has its key put behind, where the template lacks it."""
    key = untold(parts, template.placeholders)
    return template.fill(parts) + (f"_{key}" if key else "")


def fitted(name: str, *, allowed: re.Pattern[str], most: int) -> str:
    """Return `name` with `_` for each letter outside `allowed`, and at most `most` letters.

    A name that is cut ends in four letters made of the whole of it, so that two long ones stay two.
    """
    clean = "".join(char if allowed.match(char) else "_" for char in name) or "_"
    if len(clean) <= most:
        return clean
    return f"{clean[: most - 5]}-{zlib.crc32(name.encode()) & 0xFFFF:04x}"
