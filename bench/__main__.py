"""`python -m bench`: take the measurements asked for and print the report; progress goes to stderr."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

from bench import firmware, house, latency, memory, nodes, rfxtrx, scale, telemetry, throughput
from bench.peers import PEERS
from bench.report import machine, markdown, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.base import Peer


MEASUREMENTS = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "house": house.measure,
    "nodes": nodes.measure,
    "firmware": firmware.measure,
    "rfxtrx": rfxtrx.measure,
    "telemetry": telemetry.measure,
    "subscribers": scale.subscribers,
    "topics": scale.topics,
}


def main() -> int:
    """Run it."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_ignored: sys.exit(143))
    lacking = {key: PEERS[key].missing() for key in options.peers}
    peers = {key: PEERS[key] for key in options.peers if not lacking[key]}
    print("# hearthbus beside its peers\n")
    print(f"`{shlex.join(['scripts/bench', *sys.argv[1:]])}`, {time.strftime('%Y-%m-%d')}, {machine()}\n")
    for peer in peers.values():
        print(f"- {peer.name} {peer.version()}: {peer.driven}{_window(peer)}")
    for key, reason in lacking.items():
        if reason:
            print(f"- {PEERS[key].name}: not measured, {reason}")
    print(flush=True)
    sections = []
    for name in options.only:
        section = MEASUREMENTS[name](peers, quick=options.quick, say=_say)
        print(markdown(section), flush=True)
        sections.append(section)
    print(summary(sections), end="")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure hearthbus beside its peers, on loopback."
    )
    parser.add_argument("--quick", action="store_true", help="shorter loads: figures to look at, not to publish")
    parser.add_argument(
        "--only",
        type=_names(MEASUREMENTS),
        default=list(MEASUREMENTS),
        metavar="NAME,...",
        help=", ".join(MEASUREMENTS),
    )
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS), metavar="NAME,...", help=", ".join(PEERS))
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        wanted = text.split(",")
        for name in wanted:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return wanted

    return names


def _window(peer: Peer) -> str:
    return f", at most {peer.window} messages on their way" if peer.window else ""


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


sys.exit(main())
