"""Tell people what the house has to say: `notify/<target>` is a request, and its answer whether it was delivered.

    request ─▶ note (what) ─▶ whom (who) ─▶ lane (limits, turn, tries) ─▶ mail or push ─▶ a server

The caller waits as long as he wants to, and that is how long is tried; then he is told the truth, which can be that
nobody knows. E-mail needs the standard library, all else apprise, loaded for the targets that need it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hearthbus import HearthbusError, Service
from services.checks import check_all, is_segment, refuse
from services.instants import LOCAL, find_zone
from services.notify.lane import Lane
from services.notify.note import Note, read_note
from services.notify.outcomes import Receipt, Undelivered
from services.notify.settings import Target  # noqa: TC001 - the configuration reads it
from services.notify.whom import SEND, Recipient, Whom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.transport import Request, Responder
    from services.notify.lane import Sender
    from services.notify.outcomes import Fault

_OWN: Final = ("busy", "limit", "quiet")
"""What this house itself holds back. A flood makes a thousand of them: in a row they are logged once, and counted."""
_SPARE_S: Final = 0.4
"""Seconds before the caller's time is up at which he is answered; of short times a fifth."""


class Notify(Service):
    """Every target of a house."""

    @dataclass(frozen=True)
    class Config:
        """The targets and groups, by name."""

        targets: dict[str, Target] = field(default_factory=dict)
        """The targets; a table of its own for each."""
        groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
        """Names for several targets: `all = ["mail", "phone"]` makes `notify/all`."""
        timezone: str = LOCAL
        """IANA name, for quiet hours; default: the machine's."""

        def __post_init__(self) -> None:
            check_all(lambda: find_zone(self.timezone), lambda: refuse(self._faults()))

        def _faults(self) -> Iterator[str]:
            for table, names in (("targets", self.targets), ("groups", self.groups)):
                for name in names:
                    if not is_segment(name):
                        yield f"{table}.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
                    elif name == SEND:
                        yield f"{table}.{name}: notify/{SEND} is taken; choose another name"
            for name, members in self.groups.items():
                if name in self.targets:
                    yield f"groups.{name}: a target has that name"
                if not members:
                    yield f'groups.{name} is empty; write for example {name} = ["mail", "phone"]'
                for member in members:
                    if member not in self.targets:
                        yield f"groups.{name}: {member} is none of the targets"

    config: Config

    async def on_start(self) -> None:
        """Make a lane for each target, and be the one who answers."""
        zone = find_zone(self.config.timezone)
        self._whom = Whom(self.config.targets, self.config.groups)
        self._lanes = {
            name: Lane(name, target, sender=_sender(target), zone=zone, clock=self.clock)
            for name, target in self.config.targets.items()
        }
        self._held_back: dict[str, Fault] = {}
        self._stack = AsyncExitStack()
        self._responders = [
            await self._stack.enter_async_context(self.bus.serve(f"notify/{name}"))
            for name in (*self.config.targets, *self.config.groups, SEND)
        ]

    async def main(self) -> None:
        """Answer requests, each in a task of its own."""
        if not self._lanes:
            self.log.info("no targets: a table [%s.targets.NAME] makes one", self.name)
        async with asyncio.TaskGroup() as group:
            for responder in self._responders:
                group.create_task(self._serve(responder, group), name="serve")
            for lane in self._lanes.values():
                await lane.prepare()
                if lane.trouble:
                    self.log.warning("%s: %s", lane.name, lane.trouble)
            self._say_trouble()

    async def on_stop(self) -> None:
        """Take no more requests."""
        await self._stack.aclose()

    async def _serve(self, responder: Responder, group: asyncio.TaskGroup) -> None:
        async for request in responder:
            group.create_task(self._answer(request), name=request.message.topic)

    async def _answer(self, request: Request) -> None:
        """Tell the caller what became of his message, even where this service stops meanwhile."""
        try:
            answer = await self._delivered(request)
        except Undelivered as error:  # the log has it
            self.counts.errors += 1
            await self._reply(request, str(error))
        except (HearthbusError, ValueError) as error:
            self.counts.errors += 1
            self.log.info("%s: refused: %s", request.message.topic, error)
            await self._reply(request, str(error))
        except Exception as error:  # one request's fault must not end the others
            self.counts.errors += 1
            self.log.exception("%s", request.message.topic)
            await self._reply(request, type(error).__name__)
        else:
            self.counts.handled += 1
            await self._reply(request, answer)

    async def _reply(self, request: Request, answer: dict[str, Any] | str) -> None:
        try:
            await (request.fail(answer) if isinstance(answer, str) else request.reply(answer))
        except HearthbusError as error:
            self.log.warning("%s: the answer did not get away: %s", request.message.topic, error)

    async def _delivered(self, request: Request) -> dict[str, Any]:
        body, name = request.message.body, request.message.topic.rpartition("/")[2]
        note = read_note(body)
        recipients = self._whom.asked(body) if name == SEND else self._whom.named(name)
        now = asyncio.get_running_loop().time()
        deadline = request.deadline - min(_SPARE_S, (request.deadline - now) / 5)
        if name in self._lanes:
            return {"delivered": True, "target": name, **await self._to(recipients[0], note, deadline)}
        return await self._to_all(recipients, note, deadline)

    async def _to_all(self, recipients: list[Recipient], note: Note, deadline: float) -> dict[str, Any]:
        """Deliver to several at one time; an error only where nobody has it."""
        tasks = [asyncio.create_task(self._to(recipient, note, deadline)) for recipient in recipients]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:  # the service stops; each says how far it came
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        told: dict[str, dict[str, Any]] = {}
        for recipient, task in zip(recipients, tasks, strict=True):
            try:
                told[recipient.label] = {"delivered": True, **task.result()}
            except Undelivered as failure:
                told[recipient.label] = {"delivered": False, "error": str(failure)}
        if not any(each["delivered"] for each in told.values()):
            raise Undelivered("; ".join(each["error"] for each in told.values()))
        return {"delivered": all(each["delivered"] for each in told.values()), "targets": told}

    async def _to(self, recipient: Recipient, note: Note, deadline: float) -> dict[str, Any]:
        lane = self._lanes[recipient.target]
        to = (recipient.address,) if recipient.address else ()
        try:
            receipt = await lane.deliver(note, to, deadline=deadline)
        except Undelivered as failure:
            again = failure.fault in _OWN and self._held_back.get(recipient.target) == failure.fault
            self._held_back[recipient.target] = failure.fault
            self.log.log(logging.DEBUG if again else logging.WARNING, "%s: %s", recipient.label, failure)
            raise Undelivered(f"{recipient.label}: {failure}", failure.fault) from None
        finally:
            self._say_trouble()
        self._held_back.pop(recipient.target, None)
        self.log.info("%s: delivered", recipient.label)
        return _told(receipt)

    def _say_trouble(self) -> None:
        self.trouble = "; ".join(f"{lane.name}: {lane.trouble}" for lane in self._lanes.values() if lane.trouble)

    def health(self) -> dict[str, Any]:
        """Add what became of the messages, by target."""
        return {**super().health(), "targets": {name: lane.health() for name, lane in self._lanes.items()}}


def _sender(target: Target) -> Sender:
    if target.kind == "email":
        from services.notify.mail import Mail

        return Mail(target)
    from services.notify.push import Push

    return Push(target)


def _told(receipt: Receipt) -> dict[str, Any]:
    """What is worth saying of a delivery, beside that it was one."""
    return {**({"refused": list(receipt.refused)} if receipt.refused else {}), **({"cut": True} if receipt.cut else {})}
