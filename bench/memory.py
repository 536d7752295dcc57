"""What the broker process holds: idle, and while one of two subscribers stands still (SIGSTOP).

The other subscriber goes on; the sender's window follows it alone. A bus may let the sender wait, drop for the one that
stands still, or grow: the table shows which.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.board import Slot
from bench.figures import number
from bench.process import Failed, rss_mb
from bench.report import Section
from bench.rig import receiving, sending, serving, wait_until_quiet
from bench.work import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.peers.base import Peer
    from bench.rig import Client, Server

_SETTLE_S = 1.0
"""From the first accepted connection until a server has done what it does at the start."""
_STILL_S = 3.0
"""When nothing was received for so long, nothing comes any more."""
_WINDOW = 4096
"""Messages on their way to the subscriber that goes on; the same for every bus."""


@dataclass(frozen=True, kw_only=True)
class Stall:
    """What one stalled subscriber did. Memory in MB; `rate` in messages a second to the one that went on."""

    idle_mb: float
    growth_mb: float
    sent: int
    """How far the sender came in time."""
    rate: float
    healthy: int
    stalled: int
    """What the two had when nothing came any more, within ten seconds after the stalled one went on."""


def measure(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure each peer once; memory does not depend on the machine's mood."""
    load = Load(count=100_000 if quick else 250_000, pad=1000, window=_WINDOW)
    limit = 10.0 if quick else 30.0
    rows: list[list[str]] = []
    remarks: list[str] = []
    budgets: dict[str, float] = {}
    for key, peer in peers.items():
        say(f"memory: {peer.name}")
        try:
            with serving(key, peer) as server:
                found = _stall(server, load, limit=limit)
        except Failed as failure:
            rows.append([peer.name, "failed", *["-"] * 5])
            remarks.append(f"{peer.name}: {failure}")
            continue
        if key == "hearthbus":
            budgets = {"broker/rss": found.idle_mb, "broker/stall": found.growth_mb}
        rows.append(
            [
                peer.name,
                number(found.idle_mb),
                number(found.growth_mb),
                f"{found.sent / load.count:.0%}",
                number(found.rate),
                f"{found.healthy / load.count:.1%}",
                f"{found.stalled / load.count:.1%}",
            ]
        )
    return Section(
        title="Broker memory, idle and with one stalled subscriber",
        text=(
            f"MB resident. One of two subscribers is stopped with SIGSTOP, then {load.count:,} messages of 1.1 kB "
            f"({load.count * 1.13 / 1000:.0f} MB) are sent within at most {limit:.0f} s; growth is the highest value "
            f"meanwhile. At most {_WINDOW} are on their way to the other subscriber, whose messages a second are "
            "shown. Then the stopped one goes on; what both have in the end. Zenoh's router is a Python process here."
        ),
        head=("bus", "idle MB", "growth MB", "sent in time", "messages/s", "the other has", "the stopped one has"),
        rows=rows,
        remarks=remarks,
        budgets=budgets,
    )


def _stall(server: Server, load: Load, *, limit: float) -> Stall:
    time.sleep(_SETTLE_S)
    idle = rss_mb(server.pid)
    with (
        receiving(server, load, many=2, life=limit + 60) as (healthy, stalled),
        sending(server, load, watched=[healthy], life=limit + 60) as sender,
    ):
        base = peak = rss_mb(server.pid)

        def look() -> None:
            nonlocal peak
            peak = max(peak, rss_mb(server.pid))

        os.kill(stalled.process.pid, signal.SIGSTOP)
        try:
            sender.board[Slot.GO] = 1
            wait_until_quiet(sender, [healthy], load, timeout=limit, look=look)
            look()
        finally:
            os.kill(stalled.process.pid, signal.SIGCONT)
        sent, received = sender.board[Slot.COUNT], healthy.board[Slot.COUNT]
        seconds = (healthy.board[Slot.LAST] - sender.board[Slot.FIRST]) / 1e9
        _catch_up((healthy, stalled), load)
        return Stall(
            idle_mb=idle,
            growth_mb=peak - base,
            sent=sent,
            rate=received / seconds if seconds > 0 else 0.0,
            healthy=healthy.board[Slot.COUNT],
            stalled=stalled.board[Slot.COUNT],
        )


def _catch_up(receivers: Sequence[Client], load: Load) -> None:
    """Let both read until nothing comes any more; one that was cut off and ended has what it has."""
    end = time.monotonic() + 10.0
    seen, since = -1, time.monotonic()
    while time.monotonic() < end:
        counts = [client.board[Slot.COUNT] for client in receivers]
        if sum(counts) != seen:
            seen, since = sum(counts), time.monotonic()
        elif time.monotonic() - since > _STILL_S or min(counts) >= load.count:
            return
        time.sleep(0.05)
