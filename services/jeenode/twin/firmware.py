"""The simulated house on real firmware: the nodes' compiled programs on simulated processors, radios and sensors.

The same house, the same person in it and the same port as `Twin`; only what the nodes are differs. It takes the place
of the twin in `hearthbus up --demo --firmware`, where hearthbus's source folder and the compilers are there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the configuration reads the annotation
from typing import TYPE_CHECKING, Any, Final

from drivers.rf12.hearth import Settings
from hearthbus import Invalid, Message, Service, serve
from services.checks import refuse
from services.jeenode.twin.house import FLOW_WARMER, LEDS, ONEWIRE, ROOMS
from services.jeenode.twin.simulator import SOURCES, Simulator, build, image
from services.jeenode.twin.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

GATEWAY: Final = "gateway"
GATEWAY_ID: Final = 30
NODES: Final = {
    number: (f"{kind}-{place}", sketch)
    for kind, sketch, places in (
        ("led", "led_node", LEDS),
        ("room", "room_node", ROOMS),
        ("wire", "onewire_node", ONEWIRE),
    )
    for place, number in places.items()
}
"""Name and sketch of each node, by its id."""
_PIR: Final = "PD7"
"""Low while somebody moves."""
_PULSE_S: Final = 0.3
_LIGHT: Final = 3
"""The analogue input of the light sensor, whose voltage falls with the light."""
_SUPPLY_MV: Final = 3300
_WEATHER_S: Final = 10.0
"""How often what there is to measure changes."""
_WALK_S: Final = 1.0
_APART_S: Final = 0.7
"""Between the starts of two nodes."""
_BLOCK: Final = 16
"""Bytes a copy of the settings has in EEPROM."""


class Firmware(Service):
    """The simulated house on real firmware."""

    @dataclass(frozen=True)
    class Config:
        """As the twin's; `link` is the port's name."""

        link: Path
        seed: int = 1
        loss: float = 0.0
        report_s: int = 20
        hold_s: int = 10
        firmware: Path = SOURCES
        """The folder of the firmware's sources."""

        def __post_init__(self) -> None:
            refuse(self._faults())

        def _faults(self) -> Iterator[str]:
            if not 0 <= self.loss <= 1:
                yield f"loss {self.loss} is not between 0 and 1"
            for key in ("report_s", "hold_s"):
                if not 1 <= getattr(self, key) <= 65535:
                    yield f"{key} {getattr(self, key)} is not between 1 and 65535 seconds"

    config: Config

    async def on_start(self) -> None:
        """Compile what is not compiled yet, and let the power come on."""
        self.log.info("compiling the firmware and its simulator, where they have changed")
        await build(self.config.firmware)
        self._world = World(self.config.seed)
        self._simulator = await Simulator.start(self.config.firmware)
        self._reading = asyncio.create_task(self._simulator.read(), name="simulator")
        try:
            await self._furnish()
        except BaseException:
            await self.on_stop()
            raise

    async def _furnish(self) -> None:
        """Put every node into the house, and begin."""
        say = self._simulator.command
        await say("seed", self.config.seed)
        await say("loss", round(100 * self.config.loss))
        await self._node(GATEWAY, "gateway", GATEWAY_ID)
        await say("plug", GATEWAY, self.config.link)
        for number, (name, sketch) in NODES.items():
            await self._node(name, sketch, number)
        for place in ROOMS:
            await say("pin", f"room-{place}", _PIR, 1)
        await self._weather()
        await say("power", GATEWAY, "on")
        await say("go")

    async def on_stop(self) -> None:
        """End the simulator."""
        if hasattr(self, "_simulator"):
            self._reading.cancel()
            await self._simulator.end()

    async def main(self) -> None:
        """Have the day go by and somebody walk through the house."""
        self.log.info("real firmware on %d simulated processors, behind %s", len(NODES) + 1, self.config.link)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._power_on(), name="power")
            group.create_task(self._days(), name="weather")
            group.create_task(self._walk(), name="walk")
            group.create_task(self._end(), name="simulator's end")

    @serve("{name}/move")
    async def move(self, request: Message) -> dict[str, Any]:
        """Make somebody move at a place."""
        if request["place"] not in ROOMS:
            raise Invalid(f"nobody can move at {request['place']!r}; places: {', '.join(ROOMS)}")
        await self._pulse(request["place"])
        return {}

    @serve("{name}/restart")
    async def restart(self, request: Message) -> dict[str, Any]:
        """Take the power from a node and give it back."""
        if request["node"] not in NODES:
            raise Invalid(f"there is no node {request['node']!r}; nodes: {', '.join(map(str, NODES))}")
        name, _ = NODES[request["node"]]
        await self._simulator.command("power", name, "off")
        await self._simulator.command("power", name, "on")
        return {}

    async def _node(self, name: str, sketch: str, number: int) -> None:
        """Put a node into the house, with its settings, without power."""
        block = Settings(
            node=number, group=212, band=8, report_s=self.config.report_s, hold_s=self.config.hold_s, offset=1600
        )
        copy = (block.encode() + block.check.to_bytes(2, "little")).ljust(_BLOCK, b"\xff")
        say = self._simulator.command
        await say("node", name, image(self.config.firmware, sketch), "rfm12b")
        await say("eeprom", name, 0, "=", (copy * 2).hex())

    async def _power_on(self) -> None:
        """Switch the nodes on one after the other: simulated clocks never drift apart, and would report at once."""
        for name, _ in NODES.values():
            await self._simulator.command("power", name, "on")
            await self.sleep(_APART_S)

    async def _end(self) -> None:
        await self._reading

    async def _days(self) -> None:
        while True:
            await self.sleep(_WEATHER_S)
            await self._weather()

    async def _weather(self) -> None:
        """Give the sensors what there is to measure now."""
        say = self._simulator.command
        for place in ROOMS:
            air = self._world.air(place, at=self.now())
            await say("hyt131", f"room-{place}", air.humidity, air.temperature)
            await say("adc", f"room-{place}", _LIGHT, round((1023 - air.light) / 1023 * _SUPPLY_MV))
        for place in ONEWIRE:
            cellar = self._world.air(place, at=self.now()).temperature
            for index, warmer in enumerate(FLOW_WARMER):
                await say("ds18b20", f"wire-{place}", index, round(cellar + warmer, 2))

    async def _walk(self) -> None:
        while True:
            place = self._world.whereabouts(at=self.now())
            if place in ROOMS:
                await self._pulse(place)
            await self.sleep(_WALK_S)

    async def _pulse(self, place: str) -> None:
        """Have the PIR of a place see somebody for a moment."""
        await self._simulator.command("pin", f"room-{place}", _PIR, 0)
        await self.sleep(_PULSE_S)
        await self._simulator.command("pin", f"room-{place}", _PIR, 1)
