"""What the JeeNode service knows without a port and a bus: readings, intervals, paced lines, its table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bits import CodecError
from drivers.rf12 import hearth, stock
from hearthbus import Invalid
from hearthbus.config.schema import build
from services.jeenode.duplicates import NUMBERED_S, Duplicates
from services.jeenode.gateway import standing
from services.jeenode.motion import Motions
from services.jeenode.presence import FIRST_INTERVAL_S, Story
from services.jeenode.readings import Reader, Reading
from services.jeenode.relays import Paced, button, switch
from services.jeenode.settings import Node, Settings
from services.standing import AWAY_S

NOON = 1_767_268_800.0
ROOM: dict[str, Any] = {
    "motion": False, "temperature": 21.5, "humidity": 45.0, "light": 512, "battery_mv": 2985, "given_up": 0,
}  # fmt: skip


def settings(**nodes: dict[str, Any]) -> Settings:
    """Return a table of nodes, checked as a file's is."""
    return build(Settings, {"nodes": nodes})


def test_the_same_number_much_later_is_new() -> None:
    """After 256 packets a number comes again, and a node that starts again begins anew."""
    duplicates = Duplicates()

    assert not duplicates.repeats(5, b"a", at=0.0, within=NUMBERED_S)
    assert duplicates.repeats(5, b"a", at=NUMBERED_S - 0.1, within=NUMBERED_S)
    assert not duplicates.repeats(5, b"a", at=NUMBERED_S, within=NUMBERED_S)
    assert not duplicates.repeats(6, b"a", at=NUMBERED_S, within=NUMBERED_S)


@pytest.mark.parametrize(
    ("table", "payload", "expected"),
    [
        (
            {"profile": "room"},
            stock.StockRoom(light=255, motion=True, humidity=60, temperature=-3.2, low_battery=True),
            {("hall", "light", 100.0, "%"), ("hall", "motion", True, None), ("hall", "humidity", 60.0, "%"),
             ("hall", "temperature", -3.2, "°C"), ("hall", "battery", 0.1, None)},
        ),
        (
            {"profile": "slave"},
            stock.Slave(node=5, temperature=20.25, voltage_mv=3120, counter=7),
            {("hall", "temperature", 20.25, "°C"), ("hall", "voltage", 3.12, "V")},
        ),
        (
            {"profile": "emontx"},
            stock.EmonTxShield(power1=100, power2=-5, power3=0, power4=0, vrms=240.5),
            {("hall-1", "power", 100.0, "W"), ("hall-2", "power", -5.0, "W"), ("hall-3", "power", 0.0, "W"),
             ("hall-4", "power", 0.0, "W"), ("hall", "voltage", 240.5, "V")},
        ),
        (
            {"profile": "emonth"},
            stock.EmonTh(temperature=19.5, outer_temperature=4.5, humidity=55.5, battery=2.9),
            {("hall", "temperature", 19.5, "°C"), ("hall-outer", "temperature", 4.5, "°C"),
             ("hall", "humidity", 55.5, "%"), ("hall", "voltage", 2.9, "V")},
        ),
        (
            {"sensors": ["flow"]},
            hearth.Temperature(sender=5, sequence=0, index=0, temperature=44.5, battery_mv=None),
            {("flow", "temperature", 44.5, "°C")},
        ),
        (
            {},
            hearth.Temperature(sender=5, sequence=0, index=1, temperature=44.5, battery_mv=3000),
            {("hall-1", "temperature", 44.5, "°C"), ("hall", "voltage", 3.0, "V")},
        ),
    ],
)  # fmt: skip
def test_what_other_nodes_say(table: dict[str, Any], payload: Any, expected: set[tuple[Any, ...]]) -> None:
    """Every profile's fields are quantities of the vocabulary."""
    node = settings(hall={"id": 5, **table}).nodes["hall"]
    told = Reader(node, "hall").read(payload.encode()).readings

    assert expected == {(each.place, each.quantity, each.value, each.unit) for each in told}


def test_a_struct_that_only_its_table_describes() -> None:
    """Datacodes, names and scales make readings; "" leaves a field out, a name may have a place of its own."""
    node = settings(
        hall={
            "id": 5, "profile": "fields", "fields": "b,h,h", "scales": [1, 0.1, 0.001],
            "names": ["", "temperature", "cellar/voltage"],
        }
    ).nodes["hall"]  # fmt: skip

    assert (
        Reading("hall", "temperature", 21.5, "°C"),
        Reading("cellar", "voltage", 3.0, "V"),
    ) == Reader(node, "hall").read(bytes([1, 215, 0, 0xB8, 0x0B])).readings


def test_some_early_reports_do_not_shorten_the_interval() -> None:
    """Motion makes a stock node talk often for a while; the habit of months is not forgotten in a minute."""
    story = Story()
    for at in range(0, 3000, 300):
        story.heard(at=at, report=True)
    for at in range(2710, 2800, 10):
        story.heard(at=at, report=True)

    assert story.interval_s > 150


def test_a_lost_report_hardly_lengthens_the_interval() -> None:
    """The longest silence counts as twice the interval at most, and is forgotten in time."""
    story = Story()
    times = [at for at in range(0, 6000, 60) if at % 600 != 540]
    for at in times:
        story.heard(at=at, report=True)

    assert 60 <= story.interval_s <= 121


def test_the_unknown_has_an_hour() -> None:
    """A node heard once is lost after three hours; one that started with a burst is not lost in a minute."""
    story = Story()
    story.heard(at=0, report=True)

    assert 3 * FIRST_INTERVAL_S == story.due()

    story.heard(at=1, report=True)
    story.heard(at=2, report=True)

    assert (story.due() or 0) > 900


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200))
def test_the_loss_is_what_the_numbers_say(skipped: list[int]) -> None:
    """Numbers that are left out are counted, each once, wherever the count wraps."""
    story, sequence, missed = Story(), 0, 0
    story.heard(at=0, report=False, sequence=0)
    for at, skip in enumerate(skipped, 1):
        sequence = (sequence + 1 + skip) & 0xFF
        missed += story.heard(at=at, report=False, sequence=sequence)

    assert sum(skipped) == missed
    assert 0 <= (story.loss_ratio or 0) <= 1
    assert bool(story.loss_ratio) == bool(missed)


def test_places_that_move_are_apart() -> None:
    """Each place has its own end."""
    motions = Motions()
    motions.moving("hall", at=0, timeout_s=10)
    motions.moving("attic", at=5, timeout_s=10)

    assert (10, ["hall"], 15) == (motions.due(), motions.over(at=12), motions.due())

    motions.ended("attic")

    assert None is motions.due()


def test_lines_for_a_slow_board_keep_their_distance_and_their_order() -> None:
    """Three buttons at once leave a quarter of a second apart; too many are refused, and what waits can be dropped."""
    paced = Paced(0.25)
    paced.add(button("volume_up"), times=2)
    paced.add(button("power"))

    assert b"\nSR,VOLUP\n" == paced.take(at=1.0)
    assert (b"", 1.25) == (paced.take(at=1.2), paced.due())
    assert [b"\nSR,VOLUP\n", b"\nSR,POWER\n", b""] == [paced.take(at=at) for at in (1.25, 1.5, 9.0)]

    with pytest.raises(Invalid, match="wait already"):
        paced.add(b"x", times=101)

    paced.add(b"x", times=5)

    assert (5, None) == (paced.clear(), paced.due())
    assert (b"1/2/13/2/", b"1/2/13/1/") == (switch(13, on=True), switch(13, on=False))

    with pytest.raises(Invalid, match="one of power, volume_up"):
        button("mute")


def test_a_gateway_that_stays_away_is_an_alert() -> None:
    """Half a minute is patience; the alert goes when it is back, and is told once each."""
    one = standing("attic", among=())
    away, back = {"status": "away", "reason": "no such file"}, {"status": "online"}
    one.look(away, {}, at=NOON)

    assert [] == one.look(away, {}, at=NOON + AWAY_S - 1)

    alert = one.look(away, {}, at=NOON + AWAY_S)

    assert [("alert/gateway-attic", True)] == [(say.topic, say.body["active"]) for say in alert]
    assert [] == one.look(away, {}, at=NOON + 99)
    assert [False] == [say.body["active"] for say in one.look(back, {}, at=NOON + 100) if "active" in say.body]


def test_every_fault_of_the_table_is_told() -> None:
    """Ports, ids, places, groups: each with its place, all at once."""
    with pytest.raises(Invalid) as caught:
        build(
            Settings,
            {
                "gateways": {"a": {"port": "ttyUSB0"}, "b": {"port": "/dev/x", "pins": {"desk": 1}}},
                "nodes": {"x y": {"id": 31}, "one": {"id": 5, "place": "a/b"}, "two": {"id": 5, "fields": "b"}},
            },
        )
    text = "\n".join(caught.value.problems)

    assert all(
        word in text
        for word in ("write a device such as", "pins = { desk = 13 }", "id 31", "'a/b'", 'profile = "fields"')
    )


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"one": {"id": 5, "profile": "fields", "fields": "b,z"}}, "'z' is no code"),
        ({"one": {"id": 5, "profile": "fields", "fields": "b", "scales": [0]}}, "scale 0"),
        ({"one": {"id": 5, "profile": "fields", "fields": "b", "names": ["temprature"]}}, "did you mean 'temperature'"),
        ({"one": {"id": 5, "profile": "fields", "fields": "b", "names": ["a b/power"]}}, "'a b' is not one part"),
        ({"one": {"id": 5}, "two": {"id": 5}}, "node 5 of group 212 is one already"),
        (
            {"one": {"id": 5, "light": True, "place": "k"}, "two": {"id": 6, "light": True, "place": "k"}},
            "light/k belongs",
        ),
        ({"one two": {"id": 5}}, "a name is one part of a topic"),
    ],
)
def test_what_cannot_be_is_refused(nodes: dict[str, Any], words: str) -> None:
    """Two of the same, and structs whose fields or quantities nobody knows."""
    with pytest.raises(Invalid, match=words):
        build(Settings, {"nodes": nodes})


@given(st.binary(max_size=66), st.sampled_from(["hearth", "room", "led", "slave", "emontx", "emonth"]))
def test_any_bytes_are_readings_or_an_error(payload: bytes, profile: str) -> None:
    """No packet can break the service."""
    node = Node(id=5, profile=profile)  # type: ignore[arg-type]  # one of its values
    try:
        told = Reader(node, "hall").read(payload).readings
    except CodecError:
        return

    assert all(reading.value is not None for reading in told)
