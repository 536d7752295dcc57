"""Whatever reads bytes from outside under mutations of its corpus: what `scripts/fuzz` does with coverage to guide it.

`HEARTHBUS_FUZZ_S` makes each target go on for so many seconds, where the fuzzer cannot be installed.
"""

from __future__ import annotations

import os
import time
from random import Random
from typing import Final

import pytest
from fuzz_targets import TARGETS, corpus

ROUNDS: Final = {"config": 60, "broker": 150, "cron": 200, "rfxtrx": 1500}
OTHERWISE: Final = 800
LARGEST: Final = 4096
MOST: Final = 100
"""Bytes of a file of a corpus, and files of one: they are read by every run of the tests."""


def mutated(data: bytes, others: list[bytes], random: Random) -> bytes:
    """Return bytes that were flipped, lost, added, cut or joined, a few times over."""
    found = bytearray(data)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(found) + 1)
        match random.randrange(6):
            case 0:
                found[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                found[at : at + 1] = b""
            case 2:
                found[at:at] = bytes([random.choice((0, 0xFF, random.randrange(256)))])
            case 3:
                del found[at:]
            case 4:
                found[at:at] = random.choice(others)
            case _:
                found[at : at + 1] = bytes([(found[at] if at < len(found) else 0) ^ (1 << random.randrange(8))])
    return bytes(found)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_keeps_the_laws(name: str) -> None:
    """As it is: what once broke a law is in it too."""
    check = TARGETS[name].check()
    for file, data in corpus(name).items():
        try:
            check(data)
        except Exception as error:
            error.add_note(f"tests/corpora/{name}/{file}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_has_what_it_begins_with_and_is_small(name: str) -> None:
    """`python tests/fuzz_targets.py --corpora` makes it."""
    held = corpus(name)

    assert {f"{seed}.bin" for seed in TARGETS[name].seeds()} <= held.keys()
    assert len(held) <= MOST
    assert max(map(len, held.values())) <= LARGEST


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_keep_the_laws(name: str) -> None:
    """Inputs of the corpus, damaged and joined: a value or the typed error, never anything else."""
    check, inputs, longest = TARGETS[name].check(), list(corpus(name).values()), TARGETS[name].longest
    seconds = float(os.environ.get("HEARTHBUS_FUZZ_S", "0"))
    random, until, rounds = Random(0 if not seconds else None), time.monotonic() + seconds, 0
    while rounds < ROUNDS.get(name, OTHERWISE) or time.monotonic() < until:
        data = mutated(random.choice(inputs), inputs, random)[:longest]
        try:
            check(data)
        except Exception as error:
            error.add_note(f"with {data.hex()}")
            raise
        rounds += 1
