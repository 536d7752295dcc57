"""The whole way: a detector's pin, two radios, a serial line, driver, broker, services, and back to three duties."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from conftest import HEARTHBUS
from ether import Ether, Event, Packet, ether, settings

from drivers.rf12.hearth import Light, Motion, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Broker

    from hearthbus import Bus

TABLES = """
[bus]
url = "{url}"
[jeenode.gateways.attic]
port = "{port}"
[jeenode.nodes]
hall-strip = {{ id = 3, place = "hall", light = true }}
hall = {{ id = 6 }}
[motion_light.rules.hall]
place = "hall"
light = "hall"
hold_s = 0.1
fade_on_s = 0
fade_off_s = 0
rgb = [255, 120, 20]
"""
CONSOLE_MS = 5000
"""Until then a sleeping node attends to its serial line first."""
TURNS = 5
WATCH_MS = 49.152
"""Three times the sixteen periods a duty is dithered over."""
PULSE_S = 0.05
WITHIN_S = 20.0
HOST_LIMIT_MS = 20
LINE_BIT_MS = 1000 / 57600


def light(step: int) -> float:
    """Linear light of a step 0..255 of lightness, as CIE 1931 has it."""
    lightness = step / 255 * 100
    return lightness / 903.3 if lightness <= 8 else float(((lightness + 16) / 116) ** 3)


@dataclass(frozen=True)
class Turn:
    """When one motion was where, in ms."""

    pin: float
    heard: float
    """The gateway has said its line."""
    sending: float
    """The gateway's transmitter goes on for the light."""
    line_ms: float
    """Of it, what the command took on the serial line."""
    lit: float

    @property
    def host(self) -> float:
        """From the end of one line to the beginning of the other: driver, broker, services."""
        return self.sending - self.heard - self.line_ms


@contextlib.asynccontextmanager
async def _services(broker: Broker, port: str) -> AsyncIterator[Bus]:
    """Run driver, gateway service and rule in a process of their own until the block ends."""
    config = broker.folder / "house.toml"
    await asyncio.to_thread(config.write_text, TABLES.format(url=broker.url, port=port))
    async with broker.bus("test") as bus:
        process = await asyncio.create_subprocess_exec(
            *HEARTHBUS, "run", "jeenode", "motion_light", "--config", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                async for message in bus.subscribe("radio/rf12/gateway/attic"):
                    if message.body["status"] == "online":
                        break
            yield bus
        finally:
            process.terminate()
            await process.wait()


async def _off(bus: Bus) -> None:
    """Wait until the light is off, and the node has said so."""
    async with asyncio.timeout(WITHIN_S):
        async for message in bus.subscribe("light/hall"):
            if not message.body["on"] and message.body["confirmed"]:
                return


def _is(event: Event, kind: str, node: str) -> bool:
    return (event.kind, event.node) == (kind, node)


def _duties(event: Event) -> tuple[float, ...]:
    return tuple(float(event.fields[colour]) for colour in ("red", "green", "blue"))


async def _move(house: Ether) -> Turn:
    """Somebody passes the detector; follow what comes of it."""
    before = len(house.events)
    pin = await house.time()
    await house.pin("room", "PD7", 0)
    await asyncio.sleep(PULSE_S)  # a person takes a moment, too
    await house.pin("room", "PD7", 1)
    target = pytest.approx((light(255), light(120), light(20)), abs=1 / 2048)
    lit = await house.came(lambda e: _is(e, "pwm", "led") and _duties(e) == target, after=before, within_s=WITHIN_S)
    heard = next(e for e in house.events[before:] if _is(e, "uart", "gateway") and e.text.startswith("OK 38 49 6 "))
    order = next(p for p in house.packets("gateway") if p.ms > heard.ms and isinstance(decode(p.payload), Light))
    return Turn(
        pin=pin, heard=heard.ms, sending=order.ms - order.air_ms, line_ms=_line_ms(order), lit=lit.ms - WATCH_MS
    )


def _line_ms(order: Packet) -> float:
    """Time of `d0,d1,...,node,tag,check` and its letter on the serial line, taking two digits for the tag."""
    numbers = [*order.payload, order.header & 31]
    return (len(",".join(map(str, numbers))) + len(",10,100u")) * 10 * LINE_BIT_MS


async def test_motion_becomes_light(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    """On compiled firmware: the pin of one node ends as the exact colour on another; where the time went is printed."""
    async with ether(real_time=True) as house:
        await house.node("gateway", "gateway")
        await house.node("led", "led_node", eeprom=settings(node=3))
        await house.node("room", "room_node", eeprom=settings(node=6, hold_s=1), on=False)
        await house.pin("room", "PD7", 1)
        await house.power("room", on=True)
        await house.command("watch", "led", WATCH_MS)
        port = await house.plug("gateway")
        await house.go()
        async with _services(broker, port) as bus:
            await house.came(lambda e: _is(e, "packet", "room") and e.ms > CONSOLE_MS)
            turns = []
            for _ in range(TURNS):
                turns.append(await _move(house))
                await _off(bus)
        motions = [decode(packet.payload) for packet in house.packets("room")]
    hosts = [turn.host for turn in turns]
    with capsys.disabled():
        ways = [turn.sending - turn.pin for turn in turns]
        sys.stdout.write(
            f"\npin -> order on the air: median {statistics.median(ways):.1f} ms, worst {max(ways):.1f} ms; "
            f"of it the host: median {statistics.median(hosts):.1f} ms, worst {max(hosts):.1f} ms "
        )

    assert TURNS == len({motion.sequence for motion in motions if isinstance(motion, Motion) and motion.motion})
    assert statistics.median(hosts) < HOST_LIMIT_MS
