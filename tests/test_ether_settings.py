"""Settings over the air on compiled firmware: by the service and a real port, and packet by packet."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from conftest import HEARTHBUS
from ether import Event, ether, settings

from drivers.rf12.commands import hearth_mode, send_hearth
from drivers.rf12.hearth import AckCode, Announce, Commit, Key, Set, Settings, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Broker

    from hearthbus import Bus

TABLES = """
[bus]
url = "{url}"
[jeenode.gateways.attic]
port = "{port}"
[jeenode.nodes]
hall-strip = {{ id = 2, place = "hall", light = true }}
hall = {{ id = 5 }}
"""
WITHIN_S = 30.0
FACTORY = {"group": 212, "band": 868, "report_s": 300, "hold_s": 60, "offset": 1600}
BOOT_MS = 500
APPLIED_MS = 700


@contextlib.asynccontextmanager
async def _service(broker: Broker, port: str) -> AsyncIterator[Bus]:
    """Run the gateway service in a process of its own until the block ends."""
    config = broker.folder / "house.toml"
    await asyncio.to_thread(config.write_text, TABLES.format(url=broker.url, port=port))
    async with broker.bus("test") as bus:
        process = await asyncio.create_subprocess_exec(
            *HEARTHBUS, "run", "jeenode", "--config", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await _see(bus, "radio/rf12/gateway/attic", lambda body: body["status"] == "online")
            yield bus
        finally:
            process.terminate()
            await process.wait()


async def _see(bus: Bus, topic: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for state that is so, and return it."""
    async with asyncio.timeout(WITHIN_S):
        async for message in bus.subscribe(topic):
            if holds(message.body):
                return message.body
    raise AssertionError


async def test_the_service_sets_a_light_and_a_room(broker: Broker) -> None:
    """The light at once, the room when it reports; after a reset both announce the block they were given."""
    light, room = (Settings(node=node, group=212, band=8, report_s=60, hold_s=60, offset=1600).check for node in (2, 5))

    def tells(check: int) -> Callable[[Event], bool]:
        def fits(event: Event) -> bool:
            raw = bytes.fromhex(event.fields["bytes"]) if event.kind == "packet" else b""
            return check.to_bytes(2, "little") in raw and event.node in {"light", "room"}

        return fits

    async with ether(real_time=True) as house:
        await house.node("gateway", "gateway")
        await house.node("light", "led_node", on=False)
        await house.node("room", "room_node", on=False)
        await house.pin("room", "PD7", 1)
        port = await house.plug("gateway")
        await house.go()
        async with _service(broker, port) as bus:
            for name, node in (("light", 2), ("room", 5)):
                await house.power(name, on=True)
                await _see(bus, f"radio/rf12/node/212-{node}", lambda body: "settings_crc" in body)
            lit = await bus.request("jeenode/configure", node="hall-strip", report_s=60)
            slept = await bus.request("jeenode/configure", node="hall", report_s=60)
            state = await _see(bus, "radio/rf12/node/212-5", lambda body: body.get("settings") in {"done", "failed"})
            for name, check in (("light", light), ("room", room)):
                await house.came(tells(check), within_s=WITHIN_S)  # what is committed takes half a second
                before = len(house.events)
                await house.reset(name)
                await house.came(tells(check), after=before, within_s=WITHIN_S)
        blocks = [await house.eeprom(name, 0, 12) for name in ("light", "room")]

    assert {"node": "212-2", "pending": False, "settings": FACTORY | {"id": 2, "report_s": 60}} == lit
    assert {"node": "212-5", "pending": True, "settings": FACTORY | {"id": 5, "report_s": 60}} == slept
    assert ("done", FACTORY | {"id": 5, "report_s": 60}) == (state["settings"], state["committed"])
    assert [settings(node=node, report_s=60)[:12] for node in (2, 5)] == blocks


async def test_a_wrong_check_changes_nothing() -> None:
    """A node that has not heard every setting keeps what it had, says so, and still has it after a reset."""
    good = settings(node=2)
    other = Settings(node=2, group=212, band=8, report_s=60, hold_s=5, offset=1600)
    orders = (
        (Set(sender=30, sequence=1, key=Key.REPORT_S, value=60), AckCode.DONE),
        (Set(sender=30, sequence=2, key=Key.BAND, value=5), AckCode.BAD_VALUE),
        (Commit(sender=30, sequence=3, check=other.check), AckCode.NOT_COMMITTED),
    )
    async with ether() as house:
        await house.node("gateway", "gateway")
        await house.node("led", "led_node", eeprom=good)
        await house.run(BOOT_MS)
        await house.type("gateway", hearth_mode())
        await house.said("gateway", "# hearth 1")
        for tag, (order, code) in enumerate(orders):
            await house.type("gateway", send_hearth(order.encode(), node=2, tag=tag))
            answer = await house.said("gateway", f"ACK {tag} ", f"NAK {tag} ")

            assert f" {order.sequence} {code} #" in answer
        await house.run(APPLIED_MS)
        await house.reset("led")
        await house.until("packet", "led")
        announce = decode(house.packets("led")[-1].payload)

        assert isinstance(announce, Announce)
        assert int.from_bytes(good[10:12], "little") == announce.settings_crc
        assert good[:12] == await house.eeprom("led", 0, 12)
