"""`hearthbus flash` as a person runs it: a real avrdude, a boot loader behind a pty, and then the sketch's console."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from typing import TYPE_CHECKING

import pytest
from bootloader import Board
from images import hex_text

from services.jeenode.images import SKETCHES

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from conftest import Broker

DATA = random.Random(2).randbytes(2_000)
NOWHERE = "tcp://127.0.0.1:1"
"""An address with no broker."""


class Sketch:
    """What a board says after its boot loader: the settings' line of RF12demo after each command."""

    def __init__(self, *, deaf_to: str = "") -> None:
        self.settings = {"i": 1, "g": 212, "b": 8}
        self._deaf_to = deaf_to

    def __call__(self, command: str) -> str:
        """Answer one command."""
        letter = command[-1]
        if letter in self.settings and letter != self._deaf_to:
            self.settings[letter] = int(command[:-1])
        band = {4: 433, 8: 868, 9: 915}[self.settings["b"]]
        return f" A i{self.settings['i']} g{self.settings['g']} @ {band} MHz\r\n"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image of 2,000 bytes."""
    path = tmp_path / "sketch.hex"
    path.write_text(hex_text(DATA))
    return path


async def _flash(*words: str, url: str = NOWHERE) -> tuple[int, str, str]:
    """Run the verb; return exit code, output and complaints."""
    process = await _start("flash", *words, "--url", url)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def _start(*words: str) -> Process:
    piped = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "hearthbus", *words, stdout=piped, stderr=piped)


def _damage(image: Path) -> None:
    image.write_text(image.read_text().replace(":10", ":11", 1))


async def test_a_board_is_flashed_and_set(image: Path) -> None:
    """The flash holds the image, the board has its node id, group and band, and each step was said."""
    with Board() as board:
        board.answer = sketch = Sketch()
        code, out, err = await _flash(
            str(image), "--port", board.path, "--id", "5", "--group", "19", "--band", "433",
        )  # fmt: skip

    assert (0, "") == (code, err)
    assert DATA == board.flash[: len(DATA)]
    assert {"i": 5, "g": 19, "b": 4} == sketch.settings
    assert [
        "sketch.hex: 2000 bytes, sound",
        "waiting for the boot loader",
        "writing",
        "verifying",
        f"{board.path}: written at 57600 baud, read back, the same",
        f"{board.path}: node 5, group 19, 433 MHz",
    ] == out.splitlines()


async def test_a_port_may_be_named_from_the_folder_one_is_in(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In /dev, `ttyUSB0` is enough."""
    monkeypatch.chdir(tmp_path)
    with Board() as board:
        board.answer = Sketch()
        (tmp_path / "tty").symlink_to(board.path)
        code, out, err = await _flash(str(image), "--port", "tty", "--id", "5")

    assert (0, "") == (code, err)
    assert f"{tmp_path}/tty: node 5, group 212, 868 MHz" in out


async def test_a_setting_that_is_not_taken_is_an_error(image: Path) -> None:
    """Firmware that ignores the group is told apart from one that took it."""
    with Board() as board:
        board.answer = Sketch(deaf_to="g")
        code, _, err = await _flash(str(image), "--port", board.path, "--id", "5", "--group", "19")

    assert 69 == code
    assert re.search(r"written, its settings are not: .*: the board does not take 19g: its group stays 212", err)


async def test_firmware_that_says_nothing_is_an_error(image: Path) -> None:
    """The image is in the board, and what is missing is said."""
    with Board() as board:
        code, _, err = await _flash(str(image), "--port", board.path, "--id", "5")

    assert 69 == code
    assert DATA == board.flash[: len(DATA)]
    assert "the board does not answer 'v'; is it running" in err


async def test_a_damaged_file_never_reaches_the_board(image: Path) -> None:
    """A wrong checksum ends it before the port is opened."""
    _damage(image)
    with Board() as board:
        code, out, err = await _flash(str(image), "--port", board.path)

    assert (64, "") == (code, out)
    assert f"{image}: line 1: its length disagrees with its length byte" in err
    assert set(board.flash) == {0xFF}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("kitchen", "--port", "x"), f"no sketch 'kitchen': write one of {', '.join(SKETCHES)}"),
        (("nowhere.hex", "--port", "x"), "nowhere.hex: No such file or directory"),
        (("gateway",), "--port is missing"),
        (("gateway", "--port", "x", "--id", "32"), "--id '32': write a whole number from 1 to 31"),
        (("gateway", "--port", "x", "--band", "700"), "--band '700': write 433, 868 or 915"),
        (("gateway", "--port", "x", "--radio", "cc1101"), "--radio: invalid choice: 'cc1101'"),
    ],
)
async def test_a_mistake_is_one_line(words: tuple[str, ...], says: str) -> None:
    """What was typed wrongly is named, with exit code 64."""
    code, out, err = await _flash(*words)

    assert (64, "") == (code, out)
    assert says in err
    assert 1 == err.count("\n")


async def test_the_service_lets_go_and_comes_back(broker: Broker, image: Path, tmp_path: Path) -> None:
    """A gateway service that has the port gives it up for the flashing, and speaks to the new firmware after it."""
    with Board() as board:
        board.answer = Sketch()
        config = tmp_path / "house.toml"
        config.write_text(f'[bus]\nurl = "{broker.url}"\n[jeenode.gateways.desk]\nport = "{board.path}"\n')
        async with broker.bus("test") as bus, bus.subscribe("service/jeenode") as presence:
            service = await _start("run", "jeenode", "--config", str(config))
            try:
                async with asyncio.timeout(20):
                    async for message in presence:
                        if message["status"] == "online":
                            break
                code, out, err = await _flash(str(image), "--port", board.path, url=broker.url)
                after = len(board.heard)
                await asyncio.to_thread(board.hears, b"v", after=after)
            finally:
                service.terminate()
                await service.communicate()

    assert (0, "") == (code, err)
    assert DATA == board.flash[: len(DATA)]
    lines = out.splitlines()
    assert f"{board.path}: the service jeenode has let go of it" == lines[1]
    assert f"{board.path}: the service jeenode has it again" == lines[-1]
