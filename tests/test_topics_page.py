"""docs/topics.md against what is published: the page is the vocabulary, and this reads its tables.

The tables are taken from the page as a person sees it: nothing else knows the vocabulary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus.testing import MemoryHub
from hearthbus.topics import check_pattern, matches
from services.host import Host
from services.schedule import Schedule
from services.sun import Sun
from services.sun.astronomy import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hearthbus.message import Message
    from hearthbus.testing import Bench

PAGE = Path(__file__).parent.parent / "docs" / "topics.md"
UNITS = {
    "_bytes": "bytes", "_bytes_per_s": "bytes/s", "_per_s": "1/s", "_s": "s", "celsius": "°C",
    "_dbm": "dBm", "_ratio": "ratio",
}  # fmt: skip
"""What the end of a key says about its unit; the longest end counts."""
TYPES: dict[str, type | tuple[type, ...]] = {
    "number": (int, float), "integer": int, "bool": bool, "text": str, "time": str, "local time": str,
    "list": list, "map": dict, "any": object,
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class Key:
    """One row of a table of keys."""

    name: str
    type: str
    unit: str
    range: str
    always: bool

    def faults(self, value: Any) -> Iterator[str]:
        """Say what is wrong with a value of this key."""
        if not isinstance(value, TYPES[self.type]) or (isinstance(value, bool) and self.type in {"number", "integer"}):
            yield f"{self.name} is {value!r} and no {self.type}"
        elif self.type == "time" and not TIME.fullmatch(str(value)):
            yield f"{self.name} is {value!r} and no time in UTC"
        elif self.type == "local time" and datetime.fromisoformat(str(value)).utcoffset() is None:
            yield f"{self.name} is {value!r} and has no offset"
        elif not _within(value, self.range):
            yield f"{self.name} is {value!r}, outside {self.range}"


@dataclass(frozen=True)
class Family:
    """One row of the table of topics, and its keys."""

    topic: str
    retained: bool
    keys: list[Key] = field(default_factory=list)

    @property
    def pattern(self) -> str:
        """The topic with a wildcard for each name of one's own choosing."""
        return re.sub(r"<\w+>", "+", self.topic)


def rows(text: str, *head: str) -> list[list[str]]:
    """Return the rows of every table with that head, without backticks."""
    found: list[list[str]] = []
    reading = False
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")] if line.startswith("|") else []
        reading = bool(cells) and (reading or cells == list(head))
        if reading and cells != list(head) and not set(cells) <= {"---"}:
            found.append(cells)
    return found


def read_families(text: str) -> list[Family]:
    """Return every family of topics on the page."""
    bodies = dict(re.findall(r"^### `([^`]+)`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    head = ("Key", "Type", "Unit", "Range", "Always", "Meaning")
    return [
        Family(
            topic,
            retained == "yes",
            [
                Key(name, kind, unit, bounds, always == "yes")
                for name, kind, unit, bounds, always, _ in rows(bodies[topic], *head)
            ],
        )
        for topic, _, retained, _ in rows(text, "Topic", "Kind", "Retained", "Published by")
    ]


TEXT = PAGE.read_text(encoding="utf-8")
FAMILIES = read_families(TEXT)
QUANTITIES = {
    name: (Key("value", kind, unit, bounds, always=True), [each for each in unit.split(", ") if each])
    for name, kind, unit, bounds, _ in rows(TEXT, "Quantity", "Type", "Unit", "Range", "Meaning")
}


def faults(message: Message) -> list[str]:
    """Say what is wrong with a message; empty when it is as the page says."""
    fitting = [family for family in FAMILIES if matches(family.pattern, message.topic)]
    if not fitting:
        return [f"{message.topic} is no topic of the page"]
    family = min(fitting, key=lambda one: one.pattern.count("+"))
    found = [] if family.retained == message.retained else [f"retained is {message.retained}"]
    flat = dict(_flat(message.body, family.keys))
    for name, value in flat.items():
        key = _key_of(name, family.keys)
        found += [f"{name} is no key of the page"] if key is None else key.faults(value)
    found += [f"{key.name} is missing" for key in family.keys if key.always and key.name not in flat]
    if family.topic.startswith("sensor/"):
        found += _sensor_faults(message)
    return [f"{message.topic}: {fault}" for fault in found]


def _sensor_faults(message: Message) -> Iterator[str]:
    quantity = message.topic.rpartition("/")[2]
    if quantity not in QUANTITIES:
        yield f"{quantity} is no quantity of the page"
        return
    key, units = QUANTITIES[quantity]
    yield from key.faults(message.get("value"))
    if message.get("unit", "") not in (units or [""]):
        yield f"unit is {message.get('unit')!r}, not {key.unit}"


def _flat(body: dict[str, Any], keys: Iterable[Key], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a body by dotted key; a map that the page does not look into is one value."""
    for name, value in body.items():
        inner = f"{before}{name}"
        if isinstance(value, dict) and any(_starts(key.name, inner) for key in keys):
            yield from _flat(value, keys, f"{inner}.")
        else:
            yield inner, value


def _starts(pattern: str, name: str) -> bool:
    parts, given = pattern.split("."), name.split(".")
    return len(parts) > len(given) and all(_same(part, one) for part, one in zip(parts, given, strict=False))


def _key_of(name: str, keys: Iterable[Key]) -> Key | None:
    given = name.split(".")
    fitting = [
        key for key in keys if len(key.name.split(".")) == len(given) and all(map(_same, key.name.split("."), given))
    ]
    return min(fitting, key=lambda key: key.name.count("<"), default=None)


def _same(part: str, given: str) -> bool:
    return part == given or part.startswith("<")


def _within(value: Any, bounds: str) -> bool:
    if isinstance(value, list):
        return all(_within(item, bounds) for item in value)
    if bounds.startswith("one of: "):
        return value in bounds.removeprefix("one of: ").split(", ")
    if bounds.startswith(">= "):
        return bool(value >= float(bounds.removeprefix(">= ")))
    if ".." in bounds:
        low, high = bounds.split("..")
        return bool(float(low) <= value <= float(high))
    return True


def message_of(topic: str, *, retain: bool, body: dict[str, Any]) -> Message:
    """Return a message as a subscriber would get it."""
    from hearthbus.message import RETAIN, encode_body

    hub = MemoryHub()
    hub.publish(topic, encode_body(body), flags=RETAIN if retain else 0, origin="test")
    return hub.journal[0]


def test_the_page_can_be_read() -> None:
    """Every topic is a pattern when its names are wildcards, has its keys, and every key a known type and range."""
    keys = [key for family in FAMILIES for key in family.keys] + [key for key, _ in QUANTITIES.values()]

    assert len(FAMILIES) >= 30
    assert all(check_pattern(family.pattern) and family.keys for family in FAMILIES)
    assert {key.type for key in keys} <= TYPES.keys()
    assert all(re.fullmatch(r"|>= \d+|-?\d+\.\.\d+|one of: .+|see below", key.range) for key in keys)


def test_every_section_is_in_the_table_of_topics() -> None:
    """A topic that has a section of its own is listed, and the other way round; none twice."""
    sections = re.findall(r"^### `([^`]+)`$", TEXT, re.MULTILINE)

    assert sorted(sections) == sorted(family.topic for family in FAMILIES)
    assert len(sections) == len(set(sections))


def test_a_key_that_ends_with_its_unit_has_that_unit() -> None:
    """`rx_bytes` is in bytes and nothing else, `uptime_s` in seconds."""
    keys = [key for family in FAMILIES for key in family.keys if "<" not in key.name]
    ends = {key: max((end for end in UNITS if key.name.endswith(end)), key=len, default="") for key in keys}

    assert not [(key.name, key.unit) for key, end in ends.items() if end and UNITS[end] != key.unit]


def test_the_sun_s_events_are_those_of_the_page() -> None:
    """The page names the events of every house, in the order of the day."""
    assert [event.name for event in EVENTS] == [name for name, _ in rows(TEXT, "Event", "What happens")]


async def test_what_the_services_publish(bench: Bench) -> None:
    """A day of the sun, the schedule and the host: every message is as the page says."""
    away = {"altitude": 10.0, "direction": "rising"}
    await bench.run(Sun, latitude=51.5, longitude=-0.1, timezone="Europe/London", events={"over-the-wood": away})
    entries = {"wake": {"cron": "30 7 * * *", "body": {"a": 1}, "on_missed": "once"}, "tick": {"cron": "0 * * * *"}}
    await bench.run(Schedule, timezone="UTC", entries=entries)
    await bench.run(Host, exclude_interfaces=[], interval_s=3600)
    await bench.advance(86400)
    bench.jump(2 * 86400)
    await bench.advance(60)
    kinds = {message.topic.split("/")[0] for message in bench.hub.journal}

    assert {"sun", "schedule", "host"} == kinds
    assert not [fault for message in bench.hub.journal for fault in faults(message)]


@pytest.mark.parametrize(
    ("topic", "retain", "body"),
    [
        ("sensor/hall/temperature", True, {"value": 20.5, "unit": "°C", "device": "jeenode-3", "rssi_dbm": -70}),
        ("sensor/hall/motion", True, {"value": True}),
        ("sensor/hall/light", True, {"value": 40, "unit": "%"}),
        ("light/desk", True, {"on": True, "rgb": [255, 0, 10], "brightness": 0.5, "confirmed": False}),
        ("remote/hall", False, {"button": "a", "action": "press"}),
    ],
)
def test_what_is_as_the_page_says(topic: str, retain: bool, body: dict[str, Any]) -> None:  # noqa: FBT001 - a table
    """Ordinary messages pass."""
    assert not faults(message_of(topic, retain=retain, body=body))


@pytest.mark.parametrize(
    ("topic", "retain", "body", "fault"),
    [
        ("sensor/hall/temperature", False, {"value": 20.5, "unit": "°C"}, "retained is False"),
        ("sensor/hall/temperature", True, {"value": 20.5, "unit": "°F"}, "unit is '°F'"),
        ("sensor/hall/temperature", True, {"value": 20.5}, "unit is None"),
        ("sensor/hall/temperature", True, {"value": 500, "unit": "°C"}, "outside -90..400"),
        ("sensor/hall/temperature", True, {"value": "20", "unit": "°C"}, "no number"),
        ("sensor/hall/temperature", True, {"unit": "°C"}, "value is missing"),
        ("sensor/hall/motion", True, {"value": 1}, "no bool"),
        ("sensor/hall/warmth", True, {"value": 1}, "no quantity"),
        ("sensor/hall", True, {"value": 1}, "no topic"),
        ("light/desk", True, {"on": True, "rgb": [256, 0, 0]}, "outside 0..255"),
        ("light/desk", True, {"on": True, "colour": 1}, "no key"),
        ("sun/state", True, {"elevation": 1.0, "azimuth": 361.0, "phase": "day", "lived": []}, "outside 0..360"),
        ("sun/state", True, {"elevation": 1.0, "azimuth": 1.0, "phase": "dusk", "lived": []}, "outside one of"),
        (
            "sun/noon",
            False,
            {"time": "2026-01-01 12:00", "local": "2026-01-01T12:00:00+00:00", "elevation": 1},
            "no time",
        ),
    ],
)
def test_what_is_not_as_the_page_says(topic: str, retain: bool, body: dict[str, Any], fault: str) -> None:  # noqa: FBT001 - a table
    """Each kind of mistake is found, so that the test above means something."""
    assert any(fault in found for found in faults(message_of(topic, retain=retain, body=body)))
