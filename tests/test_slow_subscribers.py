"""Subscribers that do not read, or not fast enough: nobody else notices, and they miss nothing without being told."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from crowd import Crowd
from figures import figure
from neighbour import Neighbour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conftest import Broker

    from hearthbus.bus import Bus
    from hearthbus.message import Message
    from hearthbus.transport import Subscription

GROWTH_BYTES = 64 * 1024 * 1024
TOPICS = ("load/hall", "load/attic", "load/cellar")
QUICK = "beat_ms = 300\nsilence_ms = 2000"
"""Sooner, a busy machine would make the broker cut off those who do read, and what is in no journal would be lost."""
UNKEPT = 'journal = ["service/#"]'
"""What is published on load/# is in no journal: what was missed cannot be had again."""


class Load:
    """Messages on three topics in turn, and what a sound reader then must have."""

    def __init__(self, bus: Bus) -> None:
        self.sent = dict.fromkeys(TOPICS, 0)
        self._bus = bus

    async def publish(self, count: int, *, size: int = 20) -> None:
        """Publish `count` messages, as fast as the broker takes them."""
        text = "x" * size
        for number in range(count):
            topic = TOPICS[number % 3]
            self.sent[topic] += 1
            await self._bus.publish(topic, text=text)
            if number % 50 == 0:
                await asyncio.sleep(0)  # readers of this process have their turn

    async def report(self) -> None:
        """End every topic with a message that shows what is missing before it, the last with a request to report."""
        for topic in TOPICS:
            self.sent[topic] += 1
            await self._bus.publish(topic, report=topic == TOPICS[-1])


class Account:
    """What a reader got, held against what was sent."""

    def __init__(self) -> None:
        self.seqs: dict[str, list[int]] = defaultdict(list)
        self.lost: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self.faults: list[str] = []

    def add(self, got: Iterable[Sequence[Any]]) -> None:
        """Take in (topic, seq, lost, replayed); lost must be exactly the numbers left out."""
        for topic, seq, lost, _ in got:
            seqs = self.seqs[topic]
            before = seqs[-1] if seqs else 0
            if seq - before - 1 != lost:
                self.faults.append(f"{topic}: {seq} came after {before}, {lost} reported lost")
            seqs.append(seq)
            self.lost[topic] += lost

    def accounts(self) -> dict[str, int]:
        """Messages that came or are told to be lost, by topic."""
        return {topic: len(self.seqs[topic]) + self.lost[topic] for topic in TOPICS}


class Here:
    """A reader in this process that keeps everything."""

    def __init__(self, messages: Subscription) -> None:
        self.messages = messages
        self.account = Account()
        self.count = 0

    async def run(self) -> None:
        """Read for ever."""
        async for message in self.messages:
            self.count += 1
            self.account.add([_of(message)])


def _of(message: Message) -> tuple[str, int, int, bool]:
    return message.topic, message.seq, message.lost, message.replayed


async def _status(bus: Bus, name: str, status: str) -> None:
    """Wait until the broker says so."""
    async with asyncio.timeout(30), bus.subscribe(f"service/{name}") as messages:
        async for message in messages:
            if message["status"] == status:
                return


@pytest.mark.parametrize("journaled", [True, False], ids=["journaled", "in no journal"])
async def test_a_frozen_subscriber_harms_nobody(make_broker: Callable[..., Broker], *, journaled: bool) -> None:
    """Frozen while its queue overflows and it is declared lost: others get all, it gets all or learns how many not."""
    broker = make_broker(settings=QUICK if journaled else f"{QUICK}\n{UNKEPT}")
    async with broker.bus("writer") as writer, broker.bus("other") as other, other.subscribe("load/#") as messages:
        load, here = Load(writer), Here(messages)
        async with Crowd() as crowd:
            crowd.start(here.run())
            with Neighbour("read", broker.url, "sleeper", "load/#") as sleeper:
                await sleeper.says()
                await load.publish(300)
                await load.report()
                frozen = Account()
                frozen.add((await sleeper.says())["got"])
                before = broker.rss_bytes()
                sleeper.freeze()
                await load.publish(30_000)
                await _status(writer, "sleeper", "lost")
                await load.publish(3_000)
                await crowd.until("all for the other", lambda: here.count >= sum(load.sent.values()))
                growth = broker.rss_bytes() - before
                lost = -1
                sleeper.thaw()
                await _status(writer, "sleeper", "online")
                async with asyncio.timeout(20):
                    while frozen.accounts() != load.sent and not frozen.faults:
                        await load.report()
                        # all it says before it is asked again: else its answers stay one question behind for ever.
                        # And it may say nothing: what is in no journal, the report can be lost too
                        while frozen.accounts() != load.sent and (said := await sleeper.said(within=1)):
                            frozen.add(said[0]["got"])
                            lost = said[0]["lost"]
                await load.report()
                live = (await sleeper.says())["got"]
                frozen.add(live)
                await crowd.until("all for the other", lambda: here.count >= sum(load.sent.values()))

    everything = {topic: list(range(1, count + 1)) for topic, count in load.sent.items()}
    assert everything == here.account.seqs
    assert GROWTH_BYTES > growth
    assert [] == frozen.faults
    assert load.sent == frozen.accounts()
    assert [[topic, load.sent[topic], 0, False] for topic in TOPICS] == live
    assert sum(frozen.lost.values()) == lost
    assert journaled == (lost == 0)


@pytest.mark.parametrize(("count", "size"), [(30_000, 1_900), (800, 60_000)], ids=["many", "large"])
async def test_a_frozen_subscriber_costs_the_broker_little(broker: Broker, count: int, size: int) -> None:
    """A frozen subscriber makes the broker grow by less than 64 MB, whatever the size of 170 MB it does not read."""
    async with broker.bus("writer") as writer, Crowd() as crowd:
        load = Load(writer)
        await load.publish(count, size=size)  # what such a load costs a broker whom nobody holds up
        await writer.publish("load/end", confirm=True)
        with Neighbour("read", broker.url, "sleeper", "load/#") as sleeper:
            await sleeper.says()
            before = broker.peak_rss_bytes()
            sleeper.freeze()
            flood = crowd.start(load.publish(3 * count, size=size))
            lost = crowd.start(_status(writer, "sleeper", "lost"))
            await asyncio.wait([flood, lost])
            growth = broker.peak_rss_bytes() - before

    assert GROWTH_BYTES > growth
    figure(
        7, f"frozen before {3 * count * size / 1e6:.0f} MB in messages of {size} bytes: broker {growth / 1e6:+.1f} MB"
    )


@pytest.mark.parametrize("journaled", [True, False], ids=["journaled", "in no journal"])
async def test_an_unread_subscription_holds_up_no_other(make_broker: Callable[..., Broker], *, journaled: bool) -> None:
    """One Bus, two subscriptions, one not read: the other has everything; read later, the first accounts for all."""
    broker = make_broker(settings="" if journaled else UNKEPT)
    async with broker.bus("writer") as writer, broker.bus("reader") as bus:
        load = Load(writer)
        async with bus.subscribe("load/#") as unread, bus.subscribe("load/#") as read, Crowd() as crowd:
            here, later = Here(read), Here(unread)
            crowd.start(here.run())
            await load.publish(25_000)
            await crowd.until("all for the one that is read", lambda: here.count >= 25_000)
            crowd.start(later.run())
            async with asyncio.timeout(20):
                while later.account.accounts() != load.sent:
                    await load.report()
                    with contextlib.suppress(AssertionError):  # what is in no journal: the report can be lost too
                        await crowd.until("all", lambda: load.sent == later.account.accounts(), within=0.5)
            await crowd.until("all for the other", lambda: here.count >= sum(load.sent.values()))

    everything = {topic: list(range(1, count + 1)) for topic, count in load.sent.items()}
    assert everything == here.account.seqs
    assert 0 == read.lost
    assert [] == later.account.faults
    assert sum(later.account.lost.values()) == unread.lost
    assert journaled == (unread.lost == 0)


async def test_a_reader_slower_than_the_stream_has_everything(broker: Broker) -> None:
    """A reader fifty times slower than what is published has, in the end, every message once and in order."""
    async with broker.bus("writer") as writer, broker.bus("reader") as bus, bus.subscribe("load/#") as messages:
        load, account = Load(writer), Account()
        async with Crowd() as crowd:
            crowd.start(load.publish(30_000))
            async with asyncio.timeout(20):
                for _ in range(30_000):
                    account.add([_of(await anext(messages))])
                    await asyncio.sleep(0)  # its slowness: one message a turn, while fifty are published

    assert [] == account.faults
    assert {topic: list(range(1, 10_001)) for topic in TOPICS} == account.seqs
    assert 0 == messages.lost
