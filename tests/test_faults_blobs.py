"""Twenty thousand blobs at both doors of the broker, and at those with keys: it lives, and nobody honest notices."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Final

import pytest
import zmq
from doorman import make_key, write_key
from figures import figure
from honest import honest_pair
from ports import free_port
from raw import ZMTP_GREETING, Raw, tcp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Broker

BLOBS: Final = 20_000
CONNECTIONS: Final = 200
GROWTH_BYTES: Final = 5_000_000
FULL_S: Final = 20.0
_STARTS: Final = (b"", b"\0", b"\1", b"\2", b"B", b"P", b"H", b"\xff")
"""What a blob begins with: nothing in particular, a subscription or its end, verbs."""


def descriptors(broker: Broker) -> int:
    """Return how many files the broker's process has open."""
    return len(os.listdir(f"/proc/{broker.pid}/fd"))  # noqa: PTH208 - a count


async def calm(broker: Broker, wanted: int) -> int:
    """Return how many files it has open once it has closed what strangers left, or after a while."""
    async with asyncio.timeout(FULL_S):
        while (held := descriptors(broker)) > wanted:
            await asyncio.sleep(0.05)
    return held


async def test_blobs_from_a_client(broker: Broker) -> None:
    """Random frames at the socket for what is said and at the fan-out: dropped; memory and descriptors stay."""
    chance = random.Random(9)
    blobs = [chance.choice(_STARTS) + chance.randbytes(chance.randrange(1, 120)) for _ in range(BLOBS // 2)]
    async with honest_pair(broker) as honest:
        before, open_ = broker.rss_bytes(), descriptors(broker)

        def attack() -> None:
            with Raw(broker.url) as raw:
                raw.greet()
                subscriber = raw.subscriber(zmq.XSUB)
                for blob in blobs:
                    raw.send(blob)
                    subscriber.send(blob)
                raw.say(b"H")

        await asyncio.to_thread(attack)
        await honest.unharmed()
        grown, held = broker.rss_bytes() - before, await calm(broker, open_)

    assert grown < GROWTH_BYTES
    assert held <= open_
    figure(9, f"{BLOBS} blobs of a client: the broker's memory {grown / 1e6:+.1f} MB, descriptors {open_} -> {held}")


@pytest.mark.parametrize("keys", [False, True], ids=["loopback", "keys"])
async def test_blobs_before_any_greeting(make_broker: Callable[..., Broker], tmp_path: Path, *, keys: bool) -> None:
    """Random bytes on TCP, also behind a good greeting of ZMTP, with CURVE and without: cut off, and no more."""
    network = free_port()
    settings = ""
    if keys:
        (tmp_path / "keys").mkdir(mode=0o700)
        (tmp_path / "keys" / "allowed").mkdir(mode=0o700)
        write_key(tmp_path / "keys" / "broker.key", make_key("broker"))
        settings = f'network = "tcp://127.0.0.1:{network}"\nkeys = "{tmp_path}/keys"\n'
    broker = make_broker(tcp=not keys, settings=settings)
    chance = random.Random(10)
    async with honest_pair(broker) as honest:
        address = f"tcp://127.0.0.1:{network}" if keys else broker.url
        before, open_ = broker.rss_bytes(), descriptors(broker)

        def attack() -> None:
            for number in range(CONNECTIONS):
                start = ZMTP_GREETING if number % 2 else b""
                with tcp(address, start + chance.randbytes(BLOBS // CONNECTIONS * 60)):
                    pass

        await asyncio.to_thread(attack)
        await honest.unharmed()
        grown, held = broker.rss_bytes() - before, await calm(broker, open_)

    assert grown < GROWTH_BYTES
    assert held <= open_
    figure(9, f"{CONNECTIONS} connections {'with' if keys else 'without'} CURVE: memory {grown / 1e6:+.1f} MB")
