"""The bench and the bus in memory: what a service's own tests stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus import Message, Service, on

if TYPE_CHECKING:
    from hearthbus.testing import Bench


class Thermostat(Service):
    """Keep one room at its target temperature by switching a heater."""

    @dataclass(frozen=True)
    class Config:
        room: str
        target: float = 20.0
        band: float = 0.5

    @on("temperature/{room}")
    async def regulate(self, reading: Message) -> None:
        error = self.config.target - reading["celsius"]
        if abs(error) > self.config.band:
            await self.publish(f"heater/{self.config.room}/set", on=error > 0)


async def test_cold_room_is_heated(bench: Bench) -> None:
    """A reading below the band switches the heater on."""
    await bench.run(Thermostat, room="hall", target=21)
    await bench.publish("temperature/hall", celsius=18.0)

    assert {"on": True} == await bench.next("heater/hall/set")
