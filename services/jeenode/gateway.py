"""One board on its port: keeps it open, lets it talk, and carries packets to it; the edge between bytes and bus.

What the bytes mean is said by `Talk` for radios and by `relays` for boards that take lines of text.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.port import Lost, Opened, Port, Received, Silent
from drivers.rf12.stock import Master
from drivers.rf12.values import Banner, Broken, Heard, Missing, Notice, Ready
from services.jeenode.leftovers import GATEWAYS
from services.jeenode.parcels import Fate, Outcome, Parcel
from services.jeenode.relays import BUTTON_S, SWITCH_S, Paced
from services.jeenode.talk import Talk
from services.standing import Standing

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Collection

    from drivers.rf12.values import Line
    from services.jeenode.settings import Gateway as Settings

    Handler = Callable[["Gateway", Heard | Master], Awaitable[None]]

_LONGEST_LINE: Final = 400
_ASLEEP_S: Final = 3600.0
_COMPLAIN_S: Final = 60.0
_FIGURES_S: Final = 30.0


def standing(name: str, *, among: Collection[str]) -> Standing:
    """Return the standing of the gateway of a table, whose alert is active if it is `among` those that are."""
    alert = f"alert/gateway-{name}"
    return Standing(
        topic=f"{GATEWAYS}/{name}",
        alert=alert,
        away=lambda how: f"gateway {name} is away: {how.get('reason', '')}" if how["status"] == "away" else "",
        back=lambda _how: f"gateway {name} is back",
        figures_s=_FIGURES_S,
        alerted=alert in among,
    )


class Gateway:
    """A gateway, from the moment it is configured.

    Args:
        name: that of its table.
        settings: its table.
        log: for what a person may want to know.
        heard: is given each packet, and each JSON line.
        changed: is called when it has come or gone.
    """

    def __init__(
        self, name: str, settings: Settings, *, log: logging.Logger, heard: Handler, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self.settings = settings
        self.talk = Talk(Random(), group=settings.group, collect=settings.collect)  # noqa: S311 - back-offs are no secret
        self.open = False
        self.fault = "not opened yet"
        """Why it is not open."""
        self.released_until: float | None = None
        """Until when another program has the port, on the loop's clock."""
        self.lines_dropped = 0
        """Of a relay: lines that waited for a board which has gone."""
        self.paced = Paced(SWITCH_S if settings.profile == "ledcontroller" else BUTTON_S)
        self._log = log
        self._heard = heard
        self._changed = changed
        self._port: Port | None = None
        self._reading: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._take_back = asyncio.Event()
        self._away = asyncio.Event()
        self._waiting: dict[Parcel, asyncio.Future[Outcome]] = {}
        self._text = b""
        self._unsaid = 0
        self._say_at = 0.0
        self._noise = 0

    @property
    def is_radio(self) -> bool:
        """Whether it has an RF12 radio that we talk to ourselves."""
        return self.settings.profile == "rf12"

    @property
    def ready(self) -> bool:
        """Whether something can be sent through it now."""
        return self.open and (self.talk.ready or not self.is_radio)

    async def run(self) -> None:
        """Keep it open, but for while it is released."""
        settings, task = self.settings, asyncio.current_task()
        while True:
            async with Port(settings.port, baud=settings.baud, silence_s=settings.silence_s) as self._port:
                self._reading = asyncio.ensure_future(self._read(self._port))
                try:
                    await self._reading
                except asyncio.CancelledError:
                    if self.released_until is None or (task is not None and task.cancelling()):
                        raise
                self._gone("another program has it")
            self._away.set()
            await self._stay_away()

    async def send(self, payload: bytes, *, node: int, ack: bool = True) -> Outcome:
        """Send a packet to a node, and return what became of it."""
        parcel = Parcel(payload, node, ack)
        self._waiting[parcel] = asyncio.get_running_loop().create_future()
        self.talk.offer(parcel, at=self._now())
        try:
            await self._settle()
            return await self._waiting[parcel]
        finally:
            self._waiting.pop(parcel, None)

    async def write(self, line: bytes, *, times: int = 1) -> None:
        """Have a line of text written when its turn comes.

        Raises:
            Invalid: too many wait already.
        """
        self.paced.add(line, times=times)
        await self._settle()

    async def release(self, for_s: float) -> None:
        """Let go of the port, for another program such as avrdude; it is free when this returns.

        Who asks again while it is released has it for `for_s` more.
        """
        released, self.released_until = self.released_until is not None, self._now() + for_s
        self._take_back.clear()
        if not released and self._reading is not None:
            self._away.clear()
            self._reading.cancel()
            await self._away.wait()

    def take(self) -> None:
        """Take the port again."""
        self._take_back.set()

    def how(self) -> dict[str, Any]:
        """Return how it is, as the bus says it."""
        talk = self.talk
        status = "released" if self.released_until is not None else "online" if self.ready else "away"
        noise = talk.counts.lines_broken > self._noise
        hung = "it does not answer any more" if talk.silent else "it has not said what it is"
        silent = "what it says is noise; is its baud right?" if noise else hung
        reason = self.fault or ("" if self.ready else silent)
        radio = {"firmware": talk.firmware, "hearth": talk.hearth, "group": talk.group, "node": talk.node}
        return {
            "status": status,
            "port": self.settings.port,
            **({"reason": reason} if reason else {}),
            **(radio if self.is_radio and talk.ready else {}),
        }

    @property
    def trouble(self) -> str:
        """What is wrong with it, for people; empty while it is there, or lent to another program."""
        how = self.how()
        return f"gateway {self.name} at {how['port']}: {how.get('reason')}" if how["status"] == "away" else ""

    async def _stay_away(self) -> None:
        while self.released_until is not None and not self._take_back.is_set() and self._now() < self.released_until:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self.released_until):
                    await self._take_back.wait()
        self.released_until = None
        self._log.info("%s: taking %s again", self.name, self.settings.port)
        self._changed()

    async def _read(self, port: Port) -> None:
        async for event in port:
            match event:
                case Opened():
                    self.open, self.fault, self._text = True, "", b""
                    self._noise = self.talk.counts.lines_broken
                    self.talk.opened(at=self._now())
                    self._log.info("%s: %s is open", self.name, self.settings.port)
                    self._changed()
                case Lost(reason=reason):
                    self._gone(reason)
                case Silent(seconds=seconds):
                    port.drop(f"nothing for {seconds:.0f} s")
                case Received(data=data) if self.is_radio:
                    await self._lines(self.talk.feed(data, at=self._now()))
                case Received(data=data):
                    await self._json(data)
            await self._settle()

    async def _lines(self, lines: list[Line]) -> None:
        for line in lines:
            match line:
                case Heard():
                    await self._heard(self, line)
                case Banner():
                    self._log.info("%s: %s", self.name, self.talk.firmware)
                    self._changed()
                case Ready(firmware=firmware, radio=radio):
                    self._log.info("%s: hearth mode, firmware %s, radio %s", self.name, firmware, radio)
                    self._changed()
                case Notice(text=text):
                    self._log.warning("%s: %s", self.name, text)
                case Missing(count=count):
                    self._log.warning("%s: %d lines were lost on the way here", self.name, count)
                case Broken(fault=fault, text=text):
                    self._broken(fault.value, text)

    def _broken(self, fault: str, text: str) -> None:
        """Say that lines are broken, at most once a minute: at the wrong speed there are hundreds."""
        self._unsaid += 1
        if self._now() >= self._say_at:
            self._log.warning("%s: lines were broken: %d; the last, %r, %s", self.name, self._unsaid, text, fault)
            self._unsaid, self._say_at = 0, self._now() + _COMPLAIN_S
            self._changed()

    async def _json(self, data: bytes) -> None:
        *lines, self._text = (self._text + data).split(b"\n")
        if len(self._text) > _LONGEST_LINE:
            self._text = b""
            self.talk.counts.lines_broken += 1
        for line in lines:
            try:
                found = Master.decode(line.decode("ascii", "replace"))
            except CodecError:
                self.talk.counts.lines_broken += bool(line.strip())
                continue
            self.talk.counts.packets += 1
            await self._heard(self, found)

    async def tick(self) -> None:
        """Do, for ever, what falls due between two events of the port."""
        while True:
            self._woken.clear()
            was_ready = self.talk.ready
            self.talk.tick(at=self._now())
            await self._settle(wake=False)
            if was_ready and self.talk.silent:
                await self._wake_up()
            times = (self.talk.due() if self.is_radio else self.paced.due(), self._now() + _ASLEEP_S)
            due = min(time for time in times if time is not None)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due if self.open else None):
                    await self._woken.wait()

    async def _wake_up(self) -> None:
        """Reset a board that has stopped answering, as a person would; its next word makes it ready."""
        self._log.warning("%s: does not answer any more; resetting it by the DTR line of its port", self.name)
        self._changed()
        if self._port is not None:
            await self._port.reset()

    async def _settle(self, *, wake: bool = True) -> None:
        """Write what there is to write, and tell those who wait what became of their packets."""
        data = self.talk.take() if self.is_radio else self.paced.take(at=self._now()) if self.open else b""
        for parcel in [parcel for parcel in self._waiting if parcel.outcome is not None]:
            future = self._waiting[parcel]
            if not future.done():
                assert parcel.outcome is not None  # noqa: S101 - for the type checker: the line above has looked
                self.talk.counts.parcels_failed += parcel.outcome.fate not in {Fate.ACKED, Fate.SENT}
                future.set_result(parcel.outcome)
        if data and self._port is not None:
            with suppress(ConnectionError):  # the port says so itself, as an event
                await self._port.write(data)
        if wake:
            self._woken.set()

    def _gone(self, reason: str) -> None:
        was_open, self.open = self.open, False
        changed, self.fault = self.fault != reason, reason
        self.lines_dropped += self.paced.clear()
        self.talk.closed(f"{self.settings.port}: {reason}")
        if was_open or changed:
            self._log.warning("%s: %s: %s", self.name, self.settings.port, reason)
            self._changed()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
