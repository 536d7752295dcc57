"""Names: what a template makes of a topic and its body, and which numbers are sent at all."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid
from services.telemetry import naming
from services.telemetry.naming import PLACEHOLDERS, Names, Parts, Template, parts_of, untold
from services.telemetry.records import Record

ALL = Template("{kind}|{place}|{quantity}|{field}|{device}|{unit}")
SEGMENT = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=8)
TOPICS = st.lists(SEGMENT, min_size=1, max_size=8).map("/".join)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=4), st.lists(st.floats())
)


def record(topic: str, **body: Any) -> Record:
    return Record(topic, body, 1_700_000_000_000_000_000, 7)


def names(topic: str, *, units: dict[str, str] | None = None, **body: Any) -> dict[str, float | bool]:
    return dict(Names(ALL.fill, units=units).samples(record(topic, **body)))


@pytest.mark.parametrize(
    ("topic", "field", "spoken", "key"),
    [
        ("sensor/hall/temperature", "value", "place", ""),
        ("sensor/hall", "value", "place", ""),
        ("doorbell", "value", "kind", ""),
        ("host/pi/disk/root", "used", "place quantity", "used"),
        ("host/pi/disk/root", "used", "place field", ""),
        ("light/desk", "on", "place field", "on"),
        ("light/desk", "on", "place quantity", ""),
    ],
)
def test_the_key_of_one_of_several(topic: str, field: str, spoken: str, key: str) -> None:
    """A number among others of its message is told from them, by a template or by its key."""
    (parts,) = [parts for parts, _ in Names(lambda parts: parts).samples(record(topic, **{field: 1}))]

    assert key == untold(parts, frozenset(spoken.split()))


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("sensor/hall/temperature", {"value": 21.5, "unit": "°C"}, {"sensor|hall|temperature|value||°C": 21.5}),
        ("sensor/hall/motion", {"value": True, "device": "n4"}, {"sensor|hall|motion|value|n4|": True}),
        ("light/desk", {"on": False, "brightness": 0.5},
         {"light|desk|on|value||": False, "light|desk|brightness|value||ratio": 0.5}),
        ("host/pi/memory", {"used": 3, "free": 5}, {"host|pi|memory|used||": 3, "host|pi|memory|free||": 5}),
        ("host/pi/disk/root", {"used": 1}, {"host|pi.disk|root|used||": 1}),
        ("doorbell", {"count": 2}, {"doorbell||count|value||": 2}),
        ("sensor/hall/temperature", {"value": "warm", "rssi_dbm": -70}, {}),
        ("sensor/hall/light", {"value": None}, {}),
        ("sensor/hall/light", {"value": math.nan}, {}),
        ("sensor/hall/light", {"value": -math.inf}, {}),
        ("light/desk", {"rgb": [1, 2, 3], "effect": "candle", "note": None, "where": {"x": 1}}, {}),
        ("sensor/hall/x", {"value": 1, "unit": ["?"], "device": 4}, {"sensor|hall|x|value|4|": 1}),
    ],
)  # fmt: skip
def test_what_is_sent(topic: str, body: dict[str, Any], expected: dict[str, float]) -> None:
    """The number of `value`, or every number and bool of the first level; nothing else."""
    assert expected == names(topic, **body)


def test_conversion() -> None:
    """A number in a unit that is converted goes out in the other, and so does the unit's name."""
    found = names("sensor/hall/temperature", units={"°C": "°F"}, value=100, unit="°C")

    assert {"sensor|hall|temperature|value||°F": 212.0} == found


def test_a_battery_is_a_ratio() -> None:
    """A battery says no unit and is converted as the share it is."""
    assert {"sensor|hall|battery|value||%": 50.0} == names("sensor/hall/battery", units={"ratio": "%"}, value=0.5)


def test_bools_are_not_converted() -> None:
    """True stays true, whatever its unit."""
    assert [True] == list(names("sensor/hall/x", units={"°C": "°F"}, value=True, unit="°C").values())


def test_too_large_to_convert_is_not_sent() -> None:
    """A conversion that ends in infinity sends nothing."""
    assert {} == names("sensor/hall/temperature", units={"kWh": "Wh"}, value=1e308, unit="kWh")


def test_a_series_that_is_not_taken() -> None:
    """A sink that makes no name of a series is not given its numbers."""
    none: Names[str] = Names(lambda _parts: None)

    assert [] == none.samples(record("sensor/hall/temperature", value=1.0))


@given(TOPICS, st.dictionaries(st.text(max_size=6), VALUES, max_size=5))
def test_only_finite_numbers(topic: str, body: dict[str, Any]) -> None:
    """Whatever a message says, what is sent is finite, and comes the same way twice."""
    made: Names[Parts] = Names(lambda parts: parts)
    found = made.samples(Record(topic, body, 0, 0))

    assert all(isinstance(value, bool | int) or math.isfinite(value) for _, value in found)
    assert found == made.samples(Record(topic, body, 0, 0))


@given(TOPICS)
def test_parts_lose_nothing(topic: str) -> None:
    """The parts of a topic of three and more segments give the topic again, but for `.` and `/`."""
    parts = parts_of(topic)
    whole = [part for part in (parts.kind, parts.place, parts.quantity if topic.count("/") > 1 else "") if part]

    assert topic.replace("/", ".") == ".".join(whole)


@given(st.lists(st.sampled_from([*PLACEHOLDERS]), max_size=6), st.text("xyz.-_/;= ", min_size=1, max_size=9))
def test_a_template_keeps_its_own_text(placeholders: list[str], text: str) -> None:
    """Characters are cleaned in what is filled in, never in the template's own text."""
    template = Template(text.join(["", *(f"{{{name}}}" for name in placeholders), ""]))

    assert template.literals == template.fill(parts_of("a/b/c"), lambda _part: "")
    assert set(placeholders) == template.placeholders


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{kind}.{plase}", r"naming '\{kind\}.\{plase\}': \{plase\} is unknown; did you mean \{place\}\?"),
        ("{zzzzzz}", r"placeholders are \{topic\} \{kind\} \{place\}"),
        ("{kind", "a brace without its partner"),
        ("kind}", "a brace without its partner"),
        ("{}", r"\{\} is unknown"),
        ("{{kind}}", "a brace without its partner"),
        ("", "naming is empty"),
    ],
)
def test_bad_templates(text: str, words: str) -> None:
    """What is wrong with a template is told when it is made, in its own words."""
    with pytest.raises(Invalid, match=words):
        Template(text, key="naming")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house that makes up names without end does not fill the memory."""
    monkeypatch.setattr(naming, "MAX_NAMES", 10)
    made = Names(ALL.fill)
    for number in range(100):
        made.samples(record(f"sensor/p{number}/temperature", value=1.0))

    assert 10 >= len(made._known)


def test_speed() -> None:
    """Names cost little: 300,000 of them a second, at least."""
    made = Names(ALL.fill, units={"°C": "°F"})
    records = [
        record(f"sensor/p{number % 50}/temperature", value=number / 10, unit="°C", device=f"n{number % 50}")
        for number in range(30_000)
    ]
    start = time.process_time()
    for one in records:
        made.samples(one)
    rate = len(records) / (time.process_time() - start)

    assert 300_000 < rate
