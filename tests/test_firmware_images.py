"""The images that ship: made from these sources, within their budget, each a whole Intel hex file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import ether_build
import pytest

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
IMAGES = sorted((FIRMWARE / "hex").glob("*.hex"))
FLASH = 32256
"""Bytes of flash beside Optiboot."""
RENEW = "renew them: firmware/build --keep"


def test_images_are_of_these_sources() -> None:
    """The images were made after the last change of the sources."""
    sources = [FIRMWARE / "build", *FIRMWARE.glob("*/*.ino"), *(FIRMWARE / "libraries").rglob("*")]
    names = sorted(str(path.relative_to(FIRMWARE)) for path in sources if path.is_file())
    digest = hashlib.sha256(b"".join((FIRMWARE / name).read_bytes() for name in names)).hexdigest()

    assert digest == (FIRMWARE / "hex" / "built-from").read_text().split()[-1], RENEW


def test_images_are_all_there() -> None:
    """There is an image of each sketch for each radio."""
    wanted = {f"{path.parent.name}-{radio}" for path in FIRMWARE.glob("*/*.ino") for radio in ("rfm12b", "rfm69")}

    assert wanted == {path.stem for path in IMAGES}


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.stem)
def test_image_is_what_the_compiler_makes(image: Path) -> None:
    """The same compiler makes the same image, byte for byte."""
    built = ether_build.build()
    version = subprocess.run(["avr-gcc", "-dumpversion"], capture_output=True, text=True, check=True).stdout
    if version.split() != (FIRMWARE / "hex" / "built-from").read_text().split()[1:2]:
        return  # another compiler makes another program; test_images_are_of_these_sources guards against stale ones

    assert image.read_text() == (built / "out" / image.name).read_text(), RENEW


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.stem)
def test_image_is_whole(image: Path) -> None:
    """Every record's check is right, it ends with the end record, and it fits beside a boot loader."""
    records = [bytes.fromhex(line.removeprefix(":")) for line in image.read_text().splitlines()]

    assert [] == [record for record in records if sum(record) & 0xFF or len(record) != record[0] + 5]
    assert records[-1] == bytes.fromhex("00000001ff")
    assert sum(record[0] for record in records if record[3] == 0) <= FLASH


def test_budget_is_kept(tmp_path: Path) -> None:
    """A sketch above its budget fails the build, which says which one and where the budget stands."""
    built = ether_build.build()
    for name in ("build", "libraries", "led_node", "out"):
        copy = shutil.copytree if (built / name).is_dir() else shutil.copy
        copy(built / name, tmp_path / name)
    script = (tmp_path / "build").read_text()
    (tmp_path / "build").write_text(script.replace("led_node        14000", "led_node         9000"))
    done = subprocess.run(
        ["sh", tmp_path / "build", "led_node"], capture_output=True, text=True, check=False, env={**os.environ}
    )

    assert done.returncode == 1
    assert "OVER" in done.stdout
    assert "firmware/build: above the budget" in done.stderr


def test_unknown_sketch_is_named(tmp_path: Path) -> None:
    """The build names a sketch it does not know, and says where the others are listed."""
    shutil.copy(FIRMWARE / "build", tmp_path / "build")
    (tmp_path / "out" / "core").mkdir(parents=True)
    (tmp_path / "out" / "core" / "core.a").touch()
    done = subprocess.run(["sh", tmp_path / "build", "lamp"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "firmware/build: no sketch lamp; the budget table lists them\n"
