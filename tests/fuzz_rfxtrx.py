"""Coverage-guided fuzzing of the RFXtrx codec with Atheris; `scripts/fuzz` runs it, no test does.

    python tests/fuzz_rfxtrx.py -max_total_time=30 NEW_CORPUS tests/corpus/rfxtrx      (libFuzzer's options and folders)
    python tests/fuzz_rfxtrx.py --corpus                                               make the corpus from our vectors

An input that breaks a law is kept as `crash-...`; put it into the corpus with the mend.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parent
CORPUS: Final = TESTS / "corpus" / "rfxtrx"
VECTORS: Final = TESTS / "vectors" / "rfxtrx.txt"


def seeds() -> dict[str, bytes]:
    """Return a stream for each packet: one frame of every subtype, from our vectors."""
    found: dict[str, dict[str, str]] = {}
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) >= 3 and not line.startswith("#"):
            found.setdefault(words[0], {}).setdefault(words[1], words[2])
    return {packet: bytes.fromhex("".join(frames.values())) for packet, frames in found.items()}


def write_corpus() -> None:
    """Write one file for each packet; what a crash has left there stays."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    for packet, stream in seeds().items():
        (CORPUS / f"{packet}.bin").write_bytes(stream)


def main() -> None:
    """Fuzz; ends with the process."""
    import atheris

    with atheris.instrument_imports(include=["drivers"]):
        from rfxtrx_laws import check
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:] == ["--corpus"]:
        write_corpus()
    else:
        main()
