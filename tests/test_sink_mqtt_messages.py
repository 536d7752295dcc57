"""What records look like as MQTT messages, what the server's reason codes mean, and which tables make no sense."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid, Secret
from services.telemetry.outcomes import Held, Later, Refused
from services.telemetry.records import Record
from services.telemetry.sinks.mqtt import MqttSettings
from services.telemetry.sinks.mqtt_messages import Messages
from services.telemetry.sinks.mqtt_reasons import FAILURE, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = 1_764_000_000_250_000_000


def messages(heard: str, body: dict[str, Any], /, **settings: Any) -> dict[str, str]:
    made = Messages(MqttSettings(host="localhost", **settings))
    return {each.topic: each.payload.decode() for each in made.of(Record(heard, body, AT, 1))}


@pytest.mark.parametrize(
    ("topic", "body", "settings", "expected"),
    [
        ("sensor/hall/power", {"value": 5}, {"base": ""},
         {"sensor/hall/power": '{"value":5,"ts":"2025-11-24T16:00:00.250Z"}'}),
        ("sensor/hall/power", {"value": 5, "ts": 1}, {}, {"hearthbus/sensor/hall/power": '{"value":5,"ts":1}'}),
        ("sensor/hall/power", {"value": None}, {}, {}),
        ("sensor/hall/power", {"value": 5, "device": "a+/#b"},
         {"topic": "emon/{device}/{quantity}", "payload": "value"}, {"hearthbus/emon/a_/_b/power": "5"}),
        ("sensor/hall/power", {"value": 5}, {"topic": "{device}/{place}", "payload": "value"}, {"hearthbus/hall": "5"}),
        ("light/desk", {"on": True, "brightness": 0.5, "rgb": [1, 2, 3]}, {"payload": "value"},
         {"hearthbus/light/desk/on": "true", "hearthbus/light/desk/brightness": "0.5"}),
        ("light/desk", {"on": True}, {"payload": "value", "topic": "{place}/{quantity}"},
         {"hearthbus/desk/on": "true"}),
        ("light/desk", {"on": True, "level": 2}, {"payload": "value", "topic": "{place}/{field}"},
         {"hearthbus/desk/value/on": "true", "hearthbus/desk/value/level": "2"}),
        ("host/pi/disk/root", {"used": 1, "free": 2}, {"payload": "value", "topic": "{place}/{quantity}"},
         {"hearthbus/pi.disk/root/used": "1", "hearthbus/pi.disk/root/free": "2"}),
        ("sensor/hall/temperature", {"value": 100, "unit": "°C"}, {"units": {"°C": "°F"}, "base": "b"},
         {"b/sensor/hall/temperature": '{"value":212.0,"unit":"°F","ts":"2025-11-24T16:00:00.250Z"}'}),
    ],
)  # fmt: skip
def test_shapes(topic: str, body: dict[str, Any], settings: dict[str, Any], expected: dict[str, str]) -> None:
    """A record is one message as JSON, or one for each of its numbers."""
    assert expected == messages(topic, body, **settings)


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=6).filter(lambda key: key not in {"ts", "unit"}), VALUES, max_size=5))
def test_json_is_the_body(body: dict[str, Any]) -> None:
    """Any body is read back from the JSON as it was, with its time beside it."""
    (payload,) = messages("light/desk", body).values()

    assert {**body, "ts": "2025-11-24T16:00:00.250Z"} == json.loads(payload)


@given(st.text(max_size=20), st.sampled_from(["json", "value"]))
def test_topics_are_topics(device: str, payload: str) -> None:
    """Whatever a device calls itself, a topic has no wildcard, no empty level, no control character."""
    found = messages("sensor/hall/power", {"value": 1, "device": device}, topic="{device}/{topic}", payload=payload)

    assert 1 == len(found)
    assert re.fullmatch(r"hearthbus(/[^+#/\x00-\x1f\x7f-\x9f]+)+", next(iter(found)))


@pytest.mark.parametrize("on_the_bus", [True, False])
@pytest.mark.parametrize("retain", [True, False])
def test_what_is_retained(*, on_the_bus: bool, retain: bool) -> None:
    """The server retains what the bus retains, whatever its topic, and nothing where the table says so."""
    made = Messages(MqttSettings(host="localhost", retain=retain))
    found = [each.retain for each in made.of(Record("telemetry/retry", {"sink": "x"}, AT, 1, retained=on_the_bus))]

    assert [on_the_bus and retain] == found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"hearthbus/light/desk": ""}),
        ({"topic": "{place}"}, {"hearthbus/desk": ""}),
        ({"topic": "{place}/{device}"}, {}),
        ({"payload": "value"}, {}),
    ],
)
def test_forgotten_state_is_forgotten(settings: dict[str, Any], expected: dict[str, str]) -> None:
    """An empty body, by which the bus forgets state, empties the topic, where it is known from the topic alone."""
    made = Messages(MqttSettings(host="localhost", **settings))
    found = list(made.of(Record("light/desk", {}, AT, 1, retained=True)))

    assert expected == {each.topic: each.payload.decode() for each in found}
    assert all(each.retain for each in found)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x80, Later), (0x86, Held), (0x87, Held), (0x88, Later), (0x89, Later), (0x8E, Held), (0x90, Refused),
        (0x95, Refused), (0x97, Later), (0x99, Refused), (0x9B, Held), (0xFE, Later),
    ],
)  # fmt: skip
def test_reasons(code: int, kind: type) -> None:
    """A reason code is somebody's to mend, this message's fault, or over some time."""
    outcome = judge(code, "broker.example:1883")

    assert kind is type(outcome)


@given(st.integers(FAILURE, 255))
def test_every_reason_has_words(code: int) -> None:
    """No reason code is without an outcome that names the place and the code."""
    outcome = judge(code, "broker.example:1883")

    assert isinstance(outcome, Held | Later | Refused)
    assert outcome.reason.startswith("broker.example:1883: ")
    assert outcome.reason.endswith(f"(0x{code:02x})")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": Secret("x")}, "password needs a user"),
        ({"ca": Path("ca.pem")}, "ca is read with tls = true only"),
        ({"base": "house/#"}, "base: '#' is not allowed there"),
        ({"base": "$SYS"}, r"base: '\$' is not allowed there"),
        ({"topic": "{plase}"}, r"\{plase\} is unknown; did you mean \{place\}"),
        ({"expire_s": 0.5}, "expire_s 0.5 is not within"),
        ({"port": 0}, "port 0 is not within"),
        ({"in_flight": 0}, "in_flight 0 is not within"),
        ({"timeout_s": 0.0}, "timeout_s 0 is not within"),
        ({"units": {"°C": "V"}}, "units: °C is a temperature and V a voltage"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    """What is wrong with the table is told before anything starts."""
    with pytest.raises(Invalid, match=words):
        MqttSettings(host="localhost", **settings)


CONNACK = bytes.fromhex("20 03 00 00 00")


@pytest.mark.parametrize("answers", [(), (CONNACK,)], ids=["before", "after"])
async def test_silence(answers: Sequence[bytes]) -> None:
    """A server that falls silent, before its greeting or after it, is left, and the batch kept."""
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        for answer in answers:
            writer.write(answer)
        while await reader.read(1000):
            pass
        left.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sink = MqttSettings(host="127.0.0.1", port=port, timeout_s=0.3).sink("out")
        outcome = await sink.send([Record("sensor/hall/power", {"value": 1}, AT, 1)])
        await asyncio.wait_for(left.wait(), 20)
        await sink.close()

    assert Later(f"127.0.0.1:{port}: no answer within 0.3 s") == outcome


async def test_a_server_that_refuses_everybody() -> None:
    """A greeting that is refused is told with the server's reason."""
    busy = bytes.fromhex("20 03 00 89 00")

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(busy)
        writer.close()

    server = await asyncio.start_server(refusing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sink = MqttSettings(host="127.0.0.1", port=port).sink("out")
        outcome = await sink.send([Record("sensor/hall/power", {"value": 1}, AT, 1)])
        await sink.close()

    assert Later(f"127.0.0.1:{port}: server busy (0x89)") == outcome
