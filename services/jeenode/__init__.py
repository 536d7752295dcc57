"""JeeNodes on the bus: the gateways of a house, what their nodes say, and the lights they switch.

What a packet means for the house is decided by `roster`, when a light is told what by `lights`; both know no port and
no bus. Here the two meet: gateways hear, the bus is told; the bus asks, gateways send.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hearthbus import Invalid, Message, Service, Unavailable, serve
from services.jeenode.gateway import Gateway, standing
from services.jeenode.lamp import Lamp
from services.jeenode.leftovers import PATTERNS, leftovers
from services.jeenode.lights import restored
from services.jeenode.parcels import Fate, Outcome
from services.jeenode.relays import button, switch
from services.jeenode.roster import NODES, Roster, Say
from services.jeenode.settings import Settings
from services.jeenode.tuner import Tuner
from services.jumps import Jumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rf12.stock import Master
    from drivers.rf12.values import Heard
    from services.jeenode.roster import Found, Key

LOOK_S: Final = 30.0
"""How often to look around without being woken."""
LONGEST_RELEASE_S: Final = 3600.0


class JeeNode(Service):
    """All gateways and nodes of a house."""

    Config = Settings
    config: Settings

    async def on_start(self) -> None:
        """Take up what an earlier run has left, and prepare the gateways; they are opened by `main`."""
        config = self.config
        self._woken = asyncio.Event()
        self._jumps = Jumps(at=self.now(), ticks=self.clock.monotonic())
        self._roster = Roster(config, at=self.now())
        self._repeats = self._missed = self._gave_up = 0
        left = await self.get(*PATTERNS, "sensor/+/motion")
        mine = {message.topic: message for message in left if message.origin == self.name}
        for say in leftovers({topic: message.body for topic, message in mine.items()}, config, at=self.now()):
            await self._say(say)
            del mine[say.topic]
        for topic, message in mine.items():
            if topic.startswith(NODES):
                self._roster.restore(message.body)
            elif topic.startswith("sensor/") and message.get("value") is True:
                self._roster.restore_motion(topic.split("/")[1], at=message.time / 1e9)
        self._alerts = {topic for topic, message in mine.items() if message.get("active") is True}
        self._gateways = {
            name: Gateway(name, settings, log=self.log, heard=self._heard, changed=partial(self._changed, name))
            for name, settings in config.gateways.items()
        }
        self._standings = {name: standing(name, among=self._alerts) for name in config.gateways}
        self._tuner = Tuner(
            self._roster,
            gateways=lambda: {(each.talk.group, each.talk.node) for each in self._gateways.values()},
            send=self._send,
            say=self._say,
            ticks=self.clock.monotonic,
            log=self.log,
        )
        self._lamps: dict[Key, Lamp] = {}
        for name, node in config.nodes.items():
            if node.is_light:
                place, key = config.place(name), (node.group, node.id)
                known = mine.get(f"light/{place}")
                self._lamps[key] = self._lamp(place, key, {} if known is None else known.body, node.profile)

    def _lamp(self, place: str, key: Key, body: Mapping[str, Any], profile: str) -> Lamp:
        return Lamp(
            place,
            restored(body),
            is_stock=profile == "led",
            alerted=f"alert/light-{place}" in self._alerts,
            send=partial(self._send, key),
            number=partial(self._next_number, key),
            publish=self._publish_state,
            now=self.now,
            log=self.log,
        )

    async def main(self) -> None:
        """Run the gateways, the lights, and the clock behind both."""
        async with asyncio.TaskGroup() as group:
            for name, gateway in self._gateways.items():
                group.create_task(gateway.run(), name=f"gateway {name}")
                group.create_task(gateway.tick(), name=f"gateway {name} timers")
            for lamp in self._lamps.values():
                group.create_task(lamp.keep(), name=f"light {lamp.name}")
            group.create_task(self._tuner.keep(), name="settings")
            group.create_task(self._watch(), name="watch")

    @serve("light/{lights}/set")
    async def set_light(self, request: Message) -> dict[str, Any]:
        """Set a light; a newer request replaces one that has not got away yet."""
        name = request.topic.split("/")[1]
        lamp = next(lamp for lamp in self._lamps.values() if lamp.name == name)
        return await lamp.ask(request.body)

    @serve("switch/{switches}/set")
    async def set_switch(self, request: Message) -> dict[str, Any]:
        """Switch a pin of a ledcontroller; it never confirms."""
        name = request.topic.split("/")[1]
        gateway = next(each for each in self._gateways.values() if name in each.settings.pins)
        on = request["on"]
        if not isinstance(on, bool):
            raise Invalid(f"on is {on!r}; write true or false")
        self._need_open(gateway)
        await gateway.write(switch(gateway.settings.pins[name], on=on))
        await self._publish_state(f"switch/{name}", {"on": on, "confirmed": False})
        return {"on": on, "confirmed": False}

    @serve("remote/{relays}/send")
    async def press(self, request: Message) -> dict[str, Any]:
        """Press a button of the amplifier's remote control, as often as asked."""
        gateway = self._gateways[request.topic.split("/")[1]]
        count = request.get("count", 1)
        if type(count) is not int or not 1 <= count <= 40:
            raise Invalid(f"count is {count!r}; write a whole number from 1 to 40")
        self._need_open(gateway)
        await gateway.write(button(request["button"]), times=count)
        return {}

    @serve("{name}/release")
    async def release(self, request: Message) -> dict[str, Any]:
        """Let go of a port, so that another program can use it: avrdude, a terminal."""
        gateway = self._by_port(request["port"])
        for_s = request.get("for_s", 120)
        if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not 0 < for_s <= LONGEST_RELEASE_S:
            raise Invalid(f"for_s is {for_s!r}; write seconds, up to {LONGEST_RELEASE_S:g}")
        await gateway.release(for_s)
        self.log.info("%s: let go of %s for %g s", gateway.name, gateway.settings.port, for_s)
        return {"gateway": gateway.name, "port": gateway.settings.port}

    @serve("{name}/take")
    async def take(self, request: Message) -> dict[str, Any]:
        """Take a released port again, before its time."""
        gateway = self._by_port(request["port"])
        gateway.take()
        return {"gateway": gateway.name, "port": gateway.settings.port}

    @serve("{name}/configure")
    async def configure(self, request: Message) -> dict[str, Any]:
        """Set a node's id, group, band, times or frequency over the air."""
        return await self._tuner.configure(request.body)

    def health(self) -> dict[str, Any]:
        """Add what was lost, and where: on a serial line, on the air, by a node."""
        counts = [gateway.talk.counts for gateway in self._gateways.values()]
        return {
            **super().health(),
            "gateways_open": sum(gateway.open for gateway in self._gateways.values()),
            "packets": sum(each.packets for each in counts),
            "packets_garbled": sum(each.packets_garbled for each in counts),
            "packets_repeated": self._repeats,
            "packets_missed": self._missed,
            "packets_given_up": self._gave_up,
            "lines_lost": sum(each.lines_lost for each in counts),
            "lines_broken": sum(each.lines_broken for each in counts),
            "gateway_resets": sum(each.resets for each in counts),
            "commands": sum(each.parcels for each in counts),
            "commands_failed": sum(each.parcels_failed for each in counts),
        }

    async def _heard(self, gateway: Gateway, heard: Heard | Master) -> None:
        """Publish what a packet says; wake whom it concerns."""
        from drivers.rf12.values import Heard

        group, name, now = gateway.talk.group, gateway.name, self._time()
        if isinstance(heard, Heard):
            ticks = self.clock.monotonic()
            found = self._roster.hear(heard, group=group, gateway=name, at=now, ticks=ticks)
        else:
            found = self._roster.read(heard, group=group, gateway=name, at=now)
        await self._tuner.heard(found)  # first: a node that sleeps listens for a quarter of a second
        for say in found.says:
            await self._say(say)
        self._note(found)
        self._woken.set()

    def _note(self, found: Found) -> None:
        """Count and log what is not as it should be, and tell a light that its node is there."""
        self._repeats += found.repeated
        self._missed += found.missed
        self._gave_up += found.gave_up
        if found.sender is None:
            return
        device = self._roster.node(found.sender).device
        if found.missed:
            self.log.info("%s: %d of its packets came through nowhere", device, found.missed)
        if found.gave_up:
            self.log.warning("%s: gave up %d packets that nobody acked: what they said is lost", device, found.gave_up)
        lamp = self._lamps.get(found.sender)
        if found.restarted and not found.repeated:
            self.log.info("%s: started (%s)", device, self._roster.node(found.sender).facts.get("reset") or "unknown")
        if lamp is not None:
            (lamp.again if found.restarted else lamp.hurry)()

    async def _say(self, say: Say) -> None:
        try:
            await self.publish(say.topic, say.body, retain=say.retain)
        except Invalid as error:  # a place or quantity of a table that makes no topic
            self.counts.errors += 1
            self.log.warning("%s is not published: %s", say.topic, error)

    async def _publish_state(self, topic: str, body: Mapping[str, Any]) -> None:
        await self.publish(topic, body, retain=True)

    async def _next_number(self, key: Key) -> int:
        """Return the number of the next order to a node, told before it is used: a restart must not use it again."""
        number = self._roster.node(key).next_number()
        await self._say(self._roster.say(key))
        return number

    async def _send(self, key: Key, payload: bytes, ack: bool) -> Outcome:  # noqa: FBT001 - a callback of Lamp's
        """Send through the gateway that heard the node last, or else through any of its group."""
        last = self._roster.node(key).facts.get("gateway")
        roads = [each for each in self._gateways.values() if each.ready and each.is_radio and each.talk.group == key[0]]
        if not roads:
            away = [f"{each.name}: {each.how().get('reason')}" for each in self._gateways.values() if each.is_radio]
            why = f" ({'; '.join(away)})" if away else ""
            return Outcome(fate=Fate.AWAY, reason=f"no gateway of group {key[0]} is there{why}")
        return await min(roads, key=lambda each: each.name != last).send(payload, node=key[1], ack=ack)

    def _changed(self, name: str) -> None:
        """A gateway has come, gone or changed: tell it, and try again what waits for it."""
        gateway = self._gateways[name]
        if gateway.ready:
            self._look_for_rivals(gateway)
            for lamp in self._lamps.values():
                lamp.hurry()
        self._woken.set()

    def _look_for_rivals(self, gateway: Gateway) -> None:
        """Warn of a second gateway that acks in the same group: the node hears neither."""
        for other in self._gateways.values():
            acking = other.ready and other.is_radio and gateway.is_radio and not other.talk.collect
            if acking and other is not gateway and not gateway.talk.collect and other.talk.group == gateway.talk.group:
                text = "gateways %s and %s both ack in group %d, and their acks collide: set collect = true for one"
                self.log.warning(text, other.name, gateway.name, gateway.talk.group)

    async def _watch(self) -> None:
        """Say what time alone changes, and how the gateways are."""
        while True:
            self._woken.clear()
            now = self._time()
            for say in self._roster.look(at=now):
                await self._say(say)
            for name, gateway in self._gateways.items():
                for told in self._standings[name].look(gateway.how(), asdict(gateway.talk.counts), at=now):
                    await self._say(Say(*told, retain=True))
            self.trouble = "; ".join(filter(None, (gateway.trouble for gateway in self._gateways.values())))
            times = (self._roster.due(), *(each.due() for each in self._standings.values()))
            wait = min((time for time in times if time is not None), default=self.now() + LOOK_S) - self.now()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, min(LOOK_S, wait))):
                    await self._woken.wait()

    def _time(self) -> float:
        """Return the wall clock's time; where it was set, move along what was noted by it."""
        now = self.now()
        if jump := self._jumps.look(at=now, ticks=self.clock.monotonic()):
            self.log.info("the clock was set by %+.0f s", jump)
            self._roster.shift(jump)
            for each in self._standings.values():
                each.shift(jump)
        return now

    def _by_port(self, port: object) -> Gateway:
        """Return the gateway of a name, or of a port by any of its paths: /dev/serial/by-id holds links."""
        from pathlib import Path  # with what it imports, 0.5 MB for each process

        if not isinstance(port, str) or "\0" in port:
            raise Invalid(f"port is {port!r}; write a gateway's port, such as /dev/ttyUSB0, or its name")
        for gateway in self._gateways.values():
            if port == gateway.name or Path(port).resolve() == Path(gateway.settings.port).resolve():
                return gateway
        ports = ", ".join(gateway.settings.port for gateway in self._gateways.values())
        raise Invalid(f"no gateway of this service is at {port!r}; there are {ports or 'none'}")

    def _need_open(self, gateway: Gateway) -> None:
        if not gateway.open:
            raise Unavailable(f"gateway {gateway.name} is not there: {gateway.settings.port}: {gateway.fault}")
