"""How long one message takes from the sender's call to the receiver's hands, at 500 messages a second.

Both ends read the same monotonic clock of the machine; the body carries the time it was made at, just
before it is sent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.figures import median, number, percentile, times
from bench.process import Failed
from bench.report import Section
from bench.rig import Run, run, serving
from bench.work import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.base import Peer

_RATE = 500
_WARM_UP = 200
"""First messages left out: declarations, first growth of buffers."""
_BEST_OF = ("nats", "redis")


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure all peers in turn, round after round."""
    seconds, rounds = (2, 3) if quick else (6, 5)
    load = Load(count=_WARM_UP + _RATE * seconds, rate=_RATE, timed=True)
    runs: dict[str, list[Run]] = {key: [] for key in peers}
    remarks: list[str] = []
    for turn in range(rounds):
        for key, peer in peers.items():
            say(f"latency, round {turn + 1} of {rounds}: {peer.name}")
            try:
                with serving(key, peer) as server:
                    runs[key].append(run(server, load))
            except Failed as failure:
                remarks.append(f"{peer.name}: {failure}")
    delays = {key: [_micros(one) for one in done] for key, done in runs.items() if done}
    p50 = {key: median([percentile(one, 50) for one in each]) for key, each in delays.items()}
    p99 = {key: median([percentile(one, 99) for one in each]) for key, each in delays.items()}
    rows = [
        [
            peers[key].name,
            number(p50[key]),
            number(p99[key]),
            number(median([max(one) for one in delays[key]])),
            f"{median([one.broker_cpu_s / one.seconds * 100 for one in runs[key]]):.1f} %",
            str(sum(one.lost for one in runs[key])),
            number(times(p50.get("hearthbus", math.nan), p50[key])) + " x",
            number(times(p99.get("hearthbus", math.nan), p99[key])) + " x",
        ]
        for key in delays
    ]
    best = [key for key in _BEST_OF if key in delays]
    budgets = {
        f"latency/{name}": times(values["hearthbus"], min(values[key] for key in best))
        for name, values in (("p50", p50), ("p99", p99))
        if best and "hearthbus" in values
    }
    return Section(
        title=f"Latency at {_RATE} messages a second",
        text=(
            f"Microseconds from just before the sender's call until the decoded body is in the receiver's hands; "
            f"{seconds} s a round after {_WARM_UP} messages of warm-up, {rounds} interleaved rounds, their median."
        ),
        head=("bus", "p50 µs", "p99 µs", "max µs", "broker CPU", "lost", "hearthbus p50 is", "hearthbus p99 is"),
        rows=rows,
        remarks=remarks,
        budgets=budgets,
    )


def _micros(one: Run) -> list[float]:
    return [delay / 1000 for delay in one.delays_ns[_WARM_UP:]] or [math.nan]
