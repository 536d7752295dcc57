"""How many RFXtrx frames are decoded a second on one core, beside pyRFXtrx, on the same frames in the same run.

Both turn the bytes of a whole frame into an object with named values. The frames are those of our vectors that both
know. Nothing but the decoders runs: no stick, no port, no bus.
"""

from __future__ import annotations

import gc
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.figures import median, number, spread, times
from bench.report import Section
from drivers.bits import CodecError
from drivers.rfxtrx.codec import decode, to_plain
from drivers.rfxtrx.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.peers.base import Peer

_TITLE: Final = "RFXtrx frames on one core"
_VECTORS: Final = Path(__file__).parent.parent / "tests" / "vectors" / "rfxtrx.txt"
_HOUSE: Final = frozenset({
    "lighting1", "lighting2", "temperature", "temperature_humidity", "rain", "wind", "energy", "security1",
})  # fmt: skip
"""What is on the air of a home most."""
_ROUND_S: Final = 1.0


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure it."""
    del peers
    frames = _frames()
    theirs, remark = _peer()
    decoders: dict[str, Callable[[bytes], object]] = {"hearthbus": decode}
    if theirs is not None:
        decoders[f"pyRFXtrx {version('pyRFXtrx')}"] = theirs
        frames = [(packet, frame) for packet, frame in frames if theirs(frame) is not None]
    sets = {
        "every frame both know": [frame for _, frame in frames],
        "the packets of a common home": [frame for packet, frame in frames if packet in _HOUSE],
    }
    rounds = 2 if quick else 7
    rows, budgets = [], {}
    for what, chosen in sets.items():
        say(f"rfxtrx: {what}")
        works = {name: partial(_each, decoder, chosen) for name, decoder in decoders.items()}
        rates = _rates(works, len(chosen), rounds)
        ours = median(rates["hearthbus"])
        rows += [
            [f"{name}: {what}, {len(chosen)}", number(median(rate)), spread(rate), f"{times(ours, median(rate)):.2f} x"]
            for name, rate in rates.items()
        ]
        budgets["rfxtrx/decode"] = min(ours, budgets.get("rfxtrx/decode", ours))
    say("rfxtrx: what is around the decoder")
    every = sets["every frame both know"]
    around = {
        "hearthbus: frames found in a stream, and decoded": partial(_stream, b"".join(every)),
        "hearthbus: decoded, and made a plain object": partial(_each, lambda frame: to_plain(decode(frame)), every),
    }
    for name, rate in _rates(around, len(every), rounds).items():
        rows.append([name, number(median(rate)), spread(rate), "-"])
    return Section(
        title=_TITLE,
        text=(
            f"Bytes of a frame to an object with named values; {rounds} interleaved rounds of {_ROUND_S:g} s, garbage "
            "collection off. pyRFXtrx is asked for the event it hands to its users, whose values are then at hand as "
            "ours are; it is not asked for what it does not know."
        ),
        head=("frames decoded a second", "median", "min - max", "hearthbus is"),
        rows=rows,
        remarks=[remark] if remark else [],
        budgets=budgets,
    )


def _frames() -> list[tuple[str, bytes]]:
    """Return packet and bytes of each of our vectors that decodes."""
    found = []
    for line in _VECTORS.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) < 3 or line.startswith("#"):
            continue
        frame = bytes.fromhex(words[2])
        try:
            decode(frame)
        except CodecError:
            continue
        found.append((words[0], frame))
    return found


def _peer() -> tuple[Callable[[bytes], object] | None, str]:
    """Return pyRFXtrx's decoder, which gives None for what it does not know; or a word why there is none."""
    try:
        version("pyRFXtrx")
        from RFXtrx import RFXtrxTransport
    except (ImportError, PackageNotFoundError):
        return None, "pyRFXtrx: not measured, not installed; scripts/bench installs it"

    def event(frame: bytes) -> object:
        try:
            return RFXtrxTransport.parse(bytearray(frame))
        except Exception:  # noqa: BLE001 - it raises whatever it stumbles over: such frames are not measured
            return None

    return event, ""


def _rates(works: Mapping[str, Callable[[], None]], size: int, rounds: int) -> dict[str, list[float]]:
    """Return the frames a second of each work in each round; they take turns, so that noise meets all alike."""
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(rounds):
        for name, work in works.items():
            gc.collect()
            gc.disable()
            try:
                turns, start = 0, time.perf_counter()
                while (spent := time.perf_counter() - start) < _ROUND_S:
                    work()
                    turns += 1
                rates[name].append(turns * size / spent)
            finally:
                gc.enable()
    return rates


def _each(decoder: Callable[[bytes], object], frames: Sequence[bytes]) -> None:
    for frame in frames:
        decoder(frame)


def _stream(data: bytes) -> None:
    reader = Frames()
    for at in range(0, len(data), 64):  # as a serial port gives them
        for frame in reader.feed(data[at : at + 64], at=0.0):
            if isinstance(frame, bytes):
                decode(frame)
