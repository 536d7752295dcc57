"""What the tests on compiled firmware have in common: a gateway with a light, a room, an order, somebody who moves."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ether import Ether, ether, settings

from drivers.rf12.commands import hearth_mode, send_hearth
from drivers.rf12.hearth import Effect, Light

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RADIOS = ("rfm12b", "rfm69")
BOOT_MS = 500
AWAKE_MS = 7000
"""A sleeping node attends to its serial line first."""
FADE_S = 0.2
GREEN = 12179 / 65535
"""Step 128 of CIE 1931 lightness, in linear light."""
STEP = 1 / 4096
"""A duty is dithered to twelve bits."""
BOTH_HEAR_MS = 30


@contextlib.asynccontextmanager
async def lit(*, seed: int = 1, gateway: str = "rfm12b", led: str = "rfm12b") -> AsyncIterator[Ether]:
    """A gateway in hearth mode and a light, with these radios."""
    async with ether(seed=seed) as house:
        await house.node("gateway", "gateway", radio=gateway)
        await house.node("led", "led_node", radio=led)
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode())
        await house.said("gateway", "# hearth 1")
        yield house


def light(tag: int, *, red: int = 255, green: int = 128, blue: int = 0) -> bytes:
    """Return the gateway's command for a colour; `tag` is its sequence, too."""
    order = Light(
        sender=30,
        sequence=tag,
        effect=Effect.FADE,
        red=red,
        green=green,
        blue=blue,
        brightness=255,
        fade_s=FADE_S,
    )
    return send_hearth(order.encode(), node=2, tag=tag)


async def moves(house: Ether, room: str) -> None:
    """Somebody walks past."""
    await house.pin(room, "PD7", 0)
    await house.run(BOTH_HEAR_MS)
    await house.pin(room, "PD7", 1)


async def sleeping_room(house: Ether, name: str, node: int, **changes: int) -> None:
    """Add a room node with these settings."""
    await house.node(name, "room_node", eeprom=settings(node=node, **changes), on=False)
    await house.pin(name, "PD7", 1)
    await house.power(name, on=True)
