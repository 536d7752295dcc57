"""How many messages a second go from one sender through the broker to one receiver, and what they cost the broker.

Rounds are interleaved, so that a disturbance of the machine falls on every bus, and the median is taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.figures import median, number, spread, times
from bench.process import Failed
from bench.report import Section
from bench.rig import Run, run, serving
from bench.work import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.base import Peer


_FREE = "unpaced"
"""hearthbus once more, its sender without a window: what it does when nobody keeps one."""


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure all peers in turn, round after round."""
    count, rounds = (100_000, 3) if quick else (300_000, 7)
    cases = {key: (key, peer, peer.name, peer.window) for key, peer in peers.items()}
    if "hearthbus" in peers:
        cases[_FREE] = ("hearthbus", peers["hearthbus"], "hearthbus, no window", 0)
    runs: dict[str, list[Run]] = {case: [] for case in cases}
    remarks: list[str] = []
    for turn in range(rounds):
        for case, (key, peer, name, window) in cases.items():
            say(f"throughput, round {turn + 1} of {rounds}: {name}")
            try:
                with serving(key, peer) as server:
                    runs[case].append(run(server, Load(count=count, window=window)))
            except Failed as failure:
                remarks.append(f"{name}: {failure}")
    rates = {case: median([one.rate for one in done]) for case, done in runs.items() if done}
    ours = rates.get("hearthbus", math.nan)
    rows = []
    for case, done in runs.items():
        name = cases[case][2]
        if not done:
            rows.append([name, "failed", *["-"] * 6])
            continue
        rows.append(
            [
                name,
                number(rates[case]),
                spread([one.rate for one in done]),
                str(sum(one.lost for one in done)),
                number(median([one.broker_us for one in done])),
                number(median([one.sender_us for one in done])),
                number(median([one.receiver_us for one in done])),
                number(times(ours, rates[case])) + " x",
            ]
        )
        remarks.extend(f"{name}: {one.broken} messages came broken" for one in done if one.broken)
        remarks.extend(f"{name}: messages came twice" for one in done if one.doubled)
    own = runs.get("hearthbus") or []
    return Section(
        title="Throughput, one sender to one receiver",
        text=(
            f"{count:,} messages a round, {rounds} interleaved rounds, median. Each is a reading of about 120 bytes of "
            "msgpack, encoded by the sender, decoded and checked by the receiver; 16 topics, one pattern subscribed. "
            "Only complete messages count. Microseconds are CPU time of each process for a message, user and system."
        ),
        head=("bus", "messages/s", "min - max", "lost", "broker µs", "sender µs", "receiver µs", "hearthbus is"),
        rows=rows,
        remarks=remarks,
        budgets={
            **{
                f"throughput/{key}": times(ours, rate)
                for key, rate in rates.items()
                if key not in {"hearthbus", "keys", _FREE}
            },
            **({"broker/cpu": median([one.broker_us for one in own])} if own else {}),
        },
    )
