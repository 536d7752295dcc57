"""What stays on the bus of a table that was taken out: the next run takes it back, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jeenode_house import TABLES, scene

from services.jeenode.leftovers import leftovers
from services.jeenode.roster import Roster
from services.jeenode.settings import Gateway, Node, Settings

if TYPE_CHECKING:
    from conftest import Broker

NOON = 1_800_000_000.0
TABLE = Settings(gateways={"attic": Gateway(port="/dev/ttyUSB0")}, nodes={"hall": Node(id=3, light=True)})


def taken_back(left: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what is said about what was left."""
    return {say.topic: say.body for say in leftovers(left, TABLE, at=NOON)}


def test_what_has_a_table_stays() -> None:
    """Also a node without one, as long as it is heard."""
    left: dict[str, dict[str, Any]] = {
        "light/hall": {"on": True},
        "alert/light-hall": {"active": True},
        "alert/gateway-attic": {"active": True},
        "radio/rf12/gateway/attic": {"status": "away"},
        "radio/rf12/node/212-3": {"status": "lost"},
        "radio/rf12/node/212-9": {"status": "online"},
        "sensor/cellar/motion": {"value": True},
    }

    assert {} == taken_back(left)


def test_what_has_none_is_taken_back() -> None:
    """Alerts end, states are removed, and a stranger that is lost leaves the list of nodes."""
    left: dict[str, dict[str, Any]] = {
        "light/shed": {"on": True},
        "switch/pump": {"on": True},
        "alert/light-shed": {"active": True},
        "alert/gateway-barn": {"active": True},
        "alert/light-old": {"active": False},
        "radio/rf12/gateway/barn": {"status": "away"},
        "radio/rf12/node/212-9": {"status": "lost"},
    }
    said = taken_back(left)
    alerts = {topic: said.pop(topic) for topic in ("alert/light-shed", "alert/gateway-barn")}

    assert ["light shed has no table any more", "gateway barn has no table any more"] == [
        body["message"] for body in alerts.values() if not body["active"]
    ]
    assert {"light/shed", "switch/pump", "radio/rf12/gateway/barn", "radio/rf12/node/212-9"} == said.keys()
    assert [{}] * 4 == [*said.values()]


def test_motion_at_a_place_without_a_table_ends() -> None:
    """The node was renamed while somebody moved."""
    roster = Roster(TABLE, at=NOON)
    roster.restore_motion("shed", at=NOON - 899)

    assert ["sensor/shed/motion"] == [say.topic for say in roster.look(at=NOON + 1)]


async def test_a_light_that_is_taken_out_leaves_the_bus(broker: Broker) -> None:
    """A restart with another table."""
    async with scene(broker, "jeenode") as house:
        await house.bus.request("light/hall/set", on=True)
        await house.bus.request("light/kitchen/set", on=True)
        await house.stop()
        table = broker.folder / "house.toml"
        table.write_text(table.read_text().replace('hall-strip = { id = 3, place = "hall", light = true }', ""))
        await house.start("jeenode")
        left = {message.topic for message in await house.bus.get("light/+")}

    assert 'hall-strip = {{ id = 3, place = "hall", light = true }}' in TABLES
    assert {"light/kitchen"} == left
