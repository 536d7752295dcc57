"""A week of a calendar in fast time, over both changes of the clock of 2026: every start and end once, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from calendar_scene import Scene, when
from calendar_week import draw_week, faults, losses, play

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("begin", ["2026-03-26T00:00", "2026-10-22T00:00"])
async def test_a_week(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begin: str, seed: int) -> None:
    """Events come, move and go, service, broker, source and confirmations are lost; nothing is told twice or never."""
    scene = Scene(monkeypatch, tmp_path, begin, every_s=600.0)
    scene.losses = losses(seed)
    week = draw_week(when(begin), seed)
    await play(week, scene)
    told = len(scene.fired())
    await scene.kill()

    assert [] == list(faults(week, scene))
    assert len(week.wanted) == told >= 60
