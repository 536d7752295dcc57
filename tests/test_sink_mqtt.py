"""MQTT out, against Debian's Mosquitto: what arrives, what may come twice, and how the server's no is understood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from mosquitto import Ear, Mosquitto

from hearthbus import Secret
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.records import Record
from services.telemetry.sinks.mqtt import MqttSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from services.telemetry.sinks.mqtt_sink import Mqtt

SECOND = 1_000_000_000
AT = 1_764_000_000 * SECOND + 250_000_000
STATE = "hearthbus/bridge/state"
CLIENT = """\
import asyncio
from services.telemetry.records import Record
from services.telemetry.sinks.mqtt import MqttSettings
async def main():
    sink = MqttSettings(host="127.0.0.1", port={port}).sink("out")
    print(type(await sink.send([Record("sensor/hall/power", {{"value": 1}}, {at}, 1)])).__name__, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def record(topic: str = "sensor/hall/power", *, offset: int = 1, time_ns: int = AT, **body: Any) -> Record:
    return Record(topic, body, time_ns, offset)


def state(topic: str, *, offset: int = 1, **body: Any) -> Record:
    return Record(topic, body, AT, offset, retained=True)


def records(count: int) -> list[Record]:
    return [record(f"sensor/r{at % 5}/power", offset=at, time_ns=AT + at * SECOND, value=at) for at in range(count)]


@contextlib.asynccontextmanager
async def sink(port: int, **settings: Any) -> AsyncIterator[Mqtt]:
    made = MqttSettings(host="127.0.0.1", port=port, **settings).sink("out")
    try:
        yield made
    finally:
        await made.close()


async def once(port: int, *batch: Record, **settings: Any) -> Outcome:
    async with sink(port, **settings) as out:
        return await out.send(batch)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mosquitto"), settings="max_packet_size 20000") as started:
        yield started


async def test_a_message(server: Mosquitto) -> None:
    """A record arrives below the base with its body, its time and its id, and as long-lived as it may be."""
    with Ear(server.port) as ear:
        one = state("sensor/hall/power", offset=77, value=21.5, unit="°C", note=None)
        outcome = await once(server.port, one, base="one/house", expire_s=4e9)
        ear.payloads("one/house/sensor/hall/power", 1)
        heard = next(each for each in ear.heard if each.topic == "one/house/sensor/hall/power")

    assert Delivered() == outcome
    assert {"value": 21.5, "unit": "°C", "ts": "2025-11-24T16:00:00.250Z"} == json.loads(heard.payload)
    assert {"ts": "2025-11-24T16:00:00.250Z", "id": one.id} == heard.properties
    assert heard.retain
    assert heard.expiry is not None
    assert 3_900_000_000 < heard.expiry <= 4_000_000_000


async def test_retained_as_on_the_bus(server: Mosquitto) -> None:
    """State waits for who comes late, until the bus forgets it; events do not."""
    both = [record("remote/late", button="on"), state("sensor/late/power", offset=2, value=1)]
    gone = [state("sensor/gone/power", offset=3, value=1), state("sensor/gone/power", offset=4)]
    with Ear(server.port) as ear:
        outcome = await once(server.port, *both, *gone, base="late")
        ear.payloads("late/bridge/state", 2)
        retained = {each.topic: each.retain for each in ear.heard if each.topic.startswith("late/")}
        emptied = ear.payloads("late/sensor/gone/power", 2)
    with Ear(server.port) as late:
        late.payloads("late/sensor/late/power", 1)
        left = {each.topic for each in late.heard if each.topic.startswith("late/")}

    assert Delivered() == outcome
    assert (False, True, True) == tuple(
        retained[f"late/{topic}"] for topic in ("remote/late", "sensor/late/power", "bridge/state")
    )
    assert "" == emptied[1]
    assert {"late/sensor/late/power", "late/bridge/state"} >= left


async def test_bare_values(server: Mosquitto) -> None:
    """With payload "value" each number and bool has a topic, and nothing else is said."""
    batch = [record("sensor/b/temperature", value=100, unit="°C"), record("light/b", offset=2, on=True, effect="x")]
    with Ear(server.port) as ear:
        outcome = await once(server.port, *batch, base="bare", payload="value", units={"°C": "°F"})
        heard = ear.until(lambda all_: [each for each in all_ if each.topic == "bare/light/b/on"])
        said = {each.topic: each.payload for each in heard if each.topic.startswith("bare/")}

    assert Delivered() == outcome
    assert {"bare/sensor/b/temperature": "212.0", "bare/light/b/on": "true"} == {
        topic: text for topic, text in said.items() if "bridge" not in topic
    }


async def test_too_old(server: Mosquitto) -> None:
    """What is older than it may become is not sent, and counted."""
    assert Delivered(1, "older than expire_s") == await once(server.port, record(value=1), expire_s=60.0)


async def test_from_a_clock_far_ahead(server: Mosquitto) -> None:
    """What a clock centuries ahead has dated is delivered as any other, and has as long as MQTT can say."""
    with Ear(server.port) as ear:
        outcome = await once(server.port, record(value=1, time_ns=2**64 - 1), base="ahead", expire_s=60.0)
        ear.payloads("ahead/sensor/hall/power", 1)
        heard = next(each for each in ear.heard if each.topic == "ahead/sensor/hall/power")

    assert Delivered() == outcome
    assert "2554-07-21T23:34:33.709Z" == heard.properties["ts"]
    assert heard.expiry is not None
    assert 2**32 - 60 < heard.expiry


async def test_no_topic(server: Mosquitto) -> None:
    """A record whose topic would be empty is refused alone."""
    batch = [record(value=1), record(offset=2, value=2, unit="W")]
    async with sink(server.port, base="", topic="{unit}", state=False) as out:
        outcomes = [await out.send(batch), await out.send(batch[:1]), await out.send(batch[1:])]

    empty = Refused("its topic would be empty, or longer than MQTT allows")
    assert [empty, empty, Delivered()] == outcomes


async def test_state(server: Mosquitto) -> None:
    """The bridge's state is retained: online while it is there, offline when it has gone."""
    with Ear(server.port) as ear:
        await once(server.port, record(value=1), base="state")
        ear.payloads("state/bridge/state", 2)
    with Ear(server.port) as late:
        assert ["online", "offline"] == [each.payload for each in ear.heard if each.topic == "state/bridge/state"]
        assert ["offline"] == late.payloads("state/bridge/state", 1)


async def test_too_large_for_the_server(server: Mosquitto) -> None:
    """A message beyond what the server takes is refused alone; the rest of its batch is delivered once."""
    batch = [record(offset=1, value=1), record(offset=2, value=2, note="x" * 30_000), record(offset=3, value=3)]
    with Ear(server.port) as ear:
        async with sink(server.port, base="large") as out:
            whole = await out.send(batch)
            halves = [await out.send(batch[:1]), await out.send(batch[1:2]), await out.send(batch[2:])]
        ear.payloads("large/bridge/state", 2)
        values = [json.loads(each.payload)["value"] for each in ear.heard if each.topic == "large/sensor/hall/power"]

    assert isinstance(whole, Refused)
    assert "takes 20000" in whole.reason
    assert [Delivered, Refused, Delivered] == [type(each) for each in halves]
    assert [1, 3] == values


async def test_ten_thousand(server: Mosquitto) -> None:
    """Ten thousand messages arrive once each, in order."""
    batch = records(10_000)
    with Ear(server.port) as ear:
        start = time.monotonic()
        async with sink(server.port, base="many") as out:
            outcomes = {type(await out.send(batch[at : at + 1000])) for at in range(0, len(batch), 1000)}
        took = time.monotonic() - start
        ear.payloads("many/bridge/state", 2)
        ids = [each.id for each in ear.heard if each.topic.startswith("many/sensor")]

    assert {Delivered} == outcomes
    assert [each.id for each in batch] == ids
    assert 10_000 / took > 500


async def test_killed_in_mid_batch(tmp_path: Path) -> None:
    """A server killed in mid-batch costs nothing: the batch is kept, and only what was in flight comes twice."""
    batch = records(2000)
    with Mosquitto(tmp_path / "server") as server:
        with Ear(server.port, on_message=lambda count: server.kill() if count == 500 else None) as ear:
            async with sink(server.port) as out:
                broken = await out.send(batch)
                away = await out.send(batch)
                before = len(ear.heard)
                server.start()
                ear.listening(2)
                back = await out.send(batch)
            ear.payloads(STATE, 3)
            ids = [each.id for each in ear.heard if each.topic != STATE]

    assert [Later, Later, Delivered] == [type(each) for each in (broken, away, back)]
    assert before < len(batch)
    assert [each.id for each in batch] == list(dict.fromkeys(ids))
    assert 100 >= len(ids) - len(batch)


async def test_will(server: Mosquitto) -> None:
    """A client that is killed is offline: the server says so."""
    program = CLIENT.format(port=server.port, at=AT)
    with Ear(server.port) as ear:
        client = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        assert client.stdout is not None
        said = await asyncio.wait_for(client.stdout.readline(), 30)
        client.kill()
        await client.wait()
        states = ear.payloads(STATE, 2)

    assert b"Delivered\n" == said
    assert ["online", "offline"] == states


async def test_wrong_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password is held until somebody mends it, and never shown."""
    caplog.set_level(logging.DEBUG)
    with Mosquitto(tmp_path / "server", users={"house": "right-horse"}) as server:
        wrong: dict[str, Any] = {"user": Secret("house"), "password": Secret("wrong-battery")}
        refused = await once(server.port, record(value=1), **wrong)
        right: dict[str, Any] = {"user": Secret("house"), "password": Secret("right-horse")}
        taken = await once(server.port, record(value=1), **right)

    assert Held(f"127.0.0.1:{server.port}: not authorised (0x87)") == refused
    assert Delivered() == taken
    assert "wrong-battery" not in caplog.text + repr(refused) + repr(MqttSettings(host="x", **wrong))


async def test_a_topic_it_may_not_write(tmp_path: Path) -> None:
    """A topic the server does not allow is held, and told; so is the bridge's state."""
    acl = "topic write hearthbus/sensor/hall/#\n"
    with Mosquitto(tmp_path / "server", acl=acl) as server:
        state = await once(server.port, record(value=1))
        denied = await once(server.port, record("sensor/attic/power", value=1), state=False)
        allowed = await once(server.port, record(value=1), state=False)

    assert Held(f"127.0.0.1:{server.port}, {STATE}: not authorised (0x87)") == state
    assert Held(f"127.0.0.1:{server.port}, hearthbus/sensor/attic/power: not authorised (0x87)") == denied
    assert Delivered() == allowed


async def test_tls(tmp_path: Path) -> None:
    """With the server's certificate trusted messages go out encrypted; without, nothing does."""
    with Mosquitto(tmp_path / "server", tls=True) as server:
        trusted = await once(server.port, record(value=1), tls=True, ca=server.ca)
        doubted = await once(server.port, record(value=1), tls=True)
        plain = await once(server.port, record(value=1), timeout_s=5.0)

    assert Delivered() == trusted
    assert isinstance(doubted, Held)
    assert "its certificate is not trusted: self-signed certificate" in doubted.reason
    assert isinstance(plain, Later)


async def test_online_again_with_nothing_to_send(tmp_path: Path) -> None:
    """After a restart of the server the bridge is online again by itself."""
    with Mosquitto(tmp_path / "server") as server:
        async with sink(server.port, keepalive_s=1) as out:
            await out.send([record(value=1)])
            server.kill()
            server.start()
            with Ear(server.port) as ear:
                states = await asyncio.to_thread(ear.payloads, STATE, 1)

    assert ["online"] == states


async def test_restart_between_batches(tmp_path: Path) -> None:
    """A server that restarts while nothing is sent gets the next batch."""
    with Mosquitto(tmp_path / "server") as server:
        async with sink(server.port) as out:
            first = await out.send([record(offset=1, value=1)])
            server.kill()
            server.start()
            outcome: Outcome = Later("not tried")
            while isinstance(outcome, Later):
                outcome = await out.send([record(offset=2, value=2)])

    assert Delivered() == first
    assert Delivered() == outcome
