"""docs/firmware.md and docs/gateway.md: their tables are the drivers', and what they tell the reader to type works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.rf12.reference import refreshed
from hearthbus.config import load
from services.jeenode.images import SKETCHES

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("firmware.md", "gateway.md")}
PAGE = PAGES["firmware.md"]


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_are_the_drivers(name: str) -> None:
    """The page is up to date; `python -m drivers.rf12.reference docs/firmware.md docs/gateway.md` renews it."""
    assert refreshed(PAGES[name]) == PAGES[name]


@pytest.mark.parametrize("sketch", SKETCHES)
def test_every_sketch_is_on_the_page(sketch: str) -> None:
    """Each sketch that can be flashed is introduced."""
    kind = sketch.removesuffix("_node")

    assert re.search(rf"\*\*{kind}", PAGE)


def test_the_example_house_is_sound(tmp_path: Path) -> None:
    """The page's configuration is accepted as it stands."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "house.toml").write_text(text)

    assert {"jeenode", "motion_light"} == set(load(tmp_path / "house.toml").services)


def test_the_example_line_is_motion() -> None:
    """The line on the page's first screen is what the page says it is: a packet that can be read."""
    (command,) = re.findall(r"^hearthbus (jeenode decode .*)$", PAGE, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "hearthbus", *shlex.split(command)], capture_output=True, text=True, check=True
    )

    assert "motion" in done.stdout


def test_every_flash_command_is_understood() -> None:
    """Each `hearthbus flash` on the page ends for want of the port, not for want of sense."""
    commands = re.findall(r"^hearthbus (flash .*)$", PAGE, re.MULTILINE)

    assert commands
    for command in commands:
        words = shlex.split(command.replace("/dev/ttyUSB0", "/dev/no-such-port"))
        done = subprocess.run(
            [sys.executable, "-m", "hearthbus", *words, "--url", "tcp://127.0.0.1:1"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (69, True) == (done.returncode, "there is no such port" in done.stderr)
