"""A serial line that says nothing but noise, at its full rate: it costs little, and then all is well."""

from __future__ import annotations

import random
import time
import tracemalloc
from typing import TYPE_CHECKING, Final

import pytest
from figures import figure

from drivers.rf12.lines import Lines
from drivers.rf12.values import Heard
from drivers.rfxtrx.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SECONDS: Final = 30
"""Of line time, each."""
CHUNK_S: Final = 0.02
SHARE: Final = 0.1
"""Of a core that a reader may take for a line of noise; a hundredth is what was measured."""
GROWTH_BYTES: Final = 200_000
LINE: Final = b"OK 5 33 5 3 0 0 128 255 255 255 255 0 0 0\r\n"
FRAME: Final = bytes.fromhex("0a520111 70020083 2d0269".replace(" ", ""))
_NOISE: Final[dict[str, Callable[[int], bytes]]] = {
    "0xFF": lambda size: b"\xff" * size,
    "zeros": bytes,
    "random": lambda size: random.Random(11).randbytes(size),
    "half lines": lambda size: (b"OK 5 33 5 3 0 0 12" * (size // 18 + 1))[:size],
    "half frames": lambda size: (FRAME[:7] * (size // 7 + 1))[:size],
}


def rf12(chunks: Iterable[bytes]) -> Callable[[], object]:
    """Feed a gateway's reader; return what looks whether it hears after a line's end."""
    lines = Lines()
    for chunk in chunks:
        lines.feed(chunk)
    return lambda: [value for value in lines.feed(b"\r\n" + LINE) if isinstance(value, Heard)]


def rfxtrx(chunks: Iterable[bytes]) -> Callable[[], object]:
    """Feed a stick's reader; return what looks whether it hears after a silence."""
    frames, at = Frames(), 0.0
    for chunk in chunks:
        at += CHUNK_S
        frames.feed(chunk, at=at)

    def hears() -> object:
        frames.tick(at=at + 60)
        return [each for each in frames.feed(FRAME, at=at + 60) if isinstance(each, bytes)]

    return hears


@pytest.mark.parametrize(("reader", "baud"), [(rf12, 57_600), (rfxtrx, 38_400)], ids=["rf12", "rfxtrx"])
@pytest.mark.parametrize("noise", _NOISE)
def test_a_line_full_of_noise(noise: str, reader: Callable[..., Callable[[], object]], baud: int) -> None:
    """Half a minute of it at line rate takes a hundredth of a core, nothing is kept, and what is said next is heard."""
    each = int(baud / 10 * CHUNK_S)
    chunks = [_NOISE[noise](each)] * int(SECONDS / CHUNK_S)
    begun = time.process_time()
    reader(chunks)
    took = time.process_time() - begun
    tracemalloc.start()
    hears = reader(chunks[: len(chunks) // 20])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    heard = hears()

    assert heard, "nothing is heard after the noise"
    assert took < SHARE * SECONDS
    assert most < GROWTH_BYTES
    figure(
        11, f"{reader.__name__}, {noise}: {took / SECONDS:.2%} of a core at {baud} baud, {most / 1e3:.0f} kB at most"
    )
