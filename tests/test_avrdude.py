"""Flashing through a real avrdude and a boot loader behind a pty: good boards, and every kind of bad one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from bootloader import Board
from images import hex_text

from drivers.avr.avrdude import FlashError, Progress, Step, between, flash

if TYPE_CHECKING:
    from pathlib import Path

DATA = random.Random(1).randbytes(4_000)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image of 4,000 bytes."""
    path = tmp_path / "sketch.hex"
    path.write_text(hex_text(DATA))
    return path


async def test_a_good_board_holds_the_image(image: Path) -> None:
    """What was to be written is in its flash, and the way there was told step by step, never backwards."""
    told: list[Progress] = []
    with Board() as board:
        baud = await flash(port=board.path, image=image, tell=told.append)

    assert 57_600 == baud
    assert DATA == board.flash[: len(DATA)]
    assert [Step.CONNECT, Step.WRITE, Step.VERIFY] == list(dict.fromkeys(report.step for report in told))
    assert Progress(Step.VERIFY, 1.0) == told[-1]
    for step in Step:
        done = [report.done for report in told if report.step is step]
        assert done == sorted(done)


def test_no_step_is_left_out() -> None:
    """Where a busy machine reads writing and verifying at once, writing is told all the same."""
    verifying = Progress(Step.VERIFY, 0.5)

    assert [Progress(Step.WRITE, 1.0), verifying] == between(Progress(Step.CONNECT, 0.0), verifying)
    assert [verifying] == between(Progress(Step.VERIFY, 0.1), verifying)


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        (Board(worn_at=100), "read back 0x.. where 0x.. was written, at address 0x0064"),
        (Board(signature=bytes.fromhex("1e930b")), r"another one: it says 0x1e930b \(t85\)"),
        (Board(dies_at=1_024), "fell silent"),
        (Board(silent=True), "no boot loader answers at 57600 and 115200 baud"),
    ],
    ids=["worn flash", "another chip", "unplugged half-way", "silent"],
)
async def test_a_bad_board_says_what_is_wrong(image: Path, board: Board, reason: str) -> None:
    """The error names the port, the fault and the next step; avrdude's complaints, after 5 s, are no progress."""
    with board, pytest.raises(FlashError, match=f"{board.path}: .*{reason}"):
        await flash(port=board.path, image=image, tell=lambda _: None, answer_s=3, stall_s=6)


async def test_another_chip_is_not_written(image: Path) -> None:
    """Where the signature is wrong, the flash stays as it was."""
    with Board(signature=bytes.fromhex("1e930b")) as board, pytest.raises(FlashError):
        await flash(port=board.path, image=image, tell=lambda _: None)

    assert set(board.flash) == {0xFF}


async def test_a_port_that_is_not_there(image: Path) -> None:
    """The error says so, and how to find the right one."""
    with pytest.raises(FlashError, match="/dev/no-such-port: there is no such port; `ls -l /dev/serial/by-id`"):
        await flash(port="/dev/no-such-port", image=image, tell=lambda _: None)


async def test_without_avrdude(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to install it."""
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(FlashError, match="sudo apt install avrdude"):
        await flash(port="/dev/null", image=image, tell=lambda _: None)
