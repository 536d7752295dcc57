"""One client process of a run: `python -m bench.role PEER send|receive PLAN`, PLAN being JSON.

Started by `bench.rig` and killed by it; ends by itself in any case after `life` seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.board import Board, Slot
from bench.peers import PEERS
from bench.peers.hearthbus import Hearthbus
from bench.work import Load, batches, taker

if TYPE_CHECKING:
    from bench.work import Batches


def main() -> None:
    """Do one role."""
    peer = PEERS[sys.argv[1]]
    role = sys.argv[2]
    plan: dict[str, Any] = json.loads(sys.argv[3])
    signal.alarm(plan["life"])
    os.chdir(Path(plan["boards"][0]).parent)  # among the files of the server, a key for instance
    load = Load(**plan["load"])
    boards = [Board(Path(path)) for path in plan["boards"]]
    if role == "receive":
        ends = [(taker(board, load, clock=time.monotonic_ns), partial(_ready, board)) for board in boards]
        if isinstance(peer, Hearthbus):
            peer.receive_many(plan["port"], ends)
        else:
            peer.receive(plan["port"], *ends[0])
    else:
        board = boards[0]
        watched = [Board(Path(path)) for path in plan["watched"]]

        def done() -> None:
            board[Slot.LAST] = time.monotonic_ns()
            board[Slot.DONE] = 1

        peer.send(plan["port"], _timed(board, load, watched), done, retain=load.retain)


def _ready(board: Board) -> None:
    board[Slot.READY] = 1


def _timed(board: Board, load: Load, watched: list[Board]) -> Batches:
    """Wait for the go, then yield the load."""
    board[Slot.READY] = 1
    while not board[Slot.GO]:
        yield 0.002, []
    board[Slot.FIRST] = time.monotonic_ns()

    def arrived() -> int:
        return min((other[Slot.COUNT] for other in watched), default=load.count)

    for pause, readings in batches(load, clock=time.monotonic_ns, arrived=arrived):
        yield pause, readings
        board[Slot.COUNT] += len(readings)


main()
