"""The stick on its port: keeps it open, lets the session talk, hands over what is heard; the edge from bytes to bus.

stick = Stick("rfxtrx", settings, log=log, heard=heard, changed=changed)
... run stick.run() and stick.tick() as tasks, for ever ...
outcome = await stick.send(packet.encode(), repeats=2)
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

from drivers.port import Lost, Opened, Port, Received
from drivers.rfxtrx.frames import NETWORK_SILENCE_S, SILENCE_S, Skipped, Why
from drivers.rfxtrx.interface import Control
from drivers.rfxtrx.modes import check, warnings
from drivers.rfxtrx.news import Fault, Heard, Notice, Phase, Ready, Reopen, Times, Told
from drivers.rfxtrx.session import Session
from drivers.rfxtrx.transmissions import Fate, Outcome, Transmission
from hearthbus import Invalid, Unavailable
from services.rfxtrx import account
from services.rfxtrx.diary import Diary, same
from services.rfxtrx.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drivers.rfxtrx.news import AnyStatus, News
    from services.rfxtrx.handover import Handler
    from services.rfxtrx.settings import Settings

__all__ = ["Fate", "Outcome", "Stick", "Times"]

DELAYS: Final = (0.1, 0.2, 0.5)
"""Seconds between attempts to open a device: to look whether it is there costs nothing."""
NETWORK_DELAYS: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


class Stick:
    """An RFXtrx, from the moment it is configured.

    Args:
        name: what the log calls it.
        settings: the table `[rfxtrx]`.
        log: for what a person may want to know.
        heard: is given each packet, and the bytes of each frame that does not decode; not the stick's own messages.
            It may transmit, and wait for the outcome.
        changed: is called when `how()` may have changed: it has come, gone, or is set differently.
        times: see there; `silence` is the settings'.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        log: logging.Logger,
        heard: Handler,
        changed: Callable[[], None],
        times: Times | None = None,
    ) -> None:
        network = settings.port.startswith("socket://")
        self.name = name
        self.settings = settings
        self.open = False
        self.fault = "not opened yet"
        """Why it is not ready."""
        self.session = Session(
            Random(),  # noqa: S311 - back-offs are no secret
            wanted=None if settings.protocols is None else frozenset(settings.protocols),
            times=replace(times or Times(), silence=settings.silence_s),
            gap_s=NETWORK_SILENCE_S if network else SILENCE_S,
        )
        self._delays = NETWORK_DELAYS if network else DELAYS
        self._log, self._changed = log, changed
        self._port: Port | None = None
        self._woken = asyncio.Event()
        self._moved = asyncio.Condition()
        self._waiting: dict[Transmission, asyncio.Future[Outcome]] = {}
        self._handover = Handover(name, log=log, heard=heard)
        self._diary = Diary(name, log)
        self._asked = False
        """Whether a request, and not the configuration, has said which protocols are wanted."""

    @property
    def ready(self) -> bool:
        """Whether it receives, and something can be sent through it now."""
        return self.open and self.session.ready

    @property
    def frame(self) -> bytes:
        """The frame of the packet `heard` was given last, as it was heard."""
        return self._handover.frame

    @property
    def status(self) -> AnyStatus | None:
        """The last status reply; None before the first."""
        return self.session.status

    @property
    def protocols(self) -> frozenset[str]:
        """Which are on, by the last status; empty before the first."""
        return self.session.protocols

    def how(self) -> dict[str, Any]:
        """Return how it is, as the bus says it: status (online or away), port, reason, receiver, firmware ..."""
        fault = "" if self.ready else self.fault or "it is not ready"
        return account.how(self.session, port=self.settings.port, fault=fault, by_request=self._asked)

    def figures(self) -> dict[str, int]:
        """Return what is counted since the service began."""
        return account.figures(self.session, self._handover)

    async def run(self) -> None:
        """Keep the port open, and hand over what is heard, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._handover.run())
            group.create_task(self._read())

    async def _read(self) -> None:
        settings = self.settings
        async with Port(settings.port, baud=settings.baud, delays=self._delays, data_proves=False) as self._port:
            async for event in self._port:
                match event:
                    case Opened():
                        self.open = True
                        if not self.session.setup.failing:
                            self.fault = "it is being asked how it is"
                        self._diary.once(f"{settings.port} is open", level=logging.INFO)
                        self.session.opened(at=self._now())
                    case Received(data=data):
                        await self._tell(self.session.feed(data, at=self._now()))
                    case Lost(reason=reason):
                        self._gone(reason)
                await self._settle()

    async def tick(self) -> None:
        """Do, for ever, what falls due between two events of the port."""
        while True:
            self._woken.clear()
            await self._tell(self.session.tick(at=self._now()))
            await self._settle(wake=False)
            due = self.session.due() if self.open else None
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._woken.wait()

    async def send(self, frame: bytes, *rest: bytes, repeats: int = 1) -> Outcome:
        """Transmit a frame, and return what became of it; its sequence number is set here.

        Args:
            frame: it.
            rest: frames that belong to it: nothing else is sent between them, and nothing after one that fails.
            repeats: how often all of it is sent.

        Raises:
            Invalid: it is no whole frame, or a control frame (type 0x00): those could retune or wear out the stick.
        """
        for each in (frame, *rest):
            if len(each) < 5 or each[0] != len(each) - 1:
                raise Invalid(
                    f"{each.hex() or 'nothing'} is no frame: the first byte is the count of those after it, >= 4"
                )
            if each[1] <= 0x02:
                raise Invalid(f"{each.hex()} is a message to the stick itself, not for the air; see rfxtrx/protocols")
        if not 1 <= repeats <= 100:
            raise Invalid(f"repeats {repeats} is not from 1 to 100")
        return await self._transmit(Transmission(frame, repeats, rest))

    def want(self, names: object) -> None:
        """Have the protocols on that a request has asked an earlier run for; what makes no sense is left alone."""
        if isinstance(names, list) and all(isinstance(name, str) for name in names) and not check(names):
            self.session.setup.wanted = frozenset(names)
            self._asked = True

    async def set_protocols(self, names: Iterable[str]) -> frozenset[str]:
        """Have these protocols on and no others, until told otherwise, through every reset; return which are on now.

        Raises:
            Invalid: there is no such protocol, or the stick's receiver lacks it.
            Unavailable: the stick is away, or did not answer; once it is back they are set.
        """
        wanted = frozenset(names)
        if faults := check(wanted):
            raise Invalid("; ".join(faults), problems=tuple(faults))
        try:
            self.session.want(wanted, at=self._now())
        except ValueError as error:
            raise Invalid(str(error)) from None
        self._asked = True
        self._changed()
        await self._settle()
        patience = 3 * self.session.setup.times.answer
        with suppress(TimeoutError):
            async with asyncio.timeout(patience), self._moved:
                await self._moved.wait_for(lambda: self.ready and not self.session.setup.differs())
                for line in warnings(self.protocols):
                    self._log.warning("%s: %s", self.name, line)
                return self.protocols
        reason = self.fault if not self.ready else f"it has not answered in {patience:g} s"
        raise Unavailable(f"{self.settings.port}: {reason}; the protocols are set once it is back")

    async def save_protocols(self) -> None:
        """Write what is on to the stick's own memory, which outlasts some 10,000 times.

        Raises:
            Unavailable: the stick is away, or did not answer.
        """
        await self._control("save_modes")
        self._log.warning("%s: its protocols were written to its own memory", self.name)

    async def refresh(self) -> AnyStatus:
        """Ask for the status.

        Raises:
            Unavailable: the stick is away, or did not answer.
        """
        await self._control("status")
        assert self.status is not None  # noqa: S101 - for the type checker: it has just been said
        return self.status

    async def _control(self, command: str) -> None:
        outcome = await self._transmit(Transmission(Control(command=command, subtype=0).encode()))
        if not outcome.sent:
            raise Unavailable(f"{self.settings.port}: {outcome.reason}")

    async def _transmit(self, transmission: Transmission) -> Outcome:
        self._waiting[transmission] = asyncio.get_running_loop().create_future()
        if self.open:
            self.session.offer(transmission, at=self._now())
        else:
            transmission.refuse(f"the stick is away: {self.fault}")
        try:
            await self._settle()
            return await self._waiting[transmission]
        finally:
            self._waiting.pop(transmission, None)

    async def _tell(self, news: list[News]) -> None:
        for each in news:
            match each:
                case Heard(frame=frame):
                    self._handover.put(frame)
                case Told():
                    await self._move()
                case Ready(greeting=greeting):
                    self.fault = ""
                    self._diary.forget()
                    if self._port is not None:
                        self._port.prove()
                    self._log.info("%s: receives; %s", self.name, greeting or "its firmware has no greeting")
                    await self._move()
                case Notice(text=text):
                    self._log.warning("%s: %s", self.name, text)
                case Fault(text=text):
                    await self._blame(text)
                case Reopen(reason=reason) if self._port is not None:
                    self._port.drop(reason)
                case Skipped(why=why) if why is not Why.ZEROS:
                    self._handover.skipped(each, at=self._now())

    async def _blame(self, text: str) -> None:
        if not same(text, self.fault):
            self.fault = text
            await self._move()
        self._diary.once(text)

    async def _move(self) -> None:
        """It is different from before."""
        self._changed()
        async with self._moved:
            self._moved.notify_all()

    async def _settle(self, *, wake: bool = True) -> None:
        """Write what there is to write, and tell those who wait what became of their frames."""
        data = self.session.take()
        for transmission, future in self._waiting.items():
            if transmission.outcome is not None and not future.done():
                future.set_result(transmission.outcome)
        if data and self._port is not None:
            with suppress(ConnectionError):  # the port says so itself, as an event
                await self._port.write(data)
        if wake:
            self._woken.set()

    def _gone(self, reason: str) -> None:
        was_open, self.open = self.open, False
        ours = self.session.setup.phase is Phase.BACKING_OFF  # closed for what the fault says already
        changed, self.fault = not ours and self.fault != reason, self.fault if ours else reason
        self.session.closed(f"{self.settings.port}: {reason}")
        if changed or (was_open and not ours):
            self._diary.once(f"{self.settings.port}: {reason}")
            self._changed()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
