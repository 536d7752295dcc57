"""The 1-wire service over a folder that looks like the kernel's: readings, failures, alerts, what it never tells."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from test_topics_page import faults
from w1_tree import CRC_BAD, DEN, HALL, OLD, POWER_ON, SILENT, Tree

from hearthbus import Invalid
from services.onewire import OneWire

if TYPE_CHECKING:
    from pathlib import Path

    from hearthbus.message import Message
    from hearthbus.testing import Bench

TEMPERATURE = "sensor/hall/temperature"
ALERT = "alert/onewire-hall"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A bus with one sensor."""
    tree = Tree(tmp_path)
    tree.plug(HALL, 20.5)
    return tree


async def house(bench: Bench, tree: Tree, **config: Any) -> OneWire:
    """Run the service; `hall` has its name."""
    given = {"root": str(tree.root), "sensors": {"hall": {"id": HALL}}, **config}
    service = await bench.run(OneWire, "onewire", **given)
    await reached(bench, service, 1)
    return service


async def told(bench: Bench, topic: str) -> list[Message]:
    """Return every message on a topic."""
    await bench.settle()
    return [message for message in bench.hub.journal if message.topic == topic]


async def reached(bench: Bench, service: OneWire, number: int) -> None:
    """Wait until it has read so often."""
    async with asyncio.timeout(10):
        while service.rounds < number:
            await asyncio.sleep(0.002)
    await bench.settle()


async def rounds(bench: Bench, service: OneWire, number: int = 1) -> None:
    """Let it read so often; a round's end is a wait of the service's clock."""
    for _ in range(number):
        before = service.rounds
        await bench.advance(60)
        await reached(bench, service, before + 1)


async def test_a_reading_is_told(bench: Bench, tree: Tree) -> None:
    """Value, unit and device, retained."""
    await house(bench, tree)
    message = await bench.next_message(TEMPERATURE)

    assert {"value": 20.5, "unit": "°C", "device": HALL} == message.body
    assert message.retained


async def test_an_unnamed_sensor_has_its_id_for_a_place(bench: Bench, tree: Tree) -> None:
    """It is there at once, to be found and named."""
    tree.plug(OLD, 4.0)
    await house(bench, tree)

    assert 4.0 == (await bench.next(f"sensor/{OLD}/temperature"))["value"]


async def test_owfs_spelling_names_the_kernel_s_sensor(bench: Bench, tree: Tree) -> None:
    """A house that moves from owfs to the kernel keeps its table."""
    await house(bench, tree, sensors={"hall": {"id": "28.FF4B79A21603", "offset": -0.5}})

    assert 20.0 == (await bench.next(TEMPERATURE))["value"]


async def test_told_on_change_and_every_ten_minutes(bench: Bench, tree: Tree) -> None:
    """A sixteenth of a degree is not told, two are, and an unchanged value is told again in time."""
    service = await house(bench, tree)
    await bench.next(TEMPERATURE)
    tree.say(HALL, 20.5625)
    await rounds(bench, service)
    await bench.nothing(TEMPERATURE)
    tree.say(HALL, 20.625)
    await rounds(bench, service)
    changed = await bench.next(TEMPERATURE)
    await rounds(bench, service, 9)
    await bench.nothing(TEMPERATURE)
    await rounds(bench, service)

    assert 20.625 == changed["value"]
    assert 20.625 == (await bench.next(TEMPERATURE))["value"]


@pytest.mark.parametrize(
    ("said", "kind"), [(CRC_BAD, "crc"), (POWER_ON, "power_on"), (SILENT, "silent"), ("", "empty"), (127.9375, "power")]
)
async def test_what_is_no_reading_is_not_told(bench: Bench, tree: Tree, said: str | float, kind: str) -> None:
    """It is counted under its kind; the state says what is wrong, and so does the service."""
    service = await house(bench, tree)
    await bench.next(TEMPERATURE)
    await bench.next(f"onewire/{HALL}")
    tree.say(HALL, said)
    await rounds(bench, service, 3)
    state = (await told(bench, f"onewire/{HALL}"))[-1]

    await bench.nothing(TEMPERATURE)
    assert ("failing", {kind: 3}) == (state["status"], state["errors"])
    assert state["error"] in service.trouble
    assert state.retained


async def test_an_alert_after_five_failures_and_its_end(bench: Bench, tree: Tree) -> None:
    """Four are weather; the alert is since the first, and is over with the first good reading."""
    service = await house(bench, tree)
    tree.say(HALL, CRC_BAD)
    await rounds(bench, service, 4)
    await bench.nothing(ALERT)
    await rounds(bench, service, 4)
    (active,) = await told(bench, ALERT)
    tree.say(HALL, 20.5)
    await rounds(bench, service)
    over = (await told(bench, ALERT))[-1]

    assert (True, "2026-01-01T12:01:00Z") == (active["active"], active["since"])
    assert "CRC" in active["message"]
    assert not over["active"]
    assert "" == service.trouble


async def test_a_vanished_sensor(bench: Bench, tree: Tree) -> None:
    """It is gone at once, an alert after five minutes; its last reading stays as old as it is; then it comes back."""
    service = await house(bench, tree)
    before = (await told(bench, TEMPERATURE))[-1]
    tree.unplug(HALL)
    await rounds(bench, service)
    gone = (await told(bench, f"onewire/{HALL}"))[-1]
    await rounds(bench, service, 4)
    await bench.nothing(ALERT)
    await rounds(bench, service)
    alert = await bench.next(ALERT)
    kept = (await bench.bus.get(TEMPERATURE))[0]
    tree.plug(HALL, 19.0)
    await rounds(bench, service)

    assert ("gone", {"gone": 1}) == (gone["status"], gone["errors"])
    assert alert["active"]
    assert before.time == kept.time
    assert not (await bench.next(ALERT))["active"]
    assert 19.0 == (await bench.bus.get(TEMPERATURE))[0]["value"]
    assert "ok" == (await bench.bus.get(f"onewire/{HALL}"))[0]["status"]


async def test_a_named_sensor_that_never_came(bench: Bench, tree: Tree) -> None:
    """It is gone from the start: a typing mistake in an id shows."""
    await house(bench, tree, sensors={"hall": {"id": DEN}})
    await bench.next(f"sensor/{HALL}/temperature")

    assert "gone" == (await bench.next(f"onewire/{DEN}"))["status"]


async def test_no_bus_at_all(bench: Bench, tmp_path: Path) -> None:
    """The trouble names the folder; the service waits for it, and reads when it is there."""
    missing = tmp_path / "later"
    service = await bench.run(OneWire, "onewire", root=str(missing / "bus" / "w1" / "devices"))
    await reached(bench, service, 1)
    trouble = service.trouble
    Tree(missing).plug(HALL, 21.0)
    await rounds(bench, service)

    assert "no 1-wire bus at " in trouble
    assert 21.0 == (await bench.next(f"sensor/{HALL}/temperature"))["value"]
    assert "" == service.trouble


async def test_why_a_sensor_cannot_be_asked_is_told(bench: Bench, tree: Tree) -> None:
    """A bus that has gone, with its adapter say, is not a sensor that somebody has unplugged."""
    service = await house(bench, tree)
    tree.root.rename(tree.root.with_name("elsewhere"))
    await rounds(bench, service, 6)
    state = (await told(bench, f"onewire/{HALL}"))[-1]

    assert ("gone", f"no 1-wire bus at {tree.root}: No such file or directory") == (state["status"], state["error"])
    assert "no 1-wire bus" in (await bench.next(ALERT))["message"]


async def test_a_hanging_conversion_is_logged_once(bench: Bench, tree: Tree, caplog: pytest.LogCaptureFixture) -> None:
    """It is trouble, and the sensors are read all the same."""
    tree.plug(DEN, 18.0)
    os.mkfifo(tree.bulk)
    service = await house(bench, tree, timeout_s=0.1)
    await rounds(bench, service, 2)
    trouble = service.trouble
    with tree.bulk.open("rb"):
        pass

    assert 20.5 == (await bench.next(TEMPERATURE))["value"]
    assert f"{tree.root}: a conversion of all sensors at once hangs" == trouble
    assert 1 == caplog.text.count("a conversion of all")


async def test_a_sensor_that_hangs_costs_the_others_nothing(bench: Bench, tree: Tree) -> None:
    """The others are read in each round, with one thread more; when it answers, it is read again."""
    tree.plug(DEN, 18.0)
    tree.hang(HALL)
    service = await house(bench, tree, timeout_s=0.1)
    hanging = (await told(bench, f"onewire/{HALL}"))[-1]
    tree.say(DEN, 19.0)
    await rounds(bench, service, 3)
    values = [message["value"] for message in await told(bench, f"sensor/{DEN}/temperature")]
    tree.release(HALL, 20.0)
    async with asyncio.timeout(10):
        while not await told(bench, TEMPERATURE):
            await rounds(bench, service)

    assert ("failing", {"hanging": 1}) == (hanging["status"], hanging["errors"])
    assert [18.0, 19.0] == values[:2]
    assert 20.0 == (await bench.next(TEMPERATURE))["value"]


async def test_all_are_converted_at_once_where_the_kernel_can(bench: Bench, tree: Tree) -> None:
    """`trigger` and a line's end, the eight bytes the kernel wants, are written before each round."""
    tree.bulk.write_text("0\n")
    tree.plug(DEN, 18.0)
    await house(bench, tree)
    await bench.next(TEMPERATURE)

    assert "trigger\n" == tree.bulk.read_text()


async def test_a_bulk_conversion_that_is_not_ours_to_start(bench: Bench, tree: Tree) -> None:
    """A file that cannot be written is passed over: the sensors convert one by one."""
    tree.bulk.mkdir()
    tree.plug(DEN, 18.0)
    await house(bench, tree)

    assert 18.0 == (await bench.next(f"sensor/{DEN}/temperature"))["value"]


async def test_ghosts_and_strangers_are_passed_over(bench: Bench, tree: Tree) -> None:
    """A floating wire makes addresses of family 00, and not every chip is a sensor: neither is told of."""
    for name in ("00-400000000000", "01-00000a1b2c3d", "26-000001a2b3c4"):
        tree.plug(name, "")
    service = await house(bench, tree)
    await bench.next(TEMPERATURE)

    assert 1 == service.health()["sensors"]


async def test_85_degrees_of_a_boiler(bench: Bench, tree: Tree) -> None:
    """On its way up it passes 85.000 and is believed."""
    service = await house(bench, tree)
    for celsius in (80.5, 85.0, 85.5):
        tree.say(HALL, celsius)
        await rounds(bench, service)

    assert [20.5, 80.5, 85.0, 85.5] == [message["value"] for message in await told(bench, TEMPERATURE)]


async def test_messages_are_as_the_page_says(bench: Bench, tree: Tree) -> None:
    """Readings, states and alerts keep to docs/topics.md."""
    tree.plug(OLD, POWER_ON)
    service = await house(bench, tree)
    tree.say(HALL, CRC_BAD)
    await rounds(bench, service, 6)

    assert not [fault for message in bench.hub.journal if message.origin == "onewire" for fault in faults(message)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"root": "w1"}, "root 'w1' is not a whole path"),
        ({"every_s": 0}, "every_s 0.0 is less than 0.1"),
        ({"every_s": float("inf")}, "every_s: inf is wrong"),
        ({"sensors": {"hall": {"id": HALL, "offset": float("nan")}}}, "offset: nan is wrong"),
        ({"at_least_s": 30}, "at_least_s 30.0 is less than every_s"),
        ({"sensors": {"hall": {"id": "hall"}}}, "no 1-wire address"),
        ({"sensors": {"hall": {"id": "01-00000a1b2c3d"}}}, "family 01 cannot be read"),
        ({"sensors": {"a": {"id": HALL}, "b": {"id": "28.FF4B79A21603"}}}, "is a already"),
        ({"sensors": {"the hall": {"id": HALL}}}, "one part of a topic"),
    ],
)
async def test_a_wrong_table_is_refused(bench: Bench, wrong: dict[str, Any], said: str) -> None:
    """Before anything runs, with the key that is wrong."""
    with pytest.raises(Invalid, match=said):
        await bench.run(OneWire, "onewire", **wrong)
