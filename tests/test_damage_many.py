"""A power cut or a dying card, two hundred times: files cut short or with a flipped bit, wherever that is."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest
from houses import FIRST_EPOCH, NEXT_EPOCH, House, begin, check, cut, flip, houses, killed, quick, stopped

from broker import store
from broker.tail import NAMES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["houses", "killed", "quick", "stopped"]

FILES = {
    "cut": (store.FILE, f"{store.FILE}-wal"),  # a tail that is cut short is a kill's own work: test_damaged_tail.py
    "flip": (store.FILE, f"{store.FILE}-wal", *NAMES),
}
TIMES = 100


@pytest.mark.parametrize("how", ["cut", "flip"])
def test_a_hundred_places(houses: dict[bool, House], quick: Path, how: str) -> None:
    """The broker starts each time, keeps all it had or says that history broke off, and starts again after that."""
    chance = random.Random(how)
    whole = 0
    for number in range(TIMES):
        house = copied(houses[False], quick / str(number))
        path = house.folder / chance.choice([name for name in FILES[how] if (house.folder / name).stat().st_size])
        at, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
        if how == "cut":
            cut(path, at)
        else:
            flip(path, at, bit)
        back = begin(house.folder)

        place = f"{how} {path.name} at {at} bit {bit}"
        check(house, back)
        lost = (house.state, house.frames) != (back.state, back.journal)
        assert not lost or NEXT_EPOCH == back.epoch or back.found.damaged, place
        assert not lost or [] != back.found.notes, place
        if back.found.damaged or number % 10 == 0:
            again = begin(house.folder)
            assert (back.state, back.journal) == (again.state, again.journal), place
        whole += not lost and FIRST_EPOCH == back.epoch
        shutil.rmtree(house.folder)
    assert 0 < whole < TIMES, "some places are read past, some are noticed"


def copied(house: House, folder: Path) -> House:
    return House(shutil.copytree(house.folder, folder), house.frames, house.state)
