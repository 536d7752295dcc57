"""Who says what to a node, and when: each road a test draws loses what the test says, and nothing takes time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from drivers.rf12 import hearth
from drivers.rf12.air import Header
from drivers.rf12.values import Heard
from hearthbus.config.schema import build
from services.jeenode.parcels import Fate, Outcome
from services.jeenode.roster import Roster, Say
from services.jeenode.settings import Settings
from services.jeenode.tuner import Tuner

BLOCK = hearth.Settings(node=6, group=212, band=8, report_s=300, hold_s=60, offset=1600)


class Road:
    """A tuner, and a way to room node 6 that loses what the test says."""

    def __init__(self, *lost: type[hearth.AnyPayload]) -> None:
        self.lost = list(lost)
        """Kinds of packets nobody acks, each once."""
        self.sent: list[hearth.AnyPayload] = []
        self.roster = Roster(build(Settings, {"nodes": {"hall": {"id": 6}}}), at=0.0)
        self.tuner = Tuner(
            self.roster, gateways=set, send=self.send, say=self.say, ticks=lambda: 0.0, log=logging.getLogger("road")
        )
        self.sequence = 0

    async def send(self, key: tuple[int, int], payload: bytes, ack: bool) -> Outcome:  # noqa: FBT001 - as the tuner calls it
        """Carry a packet."""
        assert ((212, 6), True) == (key, ack)
        packet = hearth.decode(payload)
        self.sent.append(packet)
        if type(packet) in self.lost:
            self.lost.remove(type(packet))
            return Outcome(fate=Fate.NOT_ACKED, tries=8)
        return Outcome(fate=Fate.ACKED, tries=1, ack=bytes([0xF1, 6, packet.sequence, 0]))

    async def say(self, say: Say) -> None:
        """Publish nothing."""

    async def hear(self, kind: type[hearth.AnyPayload], /, **values: Any) -> dict[str, Any]:
        """Have the node say something, and all be done that comes of it; return its state."""
        self.sequence += 1
        payload = kind(sender=6, sequence=self.sequence, **values).encode()
        heard = Heard(header=Header(node=6), payload=payload)
        task = asyncio.create_task(self.tuner.keep())
        await self.tuner.heard(self.roster.hear(heard, group=212, gateway="attic", at=0.0, ticks=0.0))
        for _ in range(20):  # turns of the loop: nothing here waits for anything else
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self.roster.node((212, 6)).body()

    async def announce(self, check: int) -> dict[str, Any]:
        """Have it say who it is."""
        return await self.hear(
            hearth.Announce, kind=3, firmware_minor=0, firmware_major=1, reset=1, settings=3, settings_crc=check
        )

    async def report(self) -> dict[str, Any]:
        """Have it report."""
        return await self.hear(
            hearth.Room, motion=False, temperature=21.5, humidity=45.0, light=512, battery_mv=2985, given_up=0
        )


async def test_after_motion_a_node_does_not_listen() -> None:
    """What waits goes on waiting; after a report it is sent, once."""
    road = Road()
    await road.announce(BLOCK.check)
    await road.tuner.configure({"node": "hall", "report_s": 60})
    state = await road.hear(hearth.Motion, motion=True, light=None, battery_mv=None, given_up=0)
    sent = list(road.sent)
    await road.report()
    await road.report()

    assert ("pending", []) == (state["settings"], sent)
    assert [hearth.Set, hearth.Commit] == [type(packet) for packet in road.sent]


async def test_a_commit_nobody_acks_is_said_again_under_another_number() -> None:
    """To commit the same twice changes nothing, and a node that wrote its memory meanwhile may have missed it."""
    road = Road(hearth.Commit)
    await road.announce(BLOCK.check)
    await road.tuner.configure({"node": "hall", "report_s": 60})
    state = await road.report()

    assert "done" == state["settings"]
    assert [hearth.Set, hearth.Commit, hearth.Commit] == [type(packet) for packet in road.sent]
    assert [0, 1, 2] == [packet.sequence for packet in road.sent]


async def test_a_set_nobody_acks_is_tried_at_the_next_report_and_given_up_in_the_end() -> None:
    """No commit is sent without all of them; each attempt has numbers of its own."""
    road = Road(*[hearth.Set] * 3)
    await road.announce(BLOCK.check)
    await road.tuner.configure({"node": "hall", "report_s": 60})
    states = [await road.report() for _ in range(4)]

    assert ["pending", "pending", "failed", "failed"] == [state["settings"] for state in states]
    assert (
        "report_s = 60: not acked after 8 tries; it is tried again at its next report" == states[0]["settings_reason"]
    )
    assert {hearth.Set} == {type(packet) for packet in road.sent}
    assert 3 == len({packet.sequence for packet in road.sent})


async def test_an_announcement_says_that_a_lost_commit_came() -> None:
    """Its ack was lost both times; the check it announces is the one that was wanted."""
    road = Road(hearth.Commit, hearth.Commit)
    await road.announce(BLOCK.check)
    await road.tuner.configure({"node": "hall", "report_s": 60})
    waits = await road.report()
    state = await road.announce(replace(BLOCK, report_s=60).check)

    assert ("pending", "done") == (waits["settings"], state["settings"])
    assert 60 == state["committed"]["report_s"]
    assert 3 == len(road.sent)
