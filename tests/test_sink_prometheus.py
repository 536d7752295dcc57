"""Prometheus: what the page says, and that Prometheus itself reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid
from services.telemetry.naming import PLACEHOLDERS, Parts, parts_of
from services.telemetry.sinks.prometheus import PrometheusSettings
from services.telemetry.sinks.prometheus_board import Board
from services.telemetry.sinks.prometheus_names import labels_of, series_of

SECOND = 1_000_000_000
AT = 1_764_000_000 * SECOND + 250_000_000
SAMPLE = re.compile(r"(?P<name>[a-z_:][a-z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def unescape(text: str) -> str:
    return re.sub(r"\\.", lambda found: UNESCAPED[found[0]], text)


def read(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read a page as Prometheus does: one block a family, typed before its samples, no sample twice."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    typed: list[str] = []
    for line in page.removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            typed.append(line.split(" ")[2])
        if line.startswith("#"):
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert typed[-1] == sample["name"]
        labels = LABEL.findall(sample["labels"] or "")
        assert (sample["labels"] or "") == ",".join(f'{name}="{value}"' for name, value in labels)
        key = sample["name"], tuple((name, unescape(value)) for name, value in labels)
        assert key not in found
        found[key] = float(sample["value"])
    assert len(typed) == len(set(typed))
    return found


def board(*, limit: int = 5000) -> Board:
    return Board(prefix="hearthbus", limit=limit)


def shown(topic: str, /, **body: Any) -> list[str]:
    made = board()
    made.hear(topic, body, AT)
    own = ("hearthbus_broker_up", "hearthbus_exporter", "hearthbus_last_seen", "#")
    return [line for line in made.page().splitlines() if not line.startswith(own)]


@pytest.mark.parametrize(
    ("topic", "body", "line"),
    [
        ("sensor/hall/temperature", {"value": 21.5, "unit": "°C"},
         'hearthbus_sensor_temperature_celsius{place="hall"} 21.5'),
        ("sensor/hall/humidity", {"value": 45, "unit": "%"}, 'hearthbus_sensor_humidity_ratio{place="hall"} 0.45'),
        ("sensor/hall/pressure", {"value": 1013, "unit": "hPa"},
         'hearthbus_sensor_pressure_pascals{place="hall"} 101300.0'),
        ("sensor/hall/motion", {"value": True}, 'hearthbus_sensor_motion{place="hall"} 1'),
        ("sensor/hall/battery", {"value": 0.9}, 'hearthbus_sensor_battery_ratio{place="hall"} 0.9'),
        ("sensor/meter/energy", {"value": 5, "unit": "Wh"},
         'hearthbus_sensor_energy_joules_total{place="meter"} 18000.0'),
        ("sensor/roof/rain", {"value": 500, "unit": "mm"}, 'hearthbus_sensor_rain_meters_total{place="roof"} 0.5'),
        ("sensor/roof/rain_rate", {"value": 2, "unit": "mm/h"},
         'hearthbus_sensor_rain_rate_mm_per_hour{place="roof"} 2'),
        ("sensor/x/flow", {"value": 60, "unit": "l/min"},
         'hearthbus_sensor_flow_cubic_meters_per_second{place="x"} 0.001'),
        ("sensor/x/co2", {"value": 400, "unit": "ppm"}, 'hearthbus_sensor_co2_ppm{place="x"} 400'),
        ("sensor/x/dust", {"value": 4, "unit": "µg/m³"}, 'hearthbus_sensor_dust_g_m{place="x"} 4'),
        ("light/desk", {"on": False}, 'hearthbus_light_on{place="desk"} 0'),
        ("host/pi/disk/root", {"free_bytes": 7}, 'hearthbus_host_disk_free_bytes{place="pi",item="root"} 7'),
        ("host/pi/uptime", {"uptime_s": 7}, 'hearthbus_host_uptime_seconds{place="pi"} 7'),
        ("host/pi/network/eth0", {"rx_bytes_per_s": 7},
         'hearthbus_host_network_rx_bytes_per_second{place="pi",item="eth0"} 7'),
        ("broker/stats", {"messages": 12}, "hearthbus_broker_messages_total 12"),
        ("service/sun", {"status": "online", "pid": 5}, 'hearthbus_service_up{service="sun"} 1'),
        ("service/sun", {"status": "lost", "pid": 5}, 'hearthbus_service_up{service="sun"} 0'),
        ("broker/stats", {"refused_by": {"kitchen": 3}}, 'hearthbus_broker_refused_by_key_total{key="kitchen"} 3'),
        ("broker/stats", {"dropped": {"malformed": 1}}, 'hearthbus_broker_frames_dropped_total{reason="malformed"} 1'),
        ("broker/stats", {"journal_error": "full"}, "hearthbus_broker_journal_error 1"),
        ("broker/stats", {"version": "1.2"}, 'hearthbus_broker_info{version="1.2"} 1'),
    ],
)  # fmt: skip
def test_names(topic: str, body: dict[str, Any], line: str) -> None:
    """A number is shown in the base unit, under the name the conventions give it."""
    assert [line] == shown(topic, **body)


def test_whole_page() -> None:
    """A page has each family in one block, the age of a topic beside its value, and ends with a new line."""
    made = board()
    made.hear("sensor/hall/temperature", {"value": 21.5, "unit": "°C"}, AT)
    expected = """\
# HELP hearthbus_broker_up Whether the broker answers; nothing of the bus' own is shown while it does not.
# TYPE hearthbus_broker_up gauge
hearthbus_broker_up 1
# HELP hearthbus_exporter_dropped_total Values heard that had no room on this page.
# TYPE hearthbus_exporter_dropped_total counter
hearthbus_exporter_dropped_total 0
# HELP hearthbus_exporter_series Values on this page.
# TYPE hearthbus_exporter_series gauge
hearthbus_exporter_series 2
# HELP hearthbus_last_seen_timestamp_seconds When a topic was published last, seconds since 1970.
# TYPE hearthbus_last_seen_timestamp_seconds gauge
hearthbus_last_seen_timestamp_seconds{kind="sensor",place="hall",quantity="temperature"} 1764000000.250
# HELP hearthbus_sensor_temperature_celsius Last sensor temperature celsius heard.
# TYPE hearthbus_sensor_temperature_celsius gauge
hearthbus_sensor_temperature_celsius{place="hall"} 21.5
"""

    assert expected == made.page()


def test_an_empty_message_takes_away() -> None:
    """What the bus forgets is not shown any more."""
    made = board()
    made.hear("sensor/hall/temperature", {"value": 21.5}, AT)
    made.hear("sensor/hall/temperature", {}, AT + 1)

    assert "temperature" not in made.page()


def test_bounded() -> None:
    """More series than the limit are counted, not shown; those that were there first go on."""
    made = board(limit=10)
    for turn in range(2):
        for number in range(20):
            made.hear(f"sensor/p{number}/power", {"value": turn}, AT)
    found = read(made.page())

    assert 10 == found["hearthbus_exporter_series", ()]
    assert 30 == found["hearthbus_exporter_dropped_total", ()]
    assert {1.0} == {value for (name, _), value in found.items() if "power" in name}


def test_the_newer_of_two_topics() -> None:
    """Where two topics are called the same the newer value is shown, once."""
    made = board()
    made.hear("sensor/a.b/power", {"value": 2}, AT + 1)
    made.hear("sensor/a/b/power", {"value": 1}, AT)

    assert 2 == read(made.page())["hearthbus_sensor_power", (("place", "a.b"),)]


SEGMENT = st.text("ab09_.-", min_size=1, max_size=5)
BODIES = st.dictionaries(
    st.text(max_size=5) | st.just("value") | st.just("unit"),
    st.floats() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.sampled_from(["°C", "Wh", "%", "µ"]),
    max_size=5,
)


@given(st.lists(st.tuples(st.lists(SEGMENT, min_size=1, max_size=5).map("/".join), BODIES), max_size=6))
def test_every_page_can_be_read(messages: list[tuple[str, dict[str, Any]]]) -> None:
    """Whatever is published, an independent reader finds families in blocks, finite values and no sample twice."""
    made = board()
    for at, (topic, body) in enumerate(messages):
        made.hear(topic, body, AT + at)
    found = read(made.page())

    assert all(value - value == 0 for value in found.values())


@given(st.dictionaries(st.sampled_from(["place", "item", "service"]), st.text(min_size=1)))
def test_labels_come_back(labels: dict[str, str]) -> None:
    """Any text in a label is read back as it was."""
    written = labels_of(labels)

    assert labels == {name: unescape(value) for name, value in LABEL.findall(written[1:-1])}


@given(st.builds(Parts, *[st.text(max_size=12)] * len(PLACEHOLDERS)))
def test_names_are_names(parts: Parts) -> None:
    """Whatever a message says, its name is one Prometheus takes."""
    series = series_of(parts, prefix="hearthbus")

    assert series is not None
    assert re.fullmatch(r"[a-z_:][a-z0-9_:]*", series.name)


def test_a_name_too_long() -> None:
    """A key nobody means to read is not shown."""
    assert series_of(parts_of("light/desk", field="x" * 300), prefix="hearthbus") is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": 70000}, "port 70000 is not within"),
        ({"prefix": "My-House"}, "prefix 'My-House' is not made of"),
        ({"series": 0}, "series 0 is not within"),
        ({"host": ""}, "host is empty"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    """What is wrong with the table is told before anything starts."""
    with pytest.raises(Invalid, match=words):
        PrometheusSettings(**settings)
