"""Carries orders to the stick, one at a time for each device, and says what is so: confirmed when they were sent.

The newest order for a device counts: one that still waits for its turn is never sent. Nothing is tried again by
itself: a light should not go on out of the blue. What a packet says is `orders`'s affair.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from drivers.rfxtrx.transmissions import LATE_S, Fate, Outcome
from hearthbus import Unavailable

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.known import Known
    from services.rfxtrx.orders import Order

    Send = Callable[..., Awaitable[Outcome]]

ANSWER_S: Final = 4.0
"""A request's usual patience is five seconds; a blind behind others can take longer."""
MOST: Final = 32
"""Buttons pressed on one device that may wait for their turn."""


class Desk:
    """Orders on their way.

    Args:
        send: `Stick.send`.
        publish: publishes the state of a device.
        log: for what a person may want to know.
        answer_s: how long who asks waits for the stick.
    """

    def __init__(
        self,
        *,
        send: Send,
        publish: Callable[[Known, Mapping[str, Any]], Awaitable[None]],
        log: logging.Logger,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._send = send
        self._publish = publish
        self._log = log
        self._answer_s = answer_s
        self._newest: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._pressed: Counter[str] = Counter()
        self._flying: set[asyncio.Task[dict[str, Any]]] = set()

    async def order(self, known: Known, order: Order) -> dict[str, Any]:
        """Send an order; return the state it makes, whether it is confirmed, and if not, why.

        Raises:
            Unavailable: it was not sent, so nothing has changed; the text says why.
        """
        number = self._newest[known.key] = self._newest.get(known.key, 0) + 1
        return await self._patiently(self._fly(known, order, number), order.state)

    async def say(self, known: Known, packet: Packet, *, count: int = 1) -> dict[str, Any]:
        """Send what makes no state: a button, a bell.

        Raises:
            Unavailable: it was not sent.
        """
        if self._pressed[known.key] >= MOST:
            raise Unavailable(f"{known.name} was sent nothing: {MOST} buttons wait for it already")
        return await self._patiently(self._press(known, packet, count), {})

    async def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)

    async def _patiently(self, flight: Any, state: Mapping[str, Any]) -> dict[str, Any]:
        task: asyncio.Task[dict[str, Any]] = asyncio.create_task(flight)
        self._flying.add(task)
        task.add_done_callback(self._landed)
        done, _ = await asyncio.wait({task}, timeout=self._answer_s)
        if not done:
            return {**state, "confirmed": False, "reason": "the stick has not acknowledged it yet; it is still tried"}
        return task.result()

    def _landed(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._flying.discard(task)
        if not task.cancelled():
            task.exception()  # who asked has it, or has lost patience; it is in the log either way

    async def _fly(self, known: Known, order: Order, number: int) -> dict[str, Any]:
        async with self._turn(known):
            if self._newest[known.key] != number:
                return {**order.state, "confirmed": False, "reason": "a newer request has taken its place"}
            outcome = await self._transmit(known, order.packet, known.device.repeats)
            await self._publish(known, {**order.state, "confirmed": outcome.sent})
        return _answer(order.state, outcome)

    async def _press(self, known: Known, packet: Packet, count: int) -> dict[str, Any]:
        self._pressed[known.key] += 1
        try:
            async with self._turn(known):
                outcome = await self._transmit(known, packet, known.device.repeats * count)
        finally:
            self._pressed[known.key] -= 1
        return _answer({}, outcome)

    @asynccontextmanager
    async def _turn(self, known: Known) -> AsyncIterator[None]:
        """Wait for one's turn with a device.

        Raises:
            Unavailable: it took so long that nobody expects it any more.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._turns.setdefault(known.key, asyncio.Lock()):
            if loop.time() > began + LATE_S:
                raise Unavailable(f"{known.name} was sent nothing: it would have been {LATE_S:.0f} s late")
            yield

    async def _transmit(self, known: Known, packet: Packet, repeats: int) -> Outcome:
        """Send a packet; return how it ended, where it may be on the air."""
        outcome = await self._send(packet.encode(), repeats=repeats)
        if outcome.sent:
            return outcome
        self._log.warning("%s (%s): %s: %s", known.name, known.key, outcome.fate.value, outcome.reason)
        if outcome.fate is Fate.TIMEOUT:
            return outcome
        raise Unavailable(f"{known.name} was sent nothing: {outcome.reason or outcome.fate.value}")


def _answer(state: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    reason = {} if outcome.sent else {"reason": outcome.reason or outcome.fate.value}
    return {**state, "confirmed": outcome.sent, **reason}
