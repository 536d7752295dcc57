"""Fuzz several targets, two at a time, and say in one line each what came of them; `scripts/fuzz` runs it.

    python tests/fuzz_all.py SECONDS [TARGET...]

What a run finds new is gone afterwards: a corpus grows by hand, when it teaches something.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from fuzz_targets import CORPORA, TARGETS

AT_A_TIME: Final = 2
SLOW_S: Final = 60
"""Seconds for one input above which it counts as found: something hangs, and not the machine."""
_DONE: Final = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED: Final = re.compile(r"cov: (\d+) ft: (\d+)")


def run(name: str, seconds: int) -> tuple[bool, str]:
    """Fuzz one target; return whether it held, and a line to say."""
    with tempfile.TemporaryDirectory(prefix="hb-fuzz-") as found:
        options = (f"-max_total_time={seconds}", f"-timeout={SLOW_S}", "-print_final_stats=1", "-rss_limit_mb=1024")
        command = (sys.executable, str(Path(__file__).with_name("fuzz_targets.py")), name, *options)
        ended = subprocess.run(
            (*command, f"-artifact_prefix=crash-{name}-", found, str(CORPORA / name)),
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        said = ended.stderr + ended.stdout
        runs, covered = _DONE.search(said), _COVERED.findall(said)
        line = f"{name:12} {runs[1] if runs else '?':>9} inputs, {covered[-1][0] if covered else '?':>5} branches"
        if not ended.returncode:
            return True, f"{line}: nothing found"
        return False, f"{line}: FOUND\n{said[-3000:]}"


def main() -> int:
    """Run them all; return 1 where something was found."""
    seconds, names = int(sys.argv[1]), sys.argv[2:] or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        raise SystemExit(f"fuzz: there is no target {', '.join(sorted(unknown))}; there are: {' '.join(TARGETS)}")
    held = True
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for good, line in pool.map(lambda name: run(name, seconds), names):
            print(line, flush=True)  # noqa: T201 - a command's output
            held = held and good
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
