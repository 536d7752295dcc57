"""`hearthbus status`: what the retained messages tell of the services."""

from __future__ import annotations

import asyncio
import json as json_module
import re
from typing import Any

import pytest
from cli_house import House, Told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearthbus.cli import status
from hearthbus.cli.output import Output
from hearthbus.cli.services import rows
from hearthbus.cli.status import report, stats_text
from hearthbus.message import RETAIN, Message, decode, encode_body, stamp

SECOND = 10**9
NOW = 1_750_000_000 * SECOND
ONLINE = {"status": "online", "version": "0.1.0", "pid": 7, "since": "2025-06-15T12:06:40Z"}
"""Since three hours before NOW."""


def said(topic: str, body: dict[str, Any], *, origin: str = "broker", ago: float = 0) -> Message:
    time = NOW - round(ago * SECOND)
    return decode(
        stamp(
            topic.encode(),
            encode_body(body),
            seq=1,
            offset=1,
            previous=0,
            time=time,
            flags=RETAIN,
            origin=origin.encode(),
        )
    )


def shown(*messages: Message, json: bool = False, colour: bool = False) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = report(messages, Output(line=lines.append, note=lines.append, json=json, colour=colour), now=NOW)
    return code, lines


def test_a_service_is_one_line() -> None:
    """Presence, figures, and the age of the newest state it published; columns nobody fills are left out."""
    told = shown(
        said("service/sun", ONLINE),
        said(
            "service/sun/health", {"rss_bytes": 13_200_000, "handled": 5, "errors": 0, "loop_lag_s": 0.01}, origin="sun"
        ),
        said("sun/state", {"elevation": 3}, origin="sun", ago=70),
        said("sun/dawn", {}, origin="sun", ago=7000),
    )

    assert (
        0,
        [
            "service  status         for   memory  handled  errors  last value  version  pid",
            "sun      online  3 h 00 min  13.2 MB        5       0       1 min  0.1.0      7",
        ],
    ) == told


def test_a_queue_and_a_lag_are_shown_where_there_are_any() -> None:
    """One service that is behind gives the table two columns more; another's stay empty in them."""
    _, lines = shown(
        said("service/host", ONLINE),
        said("service/host/health", {"handled": 1, "queue": 0, "loop_lag_s": 0.002}, origin="host"),
        said("service/sun", ONLINE),
        said("service/sun/health", {"handled": 5, "queue": 812, "loop_lag_s": 2.46}, origin="sun"),
    )

    assert [
        "service  status         for  queue    lag  handled  version  pid",
        "host     online  3 h 00 min                      1  0.1.0      7",
        "sun      online  3 h 00 min    812  2.5 s        5  0.1.0      7",
    ] == lines


def test_a_lost_service_is_exit_code_1() -> None:
    """It died without a goodbye: its old figures are not shown, the reason is."""
    code, lines = shown(
        said("service/sun", {**ONLINE, "status": "lost", "reason": "its connection ended"}),
        said("service/sun/health", {"rss_bytes": 13_200_000, "handled": 5}, origin="sun"),
    )

    assert 1 == code
    assert ["sun", "lost", "3 h 00 min", "0.1.0", "7", "its connection ended"] == re.split("  +", lines[1])


def test_a_service_that_said_goodbye_is_in_order() -> None:
    """Offline is exit code 0, and needs no remark."""
    code, lines = shown(said("service/sun", {**ONLINE, "status": "offline", "reason": "goodbye"}))

    assert 0 == code
    assert "goodbye" not in lines[1]


def test_a_service_that_cannot_start_is_exit_code_1() -> None:
    """It says goodbye each time it fails; its last figures tell that it will be back, and why it went."""
    code, lines = shown(
        said("service/sun", {**ONLINE, "status": "offline", "reason": "goodbye"}),
        said("service/sun/health", {"failing": True, "error": "RuntimeError: no sky"}, origin="sun"),
    )

    assert 1 == code
    assert lines[1].endswith("failing: RuntimeError: no sky")


def test_a_service_that_is_back_is_calm() -> None:
    """Figures from before its return fail nobody who is online."""
    assert 0 == shown(said("service/sun", ONLINE), said("service/sun/health", {"failing": True, "error": "no"}))[0]


@pytest.mark.parametrize(
    ("figures", "ago", "remark"),
    [
        ({"lost": 3}, 0, "messages lost: 3"),
        ({"restarts": 2}, 0, "failures it was started anew after: 2"),
        ({"errors": 0}, 90, "no figures for 90 s"),
        ({"errors": 0}, 5, ""),
        ({"trouble": "no stick at /dev/ttyUSB0"}, 5, "no stick at /dev/ttyUSB0"),
    ],
)
def test_an_online_service_in_trouble_has_a_remark(figures: dict[str, Any], ago: float, remark: str) -> None:
    """A service that lost messages, failed before or went silent is told apart from a healthy one."""
    found = rows([said("service/sun", ONLINE), said("service/sun/health", figures, ago=ago)], now=NOW)

    assert [tuple(filter(None, [remark]))] == [row.remarks for row in found]


def test_a_service_that_has_just_come_is_not_silent() -> None:
    """Figures of its last run, hours old, say nothing against one that is online for a second."""
    just = {**ONLINE, "since": "2025-06-15T15:06:39Z"}
    (row,) = rows([said("service/sun", just), said("service/sun/health", {"errors": 0}, ago=7854)], now=NOW)

    assert ((), False) == (row.remarks, row.troubled)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text ever drawn waits for a table of all letters
@given(
    st.dictionaries(
        st.sampled_from(
            ["status", "since", "version", "pid", "reason", "rss_bytes", "errors", "loop_lag_s", "handled", "trouble",
             "queue", "lost", "restarts"]
        ),
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text() | st.sampled_from(["online", "2026-01-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]),
    )
)  # fmt: skip
def test_no_body_can_break_the_table(body: dict[str, Any]) -> None:
    """Whatever a client publishes as its presence, status prints lines."""
    messages = said("service/sun", body), said("service/sun/health", body)

    assert 2 <= len(shown(*messages)[1])
    assert 1 == len(shown(*messages, json=True)[1])


def test_for_programs_a_service_is_an_object() -> None:
    """--json: what is unknown is null; the broker comes last, with its own figures."""
    code, lines = shown(said("broker/stats", {"clients": 2}), said("service/sun", ONLINE), json=True)

    sun, broker = map(json_module.loads, lines)
    assert 0 == code
    assert {"service": "broker", "status": "online", "stats": {"clients": 2}} == broker
    assert {
        "service": "sun",
        "status": "online",
        "since": "2025-06-15T12:06:40Z",
        "seconds": 10800.0,
        "version": "0.1.0",
        "pid": 7,
        "rss_bytes": None,
        "queue": None,
        "loop_lag_s": None,
        "handled": None,
        "errors": None,
        "failing": False,
        "last_message": None,
        "remarks": [],
    } == sun


@pytest.mark.parametrize(
    ("figures", "ago", "painted"),
    [({"trouble": "no stick"}, 5, True), ({"errors": 0}, 90, True), ({"errors": 0}, 5, False), ({"lost": 3}, 5, False)],
)
def test_what_is_wrong_now_is_seen_at_a_glance(figures: dict[str, Any], ago: float, *, painted: bool) -> None:
    """A line of an online service in trouble, or silent, is yellow; what was wrong once is only a remark."""
    health = said("service/sun/health", figures, ago=ago)
    code, lines = shown(said("service/sun", ONLINE), health, colour=True)

    assert (0, painted) == (code, lines[1].startswith("\x1b[33m"))


def test_a_disk_that_takes_nothing_is_exit_code_1() -> None:
    """The house's history is not written: that is red, with what the disk says."""
    code, lines = shown(said("broker/stats", {"clients": 3, "journal_error": "No space left on device"}), colour=True)

    assert 1 == code
    assert "\x1b[31mbroker  clients: 3, No space left on device (the journal's disk)\x1b[0m" == lines[-1]
    assert 0 == shown(said("broker/stats", {"clients": 3, "journal_error": ""}))[0]


def test_the_broker_is_one_line_with_its_troubles() -> None:
    """Usual figures always, trouble only where there is any."""
    stats = {"uptime_s": 7490.0, "clients": 3, "topics": 12, "messages_per_s": 4.5, "rss_bytes": 21_000_000}

    calm = "up 2 h 05 min, clients: 3, topics: 12, 4.5 messages a second, 21.0 MB"
    assert calm == stats_text({**stats, "refused": 0, "journal_error": ""}, ago=10)
    assert f"{calm}, 2 publishes refused" == stats_text({**stats, "refused": 2}, ago=10)


@pytest.mark.parametrize(("ago", "end"), [(14, "clients: 3"), (40, "clients: 3, figures of 40 s ago")])
def test_old_figures_of_the_broker_have_their_age(ago: float, end: str) -> None:
    """Figures that should have been renewed are told from present ones."""
    _, lines = shown(said("service/sun", ONLINE), said("broker/stats", {"clients": 3}, ago=ago))

    assert f"broker  {end}" == lines[-1]


async def test_figures_of_a_broker_that_is_gone_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the figures are old, status gives a broker that has just started the time to say its own."""
    monkeypatch.setattr("hearthbus.cli.status.OLD_FIGURES", -1.0)
    monkeypatch.setattr("hearthbus.cli.status.FIRST_STATS", 5.0)
    told, house = Told(json=True), House()
    async with house.client() as bus, house.client("broker") as broker:
        await broker.publish("broker/stats", clients=40, retain=True)
        showing = asyncio.create_task(status.show(bus, told.output))
        await house.listening()
        await broker.publish("broker/stats", clients=1, retain=True)
        await showing

    assert [{"clients": 1}] == [json_module.loads(line)["stats"] for line in told.lines]


def test_an_empty_house_says_what_to_do() -> None:
    """No service was ever here: no table, one hint."""
    assert (0, ["no service has been here; `hearthbus up` starts the configured ones"]) == shown()
