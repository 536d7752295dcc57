"""From packets heard to what is published: repeats, presence, motion, starts, and nodes that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.rf12 import hearth, stock
from drivers.rf12.air import Header
from drivers.rf12.values import Heard
from hearthbus.config.schema import build
from services.jeenode.duplicates import PLAIN_S
from services.jeenode.roster import Found, Roster
from services.jeenode.settings import Settings
from services.jumps import Jumps

NOON = 1_767_268_800.0
ROOM: dict[str, Any] = {
    "motion": False, "temperature": 21.5, "humidity": 45.0, "light": 512, "battery_mv": 2985, "given_up": 0,
}  # fmt: skip


def settings(**nodes: dict[str, Any]) -> Settings:
    """Return a table of nodes, checked as a file's is."""
    return build(Settings, {"nodes": nodes})


class Ear:
    """A roster, and a node that speaks to it."""

    def __init__(self, *, node: int = 5, **table: Any) -> None:
        self.roster = Roster(settings(hall={"id": 5, **table}), at=NOON)
        self.node = node
        self.sequence = -1

    def hear(self, payload: bytes, *, after: float = 0.0, ack: bool = False, gateway: str = "attic") -> Found:
        """Have a gateway hear a packet of the node."""
        heard = Heard(header=Header(ack=ack, node=self.node), payload=payload)
        return self.roster.hear(heard, group=212, gateway=gateway, at=NOON + after, ticks=after)

    def room(self, *, after: float = 0.0, **values: Any) -> Found:
        """Have it report."""
        self.sequence += 1
        packet = hearth.Room(sender=self.node, sequence=self.sequence & 0xFF, **{**ROOM, **values})
        return self.hear(packet.encode(), after=after)


def bodies(found: Found, kind: str = "sensor/") -> dict[str, dict[str, Any]]:
    """Return what is to be published on topics of one kind."""
    return {say.topic: say.body for say in found.says if say.topic.startswith(kind)}


def test_a_retry_is_no_second_event() -> None:
    """The same numbered packet, by whichever gateway, counts once; with another number it is another."""
    ear = Ear()
    packet = hearth.Motion(sender=5, sequence=9, motion=True, light=None, battery_mv=None, given_up=0).encode()
    first = ear.hear(packet, ack=True)
    again = ear.hear(packet, ack=True, after=0.1)
    other = ear.hear(packet, ack=True, after=0.2, gateway="cellar")

    assert ["sensor/hall/motion"] == list(bodies(first))
    assert (True, {}, True, {}) == (again.repeated, bodies(again), other.repeated, bodies(other))
    assert ["sensor/hall/motion"] == list(bodies(ear.hear(packet.replace(b"\x09", b"\x0a"), after=0.3)))


def test_a_retry_that_a_standstill_held_up_is_no_second_event() -> None:
    """A machine whose card stood still for ten seconds hears the retries after that: motion is told once."""
    ear = Ear()
    packet = hearth.Motion(sender=5, sequence=9, motion=True, light=None, battery_mv=None, given_up=0).encode()
    ear.hear(packet, ack=True)

    assert ear.hear(packet, ack=True, after=10).repeated


def test_a_node_that_starts_anew_is_heard_at_once() -> None:
    """Its numbers begin again: the first motion after a start is told, the same bytes as before though they are."""
    ear = Ear()
    start = hearth.Announce(
        sender=5, sequence=0, kind=hearth.NodeKind.ROOM, firmware_minor=0, firmware_major=1, reset=0, settings=3,
        settings_crc=0,
    ).encode()  # fmt: skip
    packet = hearth.Motion(sender=5, sequence=1, motion=True, light=None, battery_mv=None, given_up=0).encode()
    told = []
    for began in (0.0, 10.0):
        ear.hear(start, ack=True, after=began)
        told += [bodies(ear.hear(packet, ack=True, after=began + late)) for late in (0.1, 0.2)]

    assert [True, False, True, False] == [bool(each) for each in told]


def test_five_tries_of_a_stock_room_node_are_one() -> None:
    """A stock node numbers nothing: the same bytes within its retries are the same packet."""
    ear = Ear(profile="room")
    packet = stock.StockRoom(light=100, motion=True, humidity=45, temperature=21.5, low_battery=False).encode()
    heard = [ear.hear(packet, after=at) for at in (0.0, 1.0, 2.0, 3.0, 4.0)]

    assert [True, False, False, False, False] == [bool(bodies(found)) for found in heard]
    assert bodies(ear.hear(packet, after=PLAIN_S))


def test_a_room_s_readings() -> None:
    """Each quantity in its unit, with the device that measured it."""
    assert {
        "sensor/hall/motion": {"value": False, "device": "rf12-212-5"},
        "sensor/hall/temperature": {"value": 21.5, "unit": "°C", "device": "rf12-212-5"},
        "sensor/hall/humidity": {"value": 45.0, "unit": "%", "device": "rf12-212-5"},
        "sensor/hall/light": {"value": 50.0, "unit": "%", "device": "rf12-212-5"},
        "sensor/hall/voltage": {"value": 2.985, "unit": "V", "device": "rf12-212-5"},
    } == bodies(Ear().room())


def test_a_missing_sensor_publishes_nothing_and_is_named() -> None:
    """No number stands for a sensor that is not there; the node's state names it."""
    found = Ear().room(temperature=None, humidity=None)

    assert {"sensor/hall/motion", "sensor/hall/light", "sensor/hall/voltage"} == set(bodies(found))
    assert ["temperature", "humidity"] == bodies(found, "radio/rf12/node")["radio/rf12/node/212-5"]["missing"]


def test_a_node_without_a_table_is_listed_and_told_how_to_name_it() -> None:
    """Its readings are nobody's; the text says what to write."""
    found = Ear(node=9).room()

    assert {} == bodies(found)
    assert "online" == bodies(found, "radio/rf12/node")["radio/rf12/node/212-9"]["status"]
    assert "no table knows it; write [jeenode.nodes.NAME] with id = 9" == found.says[1].body["reason"]


def test_noise_is_no_node() -> None:
    """One packet that nobody can read is told as unknown; only the second makes a node of its sender."""
    ear = Ear(node=9)

    assert {} == bodies(ear.hear(b"\xff\x01\x02"), "radio/rf12/node")
    assert bodies(ear.hear(b"\xff\x01\x02", after=9), "radio/rf12/node")


def test_a_garbled_packet_is_told_and_says_nothing() -> None:
    """A wrong CRC is shown for whoever looks, and counts for nothing."""
    heard = Heard(header=Header(node=5), payload=hearth.Room(sender=5, sequence=0, **ROOM).encode(), good=False)
    found = Ear().roster.hear(heard, group=212, gateway="attic", at=NOON, ticks=0.0)

    assert ["radio/rf12/unknown"] == [say.topic for say in found.says]
    assert found.sender is None


def test_what_a_node_gave_up_is_counted() -> None:
    """The node's own counter, which wraps and begins anew when it starts, becomes a number of lost events."""
    ear = Ear()
    gave_up = [ear.room(after=at, given_up=count).gave_up for at, count in enumerate([250, 250, 253, 2])]

    assert [0, 0, 3, 5] == gave_up
    assert 8 == ear.roster.node((212, 5)).facts["given_up"]


def test_an_announcement_that_wants_an_ack_is_a_start() -> None:
    """The hourly one does not; the version and what caused the start are in the node's state."""
    ear = Ear()
    packet = hearth.Announce(
        sender=5, sequence=0, kind=3, firmware_minor=2, firmware_major=1, reset=8, settings=3, settings_crc=0
    ).encode()

    assert ear.hear(packet, ack=True).restarted
    assert not ear.hear(packet, ack=False, after=60).restarted

    body = bodies(ear.hear(packet, after=120), "radio/rf12/node")["radio/rf12/node/212-5"]

    assert ("room", "1.2", "watchdog", 1) == (body["kind"], body["version"], body["reset"], body["restarts"])


def test_motion_ends_by_the_clock_where_the_node_does_not_end_it() -> None:
    """The time-out counts from the last time somebody moved; the node's own end comes first."""
    ear = Ear(motion_timeout_s=900)
    ear.room(motion=True)
    ear.room(motion=True, after=600)

    assert [] == [say for say in ear.roster.look(at=NOON + 1499) if say.topic.startswith("sensor/")]
    assert ["sensor/hall/motion"] == [
        say.topic for say in ear.roster.look(at=NOON + 1500) if say.topic.startswith("sensor/")
    ]

    ear.room(motion=True, after=1600)
    ear.room(motion=False, after=1700)

    assert [] == [say for say in ear.roster.look(at=NOON + 9000) if say.topic.startswith("sensor/")]


def test_motion_of_before_a_restart_still_ends() -> None:
    """What the retained reading says, and how old it is, is all that is needed."""
    ear = Ear(motion_timeout_s=900)
    ear.roster.restore_motion("hall", at=NOON - 899)

    assert ["sensor/hall/motion"] == [say.topic for say in ear.roster.look(at=NOON + 1)]
    assert [] == ear.roster.look(at=NOON + 2)


def test_a_node_is_lost_after_three_silent_intervals() -> None:
    """The interval is learned from its reports; when it is heard again it is back."""
    ear = Ear()
    for minute in range(8):
        ear.room(after=60 * minute)

    assert [] == ear.roster.look(at=NOON + 420 + 179)

    said = ear.roster.look(at=NOON + 420 + 181)

    assert [("radio/rf12/node/212-5", "lost")] == [(say.topic, say.body["status"]) for say in said]
    assert [] == ear.roster.look(at=NOON + 5000)
    assert "online" == bodies(ear.room(after=6000), "radio/")["radio/rf12/node/212-5"]["status"]


def test_silence_while_nobody_listened_is_not_the_node_s() -> None:
    """After a night without the service a node gets its three intervals before it is lost."""
    ear = Ear()
    for minute in range(8):
        ear.room(after=60 * minute)
    body = ear.roster.node((212, 5)).body()
    late = Roster(settings(hall={"id": 5}), at=NOON + 30_000)
    late.restore(body)

    assert [] == late.look(at=NOON + 30_170)
    assert "lost" == late.look(at=NOON + 30_181)[0].body["status"]


def test_what_is_known_of_a_node_survives_a_restart() -> None:
    """The retained state is read back as it was told."""
    ear = Ear()
    for minute in range(8):
        ear.room(after=60 * minute)
    known = ear.roster.node((212, 5))
    known.next_number()
    again = Roster(settings(hall={"id": 5}), at=NOON)
    again.restore(known.body())

    assert {**known.body(), "missing": None} == {**again.node((212, 5)).body(), "missing": None}
    assert 1 == again.node((212, 5)).next_number()


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_clock_that_is_set_loses_no_node_and_ends_no_motion(jump: float) -> None:
    """What was noted moves along with the clock; what an earlier run had noted is not counted from then either."""
    ear = Ear(motion_timeout_s=900, interval_s=600)
    ear.roster.restore({"group": 212, "node": 7, "last_seen": "2026-01-01T04:00:00Z", "learned_s": 600.0})
    ear.room(motion=True, after=60)
    ear.roster.shift(jump)

    assert [] == ear.roster.look(at=NOON + jump + 959)
    assert ["sensor/hall/motion"] == [say.topic for say in ear.roster.look(at=NOON + jump + 961)]
    assert ["radio/rf12/node/212-7"] == [say.topic for say in ear.roster.look(at=NOON + jump + 1801)]
    assert ["radio/rf12/node/212-5"] == [say.topic for say in ear.roster.look(at=NOON + jump + 1861)]


def test_only_a_clock_that_is_set_has_jumped() -> None:
    """Seconds are the clock's usual keeping."""
    jumps = Jumps(at=NOON, ticks=50.0)

    assert 0.0 == jumps.look(at=NOON + 60.5, ticks=110.0)
    assert 3600.0 == jumps.look(at=NOON + 3720.5, ticks=170.0)
    assert 0.0 == jumps.look(at=NOON + 3780.5, ticks=230.0)
    assert -60.0 == jumps.look(at=NOON + 3780.5, ticks=290.0)
