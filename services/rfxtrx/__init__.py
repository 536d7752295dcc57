"""RFXtrx on the bus: what the stick hears is published, what the bus asks is transmitted.

What a frame means for the house is decided by `roster`, what a request says to a device by `orders`; both know no stick
and no bus. Here the two meet. To find one's way:

    the stick      stick ─▶ handover; account, standing, diary say how it is
    what is heard  roster ─▶ meanings, quantities ─▶ speech
    what is asked  answering, asked ─▶ orders ─▶ desk ─▶ stick
    devices        registry of known; naming, settings, leftovers
    apart          command/ the verbs, powerconfig an import, twin/ a simulated stick
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from hearthbus import Invalid, Message, Service, Unavailable, serve
from services.jumps import Jumps
from services.rfxtrx import asked, naming, orders
from services.rfxtrx.answering import Answering
from services.rfxtrx.desk import Desk
from services.rfxtrx.known import Say
from services.rfxtrx.leftovers import PATTERNS, leftovers
from services.rfxtrx.roster import Roster
from services.rfxtrx.settings import Settings
from services.rfxtrx.stick import Stick
from services.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.known import Known

LOOK_S: Final = 30.0
"""How often to look around without being woken."""
_FIGURES_S: Final = 60.0


class RFXtrx(Service):
    """The stick and its devices."""

    Config = Settings
    config: Settings

    async def on_start(self) -> None:
        """Take up what an earlier run has left, and prepare the stick; it is opened by `main`."""
        config = self.config
        self._woken = asyncio.Event()
        self._jumps = Jumps(at=self.now(), ticks=self.clock.monotonic())
        self._roster = Roster(config, prefix=self.name)
        self._bad = self._repeated = 0
        registry = self._roster.registry
        stand = f"{self.name}/stick"
        left = [each for each in await self.get(f"{registry.topic}/+", stand, *PATTERNS) if each.origin == self.name]
        for message in left:
            if message.topic.startswith(f"{registry.topic}/"):
                registry.restore(message.body, at=self.now())
        for message in left:
            self._roster.restore_state(message.topic, message.body, at=min(message.time / 1e9, self.now()))
        bodies = {message.topic: message.body for message in left if message.body}
        for say in (*leftovers(bodies, registry, name=self.name, at=self.now()), *registry.first(at=self.now())):
            await self._say(say)
        alert = f"alert/{self.name}-stick"
        self._standing = Standing(
            topic=f"{self.name}/stick",
            alert=alert,
            away=_deaf,
            back=lambda how: f"the RFXtrx at {how.get('port')} is back",
            figures_s=_FIGURES_S,
            alerted=bodies.get(alert, {}).get("active") is True,
        )
        self._stick = Stick(self.name, config, log=self.log, heard=self._heard, changed=self._woken.set)
        wanted = bodies.get(stand, {})
        if wanted.get("protocols_wanted_by") == "request" and config.protocols is None:
            self._stick.want(wanted.get("protocols_wanted"))
        self._desk = Desk(send=self._stick.send, publish=self._is_so, log=self.log)
        self._answering = Answering(self.bus, answer=self._answer, log=self.log)
        await self._serve_names()

    async def on_stop(self) -> None:
        """Let go of what is on its way."""
        await self._answering.close()
        await self._desk.close()

    async def main(self) -> None:
        """Run the stick, and the clock behind what it hears."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stick.run(), name="stick")
            group.create_task(self._stick.tick(), name="stick timers")
            group.create_task(self._watch(), name="watch")

    @serve("{name}/send")
    async def send(self, request: Message) -> dict[str, Any]:
        """Transmit a frame, or a packet as `hearthbus rfxtrx decode --json` shows it, whatever it is."""
        (frame, *rest), repeats = asked.frames(request.body)
        outcome = await self._stick.send(frame, *rest, repeats=repeats)
        reason = {"reason": outcome.reason} if outcome.reason else {}
        listed = {"remotes": asked.remotes(outcome.remotes)} if outcome.remotes else {}
        return {"confirmed": outcome.sent, "fate": outcome.fate.value, **reason, **listed}

    @serve("{name}/remotes")
    async def remotes(self, request: Message) -> dict[str, Any]:
        """Return the RFY remotes the stick knows, or those of another `make`; it takes ten to twenty seconds."""
        outcome = await self._stick.send(asked.question(request.get("make", "rfy")))
        if not outcome.sent:
            raise Unavailable(f"the stick has not told its remotes: {outcome.reason or outcome.fate.value}")
        return {"remotes": asked.remotes(outcome.remotes)}

    @serve("{name}/name")
    async def give_name(self, request: Message) -> dict[str, Any]:
        """Call a device something, until told otherwise."""
        kind = request.get("kind")
        known, says = self._roster.registry.name(request["id"], request["name"], kind=kind, at=self._time())
        return await self._renamed(known, says)

    @serve("{name}/replace")
    async def replace(self, request: Message) -> dict[str, Any]:
        """Give the name of one device to another, whose id has changed with its battery."""
        known, says = self._roster.registry.replace(request["old"], request["new"], at=self._time())
        return await self._renamed(known, says)

    @serve("{name}/protocols")
    async def set_protocols(self, request: Message) -> dict[str, Any]:
        """Have the stick receive these protocols and no others; with `save`, after it was without power too.

        They are kept over a restart, unless the configuration names others: then they last until then.
        """
        names, save = request.get("set"), request.get("save", False)
        told: dict[str, Any] = {}
        if names is not None:
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise Invalid(f"set is {names!r}; write a list of names, as `hearthbus rfxtrx modes` shows them")
            await self._stick.set_protocols(names)
            if self.config.protocols is not None:
                told["reason"] = "the configuration names protocols too: those are set again when the service restarts"
        if save is True:
            await self._stick.save_protocols()
        return {"protocols": sorted(self._stick.protocols), **told}

    @serve("{name}/status")
    async def status(self, request: Message) -> dict[str, Any]:
        """Return how the stick is; with `refresh`, ask it first."""
        if request.get("refresh") is True:
            await self._stick.refresh()
        return {**self._stick.how(), **self._stick.figures(), **self._counted()}

    def health(self) -> dict[str, Any]:
        """Add how the stick is, and what was heard."""
        return {**super().health(), "stick": self._stick.how(), **self._stick.figures(), **self._counted()}

    def _counted(self) -> dict[str, int]:
        registry = self._roster.registry
        return {
            "devices": len(registry.all()),
            "devices_named": len(registry.named()),
            "devices_forgotten": registry.forgotten,
            "frames_repeated": self._repeated,
            "frames_unreadable": self._bad,
        }

    async def _renamed(self, known: Known, says: list[Say]) -> dict[str, Any]:
        for say in says:
            await self._say(say)
        await self._serve_names()
        self.log.info("%s is %s now", known.key, known.name or "without a name")
        return {"device": known.key, "name": known.name, "kind": known.kind}

    async def _serve_names(self) -> None:
        await self._answering.serve(topic for known in self._roster.registry.named() for topic in orders.topics(known))

    async def _answer(self, request: Message) -> dict[str, Any]:
        """Do what is asked of a device."""
        named = self._roster.registry.named()
        known = next(each for each in named if request.topic in orders.topics(each))
        kind = request.topic.partition("/")[0]
        if kind in orders.ORDERS:
            order = orders.ORDERS[kind](known, request.body)
            await self._note(known)
            return await self._desk.order(known, order)
        count = request.get("count", 1)
        if type(count) is not int or not 1 <= count <= asked.MOST_REPEATS:
            raise Invalid(f"count is {count!r}; write a whole number from 1 to {asked.MOST_REPEATS}")
        packet = orders.ring(known) if kind == "notify" else orders.press(known, request["button"])
        await self._note(known)
        return await self._desk.say(known, packet, count=1 if kind == "notify" else count)

    async def _note(self, known: Known) -> None:
        """Tell the number of a command before it is sent: after a crash receivers would take the next for a repeat."""
        if known.is_dirty and known.told_at is None:
            for say in self._roster.registry.tell(known, at=self._time()):
                await self._say(say)

    async def _is_so(self, known: Known, state: Mapping[str, Any]) -> None:
        """Publish the state an order has made, of all units where it went to all."""
        for each in self._roster.registry.mates(known.address, group=naming.is_all(known.address)):
            if each.kind == known.kind:
                await self.publish(f"{each.kind}/{each.name}", state, retain=True)
                self._roster.switched(each, on=state.get("on") is True, at=self._time())
        self._woken.set()

    async def _heard(self, heard: Packet | bytes) -> None:
        """Publish what a frame says."""
        found = self._roster.hear(heard, frame=self._stick.frame, at=self._time(), ticks=self.clock.monotonic())
        for say in found.says:
            await self._say(say)
        self._repeated += found.repeated
        self._bad += bool(found.fault)
        if found.fault:
            self.log.debug("noise: %s", found.fault)
        self._woken.set()

    async def _say(self, say: Say) -> None:
        try:
            await self.publish(say.topic, say.body, retain=say.retain)
        except Invalid as error:  # a device whose id makes no topic
            self.counts.errors += 1
            self.log.warning("%s is not published: %s", say.topic, error)

    async def _watch(self) -> None:
        """Say what time alone changes, and how the stick is."""
        while True:
            self._woken.clear()
            now = self._time()
            for say in self._roster.look(at=now):
                await self._say(say)
            how = self._stick.how()
            self.trouble = "" if how["status"] == "online" else f"the RFXtrx at {how['port']}: {how.get('reason')}"
            for told in self._standing.look(how, self._stick.figures(), at=now):
                await self._say(Say(*told, retain=True))
            times = [time for time in (self._roster.due(), self._standing.due()) if time is not None]
            wait = min(times, default=now + LOOK_S) - self.now()
            await self._rest(max(0.05, min(LOOK_S, wait)))

    async def _rest(self, seconds: float) -> None:
        """Wait until something has happened, so long at most."""
        waits = {asyncio.create_task(self.sleep(seconds)), asyncio.create_task(self._woken.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    def _time(self) -> float:
        """Return the wall clock's time; where it was set, move along what was noted by it."""
        now = self.now()
        if jump := self._jumps.look(at=now, ticks=self.clock.monotonic()):
            self.log.info("the clock was set by %+.0f s", jump)
            self._roster.shift(jump)
            self._standing.shift(jump)
        return now


def _deaf(how: Mapping[str, Any]) -> str:
    """What the alert about a stick says that is away, or is there and hears nothing."""
    if how.get("status") == "online":
        return ""
    return f"the RFXtrx at {how.get('port')} hears nothing: {how.get('reason') or how.get('status')}"
