"""Where the firmware images are: in the installed package, or beside it in a checkout. Knows their names, no board."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import hearthbus
from hearthbus import Invalid

SKETCHES: Final = ("gateway", "led_node", "room_node", "onewire_node")
_PACKAGE: Final = Path(hearthbus.__file__).parent
FOLDERS: Final = (_PACKAGE / "firmware", _PACKAGE.parent / "firmware" / "hex")


def find_image(sketch: str, *, radio: str) -> Path:
    """Return the .hex file of a sketch for a radio; a file's name is taken as it is.

    Raises:
        Invalid: no such sketch, or the package came without images.
    """
    if sketch.endswith(".hex"):
        return Path(sketch)
    if sketch not in SKETCHES:
        raise Invalid(f"no sketch {sketch!r}: write one of {', '.join(SKETCHES)}, or the name of a .hex file")
    for folder in FOLDERS:
        path = folder / f"{sketch}-{radio}.hex"
        if path.is_file():
            return path
    raise Invalid(f"{sketch}-{radio}.hex is in none of {', '.join(map(str, FOLDERS))}; install hearthbus anew")
