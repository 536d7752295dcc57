"""What hearthbus costs as a house grows: 1, 10, 100 subscribers; 10, 1,000, 100,000 retained topics."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import number
from bench.peers.hearthbus import Hearthbus, url
from bench.process import Failed, rss_mb
from bench.report import Section
from bench.rig import run, serving
from bench.work import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.base import Peer

_SUBSCRIBERS = (1, 10, 100)
_TOPICS = (10, 1_000, 100_000)
_TOGETHER = 25
"""Connections in one receiving process: a hundred interpreters would measure the machine's memory."""
_LIMIT = 200_000
"""The broker's limit on topics for this measurement; its default is lower."""


def subscribers(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure the fan-out."""
    del peers
    deliveries = 100_000 if quick else 400_000
    rows: list[list[str]] = []
    remarks: list[str] = []
    for many in _SUBSCRIBERS:
        say(f"subscribers: {many}")
        load = Load(count=deliveries // max(many, 4), window=Hearthbus.window)
        try:
            with serving("hearthbus", Hearthbus()) as server:
                found = run(server, load, many=many, together=_TOGETHER)
                held = rss_mb(server.pid)
        except Failed as failure:
            remarks.append(f"{many} subscribers: {failure}")
            continue
        rows.append(
            [
                str(many),
                number(found.sent / found.seconds if found.seconds else 0.0),
                number(found.rate),
                str(found.lost),
                number(found.broker_us),
                number(found.broker_us / many),
                number(held),
            ]
        )
    return Section(
        title="hearthbus with many subscribers",
        text=(
            f"One sender, each subscriber gets everything; up to {_TOGETHER} connections share a receiving process, so "
            "the receivers are what is slow here. The broker's CPU for a message sent, and for one delivered."
        ),
        head=("subscribers", "sent/s", "delivered/s", "lost", "µs/message", "µs/delivery", "broker MB"),
        rows=rows,
        remarks=remarks,
    )


def topics(peers: Mapping[str, Peer], *, quick: bool, say: Callable[[str], None]) -> Section:
    """Measure retained state: publishing it, fetching it, and starting a broker that has it on disk."""
    del peers
    rows: list[list[str]] = []
    remarks: list[str] = []
    for many in _TOPICS:
        say(f"retained topics: {many}")
        load = Load(count=max(many, 20_000 if quick else 100_000), topics=many, retain=True, window=Hearthbus.window)
        try:
            rows.append(_topics_row(many, load))
        except Failed as failure:
            remarks.append(f"{many} topics: {failure}")
    return Section(
        title="hearthbus with many retained topics",
        text=(
            "One sender publishes retained readings over so many topics in turn to one subscriber. Then a new client "
            "asks for all of them at once; then the broker is stopped and started with its state on disk, and a client "
            "asks again."
        ),
        head=(
            "topics",
            "messages/s",
            "lost",
            "µs/message",
            "broker MB",
            "get all, s",
            "stop, s",
            "start and get all, s",
        ),
        rows=rows,
        remarks=remarks,
    )


def _topics_row(many: int, load: Load) -> list[str]:
    peer = Hearthbus(topics=_LIMIT)
    with tempfile.TemporaryDirectory(prefix="bench-hearthbus-") as name:
        home = Path(name)
        with serving("hearthbus", peer, home=home) as server:
            found = run(server, load)
            held = rss_mb(server.pid)
            fetched, fetch_s = asyncio.run(_get_all(server.port))
            stopping = time.monotonic()
        started = time.monotonic()
        with serving("hearthbus", peer, home=home) as server:
            found_again, _again_s = asyncio.run(_get_all(server.port))
            start_s = time.monotonic() - started
    if (fetched, found_again) != (many, many):
        raise Failed(f"{fetched} retained before and {found_again} after the restart, not {many}")
    return [
        f"{many:,}",
        number(found.rate),
        str(found.lost),
        number(found.broker_us),
        number(held),
        number(fetch_s),
        number(started - stopping),
        number(start_s),
    ]


async def _get_all(port: int) -> tuple[int, float]:
    from hearthbus import Bus

    async with Bus(url(port), name="bench-get", connect_timeout=30) as bus:
        start = time.monotonic()
        found = await bus.get("sensor/#")
        return len(found), time.monotonic() - start
