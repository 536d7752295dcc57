"""The RFXtrx codec under mutations of its corpus: what `scripts/fuzz` does with coverage to guide it, in a second here.

`HEARTHBUS_FUZZ_S` makes it go on for so many seconds, where the fuzzer cannot be installed.
"""

from __future__ import annotations

import os
import time
from random import Random

import pytest
from fuzz_rfxtrx import CORPUS
from rfxtrx_laws import check, split

from drivers.rfxtrx.codec import PACKETS

ROUNDS = 3_000
STREAMS = {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir())}


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


@pytest.mark.parametrize("name", STREAMS)
def test_the_corpus_keeps_the_laws(name: str) -> None:
    """As it is: what once broke a law is in it too."""
    check(STREAMS[name])


def test_every_packet_is_in_the_corpus() -> None:
    """`python tests/fuzz_rfxtrx.py --corpus` makes it from our vectors."""
    assert {packet.name for packet in PACKETS} <= {name.removesuffix(".bin") for name in STREAMS}


def test_mutations_keep_the_laws() -> None:
    """Frames of the corpus, damaged: a value or the typed error, and there and back it is the same."""
    frames = [frame for stream in STREAMS.values() for frame in split(stream)]
    seconds = float(os.environ.get("HEARTHBUS_FUZZ_S", "0"))
    random, until, rounds = Random(0 if not seconds else None), time.monotonic() + seconds, 0
    while rounds < ROUNDS or time.monotonic() < until:
        data = mutated(random.choice(frames), frames, random)
        try:
            check(data)
        except Exception as error:
            error.add_note(f"with {data.hex()}")
            raise
        rounds += 1
