"""A light on the bus and on the air: asks come in, orders go out one at a time, the state says what is confirmed.

When to say what is `lights.Light`'s affair, how it gets to the node a gateway's; the bus and the road come in as
functions.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rf12 import hearth, stock
from services.instants import iso
from services.jeenode.lights import EFFECTS, Order
from services.jeenode.parcels import SPEAKING, Fate, Outcome

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping

    from drivers.fields import Packet
    from services.jeenode.lights import Light

ANSWER_S: Final = 3.0
"""A request's usual patience is five seconds."""
_NO_AIR_S: Final = 10.0
_FULL_S: Final = 0.2


class Lamp:
    """One light.

    Args:
        name: of light/<name>.
        light: what is known of it.
        is_stock: whether its node is a stock ledNode, which never confirms.
        alerted: whether an alert about it is active.
        send: carries a payload to its node.
        number: gives the number of the next order, and has it remembered beyond a restart.
        publish: publishes retained state.
        now: the wall clock.
        log: for what a person may want to know.
        answer_s: how long who asks waits for the node; then the answer says why it has not confirmed.
    """

    def __init__(
        self,
        name: str,
        light: Light,
        *,
        is_stock: bool,
        alerted: bool,
        send: Callable[[bytes, bool], Awaitable[Outcome]],
        number: Callable[[], Awaitable[int]],
        publish: Callable[[str, Mapping[str, Any]], Awaitable[None]],
        now: Callable[[], float],
        log: logging.Logger,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.name = name
        self.light = light
        self._is_stock = is_stock
        self._alerted = alerted
        self._send = send
        self._number = number
        self._publish = publish
        self._now = now
        self._log = log
        self._answer_s = answer_s
        self._reason = ""
        self._woken = asyncio.Event()
        self._waiting: list[tuple[int, asyncio.Future[str]]] = []
        self._numbered: tuple[Order | None, int] = (None, 0)
        self._told: dict[str, Any] | None = None

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Take a request; return the state that is wanted, whether it is confirmed, and if not, why.

        Raises:
            Invalid: the request makes no sense.
        """
        order = self.light.ask(request)
        landed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((order.number, landed))
        self._woken.set()
        await self.tell()
        self._reason = "its node has not answered yet"
        try:
            async with asyncio.timeout(self._answer_s):
                reason = await landed
        except TimeoutError:
            reason = self._reason
        finally:
            self._waiting.remove((order.number, landed))
        return {**self._body(), "confirmed": not reason, **({"reason": reason} if reason else {})}

    def again(self) -> None:
        """Its node has started anew: say what is wanted."""
        self.light.again()
        self._woken.set()

    def hurry(self) -> None:
        """Its gateway is there again, or its node has spoken: try at once what waits."""
        if not self.light.confirmed:
            self.light.hurry()
            self._woken.set()

    async def keep(self) -> None:
        """Send, for ever, what is to be sent."""
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            order = self.light.next(at=loop.time())
            if order is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self.light.due()):
                        await self._woken.wait()
                continue
            await self.tell()
            outcome = await self._fly(order)
            reason = self._land(outcome, at=loop.time())
            await self.tell()
            await self._alert(outcome)
            self._reason = reason
            if self.light.due() is None or not reason:  # what is tried again may be confirmed before they lose patience
                self._answer(order, reason)

    async def tell(self) -> None:
        """Publish the state, if it is news."""
        body = self._body()
        if self.light.wanted is not None and body != self._told:
            self._told = body
            await self._publish(f"light/{self.name}", body)

    def _body(self) -> dict[str, Any]:
        look = {} if self.light.wanted is None else self.light.wanted.body()
        return {**look, "confirmed": self.light.confirmed}

    async def _fly(self, order: Order) -> Outcome:
        known, number = self._numbered
        if known != order:
            number = await self._number()
            self._numbered = (order, number)
        try:
            payload = _stock(order) if self._is_stock else _ours(order, number)
            return await self._send(payload.encode(), not self._is_stock)
        except CodecError as error:
            return Outcome(fate=Fate.IMPOSSIBLE, reason=str(error))

    def _land(self, outcome: Outcome, *, at: float) -> str:
        """Tell the light what became of the order; return why it is not confirmed, for people, or nothing."""
        light = self.light
        match outcome.fate:
            case Fate.ACKED:
                code = outcome.ack[3] if len(outcome.ack) > 3 else hearth.AckCode.DONE
                if code == hearth.AckCode.DONE:
                    light.acked()
                    return ""
                light.refused()
                return f"its node refused: {_code(code)}"
            case Fate.SENT:
                light.sent()
                return "its node never confirms"
            case Fate.FULL:
                light.held_up(at=at, for_s=_FULL_S)
            case Fate.NO_AIR_TIME:
                light.held_up(at=at, for_s=_NO_AIR_S)
            case Fate.IMPOSSIBLE:
                light.refused()
                return outcome.reason or "its gateway will not send that"
            case Fate.NOT_ACKED | Fate.AWAY:
                light.failed(at=at)
        tries = f" after {outcome.tries} tries" if outcome.tries else ""
        return f"{outcome.reason or outcome.fate.value}{tries}; it is tried again"

    async def _alert(self, outcome: Outcome) -> None:
        """Say once that it is given up, and once that it works again."""
        if self.light.given_up == self._alerted or (self._alerted and not self.light.confirmed):
            return
        self._alerted = self.light.given_up
        why = outcome.reason or f"{outcome.fate.value}, {outcome.tries} tries"
        message = f"light/{self.name} does not answer ({why})" if self._alerted else f"light/{self.name} works again"
        (self._log.warning if self._alerted else self._log.info)("%s", message)
        body = {"active": self._alerted, "message": message, "since": iso(self._now())}
        await self._publish(f"alert/light-{self.name}", body)

    def _answer(self, order: Order, reason: str) -> None:
        """Answer who waits for this order, or for one it has replaced."""
        for number, landed in self._waiting:
            if number <= order.number and not landed.done():
                landed.set_result(reason)


def _ours(order: Order, number: int) -> Packet:
    look = order.look
    red, green, blue = look.rgb
    return hearth.Light(
        sender=SPEAKING, sequence=number, effect=EFFECTS.index(look.effect), red=red, green=green, blue=blue,
        brightness=max(1, round(look.brightness * 255)) if look.on else 0, fade_s=round(order.fade_s, 2),
    )  # fmt: skip


def _stock(order: Order) -> Packet:
    """A stock node has no brightness, whole seconds, and one effect."""
    share = order.look.brightness if order.look.on else 0.0
    red, green, blue = (round(part * share) for part in order.look.rgb)
    return stock.StockLed(red=red, green=green, blue=blue, seconds=min(255, round(order.fade_s)))


def _code(code: int) -> str:
    known = {one.value: one.name.lower().replace("_", " ") for one in hearth.AckCode}
    return known.get(code, f"code {code}")
