"""The house of `hearthbus up --demo`: its configuration and its data in a folder of their own, never in the user's.

Knows files. What the demonstration consists of is said by deploy/demo.toml, which is shipped as hearthbus/demo.toml.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

TRY: Final = (
    "nodes",
    "call light/kitchen/set rgb='[255,120,20]' fade_s=2",
    "call jeenode-twin/move place=hall",
    "devices",
    "call light/desk/set brightness=0.5",
    "call rfxtrx-twin/press button=doorbell",
    "get 'calendar/#'",
)
"""What to type once it runs."""
TWIN: Final = "jeenode-twin"
FIRMWARE: Final = "jeenode-firmware"
"""The service that runs the nodes' real firmware on simulated processors; it takes the same table as the twin."""
_SIMULATOR: Final = Path(__file__).resolve().parents[2] / "firmware" / "simulator"
_CALENDAR: Final = "demo.ics"
_MARKS: Final = ("@folder@", "@radio@")


@contextmanager
def demo_house(folder: str | None, *, firmware: bool = False) -> Iterator[str]:
    """Make the demonstration's folder ready and give its configuration for a block.

    Args:
        folder: where; what is there already stays as it is. None: a new one, which is gone after the block.
        firmware: run the nodes' real firmware, where its simulator is installed.

    Raises:
        Invalid: HEARTHBUS_URL names a broker, which is somebody's house.
        Unavailable: there is no simulator of the firmware.
    """
    if os.environ.get("HEARTHBUS_URL"):
        raise Invalid("HEARTHBUS_URL is set, and a demonstration joins nobody's house; unset it for this command")
    radio = _radio(firmware=firmware)
    if folder is not None:
        yield str(_furnish(Path(folder).expanduser().absolute(), radio))
        return
    with tempfile.TemporaryDirectory(prefix="hearthbus-demo-", ignore_cleanup_errors=True) as name:
        yield str(_furnish(Path(name), radio))


def _radio(*, firmware: bool) -> str:
    if not firmware:
        return TWIN
    if not _SIMULATOR.is_dir():
        raise Unavailable(f"--firmware needs the simulator of the firmware, in hearthbus's source folder: {_SIMULATOR}")
    return FIRMWARE


def _furnish(folder: Path, radio: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "hearthbus.toml"
    if not config.exists():
        (folder / _CALENDAR).write_bytes(_shipped(_CALENDAR).read_bytes())
        text = _shipped("demo.toml").read_text(encoding="utf-8")
        for mark, value in zip(_MARKS, (str(folder), radio), strict=True):
            text = text.replace(mark, json.dumps(value, ensure_ascii=False)[1:-1])  # a JSON string is one of TOML
        config.write_text(text, encoding="utf-8")
    return config


def _shipped(name: str) -> Path:
    package = Path(__file__).parent.parent
    places = (package / name, package.parent / "deploy" / name)
    return next((place for place in places if place.is_file()), places[0])
