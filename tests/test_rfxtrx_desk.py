"""Orders on their way to a stick: how many may wait, and for how long."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from drivers.rfxtrx.transmissions import Fate, Outcome
from hearthbus import Unavailable
from services.rfxtrx import naming, orders
from services.rfxtrx.desk import MOST, Desk
from services.rfxtrx.known import Known
from services.rfxtrx.settings import Device

if TYPE_CHECKING:
    from collections.abc import Mapping

AC = "lighting2.ac.00abcde.5"
LAMP = Known(naming.read(AC), Device(id=AC), "desk")


class Air:
    """A stick that answers when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.sent = 0
        self.desk = Desk(send=self.send, publish=self.publish, log=logging.getLogger("desk"), answer_s=30)

    async def send(self, frame: bytes, *, repeats: int) -> Outcome:
        """Transmit."""
        del frame, repeats
        self.sent += 1
        await self.gate.wait()
        return Outcome(fate=Fate.SENT)

    async def publish(self, known: Known, state: Mapping[str, Any]) -> None:
        """Forget."""


async def test_buttons_that_wait_are_bounded() -> None:
    """Who presses one more is told at once; those that wait are all sent."""
    air = Air()
    pressed = [asyncio.ensure_future(air.desk.say(LAMP, orders.press(LAMP, "on"))) for _ in range(MOST)]
    while air.sent == 0:
        await asyncio.sleep(0)
    with pytest.raises(Unavailable, match=f"{MOST} buttons wait for it already"):
        await air.desk.say(LAMP, orders.press(LAMP, "on"))
    air.gate.set()
    answers = await asyncio.gather(*pressed)

    assert MOST == air.sent == sum(answer["confirmed"] for answer in answers)


async def test_what_waits_too_long_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A light should not go on out of the blue."""
    monkeypatch.setattr("services.rfxtrx.desk.LATE_S", 0.01)
    air = Air()
    first = asyncio.ensure_future(air.desk.say(LAMP, orders.press(LAMP, "on")))
    while air.sent == 0:
        await asyncio.sleep(0)
    late = asyncio.ensure_future(air.desk.order(LAMP, orders.switch(LAMP, {"on": True})))
    await asyncio.sleep(0.05)
    air.gate.set()
    await first
    with pytest.raises(Unavailable, match="late"):
        await late

    assert 1 == air.sent
