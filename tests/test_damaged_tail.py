"""The tail cut short, bit-flipped or overwritten: what is sound of it comes home, and clients hear what does not."""

from __future__ import annotations

import random

import pytest
from houses import (
    COMMITS,
    FIRST_EPOCH,
    IN_TAIL,
    MISSING,
    NEXT_EPOCH,
    TOPICS,
    House,
    begin,
    check,
    cut,
    flip,
    houses,
    killed,
    stopped,
)

from broker import tail
from broker.tail import BOOT, UNKNOWN, Tail

__all__ = ["houses", "killed", "stopped"]


@pytest.mark.parametrize("seed", range(6))
def test_one_bit_of_the_tail(killed: House, seed: int) -> None:
    """One flipped bit in the tail costs its record, or what follows where it hits a length, and history breaks off."""
    path = killed.folder / "tail.0"
    chance = random.Random(seed)
    flip(path, chance.randrange(path.stat().st_size), chance.randrange(8))
    back = begin(killed.folder)

    check(killed, back)
    assert NEXT_EPOCH == back.epoch
    assert killed.frames[:-IN_TAIL] == back.journal[: TOPICS * COMMITS]
    assert len(killed.frames) > len(back.journal)


@pytest.mark.parametrize("seed", range(4))
def test_the_tail_is_cut(killed: House, seed: int) -> None:
    """A tail cut short, as a kill in the middle of a write does, gives back every record before the cut."""
    path = killed.folder / "tail.0"
    size = path.stat().st_size
    at = random.Random(seed).randrange(size)
    cut(path, at)
    back = begin(killed.folder)

    assert killed.frames[: len(back.journal)] == back.journal
    assert abs(IN_TAIL * at // size - (len(back.journal) - TOPICS * COMMITS)) <= 1


@pytest.mark.parametrize("what", ["zeros", "garbage", "zeros behind", "garbage behind", "epoch", "boot"])
def test_a_tail_that_is_not_ours(killed: House, what: str) -> None:
    """A tail of another store or another run of the machine, or without sense, is used as far as it is sound."""
    path = killed.folder / "tail.0"
    old = path.read_bytes()
    noise = random.Random(1).randbytes(3000)
    header = 11 + 3 * 8 + 36
    path.write_bytes(
        {
            "zeros": bytes(len(old)),
            "garbage": noise,
            "zeros behind": old + bytes(4096),
            "garbage behind": old + noise,
            "epoch": old[:11] + (77).to_bytes(8, "big") + old[19:],
            "boot": old[: header - 36] + b"0" * 36 + old[header:],
        }[what]
    )
    back = begin(killed.folder)

    check(killed, back)
    assert NEXT_EPOCH == back.epoch
    assert killed.frames[: None if "behind" in what or what == "boot" else -IN_TAIL] == back.journal


def test_runs_of_the_machine_without_a_name(killed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc/sys is hidden nobody knows whether the power was away: all that is there is used, in a new epoch."""
    for path in (killed.folder / name for name in tail.NAMES):
        old = path.read_bytes()
        path.write_bytes(old and old[: BOOT.start] + UNKNOWN + old[BOOT.stop :])
    monkeypatch.setattr(tail, "boot_id", lambda: UNKNOWN)
    back = begin(killed.folder)

    check(killed, back)
    assert NEXT_EPOCH == back.epoch
    assert killed.frames == back.journal


def test_a_store_that_went_back_to_its_last_clean_end(stopped: House) -> None:
    """A store whose whole write-ahead log was lost believes in its last clean end; the tail knows better."""
    tail = Tail(stopped.folder, epoch=FIRST_EPOCH, limit=10**6)
    tail.open(10_000)
    tail.close(clean=False)
    back = begin(stopped.folder)

    assert (NEXT_EPOCH, stopped.frames) == (back.epoch, back.journal)
    assert [MISSING] == back.found.notes
