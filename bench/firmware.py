"""What the sketches weigh, and how fast the simulator runs them; needs gcc-avr and libsimavr, else it is a remark."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

from bench.figures import number
from bench.process import ROOT, Failed
from bench.report import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.peers.base import Peer

_FIRMWARE: Final = ROOT / "firmware"
_SIZE: Final = re.compile(r"^(\w+)\s+(rfm\w+)\s+(\d+)\s+(\d+)\s+(\d+)/(\d+)$", re.MULTILINE)
"""What firmware/build prints: sketch, radio, flash, RAM, and their budgets."""
_HOUSES: Final = (("gateway",), ("gateway", "led_node", "room_node"), ("room_node",))
_SIMULATED_MS: Final = 20_000


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure it; a figure that cannot be taken is a remark."""
    del peers
    rows: list[list[str]] = []
    remarks: list[str] = []
    try:
        say("firmware: sizes")
        for sketch, radio, flash, ram, most_flash, most_ram in _SIZE.findall(_run(["sh", "build"])):
            rows.append([f"{sketch}, {radio}: flash, RAM, bytes", f"{flash}, {ram}", f"<= {most_flash}, {most_ram}"])
        say("firmware: the simulator")
        _run(["make", "-s", "-C", "simulator"])
        for sketches in _HOUSES:
            speed = _speed(sketches, _SIMULATED_MS // (4 if quick else 1))
            rows.append([f"simulated seconds a second: {' + '.join(sketches)}", number(speed), "-"])
    except (Failed, OSError) as failure:
        remarks.append(f"not measured: {failure}")
    return Section(
        title="Firmware",
        text=(
            "Each sketch as `firmware/build` compiles it, against its own budget; then the compiled images in the "
            "simulator, each house on one core."
        ),
        head=("what", "figure", "budget"),
        rows=rows,
        remarks=remarks,
    )


def _speed(sketches: Sequence[str], ms: int) -> float:
    """Return simulated seconds per second of a house of `sketches`."""
    said = _run(["simulator/build/simulator"], "\n".join([*_script(sketches), f"run {ms}", "speed", ""]))
    found = re.search(r"^ok simulated=([\d.]+) wall=([\d.]+)$", said, re.MULTILINE)
    if found is None:
        raise Failed(f"the simulator did not say its speed: {said[-200:]}")
    return float(found[1]) / float(found[2])


def _script(sketches: Sequence[str]) -> Iterable[str]:
    for sketch in sketches:
        yield f"node {sketch} out/{sketch}-rfm12b.elf"
        yield f"power {sketch} on"


def _run(words: Sequence[str], text: str = "") -> str:
    """Run a program in firmware/ and return what it prints.

    Raises:
        Failed: it failed, or took longer than five minutes.
    """
    try:
        done = subprocess.run(
            words, cwd=_FIRMWARE, input=text, capture_output=True, text=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]} took longer than five minutes") from None
    if done.returncode:
        raise Failed(f"{' '.join(words)}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return done.stdout
