"""What happens to the house of a soak: a table of faults, and the weather that draws from it.

The first half is a storm, with everything in it. In the second nothing is killed: what lives grows old,
and it can be seen whether it grows.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.telemetry_receivers import MOODS
from hearthbus.errors import HearthbusError, Unavailable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from bench.soak_house import SoakHouse
    from bench.telemetry_receivers import Receiver
    from hearthbus.bus import Bus

APART_S: Final = (1.5, 4.0)
"""Seconds between two faults, at least and at most."""
PULLED_S: Final = 2.5
"""Seconds a request to the simulated stick may take."""
PLUG_S: Final = 300.0
"""Seconds after which a simulated stick that does not answer is given up, whatever befell it meanwhile."""


class Scene:
    """What faults are done to.

    Args:
        house: its processes.
        sinks: the servers telemetry sends to.
        bus: a client, to pull the plug of the simulated stick.
        chance: what happens at random.
    """

    def __init__(self, house: SoakHouse, sinks: Sequence[Receiver], bus: Bus, chance: Random) -> None:
        self.house, self.sinks, self.bus, self.chance = house, sinks, bus, chance

    async def kill(self) -> None:
        """End a service with SIGKILL; of a simulated radio that is its USB port, too."""
        self.chance.choice(self.house.services).kill()

    async def kill_broker(self) -> None:
        """End the broker with SIGKILL."""
        self.house.broker.kill()

    async def freeze(self) -> None:
        """Stop a service for up to eight seconds."""
        await self.chance.choice(self.house.services).freeze(self.chance.uniform(0.3, 8.0))

    async def freeze_broker(self) -> None:
        """Stop the broker for up to five seconds: longer than any client's patience."""
        await self.house.broker.freeze(self.chance.uniform(0.3, 5.0))

    async def unplug(self) -> None:
        """Pull the stick out of its USB port, and put it in again."""
        seconds = self.chance.uniform(0.2, 4.0)
        if await self._stick("unplugged"):
            await asyncio.sleep(seconds)
            await self.plug()

    async def plug(self) -> None:
        """Put the stick in, however often it takes.

        Raises:
            Unavailable: nobody has answered for long.
        """
        until = time.monotonic() + PLUG_S
        while not await self._stick():
            if time.monotonic() > until:
                raise Unavailable("the simulated stick does not answer any more; the house's logs say why")
            await asyncio.sleep(0.5)

    async def spoil(self) -> None:
        """Have a server of telemetry's be away, fail, be slow, or come and go."""
        sink = self.chance.choice(self.sinks)
        sink.mood = self.chance.choice(MOODS)
        await asyncio.sleep(self.chance.uniform(1.0, 8.0))
        sink.mood = "up"

    async def _stick(self, *faults: str) -> bool:
        with suppress(HearthbusError):
            await self.bus.request("rfxtrx-twin/fault", faults=list(faults), timeout=PULLED_S)
            return True
        return False


@dataclass(frozen=True)
class Fault:
    """One thing that can happen. `often`: how often, beside the others; `kills`: not in the second half."""

    name: str
    often: int
    do: Callable[[Scene], Awaitable[None]]
    kills: bool = False


FAULTS: Final = (
    Fault("a service killed", 5, Scene.kill, kills=True),
    Fault("the broker killed", 2, Scene.kill_broker, kills=True),
    Fault("a service frozen", 4, Scene.freeze),
    Fault("the broker frozen", 2, Scene.freeze_broker),
    Fault("the stick unplugged", 3, Scene.unplug),
    Fault("a sink spoilt", 4, Scene.spoil),
)


async def weather(scene: Scene, *, seconds: float, killing: bool, counts: Counter[str]) -> None:
    """Let faults happen for a while; when it returns all of them are over."""
    drawn = [fault for fault in FAULTS if killing or not fault.kills]
    until = time.monotonic() + seconds
    at_work: set[asyncio.Task[None]] = set()
    while (left := until - time.monotonic()) > 0:
        fault = scene.chance.choices(drawn, [each.often for each in drawn])[0]
        counts[fault.name] += 1
        task = asyncio.ensure_future(fault.do(scene))
        at_work.add(task)
        task.add_done_callback(at_work.discard)
        await asyncio.sleep(min(left, scene.chance.uniform(*APART_S)))
    await asyncio.gather(*at_work)
